package discover_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"earnest/discover"
)

const (
	address  = "some.one+tag@house.example"
	password = "<authentication>password-cleartext</authentication>"
)

// find asks for the address, and holds what must hold whatever is found.
func (w *world) find(f *discover.Finder) discover.Found {
	w.t.Helper()
	found, err := f.Find(w.t.Context(), address)
	must(w.t, err)
	if strings.Contains(w.log(), "some.one") {
		w.t.Errorf("the local part went out:\n%s", w.log())
	}
	if strings.Contains(w.log(), ":80\n") {
		w.t.Errorf("asked without TLS:\n%s", w.log())
	}
	return found
}

func (w *world) wants(got discover.Found, want discover.Found) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("found %+v\nwant  %+v\n%s", got, want, w.log())
	}
}

// usual has servers under the usual names.
func (w *world) usual() {
	w.server("imap.house.example:993", "", "imap.house.example")
	w.server("smtp.house.example:465", "", "smtp.house.example")
}

func (w *world) records() {
	w.record("imaps", "house.example", "in.house.example", 1993)
	w.record("submissions", "house.example", "out.house.example", 1465)
}

func (w *world) hosting() {
	w.exchanger("house.example", "mx1.eu.provider.example")
	w.file("autoconfig.provider.example", configFile("imap.provider.example", 993, "SSL", "smtp.provider.example", 587, "STARTTLS", "%EMAILADDRESS%", password))
}

// Every way leads somewhere here; one after the other is taken away.
func TestTheBestAnswerWins(t *testing.T) {
	ownFile := configFile("imap.%EMAILDOMAIN%", 993, "SSL", "smtp.house.example", 465, "SSL", "%EMAILLOCALPART%", password)
	otherFile := configFile("wk.house.example", 993, "SSL", "wk.house.example", 465, "SSL", "%EMAILADDRESS%", password)
	for _, c := range []struct {
		name string
		made func(*world)
		want discover.Found
	}{
		{"autoconfig of the domain", func(w *world) {
			w.file("autoconfig.house.example", ownFile)
			w.file("house.example", otherFile)
			w.records()
			w.hosting()
			w.usual()
		}, discover.Found{IMAP: "imaps://imap.house.example:993", SMTP: "smtps://smtp.house.example:465", User: "some.one+tag", Source: discover.Autoconfig}},
		{"its second place", func(w *world) {
			w.file("house.example", otherFile)
			w.records()
			w.hosting()
			w.usual()
		}, discover.Found{IMAP: "imaps://wk.house.example:993", SMTP: "smtps://wk.house.example:465", User: address, Source: discover.Autoconfig}},
		{"srv", func(w *world) { w.records(); w.hosting(); w.usual() },
			discover.Found{IMAP: "imaps://in.house.example:1993", SMTP: "smtps://out.house.example:1465", User: address, Source: discover.SRV}},
		{"who takes the mail", func(w *world) { w.hosting(); w.usual() },
			discover.Found{IMAP: "imaps://imap.provider.example:993", SMTP: "smtp://smtp.provider.example:587", User: address,
				Source: discover.Autoconfig, Elsewhere: "provider.example"}},
		{"the usual names", func(w *world) { w.usual() },
			discover.Found{IMAP: "imaps://imap.house.example:993", SMTP: "smtps://smtp.house.example:465", User: address, Source: discover.Guess}},
		{"nothing", func(*world) {}, discover.Found{User: address, Source: discover.None}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.made(w)
			w.wants(w.find(w.finder()), c.want)
		})
	}
}

func TestServersWithSTARTTLSAreGuessed(t *testing.T) {
	w := newWorld(t)
	w.server("mail.house.example:143", "* OK hello\r\n", "mail.house.example")
	w.server("mail.house.example:587", "220-hello\r\n220 go\r\n", "mail.house.example")
	w.wants(w.find(w.finder()), discover.Found{IMAP: "imap://mail.house.example:143", SMTP: "smtp://mail.house.example:587", User: address, Source: discover.Guess})
}

func TestAGuessWithoutItsCertificateIsNone(t *testing.T) {
	w := newWorld(t)
	w.server("imap.house.example:993", "", "other.example")
	w.server("smtp.house.example:465", "", "smtp.house.example")
	w.wants(w.find(w.finder()), discover.Found{User: address, Source: discover.None})
}

