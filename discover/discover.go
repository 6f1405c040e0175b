// Package discover finds the servers of an e-mail address: by the autoconfig file
// of its domain, by SRV records (RFC 6186, RFC 8314), by the autoconfig file of
// whoever takes its mail, and at last by trying the usual names.
//
// The domain is asked and never the local part. What is found speaks TLS; nothing
// is logged in to.
package discover

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Sources of what was found, best first.
const (
	Autoconfig = "autoconfig"
	SRV        = "srv"
	Guess      = "guess"
	None       = "none"
)

// Resolver answers for DNS; *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
}

// Config is how the world is asked.
type Config struct {
	// HTTP fetches autoconfig files. Redirects are followed to https alone.
	HTTP     *http.Client
	Resolver Resolver
	// Dial connects to servers that have to show a certificate.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS  *tls.Config
	// Hosted knows the servers of those who take mail for many domains, by the
	// host that takes it (MX). Optional.
	Hosted func(host string) (imap, smtp string, ok bool)
	// Patience is how long each question may take: 4 seconds unless set.
	Patience time.Duration
	// Reserved asks domains, too, that can exist in no network but a test's
	// (RFC 2606, RFC 6761).
	Reserved bool
}

// Found is what was found.
type Found struct {
	// IMAP and SMTP are imaps://host:port or imap://host:port for STARTTLS, and so
	// for smtp.
	IMAP, SMTP, User string
	// OAuth: the servers want OAuth 2.0 rather than a password. Issuer is the
	// provider's host, where that was said.
	OAuth  bool
	Issuer string
	// Escrow is https://host:port, if the domain names one.
	Escrow string
	Source string
	// Elsewhere names where the servers are, if not in the address's own domain:
	// with " and " between where they are in two.
	Elsewhere string
}

// Finder finds servers.
type Finder struct {
	cfg  Config
	http *http.Client
}

// New makes a finder. Nil parts of the config are the machine's own.
func New(cfg Config) *Finder {
	if cfg.Patience <= 0 {
		cfg.Patience = 4 * time.Second
	}
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	client := http.Client{}
	if cfg.HTTP != nil {
		client = *cfg.HTTP
	}
	client.Jar = nil
	client.CheckRedirect = onlySecure
	return &Finder{cfg: cfg, http: &client}
}

// question is one way to find servers.
type question struct {
	source string
	ask    func(context.Context) (Found, error)
}

// errNothing means that a way led nowhere.
var errNothing = errors.New("nothing found")

// Find asks in all ways at once and takes the best answer: a way that is further
// down the list waits for those above it. Nothing found is no error.
func (f *Finder) Find(ctx context.Context, address string) (Found, error) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 {
		return Found{}, fmt.Errorf("%.80q is not an e-mail address", address)
	}
	domain, err := hostName(address[at+1:])
	if err != nil {
		return Found{}, fmt.Errorf("%.80q is not a domain: %w", address[at+1:], err)
	}
	nothing := Found{User: address, Source: None}
	if reserved(domain) && !f.cfg.Reserved {
		return nothing, nil
	}
	ctx, stop := context.WithCancel(ctx)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer stop() // of those that are not waited for
	escrow := start(ctx, &asked, func(ctx context.Context) (string, error) { return f.escrow(ctx, domain) })
	var answers []<-chan answer[Found]
	questions := f.questions(domain, address)
	for _, q := range questions {
		answers = append(answers, start(ctx, &asked, q.ask))
	}
	best := nothing
	if found, i, err := first(answers); err == nil {
		best = found
		best.Source = questions[i].source
	}
	best.Escrow = (<-escrow).found // empty where it failed
	if best.User == "" {
		best.User = address
	}
	best.Elsewhere = elsewhere(domain, best.IMAP, best.SMTP)
	return best, ctx.Err()
}

