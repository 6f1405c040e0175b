package agent

import (
	"bytes"
	"context"
	"errors"
	netmail "net/mail"
	"strings"
	"time"

	"earnest/agent/origin"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/smtpsubmit"
)

const (
	answerPause    = 10 * time.Minute // between tries, and looks at what can be forgotten
	answerPatience = 30 * time.Second // for the names of one mail
	answerTries    = 5
)

// answerStrangers answers the mails that wait for it. While the address is not
// exclusive it does nothing.
func (a *account) answerStrangers(ctx context.Context) error {
	for {
		if a.answers() {
			if err := a.answerWaiting(ctx); err != nil && ctx.Err() == nil {
				a.Log.Warn("ordinary mails could not be answered now", "err", err)
			}
		}
		if !sleep(ctx, a.wakeAnswers, answerPause) {
			return nil
		}
	}
}

func (a *account) answerWaiting(ctx context.Context) error {
	var waiting []store.Answer
	err := a.Store.Update(ctx, "answer.tidy", func(tx *store.Tx) (err error) {
		if err = a.forgetAnswered(tx); err != nil {
			return err
		}
		waiting, err = store.List[store.Answer](tx, store.AnswerWaiting)
		return err
	})
	if err != nil {
		return err
	}
	for _, answer := range waiting {
		if answer.Account != a.id || answer.NextTry > a.Now().UnixMilli() {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := a.answerOne(ctx, answer); err != nil {
			return err
		}
	}
	return nil
}

// forgetAnswered forgets who was answered, and what was looked at, as soon as that
// makes no difference any more.
func (a *account) forgetAnswered(tx *store.Tx) error {
	now := a.Now()
	senders, err := store.List[store.Answered](tx, a.id)
	if err != nil {
		return err
	}
	for _, one := range senders {
		if now.Sub(time.UnixMilli(one.Number)) >= answerAgain {
			if err := store.Delete[store.Answered](tx, one.ID); err != nil {
				return err
			}
		}
	}
	looked, err := store.List[store.Answer](tx)
	if err != nil {
		return err
	}
	for _, answer := range looked {
		if answer.Account == a.id && now.Sub(time.UnixMilli(answer.Number)) >= answerRemembered {
			if err := dropAnswer(tx, answer); err != nil {
				return err
			}
		}
	}
	return nil
}

func dropAnswer(tx *store.Tx, answer store.Answer) error {
	return errors.Join(store.Delete[store.Content](tx, answer.ID), store.Delete[store.Answer](tx, answer.ID))
}

// answerOne finds out whether the mail is from whom it says, and answers it. The
// answer is marked as sent before it is: after a crash it may be lost, but never
// goes twice.
func (a *account) answerOne(ctx context.Context, answer store.Answer) error {
	from, err := escrow.ParseAddress(answer.To)
	if err != nil {
		return a.endAnswer(ctx, answer, "its sender's address cannot be used")
	}
	if !answer.Proven {
		err := a.checkOrigin(ctx, answer, from)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, origin.ErrUnproven):
			return a.endAnswer(ctx, answer, "nothing shows that it is from whom it says")
		case err != nil:
			return a.answerLater(ctx, answer, "the names of its domain could not be asked for")
		}
		answer.Proven = true
	}
	raw, err := a.answerLetter(answer)
	if err != nil {
		return a.endAnswer(ctx, answer, "an answer to it cannot be written")
	}
	marked, err := a.markAnswered(ctx, answer, from)
	if err != nil || !marked {
		return err
	}
	err = a.Outside.Submit(ctx, a.submission(), "", answer.To, raw)
	if fault := a.noteAnswer(ctx, err); fault != nil && ctx.Err() == nil {
		a.Log.Warn("what became of an answer could not be kept", "err", fault)
	}
	if err == nil {
		a.Log.Info("an ordinary mail was answered with how to send guaranteed mail")
		a.tell(agentclient.EventPrice, a.id, "")
		return nil
	}
	if refusal, ok := errors.AsType[*smtpsubmit.Error](err); ok && !refusal.Permanent && !refusal.Uncertain && ctx.Err() == nil {
		return errors.Join(a.unmarkAnswered(ctx, from), a.answerLater(ctx, answer, "the mail server did not take the answer"))
	}
	a.Log.Warn("an answer was not sent, and is not tried again", "err", err)
	return nil
}

