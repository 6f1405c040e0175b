// Package origin finds out whether a mail comes from the domain that its From
// names: whether it passes DMARC (RFC 7489) by its own signatures (RFC 6376).
//
// SPF is not looked at, since nobody here has seen the client that brought the
// mail; nor is any field in which somebody else says that he has.
package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-msgauth/dmarc"
	"golang.org/x/net/publicsuffix"
)

// ErrUnproven: nothing shows that the mail is from there.
var ErrUnproven = errors.New("the mail does not pass DMARC")

// Names answers questions for TXT records. A [net.Resolver] does.
type Names interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// signatures is how many signatures of a mail are looked at: each costs a
// question, and strangers write them.
const signatures = 4

// Check is nil where the domain, in A-labels, publishes a DMARC policy and a
// signature of the mail is the domain's by it and covers From and the fields
// named. It is [ErrUnproven] where that is not so, and another error where it
// could not be found out now.
func Check(ctx context.Context, names Names, raw []byte, domain string, fields ...string) error {
	fields = append(slices.Clone(fields), "From")
	if !plain(raw, fields) {
		return ErrUnproven
	}
	q := &questions{ctx: ctx, names: names, under: organisation(domain)}
	strict, err := q.policy(domain)
	if err != nil {
		return q.unproven()
	}
	found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: q.ask, MaxVerifications: signatures})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return q.unproven()
	}
	for _, v := range found {
		if v.Err == nil && aligned(strings.ToLower(v.Domain), domain, strict) && covers(v.HeaderKeys, fields) {
			return nil
		}
	}
	return q.unproven()
}

// aligned is RFC 7489 section 3.1.1.
func aligned(signer, domain string, strict bool) bool {
	return signer == domain || !strict && organisation(signer) == organisation(domain)
}

func covers(signed, fields []string) bool {
	for _, field := range fields {
		if !slices.ContainsFunc(signed, func(key string) bool { return strings.EqualFold(key, field) }) {
			return false
		}
	}
	return true
}

// organisation is the domain that somebody registered (RFC 7489 section 3.2). A
// public suffix is its own.
func organisation(domain string) string {
	registered, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain
	}
	return registered
}

// questions asks for TXT records of one organisation, and remembers trouble.
type questions struct {
	ctx   context.Context
	names Names
	under string

	mu      sync.Mutex
	trouble error
}

// ask keeps to the organisation: a signature of another is of no use, and its
// names are a stranger's choice.
func (q *questions) ask(name string) ([]string, error) {
	name = strings.ToLower(name)
	if name != q.under && !strings.HasSuffix(name, "."+q.under) {
		return nil, &net.DNSError{Err: "not asked for", Name: name, IsNotFound: true}
	}
	records, err := q.names.LookupTXT(q.ctx, name)
	records = slices.DeleteFunc(slices.Clone(records), func(record string) bool { return len(record) > recordSize || testing(name, record) })
	if failure, ok := errors.AsType[*net.DNSError](err); err != nil && (!ok || !failure.IsNotFound) {
		q.mu.Lock()
		q.trouble = err
		q.mu.Unlock()
	}
	return records, err
}

// testing reports the key of a domain that only tries out how to sign: its mails
// are as if they were not signed (RFC 6376 section 3.6.1).
func testing(name, record string) bool {
	if !strings.Contains(name, "._domainkey.") {
		return false
	}
	for tag := range strings.SplitSeq(record, ";") {
		key, value, _ := strings.Cut(tag, "=")
		if strings.TrimSpace(key) != "t" {
			continue
		}
		for flag := range strings.SplitSeq(value, ":") {
			if strings.TrimSpace(flag) == "y" {
				return true
			}
		}
	}
	return false
}

// policy finds the policy of a domain, or that of its organisation (RFC 7489
// section 6.6.3). Two at one name are none.
func (q *questions) policy(domain string) (strict bool, err error) {
	for _, at := range slices.Compact([]string{domain, q.under}) {
		record, err := dmarc.LookupWithOptions(at, &dmarc.LookupOptions{LookupTXT: func(name string) ([]string, error) {
			records, err := q.ask(name)
			records = slices.DeleteFunc(slices.Clone(records), func(r string) bool { return !strings.HasPrefix(r, "v=DMARC1") })
			if len(records) > 1 {
				records = nil
			}
			return records, err
		}})
		if err == nil {
			return record.DKIMAlignment == dmarc.AlignmentStrict, nil
		}
		if !errors.Is(err, dmarc.ErrNoPolicy) {
			return false, fmt.Errorf("policy of a domain: %w", err)
		}
	}
	return false, dmarc.ErrNoPolicy
}

// unproven is what to say of a mail for which nothing was found.
func (q *questions) unproven() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.trouble != nil {
		return fmt.Errorf("names of a domain could not be asked for: %w", q.trouble)
	}
	return ErrUnproven
}
