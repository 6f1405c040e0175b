package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/discover"
)

func write(t *testing.T, home, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestServersThatAreWrittenDownNeedNoNetwork(t *testing.T) {
	home := t.TempDir()
	write(t, home, "servers.toml", "[[domain]]\nname = \"Campus.example\"\nimap = \"imaps://i.campus.example:993\"\nsmtp = \"smtps://s.campus.example:465\"\nescrow = \"https://e.campus.example\"\n")
	finder, _, err := finding(Config{Home: home, NoDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	found, err := finder.Find(t.Context(), "me@campus.EXAMPLE")
	want := discover.Found{IMAP: "imaps://i.campus.example:993", SMTP: "smtps://s.campus.example:465", Escrow: "https://e.campus.example", User: "me@campus.EXAMPLE", Source: "autoconfig"}
	if err != nil || found != want {
		t.Errorf("found %+v, %v", found, err)
	}
	// Nobody is behind it who could be asked.
	if behind := finder.(presetFinder).next; behind != nil {
		t.Errorf("without discovery there is %T", behind)
	}
	found, err = finder.Find(t.Context(), "me@other.example")
	if err != nil || found != (discover.Found{User: "me@other.example", Source: "none"}) {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestABadFileOfSettingsIsNamed(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"servers.toml", "[[domain]]\nname = \"x.example\"\n", "a domain needs name, imap and smtp"},
		{"servers.toml", "[[domain]]\nname = \"x.example\"\npop = \"y\"\n", "unknown settings: domain.pop"},
		{"providers.toml", "[[provider]]\nname = \"X\"\nissuer = \"http://x.example\"\n", "no https address"},
	} {
		home := t.TempDir()
		write(t, home, c.name, c.text)
		err := startFailure(t.Context(), Run(t.Context(), Config{Home: home, Keyring: "memory", Log: slog.New(slog.DiscardHandler)}))
		failure, ok := err.(*agentclient.Failure)
		if !ok || failure.Code != agentclient.CodeUsage || !strings.Contains(failure.Happened, filepath.Join(home, c.name)) ||
			!strings.Contains(failure.Happened, c.says) || failure.Means == "" {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestTheKnownProvidersAreThere(t *testing.T) {
	_, signIn, err := finding(Config{Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"imap.gmail.com": "Google", "outlook.office365.com": "Microsoft", "imap.example.org": ""} {
		if name, ready, _ := signIn.Provider(host); name != want || ready {
			t.Errorf("%s: %q, %v", host, name, ready)
		}
	}
}
