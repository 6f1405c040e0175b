package viewmodel

import (
	"context"
	"strings"
	"time"

	"earnest/agentclient"
)

// lookRest is how long the typing of an address must rest before its servers
// are looked up; lookTimeout is how long that may take.
const (
	lookRest    = 500 * time.Millisecond
	lookTimeout = 20 * time.Second
)

// lookup is what was found out about the address.
type lookup struct {
	seq     int    // of the last change; an answer to an older one is dropped
	asked   string // the address that is looked up now
	about   string // the address that found answers
	found   agentclient.Servers
	err     said
	goingOn bool // set up the account as soon as the answer is here
}

func (l *lookup) answered() bool { return l.about != "" }

// addressChanged forgets what was found about another domain.
func (f *form) addressChanged() {
	f.look.seq++
	f.look.asked, f.look.goingOn = "", false
	if !strings.EqualFold(domainOf(f.trimmed(FieldAddress)), domainOf(f.look.about)) {
		f.look.found, f.look.about, f.look.err = agentclient.Servers{}, "", nil
	}
	f.login = login{}
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}

// complete tells that the domain seems typed to its end.
func complete(address string) bool {
	dot := strings.LastIndex(address, ".")
	return addressLike(address) && dot > strings.Index(address, "@") && len(address)-dot > 2
}

// lookUp asks for the servers of the address once the typing has rested.
func (m *Model) lookUp(f *form, rest time.Duration) {
	m.mu.Lock()
	address, seq := f.trimmed(FieldAddress), f.look.seq
	wanted := complete(address) && f.look.about != address && f.look.asked != address
	m.mu.Unlock()
	if !wanted {
		return
	}
	m.do(func(ctx context.Context) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
		m.mu.Lock()
		current := f.look.seq == seq && f.look.asked != address
		if current {
			f.look.asked = address
		}
		m.mu.Unlock()
		if current {
			m.changed()
			m.discover(ctx, f, address, seq)
		}
	})
}

func (m *Model) discover(ctx context.Context, f *form, address string, seq int) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := m.agent.Discover(ctx, address)
	goOn := false
	m.update(func() {
		if f.look.seq != seq {
			return
		}
		before, going := f.look.found, f.look.goingOn
		f.look.asked, f.look.goingOn = "", false
		f.look.about, f.look.found, f.look.err = address, found, nil
		if err != nil {
			f.look.found, f.look.err = agentclient.Servers{}, fails(err)
		}
		seen := (f.elsewhere() == "" || before.Elsewhere == found.Elsewhere) &&
			(found.Escrow == "" || f.escrowTyped() || before.Escrow == found.Escrow)
		if goOn = going && seen; going && !seen { // who gets the password and the bonds
			f.err = says("start.found.look")
		}
	})
	if goOn {
		m.AddAccount()
	}
}

// elsewhere is the domain that gets the password though it is not the address's
// own, unless the servers were typed.
func (f *form) elsewhere() string {
	_, imap := f.values[FieldIMAP]
	_, smtp := f.values[FieldSMTP]
	if f.change || f.signsIn() || imap && smtp { // a sign-in goes to its provider alone
		return ""
	}
	return f.look.found.Elsewhere
}

func (f *form) escrowTyped() bool {
	_, typed := f.values[FieldEscrow]
	return typed
}

// elsewhereWords says before the password is typed who gets it.
func (f *form) elsewhereWords(say speech) string {
	where := f.elsewhere()
	if where == "" {
		return ""
	}
	if first, second, two := strings.Cut(where, " and "); two {
		where = say.T("write.and", "First", line(first), "Second", line(second))
	}
	return say.T("start.found.elsewhere", "Where", line(where), "Domain", line(domainOf(f.look.about)))
}

// foundWords is the quiet line that says what was found, and where.
func (f *form) foundWords(say speech) (text string, tone Tone) {
	found := f.look.found
	switch {
	case f.look.asked != "" && !f.look.answered():
		return say.T("start.found.looking", "Domain", line(domainOf(f.look.asked))), Muted
	case !f.look.answered() || f.change:
		return "", Muted
	case f.look.err != nil:
		return say.T("start.found.failed", "Why", say.again(f.look.err)), Waits
	case found.IMAP == "" && found.SMTP == "":
		return say.T("start.found.nothing", "Domain", line(domainOf(f.look.about))), Waits
	case found.Source == "guess":
		return say.T("start.found.guess", "IMAP", hostOf(found.IMAP), "SMTP", hostOf(found.SMTP)), Muted
	case found.Source == "srv":
		return say.T("start.found.srv", "IMAP", hostOf(found.IMAP), "SMTP", hostOf(found.SMTP)), Muted
	}
	return say.T("start.found.autoconfig", "IMAP", hostOf(found.IMAP), "SMTP", hostOf(found.SMTP)), Muted
}
