package viewmodel

import (
	"context"
	"strings"

	"earnest/agentclient"
)

// preview is the dry run of a draft.
type preview struct {
	open   bool
	asking bool
	list   []agentclient.Preview
	n      int // whose is shown
	err    said
	turn   int
}

// Preview is what a recipient will see, and what others on the way can.
type Preview struct {
	Title   string // "What author@example.net sees"
	Count   int    // of recipients; N is whose is shown
	N       int
	Which   string // "1 of 3"
	Loading string
	Error   string
	Row     Row
	Subject string
	From    string
	Amount  string
	Money   string
	Text    []TextPart
	Files   []File
	Outside []string
	Size    string
}

// OpenPreview asks what would become of the mail. Nothing is bought or sent.
func (m *Model) OpenPreview() {
	m.mu.Lock()
	d := m.draft
	all := d.all()
	switch {
	case d.sending:
		m.mu.Unlock()
		return
	case len(all) == 0:
		d.errTo = says("write.preview.nobody")
		m.mu.Unlock()
		m.changed()
		return
	}
	mail := d.compose(all)
	mail.Draft, mail.Option, mail.From = "", 0, m.account(d)
	d.preview = preview{open: true, asking: true, turn: d.preview.turn + 1}
	turn := d.preview.turn
	m.mu.Unlock()
	m.changed()
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		list, err := m.agent.Preview(ctx, mail)
		m.update(func() {
			if d.preview.turn != turn || !d.preview.open {
				return
			}
			d.preview.asking, d.preview.list, d.preview.err = false, list, fails(err)
			if err == nil && len(list) == 0 {
				d.preview.err = says("write.preview.nothing")
			}
		})
	})
}

// ClosePreview goes back to writing.
func (m *Model) ClosePreview() {
	m.update(func() { m.draft.preview = preview{turn: m.draft.preview.turn} })
}

// TurnPreview shows the next (1) or the previous (-1) recipient's.
func (m *Model) TurnPreview(step int) {
	m.update(func() {
		p := &m.draft.preview
		p.n = min(max(p.n+step, 0), max(0, len(p.list)-1))
	})
}

// Preview is the dry run, ready to draw.
func (m *Model) Preview() Preview {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.draft.preview
	v := Preview{Count: len(p.list), N: p.n, Error: m.say.again(p.err), Title: m.say.T("write.preview.title")}
	if p.asking {
		v.Loading = m.say.T("write.preview.asking")
	}
	if p.n >= len(p.list) {
		return v
	}
	one := p.list[p.n]
	mail := one.Message.Mail
	if mail.Price.Amount == "" && !mail.Free {
		// The agent tries a mail out without asking what it costs.
		if option, _ := m.way(m.draft, mail.To); option.Instruction != "" {
			mail.Price = option.Price
		}
	}
	v.Title = m.say.T("write.preview.of", "Who", line(mail.To))
	if len(p.list) > 1 {
		v.Which = m.say.T("write.preview.which", "N", p.n+1, "All", len(p.list))
	}
	v.From, v.Subject, v.Amount = line(mail.From), subject(m.say, mail.Subject), m.say.money(mail.Price)
	v.Row = Row{Title: line(mail.Name), Aside: v.From, Subject: v.Subject, Amount: v.Amount, Unread: true, NoteTone: Muted, Note: m.say.at(mail.At)}
	if v.Row.Title == "" || v.Row.Title == v.Row.Aside {
		v.Row.Title, v.Row.Aside = v.From, ""
	}
	if v.Amount != "" {
		v.Money = m.say.T("write.preview.money")
	} else if mail.Free {
		v.Row.Amount = m.say.T("write.free")
	}
	shown, _ := text(one.Message.Text, 0)
	if v.Text = partsOf(shown); shown == "" {
		v.Text = []TextPart{{Text: m.say.T("write.preview.empty")}}
	}
	for i, a := range one.Message.Attachments {
		if i == maxFiles {
			break
		}
		v.Files = append(v.Files, File{N: i, Name: m.fileName(a.Name), Size: m.say.size(a.Size)})
	}
	for _, header := range one.Outside {
		v.Outside = append(v.Outside, strings.TrimSpace(line(header)))
	}
	v.Size = m.say.T("write.preview.size", "Size", m.say.size(one.Size))
	return v
}
