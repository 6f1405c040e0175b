package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/httpapi"
	"earnest/ledger"
	"earnest/payment"
)

// DefaultListen is where an escrow answers if nothing else is said.
const DefaultListen = "127.0.0.1:8443"

// Config is everything that an escrow server is told. What is left out has a
// default that works.
type Config struct {
	DataDir string
	// File is the configuration file that this was read from; empty: escrow.toml in
	// the data folder, which need not be there.
	File string
	// Database is the postgres:// URL of the books, without a password; empty: they
	// are on SQLite, in the data folder.
	Database string
	// Listen is host:port; port 0 takes a free one.
	Listen string
	// Name is the escrow's domain.
	Name, Operator, LegalForm string
	// Hosts are further names that it is asked by, behind a proxy for example:
	// host, or host:port.
	Hosts         []string
	Currencies    []payment.Currency
	Beneficiaries []escrow.Beneficiary
	Terms         escrow.Terms // zero: escrow.DefaultTerms
	// CertFile and KeyFile are PEM; without them a certificate is made.
	CertFile, KeyFile string
	// NoTLS is for a proxy on the same machine, and for tests.
	NoTLS bool
	// Relay is where token mails go: smtps://user@host:465, or smtp://host:587,
	// which needs STARTTLS except on this machine.
	Relay, RelayPasswordFile, RelayCAFile string
	// TokenSender is the address that token mails come from.
	TokenSender string
	// PerAccount and PerRemote limit requests; see httpapi.Config.
	PerAccount, PerRemote httpapi.Rate
	Strangers             escrowserver.StrangerLimits
	// Welcome credit, and who charges cards: see [Settings].
	Welcome WelcomeSettings
	Card    CardSettings
	Payouts []PayoutSettings
	Now     func() time.Time
	// Metrics is where Prometheus asks, on this machine; empty: nowhere.
	Metrics string
	// Trace is the share of the requests that are traced, from 0 to 1.
	Trace float64
	// Why is what an operator's command is for; the log of the books keeps it.
	Why      string
	Log      *slog.Logger
	measured *metrics
	// Keep, if set, is called when everything is there that the escrow serves with: what
	// the first start was told is fixed from then on.
	Keep func() error
	// Ready, if set, is called once requests are answered.
	Ready func(Ready)
}

// complete fills in the defaults and reports all faults at once.
func (c Config) complete() (Config, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.File == "" {
		c.File = filepath.Join(c.DataDir, fileConfig)
	}
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Terms == (escrow.Terms{}) {
		c.Terms = escrow.DefaultTerms()
	}
	if c.Name == "" {
		c.Name = nameOf(c.Listen)
	}
	if len(c.Currencies) == 0 {
		c.Currencies = []payment.Currency{{Name: c.Name, Scale: 2, Unit: "EUR"}}
	}
	if c.Operator == "" {
		c.Operator = c.Name
	}
	if c.LegalForm == "" {
		c.LegalForm = "not stated"
	}
	if len(c.Beneficiaries) == 0 {
		c.Beneficiaries = []escrow.Beneficiary{
			{ID: ledger.Company, Name: c.Operator}, {ID: ledger.Burned, Name: "nobody: the money is taken out of use"}}
	}
	if c.TokenSender == "" {
		c.TokenSender = "escrow@" + mailDomain(c.Name)
	}
	return c, c.check()
}

