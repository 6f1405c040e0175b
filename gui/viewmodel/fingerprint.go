package viewmodel

import (
	"context"
	"errors"
	"strings"

	"earnest/agentclient"
)

// newPrint is the fingerprint that a person was told, while it is given.
type newPrint struct {
	typed string
	busy  bool
	fault said
}

// alarm is the agent's, that an address has another fingerprint than the one known.
func (x said) alarm() (*agentclient.Failure, bool) {
	for _, one := range x {
		if f, ok := errors.AsType[*agentclient.Failure](one.err); ok && f.Code == agentclient.CodeIdentity {
			return f, true
		}
	}
	return nil, false
}

// alarmed says of a recipient both fingerprints, and what can be given. Nothing is
// filled in: only the person knows what they were told.
func (m *Model) alarmed(f *agentclient.Failure, k string, r *Recipient) {
	said := agentclient.Said{}
	if f.Say != nil {
		said = f.Say.Happened.And(f.Say.Means)
	}
	given := m.offers.prints[k]
	r.Text = line(m.say.agent(said, f.Happened+" "+f.Means)) + " " + m.say.T("write.fingerprint.ask")
	r.Alarm, r.Print, r.PrintBusy, r.PrintFault = true, given.typed, given.busy, m.say.again(given.fault)
}

// TypeFingerprint keeps what is typed as somebody's new fingerprint.
func (m *Model) TypeFingerprint(address, text string) {
	if m.changePrint(address, func(p *newPrint) bool {
		same := p.typed == text
		p.typed, p.fault = text, nil
		return !same
	}) {
		m.changed()
	}
}

func (m *Model) changePrint(address string, change func(*newPrint) bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.offers.prints[key(address)]
	if !change(&p) {
		return false
	}
	m.offers.prints = set(m.offers.prints, key(address), p)
	return true
}

// AcceptFingerprint has the agent know somebody by the fingerprint that was typed.
func (m *Model) AcceptFingerprint(address string) {
	var req agentclient.AcceptFingerprint
	m.mu.Lock()
	from := m.account(m.draft)
	_, alarm := m.offers.faults[key(address)].alarm()
	m.mu.Unlock()
	if !alarm {
		return
	}
	fine := false
	m.changePrint(address, func(p *newPrint) bool {
		switch {
		case p.busy:
			return false
		case strings.TrimSpace(p.typed) == "":
			p.fault = says("write.fingerprint.empty")
		default:
			p.busy, p.fault, fine = true, nil, true
			req = agentclient.AcceptFingerprint{Account: from, Address: address, Fingerprint: p.typed}
		}
		return true
	})
	m.changed()
	if !fine {
		return
	}
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := m.agent.AcceptFingerprint(ctx, req)
		m.changePrint(address, func(p *newPrint) bool {
			p.busy, p.fault = false, fails(err)
			if err == nil {
				p.typed = ""
			}
			return true
		})
		m.changed()
		if err == nil {
			m.AskAgain(address)
		}
	})
}
