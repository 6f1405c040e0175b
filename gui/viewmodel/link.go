package viewmodel

import (
	"context"
	"fmt"
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
		began := m.cal.now()
		err := m.agent.Events(ctx, m.event)
		if ctx.Err() != nil {
			return
		}
		if m.lost(err) {
			m.startAgent(ctx)
			wait = retryFirst
		}
		if m.cal.now().Sub(began) > retryMost {
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
		m.link = link{state: linkUp, everUp: true, since: m.cal.now(), tried: true}
	}
	m.mu.Unlock()
	if fresh {
		m.changed()
		m.do(m.loadAll)
		return
	}
	switch e.Type {
	case agentclient.EventStatus:
		m.do(m.loadStatus)
	case agentclient.EventMail:
		m.do(m.loadInbox)
		m.do(m.loadStatus)
	case agentclient.EventSent:
		m.do(m.loadSent)
	case agentclient.EventBalance:
		m.do(m.loadBalances)
	case agentclient.EventPrice:
		m.do(m.loadPrice)
	}
}

// lost notes that the stream broke, and tells whether to start an agent.
func (m *Model) lost(err error) bool {
	m.mu.Lock()
	if m.link.state != linkDown {
		m.link.since = m.cal.now()
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
			m.link.since = m.cal.now()
		}
	})
}

// Banner is a line over everything: the agent is away.
type Banner struct {
	Show     bool
	Text     string
	CanStart bool
}

// Banner says whether the agent answers.
func (m *Model) Banner() Banner {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.link.state == linkStarting:
		return Banner{Show: true, Text: "Starting the agent…"}
	case m.link.state != linkDown:
		return Banner{}
	case m.link.startErr != nil:
		return Banner{Show: true, CanStart: m.start != nil, Text: "The agent is not running and could not be started: " +
			failure(m.link.startErr) + " Mail and money stay as they are."}
	case !m.link.everUp:
		return Banner{Show: true, CanStart: m.start != nil,
			Text: "The agent is not running. No mail is watched and no money moves. Start it here, or with: earnest agent"}
	}
	return Banner{Show: true, CanStart: m.start != nil, Text: fmt.Sprintf(
		"The agent does not answer since %s. What you see may be old; what you typed is kept. Mail and money stay as they are.",
		m.link.since.In(m.cal.loc).Format("15:04"))}
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
		return StatusLine{Text: "Connecting to the agent…"}
	}
	if m.link.state == linkDown {
		return StatusLine{Text: "The agent does not answer", Trouble: true}
	}
	if !m.loaded {
		return StatusLine{Text: "Asking the agent…"}
	}
	if len(m.status.Accounts) == 0 {
		return StatusLine{Text: "No account yet"}
	}
	var parts []string
	trouble := false
	for _, account := range m.status.Accounts {
		words, bad := m.accountWords(account)
		parts, trouble = append(parts, words...), trouble || bad
	}
	if n := m.status.Outbox; n > 0 {
		parts = append(parts, count(n, "mail")+" to submit")
	}
	for _, b := range m.purse.balances {
		parts = append(parts, fmt.Sprintf("%s available, %s held", money(b.Available), money(b.Held)))
	}
	return StatusLine{Text: strings.Join(parts, "  ·  "), Trouble: trouble}
}

func (m *Model) accountWords(a agentclient.Account) (parts []string, bad bool) {
	address, escrow := line(a.Address), line(a.Escrow)
	switch a.Mailbox {
	case "watching":
		parts = append(parts, "watching "+address)
	case "failing":
		bad = true
		parts = append(parts, "cannot watch "+address+": "+line(a.MailboxError))
	default:
		parts = append(parts, "connecting to "+address)
	}
	switch {
	case !a.EscrowUp:
		bad = true
		parts = append(parts, m.escrowAway(a))
	case !a.Proven:
		parts = append(parts, "confirming the address at "+escrow)
	default:
		parts = append(parts, escrow+" answers")
	}
	return parts, bad
}

func (m *Model) escrowAway(a agentclient.Account) string {
	text := line(a.Escrow) + " does not answer"
	if !a.EscrowSince.IsZero() {
		text += " since " + a.EscrowSince.In(m.cal.loc).Format("15:04")
	}
	if n := m.status.Queued; n > 0 {
		text += "; what you decided is kept and goes out when it is back, and its deadlines wait too"
	}
	return text
}
