package agent

import (
	"bytes"
	"context"
	"errors"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"earnest/agent/origin"
	"earnest/agent/store"
	"earnest/escrow"
	"earnest/imapwatch"
	"earnest/mail"
)

// Names answers questions to the DNS. Without them nobody is answered: nothing
// could show from whom a mail is.
type Names = origin.Names

// Limits of the answers of exclusive addresses (K17). A flood costs so much and
// no more.
const (
	answerMailsAnHour = 200                // looked at, for one account
	answerMailSize    = 1 << 20            // looked at; a larger one is left alone
	answerQueue       = 32                 // waiting, of all accounts
	answersAnHour     = 20                 // of all accounts
	answersADay       = 100                // of all accounts
	answerAgain       = 7 * 24 * time.Hour // to one sender
	answerFresh       = 2 * 24 * time.Hour // how old a mail may be
	answerRemembered  = 3 * 24 * time.Hour // that it was looked at: longer than it is fresh
)

// More names the header fields that tell whether an ordinary mail may be answered;
// none unless the address is exclusive. Only INBOX is looked at.
func (in incoming) More(mailbox string) []string {
	if mailbox != "INBOX" || !in.a.answers() {
		return nil
	}
	return []string{"Return-Path", "Sender", "To", "Cc", "Date", "Auto-Submitted", "Precedence",
		"List-Id", "List-Unsubscribe", "List-Post", "List-Help", "Mailing-List", "Feedback-Id", "X-Auto-Response-Suppress", headerAnswer}
}

// answers reports whether who writes unencrypted is answered.
func (a *account) answers() bool {
	return a.Names != nil && !a.get().ExclusiveSince.IsZero()
}

// mayAnswer picks by the header alone the mails that are worth a look.
func (a *account) mayAnswer(h imapwatch.Header) bool {
	if h.More == nil || h.Mailbox != "INBOX" || h.Size > answerMailSize || !a.answers() || !a.arrivedSince(h.Arrived) {
		return false
	}
	fields := netmail.Header{"From": {h.From}, "Content-Type": {h.ContentType}}
	for name, values := range h.More {
		fields[name] = values
	}
	_, why := a.letterFrom(fields)
	return why == "" && a.strangers.allow(a.Now())
}

// arrivedSince reports whether a mail came since the address is exclusive. A
// mailbox counts in whole seconds.
func (a *account) arrivedSince(arrived time.Time) bool {
	return !arrived.Before(a.get().ExclusiveSince.Truncate(time.Second))
}

// consider puts an ordinary mail among those that may be answered. Nobody is asked
// for anything here: the mailbox does not wait.
func (a *account) consider(ctx context.Context, m imapwatch.Mail) error {
	if !a.answers() || m.TooLarge || len(m.Raw) > answerMailSize || m.More == nil || !a.arrivedSince(m.Arrived) {
		return nil
	}
	message, err := netmail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		return nil // whoever wrote it: no answer is sure to be right
	}
	letter, why := a.letterFrom(message.Header)
	if why == "" && sealedOtherwise(m.Raw) {
		why = "it is encrypted"
	}
	if why != "" {
		a.Log.Info("an ordinary mail is not answered", "why", why)
		return nil
	}
	answer := store.Answer{ID: store.AnswerID(a.id, mailID(m.Raw)), Account: a.id, Number: a.Now().UnixMilli(),
		State: store.AnswerWaiting, To: letter.to, MessageID: letter.id}
	queued := false
	err = a.Store.Update(ctx, "answer.consider", func(tx *store.Tx) error {
		_, looked, err := store.Get[store.Answer](tx, answer.ID)
		if err != nil || looked {
			return err // a second copy, or a mailbox that was numbered anew
		}
		waiting, err := store.List[store.Answer](tx, store.AnswerWaiting)
		if err != nil {
			return err
		}
		if len(waiting) >= answerQueue {
			why = "many wait already"
			return nil
		}
		if why, err = a.notAgain(tx, letter.from); err != nil {
			return err
		}
		if queued = why == ""; !queued {
			answer.State, answer.To, answer.MessageID = store.AnswerDone, "", ""
			return store.Put(tx, answer)
		}
		return errors.Join(store.Put(tx, answer), store.Put(tx, store.Content{ID: answer.ID, Raw: m.Raw}))
	})
	switch {
	case err == nil && queued:
		wake(a.wakeAnswers)
	case err == nil && why != "":
		a.Log.Info("an ordinary mail is not answered", "why", why)
	}
	return err
}

// sealedOtherwise reports a mail that is encrypted by what is in it.
func sealedOtherwise(raw []byte) bool {
	const inline = "-----BEGIN PGP MESSAGE-----"
	if bytes.Contains(raw, []byte(inline)) {
		return true
	}
	content, err := mail.Read(raw)
	return err != nil || strings.Contains(content.Text, inline) || slices.ContainsFunc(content.Attachments, func(part mail.Attachment) bool {
		return encryptedType(part.Type) || strings.HasSuffix(strings.ToLower(part.Name), ".p7m")
	})
}

// notAgain says why a sender is not answered whom the agent knows, or who was
// answered already.
func (a *account) notAgain(tx *store.Tx, from escrow.Address) (string, error) {
	if known, err := a.knows(tx, from); err != nil || known {
		return "its sender is known", err
	}
	return a.answeredOf(tx, from)
}

// answeredOf says why a sender is not answered now: the limits.
func (a *account) answeredOf(tx *store.Tx, from escrow.Address) (string, error) {
	id, err := a.blind(from.Folded())
	if err != nil {
		return "", err
	}
	now := a.Now()
	last, err := store.Since[store.Answered](tx, now.Add(-answerAgain).UnixMilli()+1)
	hour, day := 0, 0
	for _, one := range last {
		if one.ID == id {
			return "its sender was answered already", err
		}
		if ago := now.Sub(time.UnixMilli(one.Number)); ago < time.Hour {
			hour, day = hour+1, day+1
		} else if ago < 24*time.Hour {
			day++
		}
	}
	if hour >= answersAnHour || day >= answersADay {
		return "many were answered already", err
	}
	return "", err
}

// knows reports whether the address has to do with this account already: by keys,
// by a mail that was opened, or by a bond either way.
func (a *account) knows(tx *store.Tx, from escrow.Address) (bool, error) {
	id, err := a.blind(from)
	if err != nil {
		return false, err
	}
	_, connected, err := store.Get[store.Connection](tx, id)
	if err != nil || connected {
		return connected, err
	}
	_, met, err := store.Get[store.Met](tx, id)
	if err != nil || met {
		return met, err
	}
	sent, err := store.List[store.Sent](tx)
	if err != nil || slices.ContainsFunc(sent, func(s store.Sent) bool { return s.Account == a.id && s.To == from }) {
		return err == nil, err
	}
	bonds, err := store.List[store.Bond](tx)
	return slices.ContainsFunc(bonds, func(b store.Bond) bool {
		return b.Account == a.id && (b.Sender == from || b.Recipient == from)
	}), err
}