// RFC 6186 section 6: DNS can be forged, so a target outside of the domain has to
// prove its name, and is shown.
func TestASRVTargetElsewhereNeedsItsCertificate(t *testing.T) {
	for _, starttls := range []bool{false, true} {
		w := newWorld(t)
		want := discover.Found{User: address, Source: discover.SRV, Elsewhere: "hoster.example"}
		greeting := [2]string{}
		if starttls {
			w.record("imap", "house.example", "in.hoster.example", 143)
			w.record("submission", "house.example", "out.hoster.example", 587)
			want.IMAP, want.SMTP, greeting = "imap://in.hoster.example:143", "smtp://out.hoster.example:587", [2]string{"* OK hi\r\n", "220 hi\r\n"}
		} else {
			w.record("imaps", "house.example", "in.hoster.example", 993)
			w.record("submissions", "house.example", "out.hoster.example", 465)
			want.IMAP, want.SMTP = "imaps://in.hoster.example:993", "smtps://out.hoster.example:465"
		}
		in, out := strings.SplitN(want.IMAP, "://", 2)[1], strings.SplitN(want.SMTP, "://", 2)[1]
		w.server(in, greeting[0], "evil.example")
		w.server(out, greeting[1], "out.hoster.example")
		w.wants(w.find(w.finder()), discover.Found{User: address, Source: discover.None})
		w.server(in, greeting[0], "in.hoster.example")
		w.wants(w.find(w.finder()), want)
	}
}

// A server of somebody else is not hidden behind one of a known provider.
func TestBothDomainsAreNamed(t *testing.T) {
	w := newWorld(t)
	w.record("imaps", "house.example", "in.hoster.example", 993)
	w.record("submissions", "house.example", "out.evil.example", 465)
	w.server("in.hoster.example:993", "", "in.hoster.example")
	w.server("out.evil.example:465", "", "out.evil.example")
	w.wants(w.find(w.finder()), discover.Found{User: address, Source: discover.SRV, IMAP: "imaps://in.hoster.example:993",
		SMTP: "smtps://out.evil.example:465", Elsewhere: "hoster.example and evil.example"})
}

func TestTLSFromTheFirstByteIsPreferred(t *testing.T) {
	w := newWorld(t)
	w.records()
	w.record("imap", "house.example", "in.house.example", 143)
	w.record("submission", "house.example", "out.house.example", 587)
	if got := w.find(w.finder()); got.IMAP != "imaps://in.house.example:1993" || got.SMTP != "smtps://out.house.example:1465" {
		t.Errorf("found %+v", got)
	}
}

func TestADomainThatSaysItHasNoneHasNone(t *testing.T) {
	w := newWorld(t)
	w.record("imaps", "house.example", "", 0) // target "."
	w.record("submissions", "house.example", "", 0)
	w.wants(w.find(w.finder()), discover.Found{User: address, Source: discover.None})
}

func TestTheEscrowOfADomain(t *testing.T) {
	w := newWorld(t)
	w.usual()
	w.record("earnest", "house.example", "escrow.house.example", 8443)
	if got := w.find(w.finder()); got.Escrow != "https://escrow.house.example:8443" || got.Source != discover.Guess {
		t.Errorf("found %+v", got)
	}
	w.record("earnest", "house.example", "escrow.other.example", 443)
	if got := w.find(w.finder()); got.Escrow != "" {
		t.Errorf("an escrow elsewhere without a certificate was taken: %+v", got)
	}
	w.server("escrow.other.example:443", "", "escrow.other.example")
	if got := w.find(w.finder()); got.Escrow != "https://escrow.other.example" {
		t.Errorf("found %+v", got)
	}
}

func TestPlainTextIsRefused(t *testing.T) {
	w := newWorld(t)
	w.file("autoconfig.house.example", configFile("imap.house.example", 143, "plain", "smtp.house.example", 465, "SSL", "%EMAILADDRESS%", password))
	w.wants(w.find(w.finder()), discover.Found{User: address, Source: discover.None})
	// Beside a better one it is passed over.
	both := strings.Replace(configFile("imap.house.example", 143, "plain", "smtp.house.example", 587, "STARTTLS", "%EMAILADDRESS%", password),
		"</emailProvider>", `<incomingServer type="imap"><hostname>tls.house.example</hostname><port>993</port><socketType>SSL</socketType></incomingServer></emailProvider>`, 1)
	w.file("autoconfig.house.example", both)
	w.wants(w.find(w.finder()), discover.Found{IMAP: "imaps://tls.house.example:993", SMTP: "smtp://smtp.house.example:587", User: address, Source: discover.Autoconfig})
}

func TestARedirectOutOfTLSIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	good := configFile("imap.house.example", 993, "SSL", "smtp.house.example", 465, "SSL", "%EMAILADDRESS%", password)
	w.file("files.house.example", good)
	w.web("autoconfig.house.example", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "http://files.house.example/mail/config-v1.1.xml", http.StatusFound)
	})
	w.wants(w.find(w.finder()), discover.Found{User: address, Source: discover.None})
	w.web("autoconfig.house.example", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "https://files.house.example/mail/config-v1.1.xml", http.StatusFound)
	})
	if got := w.find(w.finder()); got.Source != discover.Autoconfig {
		t.Errorf("found %+v\n%s", got, w.log())
	}
}

