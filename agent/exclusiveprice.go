package agent

import (
	"context"
	"strings"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
)

// onlyAnswers reports a change of the answers alone.
func onlyAnswers(req agentclient.SetPrice) bool {
	exclusive, answer := req.Exclusive != nil, req.Answer != nil
	req.Exclusive, req.Answer = nil, nil
	return (exclusive || answer) && len(req.Options) == 0 && req.FreeAfter == "" && unpriced(req)
}

// mayBeAnswered checks what a request wants of the answers, before anything of it
// is done.
func (a *account) mayBeAnswered(req agentclient.SetPrice) error {
	if req.Answer != nil {
		if failure := agentclient.CheckAnswer(*req.Answer); failure != nil {
			return failure
		}
	}
	none := len(req.Options) == 0 && a.get().Offer == ""
	if none && (onlyAnswers(req) || req.Exclusive != nil && *req.Exclusive) {
		return agentclient.NoPriceToAnswer()
	}
	return nil
}

// setAnswers changes how who writes unencrypted is answered. The escrow has no
// part in it. What waits when it is switched off is not answered.
func (a *account) setAnswers(ctx context.Context, req agentclient.SetPrice) error {
	if req.Exclusive == nil && req.Answer == nil {
		return nil
	}
	err := a.change(ctx, "price.exclusive", func(tx *store.Tx, s *store.Account) error {
		if req.Answer != nil {
			s.Answer = strings.TrimSpace(strings.ReplaceAll(*req.Answer, "\r\n", "\n"))
		}
		if req.Exclusive == nil || *req.Exclusive != s.ExclusiveSince.IsZero() {
			return nil
		}
		if *req.Exclusive {
			s.ExclusiveSince = a.Now()
			return nil
		}
		s.ExclusiveSince, s.AnswersRefused = time.Time{}, ""
		return a.dropAnswers(tx, store.AnswerWaiting)
	})
	wake(a.wakeAnswers)
	return err
}

// dropAnswers forgets the answers in a state, or all.
func (a *account) dropAnswers(tx *store.Tx, states ...string) error {
	all, err := store.List[store.Answer](tx, states...)
	for _, answer := range all {
		if err == nil && answer.Account == a.id {
			err = dropAnswer(tx, answer)
		}
	}
	return err
}

// withAnswers adds to an own price how who writes unencrypted is answered.
func (a *account) withAnswers(ctx context.Context, price agentclient.Price) (agentclient.Price, error) {
	settings := a.get()
	if settings.Offer == "" {
		return price, nil
	}
	price.Exclusive, price.Answer = !settings.ExclusiveSince.IsZero(), settings.Answer
	if happened, do := a.mute(); happened != nil {
		price.SayMute = happened.And(do)
		price.Mute = price.SayMute.String()
	}
	var err error
	if price.AnswerText, err = a.answerText(settings); err != nil {
		return price, err
	}
	since := a.Now().Add(-answerAgain).UnixMilli() + 1
	return price, a.Store.View(ctx, func(tx *store.Tx) error {
		answered, err := store.Since[store.Answered](tx, since, a.id)
		price.Answered = len(answered)
		return err
	})
}
