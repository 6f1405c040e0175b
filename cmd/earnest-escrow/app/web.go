package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"earnest/escrowserver/sqlstore"
)

//go:embed status.html
var statusPage string

const sessionCookie = "earnest-operator"

// Web serves the operator's page on this machine until ctx ends. The link that ready
// is told signs in one browser, once.
func Web(ctx context.Context, cfg Config, listen string, ready func(link string)) error {
	cfg, err := cfg.complete()
	if err != nil {
		return err
	}
	if host, _, err := net.SplitHostPort(listen); err != nil || !loopback(host) {
		return fmt.Errorf("%w: the page is for this machine only: listen at 127.0.0.1:PORT, and reach it from elsewhere through ssh -L", ErrCommand)
	}
	page, err := template.New("status").Parse(statusPage)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("%w at %s: %w", ErrListen, listen, err)
	}
	defer listener.Close() // the server has closed it already if it ran
	if err := noteWeb(ctx, cfg); err != nil {
		return err
	}
	w := &web{cfg: cfg, page: page, host: listener.Addr().String(), link: rand.Text(), session: rand.Text()}
	server := &http.Server{Handler: w, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	ready("http://" + w.host + "/?link=" + w.link)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("web page: %w", err)
	}
	return nil
}

// noteWeb writes into the log that somebody looks at the page.
func noteWeb(ctx context.Context, cfg Config) error {
	_, store, err := openBooks(ctx, cfg, sqlstore.OpenMade)
	if err != nil {
		return err
	}
	return errors.Join(audit(ctx, cfg, store.Store, "web page"), store.Close())
}

// web is the page and who may see it.
type web struct {
	cfg     Config
	page    *template.Template
	host    string
	session string

	mu   sync.Mutex
	link string // empty once used
}

// ServeHTTP shows the page to the browser that was signed in by the link. The page
// changes nothing and runs no script.
func (w *web) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	header := to.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	switch {
	case !here(r.Host): // a page of somebody else that took a name for this machine
		http.Error(to, "there is nothing under that name", http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet || r.URL.Path != "/":
		http.NotFound(to, r)
	case r.URL.Query().Has("link"):
		w.signIn(to, r)
	case !w.signedIn(r):
		http.Error(to, "open the link that 'earnest-escrow web' printed; it works once", http.StatusForbidden)
	default:
		w.show(to, r)
	}
}

// here reports whether the page was asked for under a name that only this machine
// has, at whatever port: it may be the near end of ssh -L. Names that others give to
// its address are refused.
func here(authority string) bool {
	host, _, err := net.SplitHostPort(authority)
	if err != nil {
		host = strings.Trim(authority, "[]")
	}
	return loopback(strings.ToLower(host))
}

func (w *web) signIn(to http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	good := w.link != "" && same(r.URL.Query().Get("link"), w.link)
	if good {
		w.link = ""
	}
	w.mu.Unlock()
	if !good {
		http.Error(to, "that link was used, or is another: stop 'earnest-escrow web' and start it again", http.StatusForbidden)
		return
	}
	http.SetCookie(to, &http.Cookie{Name: sessionCookie, Value: w.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(to, r, "/", http.StatusSeeOther)
}

func (w *web) signedIn(r *http.Request) bool {
	cookie, err := r.Cookie(sessionCookie)
	return err == nil && same(cookie.Value, w.session)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (w *web) show(to http.ResponseWriter, r *http.Request) {
	status, err := ReadStatus(r.Context(), w.cfg)
	if err != nil {
		w.cfg.Log.Error("the page could not be made", "error", err)
		http.Error(to, "the books could not be read: "+err.Error(), http.StatusInternalServerError)
		return
	}
	to.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := w.page.Execute(to, status); err != nil {
		w.cfg.Log.Error("the page could not be written", "error", err)
	}
}
