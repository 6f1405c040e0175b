package viewmodel

import (
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

// Reading is the open mail, ready to draw.
type Reading struct {
	Show    bool
	ID      string
	Subject string
	Name    string // empty where the address stands alone
	Address string // the proven one
	Warning string // what to beware of, in a word each
	Marks   string // why it can be trusted, in a word each
	Date    string
	Amount  string
	Money   string // what becomes of the money, beside the amount
	Tone    Tone   // of Money
	Notices []Notice
	Loading bool
	Parts   []TextPart // of a plain text
	Paras   []Para     // of one that was HTML, in place of the parts
	Plain   bool       // its looks are taken away for now
	MayTurn bool       // it has looks that can be taken away, or brought back
	More    bool       // the text goes on
	Files   []File
	Aside   Aside
	Link    LinkAsk
	Ask     Ask
	May     May
	Reply   bool
	Opened  bool   // its content is known: it has a source, and details
	Wait    bool   // it is being opened: nothing is decided unread
	Busy    string // what was asked and is not answered yet
	Hint    bool   // nothing is chosen, but there is something to choose
	Many    bool   // rows are marked: keys decide those, not the open mail
}

// Reading is the mail that is open on the page shown.
func (m *Model) Reading() Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := &m.box
	mail := b.open.Mail
	if b.selected == "" || b.open.ID != b.selected {
		return Reading{Hint: len(m.inSight(m.shown())) > 0, Many: len(b.marks) > 0}
	}
	r := Reading{Show: true, ID: mail.ID, Subject: subjectOf(m.say, mail), Name: line(mail.Name), Address: line(mail.From),
		Date: m.say.moment(mail.At), Amount: amountOf(m.say, mail), Many: len(b.marks) > 0,
		Loading: b.opening, Wait: b.opening, May: m.may(mail), Busy: busyWords(m.say, b.deciding[mail.ID]), Ask: m.askView(mail)}
	if r.Name == r.Address {
		r.Name = ""
	}
	r.Warning, r.Marks = trust(m.say, mail)
	r.Money, r.Tone = m.fate(mail)
	r.Notices = m.notices(mail)
	if !opens(mail) || b.opening || b.openErr != nil {
		return r
	}
	r.Opened, r.Reply = true, true
	r.Link, r.Aside = m.linkView(), m.asideView()
	m.readText(&r)
	r.Files = m.files(mail.ID)
	if n := len(b.open.Attachments); n > maxFiles {
		r.Notices = append(r.Notices, Notice{Tone: Waits, Text: m.say.T("reading.many-files",
			"Files", m.say.N("reading.attachments", n), "Shown", maxFiles, "ID", mail.ID)})
	}
	return r
}

// readText fills in the text: with its looks where it was HTML and they are wanted.
func (m *Model) readText(r *Reading) {
	b := &m.box
	var cut bool
	r.MayTurn, r.Plain = len(b.open.Blocks) > 0, b.plain
	if r.MayTurn && !r.Plain {
		r.Paras, cut = paras(b.open.Blocks, b.more)
	} else {
		var s string
		s, cut = text(b.open.Text, b.more)
		r.Parts = partsOf(s)
	}
	r.More = cut && b.more < mostMore
	if cut && !r.More {
		r.Notices = append(r.Notices, Notice{Tone: Waits,
			Text: m.say.T("reading.too-long", "Size", m.say.size(int64(len(b.open.Text))), "ID", r.ID)})
	}
}

func busyWords(say speech, verb string) string {
	if verb == "" {
		return ""
	}
	return say.T("busy." + verb)
}

// fate says what becomes of a mail's money. "Refunded" is said only when the
// sender can spend it again, which a queued decision has not reached yet.
func (m *Model) fate(mail agentclient.Mail) (string, Tone) {
	to := m.beneficiary(mail)
	switch {
	case mail.State == mailUnpaid:
		return m.say.T("fate.unpaid"), Waits
	case mail.Free:
		return m.say.T("fate.free"), Muted
	}
	switch mail.State {
	case mailHeld:
		return m.say.T("fate.held"), Waits
	case mailWaiting:
		if mail.DecideBy.IsZero() {
			return m.say.T("fate.waiting"), Waits
		}
		return m.say.T("fate.waiting.until", "When", m.say.moment(mail.DecideBy)), Waits
	case mailRejecting:
		if mail.EffectiveAt.IsZero() {
			return m.say.T("fate.rejecting.queued", "To", to), Waits
		}
		return m.say.T("fate.rejecting", "To", to, "Clock", m.say.clock(mail.EffectiveAt)), Waits
	case mailAccepted:
		switch {
		case mail.Queued:
			return m.say.T("fate.accepted.queued"), Waits
		case mail.Late:
			return m.say.T("fate.accepted.late"), Good
		}
		return m.say.T("fate.accepted"), Good
	case mailRejected:
		return m.say.T("fate.rejected", "To", to), Against
	case mailExpired:
		return m.say.T("fate.expired"), Good
	case mailWithdrawn:
		return m.say.T("fate.withdrawn"), Muted
	case mailDamaged:
		return m.say.T("fate.damaged"), Waits
	}
	return "", Muted
}

func (m *Model) notices(mail agentclient.Mail) (all []Notice) {
	add := func(tone Tone, text string) {
		if text = line(text); text != "" {
			all = append(all, Notice{Text: text, Tone: tone})
		}
	}
	add(Against, m.say.again(m.box.notice[mail.ID]))
	if m.box.selected == mail.ID {
		add(Against, m.say.again(m.box.openErr))
	}
	switch {
	case mail.State == mailDamaged && mail.Error == "":
		add(Against, m.say.T("notice.damaged"))
	case mail.State == mailHeld:
		add(Waits, m.say.T("notice.held"))
	case mail.State == mailUnpaid:
		add(Waits, m.say.T("notice.unpaid", "Who", writer(mail)))
	}
	add(Against, m.say.agent(mail.SayError, mail.Error))
	if mail.Late {
		add(Waits, m.say.T("notice.late"))
	}
	if mail.Queued {
		add(Waits, m.say.T("notice.queued"))
	}
	if mail.MixedScript {
		add(Waits, m.say.T("notice.mixed"))
	}
	if mail.Unprotected {
		add(Waits, m.say.T("notice.unprotected"))
	}
	if reason := strings.TrimSpace(mail.Reason); reason != "" {
		add(Muted, m.say.T("notice.reason", "Reason", reason))
	}
	if m.box.open.ID == mail.ID && m.box.open.FromHTML {
		add(Muted, m.say.T("notice.html"))
	}
	return all
}
