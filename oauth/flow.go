package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/oauth2"
)

// Lifetime is how long a person may take to sign in.
const Lifetime = 10 * time.Minute

// ErrDenied means that the person or the provider said no in the browser.
var ErrDenied = errors.New("the sign-in was not granted")

// Flow is one sign-in that has begun: the provider's page is at URL, and the
// browser comes back to a listener on this machine that nobody else can reach.
type Flow struct {
	URL     string
	Expires time.Time

	broker   *Broker
	config   *oauth2.Config
	issuer   string
	state    string
	verifier string
	answers  chan answer
	server   *http.Server
}

// answer is what the browser brought back; reply tells it how that went.
type answer struct {
	code  string
	err   error
	reply chan error
}

// Begin begins a sign-in for an address, which the provider is told so that it
// asks for no other.
func (b *Broker) Begin(ctx context.Context, provider, address string) (*Flow, error) {
	config, p, err := b.client(ctx, provider)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the browser: %w", err)
	}
	host := p.RedirectHost
	if host == "" {
		host = "127.0.0.1"
	}
	port := listener.Addr().(*net.TCPAddr).Port
	config.RedirectURL = "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/"
	f := &Flow{broker: b, config: config, issuer: p.Issuer, state: random(), verifier: oauth2.GenerateVerifier(),
		Expires: b.now().Add(Lifetime), answers: make(chan answer)}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.verifier), oauth2.SetAuthURLParam("login_hint", address)}
	for name, value := range p.Params {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	f.URL = config.AuthCodeURL(f.state, options...)
	f.server = &http.Server{Handler: f.handler(port), ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		MaxHeaderBytes: 32 << 10}
	go func() { _ = f.server.Serve(listener) }() // ends when Wait closes it
	return f, nil
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Wait waits for the browser and gets the tokens. It must be called, and ends the
// flow however it ends.
func (f *Flow) Wait(ctx context.Context) (token Token, err error) {
	ctx, stop := context.WithDeadline(ctx, time.Now().Add(Lifetime))
	defer stop()
	defer f.close()
	select {
	case <-ctx.Done():
		return Token{}, ctx.Err()
	case a := <-f.answers:
		token, err = f.exchange(ctx, a)
		a.reply <- err
		return token, err
	}
}

// close lets the browser have its last page.
func (f *Flow) close() {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	if f.server.Shutdown(ctx) != nil {
		f.server.Close()
	}
}

func (f *Flow) exchange(ctx context.Context, a answer) (Token, error) {
	if a.err != nil {
		return Token{}, a.err
	}
	ctx, stop := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, f.broker.http), patience)
	defer stop()
	token, err := f.config.Exchange(ctx, a.code, oauth2.VerifierOption(f.verifier))
	if err != nil {
		return Token{}, fmt.Errorf("get access: %w", plain(err))
	}
	got := taken(token)
	if got.Refresh == "" {
		return Token{}, ErrNoRefresh
	}
	return got, nil
}

// handler takes the one request that carries our state. Others, which any page
// and program of this machine can make, change nothing.
func (f *Flow) handler(port int) http.Handler {
	hosts := []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), net.JoinHostPort("localhost", strconv.Itoa(port))}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if r.Method != http.MethodGet || r.URL.Path != "/" || r.Host != hosts[0] && r.Host != hosts[1] ||
			subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(f.state)) != 1 {
			page(w, http.StatusBadRequest, "This is not the sign-in that Earnest waits for.", "Go back to Earnest and begin anew.")
			return
		}
		a := answer{code: query.Get("code"), reply: make(chan error, 1)}
		switch problem, issuer := query.Get("error"), query.Get("iss"); {
		case problem != "":
			if !word(problem) {
				problem = "no reason that can be shown"
			}
			a.err = fmt.Errorf("%w (%s)", ErrDenied, problem)
		case issuer != "" && f.issuer != "" && issuer != f.issuer:
			a.err = fmt.Errorf("%w: another provider answered", ErrDenied) // RFC 9207
		case a.code == "":
			a.err = fmt.Errorf("%w: nothing came with it", ErrDenied)
		}
		select {
		case f.answers <- a:
		case <-r.Context().Done():
			return
		case <-time.After(time.Second): // it was taken, or the time is over
			page(w, http.StatusGone, "This sign-in has ended already.", "Go back to Earnest.")
			return
		}
		if err := <-a.reply; err != nil {
			page(w, http.StatusOK, "You are not signed in.", "Go back to Earnest: it says why, and what to do.")
			return
		}
		page(w, http.StatusOK, "You are signed in.", "Close this page and go back to Earnest.")
	})
}

// page is all that the browser gets from us: words, and nothing that runs.
func page(w http.ResponseWriter, status int, title, text string) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Connection", "close")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Earnest</title>"+
		"<body style=\"font:16px/1.5 sans-serif;max-width:32em;margin:4em auto;padding:0 1em\"><h1>%s</h1><p>%s</p></body></html>", title, text)
}
