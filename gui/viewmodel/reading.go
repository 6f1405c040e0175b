package viewmodel

import (
	"fmt"
	"strings"

	"earnest/agentclient"
)

// maxFiles bounds what is listed of a mail made of a thousand attachments.
const maxFiles = 50

// Notice is a remark over the text of a mail.
type Notice struct {
	Text string
	Tone Tone
}

// File is an attachment as it is listed.
type File struct {
	N          int
	Name, Size string
}

// Reading is the open mail, ready to draw.
type Reading struct {
	Show    bool
	ID      string
	Subject string
	Name    string // empty where the address stands alone
	Address string // the proven one
	First   bool   // nothing from this sender before
	Date    string
	Amount  string
	Money   string // what becomes of the money, beside the amount
	Tone    Tone   // of Money
	Notices []Notice
	Loading bool
	Text    string
	More    bool // the text goes on
	Files   []File
	Saved   string
	Checks  string
	May     May
	Busy    string // what was asked and is not answered yet
	Hint    bool   // nothing is chosen, but there is something to choose
}

// Reading is the mail that is open on the page shown.
func (m *Model) Reading() Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	mail := m.box.open.Mail
	if m.box.selected == "" || m.box.open.ID != m.box.selected {
		return Reading{Hint: len(m.box.in(m.shown())) > 0}
	}
	r := Reading{Show: true, ID: mail.ID, Subject: subject(mail.Subject), Name: line(mail.Name), Address: line(mail.From),
		First: mail.FirstTime, Date: m.say.moment(mail.At), Amount: m.say.money(mail.Price),
		Loading: m.box.opening, Saved: m.box.saved, May: m.may(mail), Busy: m.busy(mail.ID)}
	if r.Name == r.Address {
		r.Name = ""
	}
	r.Money, r.Tone = m.fate(mail)
	r.Notices = m.notices(mail)
	if mail.State == mailHeld {
		r.Subject = "One paid mail, waiting for the escrow"
	}
	if mail.State == mailHeld || mail.State == mailDamaged || m.box.opening {
		return r
	}
	var cut bool
	r.Text, cut = text(m.box.open.Text, m.box.more)
	r.More = cut && m.box.more < mostMore
	if cut && !r.More {
		r.Notices = append(r.Notices, Notice{Tone: Waits,
			Text: fmt.Sprintf("This mail is very long (%s). The window shows no more of it; all of it: earnest read %s", m.say.size(int64(len(m.box.open.Text))), mail.ID)})
	}
	for i, a := range m.box.open.Attachments {
		if i == maxFiles {
			r.Notices = append(r.Notices, Notice{Tone: Waits, Text: fmt.Sprintf(
				"It has %s; the first %d are listed. All of them: earnest read %s", m.say.N("reading.attachments", len(m.box.open.Attachments)), maxFiles, mail.ID)})
			break
		}
		r.Files = append(r.Files, File{N: i, Name: named(a.Name), Size: m.say.size(a.Size)})
	}
	var checks []string
	for _, check := range m.box.open.Checks {
		checks = append(checks, line(check))
	}
	r.Checks = strings.Join(checks, "  ·  ")
	return r
}

func named(s string) string {
	if s = line(s); s == "" {
		return "unnamed"
	}
	return s
}

func (m *Model) busy(id string) string {
	switch m.box.deciding[id] {
	case "accept":
		return "Accepting…"
	case "reject":
		return "Rejecting…"
	case "undo":
		return "Taking the reject back…"
	}
	return ""
}

// fate says what becomes of a mail's money. "Refunded" is said only when the
// sender can spend it again, which a queued decision has not reached yet.
func (m *Model) fate(mail agentclient.Mail) (string, Tone) {
	to := line(mail.Beneficiary)
	switch mail.State {
	case mailHeld:
		return "held", Waits
	case mailWaiting:
		s := "held · comes back to the sender unless you reject"
		if !mail.DecideBy.IsZero() {
			s += " · decide by " + m.say.moment(mail.DecideBy)
		}
		return s, Waits
	case mailRejecting:
		return "held · goes to " + to + " at " + mail.EffectiveAt.In(m.say.loc).Format("15:04") + " unless you undo", Waits
	case mailAccepted:
		if mail.Queued {
			return "held · goes back to the sender when the escrow answers", Waits
		}
		return "refunded to the sender", Good
	case mailRejected:
		return "forfeited to " + to, Against
	case mailExpired:
		return "refunded to the sender, because nobody decided in time", Good
	case mailWithdrawn:
		return "refunded: the sender took the mail back", Muted
	case mailDamaged:
		return "held · nothing was decided", Waits
	}
	return "", Muted
}

func (m *Model) notices(mail agentclient.Mail) (all []Notice) {
	add := func(tone Tone, text string) {
		if text = line(text); text != "" {
			all = append(all, Notice{Text: text, Tone: tone})
		}
	}
	add(Against, m.box.notice[mail.ID])
	if m.box.selected == mail.ID {
		add(Against, m.box.openErr)
	}
	switch {
	case mail.State == mailDamaged && mail.Error == "":
		add(Against, "This mail was changed on its way and cannot be trusted. It was not opened; nothing was decided.")
	case mail.State == mailHeld:
		add(Waits, "It is opened as soon as the escrow confirms that it is paid. Nothing is lost; its deadlines wait too.")
	}
	add(Against, mail.Error)
	if mail.Queued {
		add(Waits, "The escrow does not answer. Your decision is kept and goes out when it is back; its deadlines wait too.")
	}
	if mail.MixedScript {
		add(Waits, "The address mixes letters of several scripts, as forged addresses do. Compare it with care.")
	}
	if mail.Unprotected {
		add(Waits, "Sender and subject of this mail travelled unencrypted, so its carriers could read and change them.")
	}
	if m.box.open.ID == mail.ID && m.box.open.FromHTML {
		add(Muted, "Written as a web page; shown as its text. Nothing was fetched from elsewhere.")
	}
	return all
}
