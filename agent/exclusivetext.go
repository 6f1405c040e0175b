package agent

import (
	"fmt"
	"strings"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/mail"
)

// answerSubject is the same for all: nothing of a stranger's mail is repeated.
const answerSubject = "Auto: how to send mail that is read for sure"

// answerLetter is the answer as it is submitted, with a null sender.
func (a *account) answerLetter(answer store.Answer) ([]byte, error) {
	settings := a.get()
	text, err := a.answerText(settings)
	if err != nil {
		return nil, err
	}
	letter := mail.Letter{From: settings.Typed, To: answer.To, Subject: answerSubject, Date: a.Now().UTC(),
		MessageID: mail.NewMessageID(settings.Typed), Text: text}
	if answer.MessageID != "" {
		letter.InReplyTo, letter.References = answer.MessageID, []string{answer.MessageID}
	}
	return mail.Build(letter, mail.Field{Name: "Auto-Submitted", Value: "auto-replied"},
		mail.Field{Name: "X-Auto-Response-Suppress", Value: "All"}, mail.Field{Name: headerAnswer, Value: "1"})
}

// answerText is what who writes unencrypted is answered, as things stand.
func (a *account) answerText(s store.Account) (string, error) {
	offer, err := escrow.VerifyOffer(s.Offer)
	if err != nil {
		return "", fmt.Errorf("text of an answer: %w", err)
	}
	price := a.viewOffer(offer)
	var b strings.Builder
	if s.Answer != "" {
		b.WriteString(s.Answer + "\n\n")
	}
	fmt.Fprintf(&b, "This is an automatic answer. Your mail to %s has arrived and was left as it is; whether it is read is not sure.\n\n", s.Typed)
	fmt.Fprintf(&b, "To be read for sure, write with a refundable bond of %s. The money is held until your mail is decided on. "+
		"It comes back to you unless the mail is rejected, also when nobody answers within %s. The money of a rejected mail goes to %s and never to the recipient. "+
		"Such a mail is encrypted end to end.\n\n", priceWords(price), timeWords(price.DecideWithin), price.Beneficiary)
	fmt.Fprintf(&b, "How: install Earnest, add your own mail account, and write to the address as you always do. "+
		"This card tells Earnest where the bond is held and whose key is the right one:\n\n%s\n\n", cardOf(s))
	fmt.Fprintf(&b, "On a command line: earnest send --to %s --subject \"Hello\" --body-file letter.txt\n\n", s.Typed)
	b.WriteString("You get this answer once in seven days at most.\n")
	return b.String(), nil
}

// timeWords is a deadline in seconds, such as 14 days.
func timeWords(seconds int64) string {
	for _, unit := range []struct {
		name   string
		length int64
	}{{"days", 24 * 60 * 60}, {"hours", 60 * 60}, {"minutes", 60}} {
		if seconds >= 2*unit.length && seconds%unit.length == 0 {
			return fmt.Sprintf("%d %s", seconds/unit.length, unit.name)
		}
	}
	return fmt.Sprintf("%d seconds", seconds)
}

// priceWords are the ways to pay.
func priceWords(price agentclient.Price) string {
	var all []string
	for _, option := range price.Options {
		all = append(all, option.Price.String())
	}
	return strings.Join(all, " or ")
}

// cardOf is what programs read of an address: where it is reached, and its identity.
func cardOf(s store.Account) string {
	return "earnest:" + string(s.Address) + "?escrow=" + s.Info.Name + "&fp=" + string(s.Identity.ID())
}
