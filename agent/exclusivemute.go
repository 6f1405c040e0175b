package agent

import (
	"context"
	"errors"
	"strings"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/smtpsubmit"
)

// mute says why nobody is answered though the address is exclusive, and what can be
// done; nil where nothing is known to stand in the way.
func (a *account) mute() (happened, do agentclient.Said) {
	settings := a.get()
	switch {
	case settings.ExclusiveSince.IsZero():
		return nil, nil
	case a.Names == nil:
		return agentclient.Say("exclusive.no-dns", "Nobody is answered: this agent asks no DNS, so it cannot find out whether a mail is from whom it says."),
			agentclient.Say("exclusive.no-dns.do", "Start it without --no-discovery and EARNEST_NO_DISCOVERY, or name a DNS server in EARNEST_DNS.")
	case settings.AnswersRefused != "":
		return agentclient.Say("exclusive.refused", "The server that sends your mail refused the last answer, since answers have no sender (so that nothing comes back for them): {Why}.", "Why", settings.AnswersRefused),
			agentclient.Say("exclusive.refused.do", "Ask its operator to allow mail with a null sender, or switch the answers off: earnest price exclusive off")
	}
	return nil, nil
}

// noteAnswer keeps whether the server takes answers, for who asks what is wrong.
func (a *account) noteAnswer(ctx context.Context, err error) error {
	refused := ""
	if refusal, ok := errors.AsType[*smtpsubmit.Error](err); ok && refusedSender(refusal) {
		refused = strings.TrimRight(cause(refusal), ". \r\n")
	} else if err != nil {
		return nil // nothing about the sender
	}
	if a.get().AnswersRefused == refused {
		return nil
	}
	return a.change(ctx, "answer.refused", func(_ *store.Tx, s *store.Account) error {
		s.AnswersRefused = refused
		return nil
	})
}

// refusedSender reports that a server wants no mail with a null sender. Some say so
// only once they know the recipient.
func refusedSender(e *smtpsubmit.Error) bool {
	switch e.Stage {
	case smtpsubmit.StageMail:
		return e.Permanent
	case smtpsubmit.StageRcpt, smtpsubmit.StageData, smtpsubmit.StageFinal:
		return e.Permanent && e.Err != nil && strings.Contains(strings.ToLower(e.Err.Error()), "sender")
	}
	return false
}