// Elsewhere are the files that the configuration names and no backup holds.
func (c Config) Elsewhere() []string {
	names := []string{c.CertFile, c.KeyFile, c.RelayPasswordFile, c.RelayCAFile}
	if c.Card.Provider != "" {
		names = append(names, c.Card.KeyFile, c.Card.WebhookSecretFile)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

func (c Config) check() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	if err := checkDatabase(c.Database); err != nil {
		faults = append(faults, err)
	}
	fault(c.DataDir == "", "data: name the folder where the escrow keeps its books")
	// Requests are signed for the name as it is sent, which is in A-labels.
	nameFault := payment.Currency{Name: c.Name}.Check()
	fault(nameFault != nil, "name: %q is not a host name in ASCII; write an international one in its xn-- form", c.Name)
	host, _, err := net.SplitHostPort(c.Listen)
	fault(err != nil, "listen: %q is not host:port", c.Listen)
	fault((c.CertFile == "") != (c.KeyFile == ""), "tls: a certificate needs its key, and a key its certificate")
	fault(c.NoTLS && c.CertFile != "", "tls: a certificate and no TLS do not go together")
	fault(c.NoTLS && err == nil && !loopback(host), "tls: without TLS an escrow answers this machine only; listen at 127.0.0.1")
	seen := map[string]bool{}
	for _, currency := range c.Currencies {
		err := currency.Check()
		fault(err != nil, "currency %q: %v", currency.Name, err)
		fault(seen[currency.Name], "currency %q is named twice", currency.Name)
		seen[currency.Name] = true
	}
	for _, b := range c.Beneficiaries {
		fault(seen["beneficiary "+string(b.ID)], "beneficiary %q is named twice", b.ID)
		seen["beneficiary "+string(b.ID)] = true
	}
	for _, name := range c.Hosts {
		fault(!hostName(name), "hosts: %q is not HOST or HOST:PORT in ASCII", name)
	}
	t := c.Terms
	fault(t.Final < t.Deliver, "terms: final comes before deliver: a bond would end before its mail is late")
	fault(t.Final < t.Decide, "terms: final comes before decide: nobody would have the time to decide that the quote promises")
	if c.Metrics != "" {
		host, _, err := net.SplitHostPort(c.Metrics)
		fault(err != nil || !loopback(host), "metrics: %q is not 127.0.0.1:PORT; they are for this machine only", c.Metrics)
	}
	fault(!(c.Trace >= 0 && c.Trace <= 1), "trace: %g is no share of the requests: write 0 for none, 0.01 for one of a hundred, 1 for all", c.Trace) // NaN, too
	_, err = escrow.ParseAddress(c.TokenSender)
	fault(err != nil, "token-sender: %q is not an e-mail address", c.TokenSender)
	if _, err := relayConfig(c); err != nil {
		faults = append(faults, err)
	}
	if _, err := c.Card.hold(); err != nil {
		faults = append(faults, err)
	}
	if _, err := c.leastPayouts(); err != nil {
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("%w:\n%w", ErrConfig, err)
	}
	return nil
}

// hostName reports whether agents can ask for it: a name or address, maybe with a port.
func hostName(name string) bool {
	if host, port, err := net.SplitHostPort(name); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		name = host
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return payment.Currency{Name: name}.Check() == nil
}

// nameOf is the escrow's name if nobody gave one: the host that it listens at,
// or this machine's.
func nameOf(listen string) string {
	host, _, err := net.SplitHostPort(listen)
	if err == nil && host != "" {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsUnspecified() {
			return host
		}
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// mailDomain is the domain of addresses at the escrow: a number is none.
func mailDomain(name string) string {
	if _, err := netip.ParseAddr(name); err == nil {
		return "localhost"
	}
	return name
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// authorities are the names that requests may be signed for.
func (c Config) authorities(port int) []string {
	var hosts []string
	for _, host := range append([]string{c.Name, "localhost", "127.0.0.1", "::1"}, c.Hosts...) {
		if _, _, err := net.SplitHostPort(host); err == nil {
			hosts = append(hosts, host)
			continue
		}
		hosts = append(hosts, net.JoinHostPort(host, strconv.Itoa(port)))
	}
	// Behind a proxy, or with port 443, the names stand alone.
	return append(append(hosts, c.Name), c.Hosts...)
}

// url is where the escrow says that it is.
func (c Config) url(port int, secure bool) string {
	host, _, _ := net.SplitHostPort(c.Listen)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = c.Name
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port))
}
