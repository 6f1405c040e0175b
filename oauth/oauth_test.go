package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earnest/internal/mailtest"
	"earnest/oauth"
)

const address = "reader@example.org"

// broker knows the issuer as "Tests".
func broker(t *testing.T, issuer *mailtest.Issuer) *oauth.Broker {
	t.Helper()
	return oauth.New(oauth.Config{HTTP: issuer.Client(), Providers: oauth.Providers{{Name: "Tests", Issuer: issuer.URL,
		ClientID: issuer.ClientID, ClientSecret: issuer.ClientSecret, Scopes: []string{"mail"}, Hosts: []string{"mail.example.org"}}}})
}

// begun is a flow and what it ends with.
func begun(t *testing.T, b *oauth.Broker) (*oauth.Flow, <-chan ended) {
	t.Helper()
	flow, err := b.Begin(t.Context(), "Tests", address)
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan ended, 1)
	go func() {
		token, err := flow.Wait(t.Context())
		out <- ended{token, err}
	}()
	return flow, out
}

type ended struct {
	token oauth.Token
	err   error
}

// browse opens a page as a browser does, and returns what it shows.
func browse(t *testing.T, client *http.Client, at string) (int, string, http.Header) {
	t.Helper()
	resp, err := client.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

func TestSigningInGivesAccessAndItsRenewal(t *testing.T) {
	for _, secret := range []string{"", "of the client"} {
		issuer := mailtest.StartIssuer(t)
		issuer.ClientSecret = secret
		b := broker(t, issuer)
		flow, out := begun(t, b)
		_, text, header := browse(t, issuer.Client(), flow.URL)
		if !strings.Contains(text, "You are signed in.") || strings.Contains(text, "<script") {
			t.Errorf("the browser shows %q", text)
		}
		if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || header.Get("Cache-Control") != "no-store" {
			t.Errorf("the page comes with %q", header)
		}
		got := <-out
		if got.err != nil {
			t.Fatal(got.err)
		}
		if got.token.Access == "" || got.token.Refresh == "" || time.Until(got.token.Expires) < 50*time.Minute {
			t.Errorf("got %+v", got.token)
		}
		renewed, err := b.Refresh(t.Context(), "Tests", got.token.Refresh)
		if err != nil {
			t.Fatal(err)
		}
		if renewed.Access == got.token.Access || renewed.Refresh == "" || renewed.Refresh == got.token.Refresh {
			t.Errorf("renewed as %+v", renewed)
		}
		if faults := issuer.Faults(); len(faults) > 0 {
			t.Errorf("the provider found fault: %q", faults)
		}
	}
}

func TestAPageOfTheBrowserCannotAnswerForTheProvider(t *testing.T) {
	issuer := mailtest.StartIssuer(t)
	flow, out := begun(t, broker(t, issuer))
	at, err := url.Parse(flow.URL)
	if err != nil {
		t.Fatal(err)
	}
	back := at.Query().Get("redirect_uri")
	for _, forged := range []string{"?code=stolen&state=guessed", "?code=stolen", "favicon.ico", "?error=access_denied&state="} {
		status, _, _ := browse(t, http.DefaultClient, back+forged)
		if status != http.StatusBadRequest {
			t.Errorf("%s was answered %d", forged, status)
		}
	}
	if _, text, _ := browse(t, issuer.Client(), flow.URL); !strings.Contains(text, "You are signed in.") {
		t.Errorf("afterwards the browser shows %q", text)
	}
	if got := <-out; got.err != nil {
		t.Errorf("the true answer was not taken: %v", got.err)
	}
	if _, err := http.Get(back); err == nil {
		t.Error("the listener is still there")
	}
}

func TestAnAnswerOfAnotherIssuerIsRefused(t *testing.T) {
	issuer := mailtest.StartIssuer(t)
	flow, out := begun(t, broker(t, issuer))
	at, err := url.Parse(flow.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := at.Query()
	browse(t, http.DefaultClient, q.Get("redirect_uri")+"?code=x&iss=https://other.example&state="+q.Get("state"))
	if got := <-out; !errors.Is(got.err, oauth.ErrDenied) {
		t.Errorf("got %v", got.err)
	}
}

func TestANoIsTold(t *testing.T) {
	issuer := mailtest.StartIssuer(t)
	issuer.Deny()
	flow, out := begun(t, broker(t, issuer))
	if _, text, _ := browse(t, issuer.Client(), flow.URL); !strings.Contains(text, "You are not signed in.") {
		t.Errorf("the browser shows %q", text)
	}
	if got := <-out; !errors.Is(got.err, oauth.ErrDenied) || !strings.Contains(got.err.Error(), "access_denied") {
		t.Errorf("got %v", got.err)
	}
}

func TestAccessThatCannotBeRenewedIsNotTaken(t *testing.T) {
	issuer := mailtest.StartIssuer(t)
	issuer.WithoutRefresh()
	flow, out := begun(t, broker(t, issuer))
	browse(t, issuer.Client(), flow.URL)
	if got := <-out; !errors.Is(got.err, oauth.ErrNoRefresh) {
		t.Errorf("got %v", got.err)
	}
}

func TestARefusedRenewalSaysSoAndKeepsTheTokenToItself(t *testing.T) {
	issuer := mailtest.StartIssuer(t)
	b := broker(t, issuer)
	_, refresh := issuer.Grant(address)
	issuer.Revoke()
	_, err := b.Refresh(t.Context(), "Tests", refresh)
	if !errors.Is(err, oauth.ErrRefused) {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "refresh-") {
		t.Errorf("the error shows the token: %v", err)
	}
}

func TestAProviderThatIsAwayRefusesNothing(t *testing.T) {
	issuer := mailtest.StartIssuer(t)
	b := oauth.New(oauth.Config{HTTP: issuer.Client(), Providers: oauth.Providers{{Name: "Tests",
		AuthURL: "https://127.0.0.1:1/a", TokenURL: "https://127.0.0.1:1/t", ClientID: "x"}}})
	_, err := b.Refresh(t.Context(), "Tests", "refresh")
	if err == nil || errors.Is(err, oauth.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

func TestAFlowThatIsGivenUpClosesItsListener(t *testing.T) {
	issuer := mailtest.StartIssuer(t)
	b := broker(t, issuer)
	flow, err := b.Begin(t.Context(), "Tests", address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := flow.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	at, _ := url.Parse(flow.URL)
	if _, err := http.Get(at.Query().Get("redirect_uri")); err == nil {
		t.Error("the listener is still there")
	}
}

func TestProvidersFromAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "providers.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func() *oauth.Broker {
		t.Helper()
		all, err := oauth.ReadProviders(name)
		if err != nil {
			t.Fatal(err)
		}
		return oauth.New(oauth.Config{Providers: all})
	}
	who, ready, missing := read().Provider("imap.gmail.com")
	if who != "Google" || ready || !missing.Known || missing.Provider != "Google" || missing.Register == "" {
		t.Errorf("without a file: %q, %v, %+v", who, ready, missing)
	}
	write("[[provider]]\nname = \"google\"\nclient_id = \"ours\"\n[[provider]]\nname = \"House\"\nissuer = \"https://login.house.example\"\nclient_id = \"x\"\nhosts = [\"*.house.example\"]\n")
	b := read()
	if who, ready, missing := b.Provider("IMAP.gmail.com."); who != "Google" || !ready || missing != (oauth.Missing{}) {
		t.Errorf("with a client id: %q, %v, %+v", who, ready, missing)
	}
	if who, ready, _ := b.Provider("mail.house.example"); who != "House" || !ready {
		t.Errorf("of the file: %q, %v", who, ready)
	}
	if who, _, _ := b.Provider("mail.example.org"); who != "" {
		t.Errorf("a server of nobody belongs to %q", who)
	}
	if who, ready, _ := b.Named("login.house.example"); who != "House" || !ready {
		t.Errorf("by its issuer: %q, %v", who, ready)
	}
	if _, ready, missing := b.Named("strange.example"); ready || missing.Known || missing.Provider != "strange.example" {
		t.Errorf("an unknown one: %v %+v", ready, missing)
	}
	for text, wrong := range map[string]string{
		"[[provider]]\nname = \"X\"\nissuer = \"http://x.example\"\n":                          "no https address",
		"[[provider]]\nname = \"X\"\n":                                                         "neither",
		"[[provider]]\nname = \"X\"\nissuer = \"https://x\"\nclient = \"a\"\n":                 "unknown settings: provider.client",
		"[[provider]]\nname = \"X\"\nissuer = \"https://x\"\nredirect_host = \"evil.example\"": "redirect_host",
		"[[provider": "",
	} {
		write(text)
		if _, err := oauth.ReadProviders(name); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAnIssuerThatIsAnotherIsNotBelieved(t *testing.T) {
	issuer := mailtest.StartIssuer(t)
	b := oauth.New(oauth.Config{HTTP: issuer.Client(), Providers: oauth.Providers{{Name: "Tests", Issuer: issuer.URL + "/", ClientID: "x"}}})
	if _, err := b.Begin(t.Context(), "Tests", address); err == nil || !strings.Contains(err.Error(), "does not say of itself") {
		t.Errorf("got %v", err)
	}
}

// Access is for the provider's own servers: a file of a domain can name any.
func TestAccessIsForTheProvidersOwnServers(t *testing.T) {
	b := oauth.New(oauth.Config{Providers: oauth.Providers{
		{Name: "Big", Issuer: "https://login.big.example", Hosts: []string{"imap.big.example", "*.mail.big.example"}},
		{Name: "Campus", Issuer: "https://login.campus.example"}}})
	for at, want := range map[[2]string]bool{
		{"Big", "imap.big.example"}: true, {"big", "IMAP.big.example."}: true, {"login.big.example", "a.mail.big.example"}: true,
		{"Big", "evil.example"}: false, {"Big", "imap.big.example.evil.example"}: false, {"Big", "evilmail.big.example"}: false, {"Big", ""}: false,
		{"Campus", "anything.example"}: true, {"Unheard", "imap.big.example"}: false,
	} {
		if got := b.Serves(at[0], at[1]); got != want {
			t.Errorf("%v: %v", at, got)
		}
	}
}
