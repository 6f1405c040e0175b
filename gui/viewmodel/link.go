package viewmodel

import (
	"context"
	"strings"
	"time"

	"earnest/agentclient"
)

type linkState int

const (
	linkConnecting linkState = iota
	linkStarting
	linkUp
	linkDown
)

// link is the window's connection to the agent.
type link struct {
	state    linkState
	everUp   bool
	since    time.Time // of the state
	err      error
	startErr error
	tried    bool // the agent was started once by the window itself
}

const (
	retryFirst = 250 * time.Millisecond
	retryMost  = 5 * time.Second
)

// follow keeps the event stream open. Where there is no agent, it starts one
// once; after that the person decides.
func (m *Model) follow(ctx context.Context) {
	wait := retryFirst
	for ctx.Err() == nil {
		began := m.now()
		err := m.agent.Events(ctx, m.event)
		if ctx.Err() != nil {
			return
		}
		if m.lost(err) {
			m.startAgent(ctx)
			wait = retryFirst
		}
		if m.now().Sub(began) > retryMost {
			wait = retryFirst
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, retryMost)
	}
}

// event hears one event. Each is only a hint: what changed is asked for anew.
func (m *Model) event(e agentclient.Event) {
	m.mu.Lock()
	fresh := m.link.state != linkUp
	if fresh {
		m.link = link{state: linkUp, everUp: true, since: m.now(), tried: true}
	}
	m.mu.Unlock()
	if fresh {
		m.changed()
		m.do(m.loadAll)
		return
	}
	m.hearNews(e)
	switch e.Type {
	case agentclient.EventStatus:
		m.do(m.loadStatus)
		m.do(m.loadSettings)
	case agentclient.EventSetup:
		m.stepHeard(e.ID, e.State)
	case agentclient.EventLogin:
		m.loginEnded(e.ID, e.State == "done")
	case agentclient.EventPeople:
		m.do(m.loadPeople)
	case agentclient.EventMail:
		m.mailChanged(e.ID)
		m.do(m.loadStatus)
	case agentclient.EventSent:
		m.sentNews(e.ID)
	case agentclient.EventDraft:
		m.do(m.loadDrafts)
	case agentclient.EventBalance:
		m.do(m.loadBalances)
		m.do(m.loadCards)
		m.do(m.moneyMoved)
	case agentclient.EventPrice:
		m.do(m.loadPrice)
	}
}

// lost notes that the stream broke, and tells whether to start an agent.
func (m *Model) lost(err error) bool {
	m.mu.Lock()
	if m.link.state != linkDown {
		m.link.since = m.now()
	}
	m.link.state = linkDown
	m.link.err = err
	start := m.start != nil && !m.link.tried && codeOf(err) == agentclient.CodeNoAgent
	m.link.tried = true
	m.mu.Unlock()
	m.changed()
	return start
}

// StartAgent starts the agent because the person asked.
func (m *Model) StartAgent() {
	if m.start != nil {
		m.do(m.startAgent)
	}
}

func (m *Model) startAgent(ctx context.Context) {
	m.update(func() {
		if m.link.state != linkUp {
			m.link.state, m.link.startErr = linkStarting, nil
		}
	})
	err := m.start(ctx)
	m.update(func() {
		if m.link.state == linkStarting {
			m.link.state = linkConnecting
		}
		if err != nil && m.link.state != linkUp {
			m.link.state, m.link.startErr = linkDown, err
			m.link.since = m.now()
		}
	})
}

// Banner is a line over everything: the agent is away, or an account is frozen or
// somebody wants its address.
type Banner struct {
	Show     bool
	Text     string
	CanStart bool
	Look     string // whose safety to look at
}

// Banner says whether the agent answers, then whether an account is in danger.
func (m *Model) Banner() Banner {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.link.state == linkUp:
		return m.danger()
	case m.link.state == linkStarting:
		return Banner{Show: true, Text: m.say.T("link.starting")}
	case m.link.state != linkDown:
		return Banner{}
	case m.link.startErr != nil:
		return Banner{Show: true, CanStart: m.start != nil,
			Text: m.say.T("link.not-started", "Why", m.say.failure(m.link.startErr))}
	case !m.link.everUp:
		return Banner{Show: true, CanStart: m.start != nil,
			Text: m.say.T("link.not-running")}
	}
	return Banner{Show: true, CanStart: m.start != nil, Text: m.say.T("link.away", "Clock", m.say.clock(m.link.since))}
}

// StatusLine is the line at the foot of the window.
type StatusLine struct {
	Text    string
	Trouble bool
}

// StatusLine says what is watched, whether the escrow answers, and the money.
func (m *Model) StatusLine() StatusLine {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.link.state != linkUp && m.link.state != linkDown {
		return StatusLine{Text: m.say.T("status.connecting")}
	}
	if m.link.state == linkDown {
		return StatusLine{Text: m.say.T("status.away"), Trouble: true}
	}
	if !m.loaded {
		return StatusLine{Text: m.say.T("status.asking")}
	}
	if m.locked() {
		return StatusLine{Text: m.say.T("status.locked"), Trouble: true}
	}
	if len(m.status.Accounts) == 0 {
		return StatusLine{Text: m.say.T("status.no-account")}
	}
	var parts []string
	trouble := false
	for _, account := range m.status.Accounts {
		words, bad := m.accountWords(account)
		parts, trouble = append(parts, words...), trouble || bad
	}
	if n := m.status.Outbox; n > 0 {
		parts = append(parts, m.say.N("status.outbox", n))
	}
	for _, b := range m.purse.balances {
		parts = append(parts, m.say.T("status.money", "Available", m.say.money(b.Available), "Held", m.say.money(b.Held)))
	}
	return StatusLine{Text: strings.Join(parts, "  ·  "), Trouble: trouble}
}

func (m *Model) accountWords(a agentclient.Account) (parts []string, bad bool) {
	address, escrow := line(a.Address), line(a.Escrow)
	switch a.Mailbox {
	case "watching":
		parts = append(parts, m.say.T("status.watching", "Address", address))
	case "failing":
		bad = true
		parts = append(parts, m.say.T("status.failing", "Address", address, "Why", line(m.say.agent(a.SayMailbox, a.MailboxError))))
	default:
		parts = append(parts, m.say.T("status.mailbox", "Address", address))
	}
	switch {
	case !a.EscrowUp:
		bad = true
		parts = append(parts, m.escrowAway(a))
	case !a.Proven:
		parts = append(parts, m.say.T("status.proving", "Escrow", escrow))
	case m.unsold(a):
		bad = true
		parts = append(parts, m.say.T("status.unsold", "Escrow", escrow))
	default:
		parts = append(parts, m.say.T("status.escrow", "Escrow", escrow))
	}
	return parts, bad
}

func (m *Model) escrowAway(a agentclient.Account) string {
	text := m.say.T("status.escrow-away", "Escrow", line(a.Escrow))
	if !a.EscrowSince.IsZero() {
		text = m.say.T("status.escrow-away-since", "Escrow", line(a.Escrow), "Clock", m.say.clock(a.EscrowSince))
	}
	if m.status.Queued > 0 {
		text += "; " + m.say.T("status.queued")
	}
	return text
}
