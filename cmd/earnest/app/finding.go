package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"earnest/agent"
	"earnest/agentclient"
	"earnest/discover"
	"earnest/internal/tomlfile"
	"earnest/oauth"
)

// systemFolder holds what an administrator sets for all users of a machine. What
// is in the agent's home goes before it.
const systemFolder = "/etc/earnest"

// finding is what finds servers and signs in to providers.
func finding(config Config) (agent.Finder, agent.SignIn, error) {
	providers, err := oauth.ReadProviders(filepath.Join(systemFolder, "providers.toml"), filepath.Join(config.Home, "providers.toml"))
	if err != nil {
		return nil, nil, badFile(err)
	}
	known := presets{}
	for _, dir := range []string{systemFolder, config.Home} {
		if err := known.read(filepath.Join(dir, "servers.toml")); err != nil {
			return nil, nil, badFile(err)
		}
	}
	broker := oauth.New(oauth.Config{Providers: providers, Now: config.Now, HTTP: secureClient(20 * time.Second)})
	if config.NoDiscovery {
		return presetFinder{known, nil}, broker, nil
	}
	return presetFinder{known, discover.New(discover.Config{HTTP: secureClient(10 * time.Second), Hosted: providers.Hosted})}, broker, nil
}

func secureClient(patience time.Duration) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
	}}
}

func badFile(err error) error {
	return &agentclient.Failure{Code: agentclient.CodeUsage, Happened: "A file of settings cannot be used: " + oneLine(err) + ".",
		Means: "The agent did not start, so no mail is watched. Nothing was changed.",
		Do:    "Mend the file (docs/OAUTH.md says how it is written), or move it away; then start the agent again."}
}

// presets are the servers of domains that somebody wrote down, by domain.
type presets map[string]preset

type preset struct {
	Name   string `toml:"name"`
	IMAP   string `toml:"imap"`
	SMTP   string `toml:"smtp"`
	Escrow string `toml:"escrow"`
}

// read adds the domains of a servers.toml, if there is one.
func (p presets) read(name string) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("servers file: %w", err)
	}
	var file struct {
		Domain []preset `toml:"domain"`
	}
	if err := tomlfile.Decode(text, &file); err != nil {
		return fmt.Errorf("servers file %s: %w", name, err)
	}
	for _, domain := range file.Domain {
		if domain.Name == "" || domain.IMAP == "" || domain.SMTP == "" {
			return fmt.Errorf("servers file %s: a domain needs name, imap and smtp", name)
		}
		p[strings.ToLower(domain.Name)] = domain
	}
	return nil
}

// presetFinder asks what was written down, and then the network; without next
// nobody.
type presetFinder struct {
	known presets
	next  agent.Finder
}

// Find implements [agent.Finder].
func (f presetFinder) Find(ctx context.Context, address string) (discover.Found, error) {
	domain := strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
	if found, ok := f.known[domain]; ok {
		return discover.Found{IMAP: found.IMAP, SMTP: found.SMTP, Escrow: found.Escrow, User: address, Source: discover.Autoconfig}, nil
	}
	if f.next == nil {
		return discover.Found{User: address, Source: discover.None}, nil
	}
	return f.next.Find(ctx, address)
}
