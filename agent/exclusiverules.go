package agent

import (
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"earnest/escrow"
)

// headerAnswer marks an answer of an exclusive address, so that two do not answer
// each other for ever.
const headerAnswer = "Earnest-Answer"

// letterFrom is what an answer needs of the mail that it is for.
type letterFrom struct {
	from escrow.Address
	to   string // as Return-Path has it
	id   string // its Message-ID; empty where it cannot be repeated
	// toField is the field that names us.
	toField string
}

// letterFrom reads the header of an ordinary mail. why is the reason for which it
// is never answered (RFC 3834 section 2); empty if there is none.
func (a *account) letterFrom(h netmail.Header) (letter letterFrom, why string) {
	if why = fromMachine(h); why != "" {
		return letter, why
	}
	if letter.from, letter.to, why = sender(h); why != "" {
		return letter, why
	}
	for _, own := range a.each() {
		if own.address.Folded() == letter.from.Folded() {
			return letter, "it is from an own address"
		}
	}
	if roleAddress(letter.from) {
		return letter, "nobody reads its sender's address"
	}
	if letter.toField = a.namedIn(h); letter.toField == "" {
		return letter, "it does not name the address it came to"
	}
	if why = a.stale(h); why != "" {
		return letter, why
	}
	if ids := h["Message-Id"]; len(ids) == 1 && saneID().MatchString(ids[0]) {
		letter.id = ids[0]
	}
	return letter, ""
}

func saneID() *regexp.Regexp { return regexp.MustCompile(`^<[!#-;=?-~]{1,120}@[!#-;=?-~]{1,120}>$`) }

// fromMachine reports what no person wrote to another.
func fromMachine(h netmail.Header) string {
	for name, values := range h {
		name := strings.ToLower(name)
		value := strings.ToLower(strings.Join(values, " "))
		switch {
		case name == "auto-submitted" && !isNo(value):
			return "a program sent it"
		case name == "precedence" && (strings.Contains(value, "bulk") || strings.Contains(value, "list") ||
			strings.Contains(value, "junk") || strings.Contains(value, "auto")):
			return "it is bulk mail"
		case strings.HasPrefix(name, "list-"), name == "mailing-list", name == "x-mailing-list", name == "feedback-id":
			return "it came over a list"
		case name == "x-auto-response-suppress", name == "x-autoreply", name == "x-autorespond", name == "x-loop":
			return "it wants no answer"
		case strings.HasPrefix(name, "resent-"):
			return "somebody passed it on"
		case strings.EqualFold(name, headerAnswer):
			return "it is an answer itself"
		case name == "content-type" && encryptedType(value):
			return "it is encrypted"
		case name == "content-type" && (strings.Contains(value, "multipart/report") || strings.HasPrefix(strings.TrimSpace(value), "message/")):
			return "it is a report"
		}
	}
	return ""
}

// isNo reads Auto-Submitted (RFC 3834 section 5): no, with what may stand behind.
func isNo(value string) bool {
	word, _, _ := strings.Cut(value, ";")
	word, _, _ = strings.Cut(word, "(")
	return strings.TrimSpace(word) == "no"
}

func encryptedType(contentType string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	switch strings.TrimSpace(kind) {
	case "multipart/encrypted", "application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime":
		return true
	}
	return false
}

// sender is who wrote, where From, Sender and Return-Path agree.
func sender(h netmail.Header) (from escrow.Address, to, why string) {
	if len(h["From"]) != 1 || len(h["Return-Path"]) != 1 || len(h["Sender"]) > 1 {
		return "", "", "it does not say clearly from whom it is"
	}
	list, err := netmail.ParseAddressList(h["From"][0])
	if err != nil || len(list) != 1 {
		return "", "", "it does not say clearly from whom it is"
	}
	if from, err = escrow.ParseAddress(list[0].Address); err != nil || strings.ContainsFunc(string(from), func(r rune) bool { return r > '~' }) {
		return "", "", "its sender's address cannot be used"
	}
	back := strings.TrimSpace(h["Return-Path"][0])
	back = strings.TrimSuffix(strings.TrimPrefix(back, "<"), ">")
	if path, err := escrow.ParseAddress(back); err != nil || path != from {
		return "", "", "it comes back to another address than it is from"
	}
	for _, by := range h["Sender"] {
		one, err := netmail.ParseAddress(by)
		if err != nil {
			return "", "", "it does not say clearly from whom it is"
		}
		if other, err := escrow.ParseAddress(one.Address); err != nil || other != from {
			return "", "", "somebody sent it for another"
		}
	}
	return from, back, ""
}

// roleAddress reports addresses at which programs sit (RFC 3834 section 2, RFC 2142).
func roleAddress(address escrow.Address) bool {
	local, _, _ := strings.Cut(string(address), "@")
	bare := strings.NewReplacer("-", "", "_", "", ".", "").Replace(local)
	for _, word := range []string{"noreply", "donotreply", "dontreply", "mailerdaemon", "bounce"} {
		if strings.Contains(bare, word) {
			return true
		}
	}
	if slices.Contains([]string{"postmaster", "hostmaster", "daemon", "root", "nobody", "listserv", "majordomo", "mailman", "abuse",
		"newsletter", "notification", "notifications", "alert", "alerts"}, local) {
		return true
	}
	return strings.HasPrefix(local, "owner-") || strings.HasSuffix(local, "-owner") ||
		strings.HasSuffix(local, "-request") || strings.HasSuffix(local, "-relay")
}

// namedIn is the field in which the mail names the account's address.
func (a *account) namedIn(h netmail.Header) string {
	if len(h["To"]) > 1 || len(h["Cc"]) > 1 {
		return "" // what a signature covers of them is not all that is read
	}
	for _, field := range []string{"To", "Cc"} {
		list, err := netmail.ParseAddressList(h.Get(field))
		if err != nil {
			continue
		}
		for _, one := range list {
			if named, err := escrow.ParseAddress(one.Address); err == nil && named.Folded() == a.address.Folded() {
				return field
			}
		}
	}
	return ""
}

// stale reports a mail that was written before the address was exclusive, or too
// long ago: a mailbox that was moved brings old mail as new.
func (a *account) stale(h netmail.Header) string {
	date, err := h.Date()
	if err != nil || len(h["Date"]) != 1 {
		return "it has no date"
	}
	now := a.Now()
	if now.Sub(date) > answerFresh || date.Sub(now) > 24*time.Hour || !a.arrivedSince(date) {
		return "it is not new"
	}
	return ""
}