// checkOrigin asks the DNS whether the mail is from there.
func (a *account) checkOrigin(ctx context.Context, answer store.Answer, from escrow.Address) error {
	var content store.Content
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		content, _, err = store.Get[store.Content](tx, answer.ID)
		return err
	})
	if err != nil {
		return err
	}
	message, err := netmail.ReadMessage(bytes.NewReader(content.Raw))
	if err != nil {
		return origin.ErrUnproven
	}
	limited, stop := context.WithTimeout(ctx, answerPatience)
	defer stop()
	domain := string(from[strings.LastIndexByte(string(from), '@')+1:])
	return origin.Check(limited, a.Names, content.Raw, domain, a.namedIn(message.Header), "Date")
}

// markAnswered notes that the sender is answered, where the limits still allow it.
func (a *account) markAnswered(ctx context.Context, answer store.Answer, from escrow.Address) (marked bool, err error) {
	id, err := a.blind(from.Folded())
	if err != nil {
		return false, err
	}
	why := ""
	err = a.Store.Update(ctx, "answer.mark", func(tx *store.Tx) error {
		now, waits, err := store.Get[store.Answer](tx, answer.ID)
		if err != nil || !waits || now.State != store.AnswerWaiting {
			return err // it was switched off meanwhile
		}
		if why, err = a.notAgain(tx, from); err != nil {
			return err
		}
		if why == "" {
			marked = true
			err = store.Put(tx, store.Answered{ID: id, Account: a.id, Number: a.Now().UnixMilli()})
		}
		return errors.Join(err, doneAnswer(tx, answer))
	})
	if err == nil && why != "" {
		a.Log.Info("an ordinary mail is not answered", "why", why)
	}
	return marked && err == nil, err
}

// unmarkAnswered takes the note back of an answer that the server did not take.
func (a *account) unmarkAnswered(ctx context.Context, from escrow.Address) error {
	id, err := a.blind(from.Folded())
	if err != nil {
		return err
	}
	return a.Store.Update(ctx, "answer.unmark", func(tx *store.Tx) error { return store.Delete[store.Answered](tx, id) })
}

func doneAnswer(tx *store.Tx, answer store.Answer) error {
	answer.State, answer.To, answer.MessageID = store.AnswerDone, "", ""
	return errors.Join(store.Delete[store.Content](tx, answer.ID), store.Put(tx, answer))
}

// stillWanted reports whether the mail may still be answered: the address may have
// been switched off meanwhile, and on again.
func (a *account) stillWanted(tx *store.Tx, answer store.Answer) (bool, error) {
	_, there, err := store.Get[store.Answer](tx, answer.ID)
	if err != nil || !there {
		return false, err
	}
	settings, there, err := store.Get[store.Account](tx, a.id)
	since := settings.ExclusiveSince
	return there && !since.IsZero() && answer.Number >= since.UnixMilli(), err
}

// endAnswer lets a mail be that is not answered.
func (a *account) endAnswer(ctx context.Context, answer store.Answer, why string) error {
	a.Log.Info("an ordinary mail is not answered", "why", why)
	return a.Store.Update(ctx, "answer.end", func(tx *store.Tx) error {
		if wanted, err := a.stillWanted(tx, answer); err != nil || !wanted {
			return errors.Join(err, dropAnswer(tx, answer))
		}
		return doneAnswer(tx, answer)
	})
}

// answerLater has an answer tried again some times.
func (a *account) answerLater(ctx context.Context, answer store.Answer, why string) error {
	if answer.Tries++; answer.Tries >= answerTries {
		return a.endAnswer(ctx, answer, why)
	}
	answer.NextTry = a.Now().Add(answerPause - time.Second).UnixMilli()
	return a.Store.Update(ctx, "answer.later", func(tx *store.Tx) error {
		if wanted, err := a.stillWanted(tx, answer); err != nil || !wanted {
			return errors.Join(err, dropAnswer(tx, answer))
		}
		return store.Put(tx, answer)
	})
}