func (f *Finder) questions(domain, address string) []question {
	return []question{
		{Autoconfig, func(ctx context.Context) (Found, error) { return f.autoconfig(ctx, domain, address) }},
		{SRV, func(ctx context.Context) (Found, error) { return f.srv(ctx, domain) }},
		{Autoconfig, func(ctx context.Context) (Found, error) { return f.hosted(ctx, domain, address) }},
		{Guess, func(ctx context.Context) (Found, error) { return f.guess(ctx, domain) }},
	}
}

type answer[T any] struct {
	found T
	err   error
}

func start[T any](ctx context.Context, asked *sync.WaitGroup, ask func(context.Context) (T, error)) <-chan answer[T] {
	out := make(chan answer[T], 1)
	asked.Go(func() {
		found, err := ask(ctx)
		out <- answer[T]{found, err}
	})
	return out
}

// first waits for the first of the list that found something; the place in the
// list is its own.
func first[T any](answers []<-chan answer[T]) (found T, place int, err error) {
	for i, ch := range answers {
		if a := <-ch; a.err == nil {
			return a.found, i, nil
		}
	}
	return found, 0, errNothing
}

// hosted asks the domain of the host that takes the mail (MX).
func (f *Finder) hosted(ctx context.Context, domain, address string) (Found, error) {
	limited, stop := context.WithTimeout(ctx, f.cfg.Patience)
	defer stop()
	list, err := f.cfg.Resolver.LookupMX(limited, domain)
	if err != nil {
		return Found{}, err
	}
	if len(list) == 0 {
		return Found{}, errNothing
	}
	best := slices.MinFunc(list, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	host, err := hostName(best.Host)
	if err != nil {
		return Found{}, err
	}
	if f.cfg.Hosted != nil {
		if imap, smtp, ok := f.cfg.Hosted(host); ok {
			return Found{IMAP: imap, SMTP: smtp}, nil
		}
	}
	provider := registrable(host)
	if provider == "" || provider == registrable(domain) || reserved(provider) && !f.cfg.Reserved {
		return Found{}, errNothing
	}
	return f.autoconfig(ctx, provider, address)
}

// label is a part of a host's name.
var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// hostName reads a host's name as a stranger wrote it: at least two labels of
// letters, digits and hyphens, and no number address.
func hostName(text string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(text, "."))
	if err != nil {
		return "", fmt.Errorf("host name: %w", err)
	}
	ascii = strings.ToLower(ascii)
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 || len(ascii) > 253 {
		return "", fmt.Errorf("%.80q is no host's name", text)
	}
	for _, l := range labels {
		if !label.MatchString(l) {
			return "", fmt.Errorf("%.80q is no host's name", text)
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("%.80q is no host's name", text)
	}
	return ascii, nil
}

// registrable is the part of a name that somebody has registered; empty if it is
// a public suffix itself.
func registrable(host string) string {
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return domain
}

// elsewhere names the domains of the servers that are another's: each of them,
// since the second is not looked for behind a first that is well known.
func elsewhere(domain string, servers ...string) string {
	var others []string
	for _, server := range servers {
		_, rest, _ := strings.Cut(server, "://")
		host, _, err := net.SplitHostPort(rest)
		if err != nil || within(host, domain) {
			continue
		}
		other := registrable(host)
		if other == "" {
			other = host
		}
		if !slices.Contains(others, other) {
			others = append(others, other)
		}
	}
	return strings.Join(others, " and ")
}

// within: the host is of the one who has registered the domain.
func within(host, domain string) bool {
	if host == domain || strings.HasSuffix(host, "."+domain) {
		return true
	}
	mine := registrable(domain)
	return mine != "" && mine == registrable(host)
}

// reserved are names for documents, tests and the machine itself.
func reserved(domain string) bool {
	for _, name := range []string{"test", "example", "invalid", "localhost", "local", "internal", "onion", "home.arpa",
		"example.com", "example.net", "example.org", "example.edu"} {
		if domain == name || strings.HasSuffix(domain, "."+name) {
			return true
		}
	}
	return false
}