func TestHostileFiles(t *testing.T) {
	good := configFile("imap.house.example", 993, "SSL", "smtp.house.example", 465, "SSL", "%EMAILADDRESS%", password)
	for name, text := range map[string]string{
		"entities":      `<!DOCTYPE x [<!ENTITY a "imap.house.example">]>` + strings.Replace(good, "imap.house.example", "&a;", 1),
		"too large":     good + "<!--" + strings.Repeat("x", 64<<10) + "-->",
		"deep":          strings.Repeat("<a>", 20000),
		"no XML":        "imap.house.example",
		"another form":  "<html><body>Not found</body></html>",
		"a number":      strings.Replace(good, "<hostname>imap.house.example", "<hostname>127.0.0.1", 2),
		"this machine":  strings.Replace(good, "<hostname>imap.house.example", "<hostname>localhost", 2),
		"a path":        strings.Replace(good, "<hostname>imap.house.example", "<hostname>imap.house.example/x?", 2),
		"a login":       strings.Replace(good, "<hostname>imap.house.example", "<hostname>me@imap.house.example", 2),
		"port 0":        strings.Replace(good, "<port>993", "<port>0", 1),
		"a high port":   strings.Replace(good, "<port>993", "<port>65536", 1),
		"a broken user": strings.ReplaceAll(good, "%EMAILADDRESS%", "a&#10;b"),
		"only POP":      strings.Replace(good, `type="imap"`, `type="pop3"`, 1),
	} {
		w := newWorld(t)
		w.file("autoconfig.house.example", text)
		if got := w.find(w.finder()); got.Source != discover.None {
			t.Errorf("%s: found %+v", name, got)
		}
	}
}

func TestOAuth2IsMarked(t *testing.T) {
	for auth, want := range map[string]bool{
		"<authentication>OAuth2</authentication>" + password: true,
		password + "<authentication>OAuth2</authentication>": false, // the password is preferred
		"": false,
	} {
		w := newWorld(t)
		w.file("autoconfig.house.example", configFile("imap.house.example", 993, "SSL", "smtp.house.example", 465, "SSL", "%EMAILADDRESS%", auth))
		got := w.find(w.finder())
		if got.OAuth != want || (got.Issuer == "login.provider.example") != want {
			t.Errorf("%q: found %+v", auth, got)
		}
	}
}

func TestKnownHostersNeedNoFile(t *testing.T) {
	w := newWorld(t)
	w.hosting()
	config := w.config()
	config.Hosted = func(host string) (string, string, bool) {
		return "imaps://imap.big.example:993", "smtps://smtp.big.example:465", host == "mx1.eu.provider.example"
	}
	w.wants(w.find(discover.New(config)), discover.Found{IMAP: "imaps://imap.big.example:993", SMTP: "smtps://smtp.big.example:465",
		User: address, Source: discover.Autoconfig, Elsewhere: "big.example"})
}

// Servers that take the call and then say nothing.
func TestSilenceEndsInTime(t *testing.T) {
	w := newWorld(t)
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	for _, name := range []string{"autoconfig.house.example", "house.example"} {
		w.web(name, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		})
	}
	w.records()
	config := w.config()
	config.Patience = 200 * time.Millisecond
	began := time.Now()
	if got := w.find(discover.New(config)); got.Source != discover.SRV {
		t.Errorf("found %+v", got)
	}
	if took := time.Since(began); took > 20*time.Second { // without patience it takes for ever
		t.Errorf("it took %s", took)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := w.finder().Find(ctx, address); err == nil {
		t.Error("who has left is answered")
	}
}

// Names that stand in documents and tests are asked nowhere.
func TestReservedNamesCauseNoTraffic(t *testing.T) {
	w := newWorld(t)
	w.usual()
	config := w.config()
	config.Reserved = false
	f := discover.New(config)
	for _, a := range []string{address, "me@example.org", "me@mail.example", "me@x.test", "me@printer.local", "me@example.com"} {
		found, err := f.Find(t.Context(), a)
		must(t, err)
		if found != (discover.Found{User: a, Source: discover.None}) {
			t.Errorf("%s: found %+v", a, found)
		}
	}
	if log := w.log(); log != "" {
		t.Errorf("asked:\n%s", log)
	}
}

func TestBadAddresses(t *testing.T) {
	w := newWorld(t)
	for _, a := range []string{"", "me", "@house.example", "me@", "me@house", "me@127.0.0.1", "me@[::1]", "me@a b.example", "me@house.example/x", "me@house.example:80", "me@..example"} {
		if found, err := w.finder().Find(t.Context(), a); err == nil {
			t.Errorf("%q: found %+v", a, found)
		}
	}
	if log := w.log(); log != "" {
		t.Errorf("asked:\n%s", log)
	}
}
