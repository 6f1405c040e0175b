package viewmodel

import (
	"context"
	"strings"
	"time"

	"earnest/agentclient"
)

// Sheets that lie under the open mail.
const (
	asideDetails = "details"
	asideSource  = "source"
)

// aside is what was opened beside the text: details, source, a link asked about.
type aside struct {
	kind      string
	loading   bool
	fault     said
	source    []byte
	proof     agentclient.Receipts
	proven    bool
	link      string
	linkFault said
}

// Fact is a line of the details.
type Fact struct {
	Name, Value string
	Mono        bool
}

// Aside is what lies under the text of the open mail.
type Aside struct {
	Details, Source bool
	Loading         bool
	Fault           string
	Facts           []Fact
	Checks          []string
	Text            string // of the source
	Cut             string // that it is longer than shown
	Saved           File   // the source's own file
}

// ShowDetails opens what was checked and kept about the mail, or closes it.
func (m *Model) ShowDetails() { m.turnAside(asideDetails) }

// ShowSource opens the mail as it was inside the encryption, or closes it.
func (m *Model) ShowSource() { m.turnAside(asideSource) }

// CloseAside closes what was opened, and tells whether anything was.
func (m *Model) CloseAside() (was bool) {
	m.update(func() {
		was = m.box.aside.kind != ""
		m.box.aside.kind, m.box.aside.fault = "", nil
	})
	return was
}

func (m *Model) turnAside(kind string) {
	var ask func(context.Context)
	m.update(func() {
		a := &m.box.aside
		id, bond := m.box.open.ID, m.box.open.Bond
		if m.box.selected == "" || id != m.box.selected || m.box.opening || !opens(m.box.open.Mail) {
			return
		}
		if a.kind == kind {
			a.kind = ""
			return
		}
		a.kind, a.fault = kind, nil
		switch {
		case kind == asideSource && a.source == nil:
			a.loading, ask = true, func(ctx context.Context) { m.loadSource(ctx, id) }
		case kind == asideDetails && !a.proven && bond != "" && !m.box.open.Free:
			a.loading, ask = true, func(ctx context.Context) { m.loadProof(ctx, id, bond) }
		}
	})
	if ask != nil {
		m.do(ask)
	}
}

func (m *Model) loadSource(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	source, err := m.agent.Source(ctx, id)
	m.update(func() { m.cameAside(id, err, func(a *aside) { a.source = source.Raw }) })
}

func (m *Model) loadProof(ctx context.Context, id, bond string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	proof, err := m.agent.Receipts(ctx, bond)
	m.update(func() { m.cameAside(id, err, func(a *aside) { a.proof, a.proven = proof, true }) })
}

func (m *Model) cameAside(id string, err error, put func(*aside)) {
	if m.box.selected != id {
		return
	}
	m.box.aside.loading = false
	if err != nil {
		m.box.aside.fault = fails(err)
		return
	}
	put(&m.box.aside)
}

func (m *Model) asideView() Aside {
	a := &m.box.aside
	v := Aside{Details: a.kind == asideDetails, Source: a.kind == asideSource, Loading: a.loading, Fault: m.say.again(a.fault)}
	switch {
	case v.Source && a.source != nil:
		var cut bool
		v.Text, cut = text(string(a.source), 0)
		if cut {
			v.Cut = m.say.T("source.cut", "Size", m.say.size(int64(len(a.source))))
		}
		v.Saved = m.fileOf(saveKey{m.box.open.ID, sourceFile})
	case v.Details:
		v.Facts, v.Checks = m.facts(), m.checks()
	}
	return v
}

func (m *Model) checks() (all []string) {
	for i, check := range m.box.open.Checks {
		var said agentclient.Said
		if i < len(m.box.open.SayChecks) {
			said = m.box.open.SayChecks[i]
		}
		if check = line(m.say.agent(said, check)); check != "" {
			all = append(all, sentence(check))
		}
	}
	return all
}

func (m *Model) facts() (all []Fact) {
	open, say := m.box.open, m.say
	add := func(name, value string, mono bool) {
		if value = line(value); value != "" {
			all = append(all, Fact{Name: name, Value: value, Mono: mono})
		}
	}
	when := func(name string, t time.Time) { add(name, say.moment(t), false) }
	add(say.T("details.from"), open.From, false)
	add(say.T("details.to"), open.To, false)
	when(say.T("details.date"), open.Date)
	when(say.T("details.arrived"), open.At)
	when(say.T("details.decide-by"), open.DecideBy)
	when(say.T("details.effective"), open.EffectiveAt)
	if open.Beneficiary != "" && !open.Free {
		add(say.T("details.beneficiary"), open.Beneficiary, false)
	}
	add(say.T("details.message-id"), open.MessageID, true)
	if !open.Free {
		add(say.T("details.bond"), open.Bond, true)
	}
	proof := m.box.aside.proof
	if !m.box.aside.proven {
		return all
	}
	add(say.T("details.key"), proof.ReceiptKey, true)
	var steps []string
	for _, step := range proof.Steps {
		text := line(say.T("receipts.event." + step.Event))
		if strings.HasPrefix(text, "receipts.event.") {
			text = line(step.Event) // one that is newer than this window
		}
		steps = append(steps, text+" "+say.step(step))
	}
	add(say.T("details.receipts"), strings.Join(steps, " · "), false)
	switch {
	case proof.Verified:
		add(say.T("details.proof"), say.T("details.proof.whole"), false)
	case proof.Fault != "":
		add(say.T("details.proof"), say.T("details.proof.broken", "Why", say.agent(proof.SayFault, proof.Fault)), false)
	}
	return all
}

// Reply begins an answer to the open mail, with its text quoted.
func (m *Model) Reply() {
	m.mu.Lock()
	open := m.box.open
	ok := folder(m.shown()) && open.ID != "" && open.ID == m.box.selected && !m.box.opening && opens(open.Mail) && m.box.openErr == nil
	who := writer(open.Mail)
	quoted, _ := text(open.Text, 0)
	subject := line(open.Subject)
	if !strings.HasPrefix(strings.ToLower(subject), "re:") {
		subject = strings.TrimSpace("Re: " + subject)
	}
	head := m.say.T("reply.head", "When", m.say.full(open.At), "Who", who)
	m.mu.Unlock()
	if ok {
		body := "\n\n" + head + "\n> " + strings.ReplaceAll(quoted, "\n", "\n> ") + "\n"
		m.WriteTo(line(open.From), subject, body, open.MessageID)
	}
}
