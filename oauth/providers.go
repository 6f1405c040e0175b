package oauth

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	_ "embed"

	"earnest/internal/tomlfile"
)

// templates are the providers that many have. Their client ids are not here:
// those belong to whoever registered the program (docs/OAUTH.md).
//
//go:embed providers.toml
var templates []byte

// Provider is where people sign in, and as which program.
type Provider struct {
	Name string `toml:"name"`
	// Issuer finds the two addresses below where they are not given.
	Issuer       string   `toml:"issuer"`
	AuthURL      string   `toml:"auth_url"`
	TokenURL     string   `toml:"token_url"`
	ClientID     string   `toml:"client_id"`
	ClientSecret string   `toml:"client_secret"`
	Scopes       []string `toml:"scopes"`
	// Hosts are mail servers that want this provider; "*.example.org" names those
	// below it.
	Hosts []string `toml:"hosts"`
	// MX are the hosts that take mail for domains whose mail is read at IMAP and
	// sent by SMTP, in the same form.
	MX   []string `toml:"mx"`
	IMAP string   `toml:"imap"`
	SMTP string   `toml:"smtp"`
	// RedirectHost is 127.0.0.1, or localhost where the provider insists on it.
	RedirectHost string `toml:"redirect_host"`
	// Params go into the first request, as some providers want.
	Params map[string]string `toml:"params"`
	// Register is where a client id is got.
	Register string `toml:"register"`
}

// Providers are those that are known here.
type Providers []Provider

// file is the form of providers.toml.
type file struct {
	Provider []Provider `toml:"provider"`
}

// maxFile is far above what a person writes.
const maxFile = 256 << 10

// ReadProviders reads the templates and then the files. A later one gives what it
// says to a provider of the same name, and adds the others. A file that is
// missing is none.
func ReadProviders(files ...string) (Providers, error) {
	all, err := parse(templates)
	if err != nil {
		return nil, fmt.Errorf("templates of providers: %w", err)
	}
	for _, name := range files {
		text, err := read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("providers file: %w", err)
		}
		further, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("providers file %s: %w", name, err)
		}
		for _, p := range further {
			if all, err = all.with(p); err != nil {
				return nil, fmt.Errorf("providers file %s: %w", name, err)
			}
		}
	}
	return all, nil
}

func read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s is larger than the %d kB that can be taken", name, maxFile>>10)
	}
	return os.ReadFile(name)
}

func parse(text []byte) (Providers, error) {
	var f file
	err := tomlfile.Decode(text, &f)
	return f.Provider, err
}

// with adds what p says.
func (all Providers) with(p Provider) (Providers, error) {
	for i := range all {
		if strings.EqualFold(all[i].Name, p.Name) {
			all[i].take(p)
			return all, all[i].check()
		}
	}
	return append(all, p), p.check()
}

// take replaces what is said anew.
func (p *Provider) take(said Provider) {
	for _, text := range []struct{ to, from *string }{
		{&p.Issuer, &said.Issuer}, {&p.AuthURL, &said.AuthURL}, {&p.TokenURL, &said.TokenURL},
		{&p.ClientID, &said.ClientID}, {&p.ClientSecret, &said.ClientSecret},
		{&p.RedirectHost, &said.RedirectHost}, {&p.Register, &said.Register},
		{&p.IMAP, &said.IMAP}, {&p.SMTP, &said.SMTP},
	} {
		if *text.from != "" {
			*text.to = *text.from
		}
	}
	if said.Issuer != "" && said.AuthURL == "" && said.TokenURL == "" {
		p.AuthURL, p.TokenURL = "", "" // of the other issuer
	}
	if len(said.Scopes) > 0 {
		p.Scopes = said.Scopes
	}
	p.Hosts, p.MX = append(p.Hosts, said.Hosts...), append(p.MX, said.MX...)
	if len(said.Params) > 0 {
		p.Params = said.Params
	}
}

func (p Provider) check() error {
	if p.Name == "" {
		return errors.New("a provider has no name")
	}
	if p.Issuer == "" && (p.AuthURL == "" || p.TokenURL == "") {
		return fmt.Errorf("provider %s has neither an issuer nor auth_url and token_url", p.Name)
	}
	for _, at := range []string{p.Issuer, p.AuthURL, p.TokenURL} {
		if at != "" {
			if err := secure(at); err != nil {
				return fmt.Errorf("provider %s: %w", p.Name, err)
			}
		}
	}
	switch p.RedirectHost {
	case "", "127.0.0.1", "localhost":
		return nil
	}
	return fmt.Errorf("provider %s: redirect_host is 127.0.0.1 or localhost", p.Name)
}

func (p Provider) ready() bool { return p.ClientID != "" }

// Missing is what this machine lacks to sign in with a provider; the zero value is
// nothing.
type Missing struct {
	Provider string
	Known    bool   // only its client id is missing
	Register string // where a client id is got, if that is known
}

func (p Provider) missing() Missing {
	if p.ready() {
		return Missing{}
	}
	return Missing{Provider: p.Name, Known: true, Register: p.Register}
}

func (all Providers) named(name string) (Provider, bool) {
	for _, p := range all {
		if strings.EqualFold(p.Name, name) || p.Issuer != "" && sameHost(p.Issuer, name) {
			return p, true
		}
	}
	return Provider{}, false
}

// sameHost: autoconfig names issuers by host alone.
func sameHost(issuer, name string) bool {
	at, err := url.Parse(issuer)
	return err == nil && (strings.EqualFold(issuer, name) || strings.EqualFold(at.Hostname(), name))
}

func (all Providers) byHost(host string) (Provider, bool) {
	for _, p := range all {
		if matches(p.Hosts, host) {
			return p, true
		}
	}
	return Provider{}, false
}

// Hosted is where the mail is read and sent that a host takes for others.
func (all Providers) Hosted(host string) (imap, smtp string, ok bool) {
	for _, p := range all {
		if p.IMAP != "" && p.SMTP != "" && matches(p.MX, host) {
			return p.IMAP, p.SMTP, true
		}
	}
	return "", "", false
}

func matches(patterns []string, host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, pattern := range patterns {
		below, wild := strings.CutPrefix(strings.ToLower(pattern), "*")
		if !wild && host == below || wild && below != "" && strings.HasSuffix(host, below) {
			return true
		}
	}
	return false
}
