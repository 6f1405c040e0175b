package mailtest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"time"

	"earnest/internal/mailhost"
)

// Issuer is an OpenID Connect provider on loopback. Its person says yes at once;
// whom it signs in is the login hint. Each refresh token is good for one use.
type Issuer struct {
	// URL is the issuer, ClientID and ClientSecret its only client. A public client
	// has no secret.
	URL, ClientID, ClientSecret string
	// IntrospectionURL answers a mail server about tokens.
	IntrospectionURL string

	authority *mailhost.Authority
	mu        sync.Mutex
	lifetime  time.Duration
	deny      bool
	noRefresh bool
	codes     map[string]grant
	refresh   map[string]string // to the user
	access    map[string]session
	refreshes int
	late      int
	faults    []string
}

// grant is what a code stands for.
type grant struct{ user, challenge, redirect string }

// session is what an access token stands for.
type session struct {
	user    string
	expires time.Time
}

// StartIssuer starts a provider.
func StartIssuer(t T) *Issuer {
	t.Helper()
	now := time.Now()
	authority, err := mailhost.NewAuthority(now)
	if err != nil {
		t.Fatalf("start issuer: %v", err)
	}
	pair, _, _, err := authority.Issue(now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0), "127.0.0.1")
	if err != nil {
		t.Fatalf("start issuer: %v", err)
	}
	i := &Issuer{ClientID: "earnest-tests", authority: authority, lifetime: time.Hour,
		codes: map[string]grant{}, refresh: map[string]string{}, access: map[string]session{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.describe)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	i.URL = server.URL
	about := httptest.NewServer(http.HandlerFunc(i.introspect))
	t.Cleanup(about.Close)
	i.IntrospectionURL = about.URL + "/"
	return i
}

// Client trusts the issuer and nothing else, and follows redirects as a browser.
func (i *Issuer) Client() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: i.Pool(), MinVersion: tls.VersionTLS12}}}
}

// CAPEM is the certificate of the issuer's authority.
func (i *Issuer) CAPEM() []byte { return i.authority.PEM() }

// Pool trusts the issuer and nothing else.
func (i *Issuer) Pool() *x509.CertPool { return i.authority.Pool() }

// SetLifetime is how long access tokens are good for from now on.
func (i *Issuer) SetLifetime(d time.Duration) { i.set(func() { i.lifetime = d }) }

// Deny has its person say no from now on.
func (i *Issuer) Deny() { i.set(func() { i.deny = true }) }

// WithoutRefresh gives no refresh tokens from now on.
func (i *Issuer) WithoutRefresh() { i.set(func() { i.noRefresh = true }) }

// RevokeAccess ends every access token before its time.
func (i *Issuer) RevokeAccess() { i.set(func() { clear(i.access) }) }

// Revoke ends everything, as its person can in the provider's settings.
func (i *Issuer) Revoke() { i.set(func() { clear(i.access); clear(i.refresh) }) }

func (i *Issuer) set(fn func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	fn()
}

// Refreshes is how often access was renewed.
func (i *Issuer) Refreshes() (n int) {
	i.set(func() { n = i.refreshes })
	return n
}

// Late is how often access was renewed whose time was over.
func (i *Issuer) Late() (n int) {
	i.set(func() { n = i.late })
	return n
}

// hasAccess is called with mu held.
func (i *Issuer) hasAccess(user string) bool {
	for _, s := range i.access {
		if s.user == user && time.Now().Before(s.expires) {
			return true
		}
	}
	return false
}

// Faults are what the client did wrong.
func (i *Issuer) Faults() (list []string) {
	i.set(func() { list = append(list, i.faults...) })
	return list
}

// Grant gives an access token without a browser.
func (i *Issuer) Grant(user string) (access, refresh string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.issue(user)
}

// Good says whether an access token opens anything now.
func (i *Issuer) Good(access string) (good bool) {
	i.set(func() {
		s, ok := i.access[access]
		good = ok && time.Now().Before(s.expires)
	})
	return good
}

func (i *Issuer) describe(w http.ResponseWriter, _ *http.Request) {
	tell(w, http.StatusOK, map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token"})
}

func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Scheme != "http" || back.Hostname() != "127.0.0.1" && back.Hostname() != "localhost" ||
		q.Get("client_id") != i.ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" ||
		len(q.Get("code_challenge")) != 43 || q.Get("state") == "" {
		i.faults = append(i.faults, "a bad request for authorization: "+r.URL.RawQuery)
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}, "iss": {i.URL}}
	if i.deny {
		answer.Set("error", "access_denied")
	} else {
		code := random()
		i.codes[code] = grant{q.Get("login_hint"), q.Get("code_challenge"), q.Get("redirect_uri")}
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != i.ClientID || secret != i.ClientSecret {
		tell(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	var user string
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		g, ok := i.codes[r.PostFormValue("code")]
		delete(i.codes, r.PostFormValue("code"))
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if ok && (base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge || r.PostFormValue("redirect_uri") != g.redirect) {
			i.faults = append(i.faults, "a code without its verifier")
			ok = false
		}
		if ok {
			user = g.user
		}
	case "refresh_token":
		user = i.refresh[r.PostFormValue("refresh_token")]
		if !i.hasAccess(user) {
			i.late++
		}
		delete(i.refresh, r.PostFormValue("refresh_token"))
		i.refreshes++
	}
	if user == "" {
		tell(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "of " + r.PostFormValue("refresh_token")})
		return
	}
	access, refresh := i.issue(user)
	said := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(i.lifetime.Seconds())}
	if !i.noRefresh {
		said["refresh_token"] = refresh
	}
	tell(w, http.StatusOK, said)
}

// issue is called with mu held.
func (i *Issuer) issue(user string) (access, refresh string) {
	access, refresh = "access-"+random(), "refresh-"+random()
	i.access[access] = session{user, time.Now().Add(i.lifetime)}
	i.refresh[refresh] = user
	return access, refresh
}

// introspect answers for Dovecot, which sends the token as its own.
func (i *Issuer) introspect(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	const scheme = "Bearer "
	header := r.Header.Get("Authorization")
	if len(header) < len(scheme) {
		tell(w, http.StatusUnauthorized, map[string]any{"active": false})
		return
	}
	s, ok := i.access[header[len(scheme):]]
	if !ok || time.Now().After(s.expires) {
		tell(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	tell(w, http.StatusOK, map[string]any{"active": true, "username": s.user})
}

func tell(w http.ResponseWriter, status int, value map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that is gone hears nothing
}

func random() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}
