// Package escrowclient is escrow.Service over HTTP, for one account. It keeps
// nothing: operation ids are made and stored by the caller before the first
// try, so that every call can be made again, here after a lost answer or by the
// caller after a restart.
package escrowclient

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/idna"

	"earnest/escrow"
	"earnest/escrow/wire"
)

// maxResponse bounds what is read of an answer: a full page of bonds with their
// certificates is the largest.
const maxResponse = 8 << 20

// Config sets up a [Client].
type Config struct {
	// BaseURL is where the escrow is, such as https://escrow.example. Plain http
	// is taken only for this machine.
	BaseURL string
	// Signer holds the account's Ed25519 key. Nil: the caller is anonymous, and
	// may ask Info and public prices only.
	Signer crypto.Signer
	// Fingerprint pins the server's certificate: SHA-256 of its DER in
	// hexadecimal, colons allowed. Empty: it is verified against Roots.
	Fingerprint string
	// Roots are the authorities to trust; nil means the system's.
	Roots *x509.CertPool
	// Transport carries the requests; nil makes one that verifies as above.
	Transport http.RoundTripper
	// Now is this machine's clock; nil means time.Now.
	Now func() time.Time
	// Timeout is how long one try may take, beyond what it was asked to wait;
	// 0 means 20 seconds.
	Timeout time.Duration
}

// Client speaks to one escrow for one account.
type Client struct {
	base    *url.URL
	signer  *wire.Signer
	http    *http.Client
	now     func() time.Time
	timeout time.Duration
	// offset is the escrow's clock minus ours, as last told by the escrow.
	offset atomic.Int64
}

var _ escrow.Service = (*Client)(nil)

// New is a client. It sends nothing yet.
func New(cfg Config) (*Client, error) {
	base, err := parseBase(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, now: cfg.Now, timeout: cfg.Timeout}
	if cfg.Signer != nil {
		if c.signer, err = wire.NewSigner(cfg.Signer); err != nil {
			return nil, fmt.Errorf("escrow client: %w", err)
		}
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.timeout == 0 {
		c.timeout = 20 * time.Second
	}
	transport := cfg.Transport
	if transport == nil {
		tlsConfig, err := tlsConfig(cfg.Fingerprint, cfg.Roots, c.now)
		if err != nil {
			return nil, err
		}
		transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:     tlsConfig,
			TLSHandshakeTimeout: 10 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        8,
			IdleConnTimeout:     90 * time.Second,
		}
	}
	c.http = &http.Client{
		Transport: transport,
		// A signature is for one place. Whoever moved is asked there by configuration.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" || base.Path != "" {
		return nil, fmt.Errorf("an escrow's address is written like https://escrow.example or https://escrow.example:8443")
	}
	host := base.Hostname()
	ip := net.ParseIP(host)
	local := host == "localhost" || ip != nil && ip.IsLoopback()
	if base.Scheme != "https" && (base.Scheme != "http" || !local) {
		return nil, fmt.Errorf("an escrow is asked over https; vouchers and addresses would be readable on the way")
	}
	// The name is signed as it is sent: net/http sends A-labels.
	labels := strings.ToLower(host)
	if ip == nil {
		if labels, err = idna.Lookup.ToASCII(host); err != nil {
			return nil, fmt.Errorf("the escrow's name is not a host name")
		}
	}
	if strings.Contains(labels, ":") {
		labels = "[" + labels + "]"
	}
	port := base.Port()
	if base.Host = labels; port != "" {
		base.Host += ":" + port
	}
	return base, nil
}

// call is one operation.
type call struct {
	name         string
	method, path string
	query        url.Values
	in, out      any
	// wait is how long the escrow was asked to wait before it answers.
	wait time.Duration
}

// follows is how often a call is signed anew because the escrow took it for
// replayed: a key that sends much may be told so for a second or two.
const follows = 3

// tries and the pauses between them, for answers that were lost on the way.
const tries = 3

// do makes the call. Every operation can be asked again under its id, so a lost
// answer is asked for again, each time with a new signature.
func (c *Client) do(ctx context.Context, k call) error {
	var body []byte
	if k.in != nil {
		var err error
		if body, err = json.Marshal(k.in); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	adopted := 0
	for try := 1; ; try++ {
		err := c.once(ctx, k, body)
		if err == nil {
			return nil
		}
		pause, again := time.Duration(0), false
		if e, ok := errors.AsType[*escrow.Error](err); ok && (adopted == 0 || adopted < follows && e.Code == escrow.Replayed) {
			if pause, again = c.adopt(e); again {
				adopted++
			}
		}
		if !again {
			pause, again = retryPause(err, try)
		}
		if !again || !sleep(ctx, pause) {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
}

// adopt follows the escrow's clock, which alone decides, when it says that the
// request's time was off. A request signed in the very second of the escrow's
// start counts as replayed, so the next one waits for the next second.
func (c *Client) adopt(e *escrow.Error) (pause time.Duration, again bool) {
	if e.Code != escrow.ClockSkew && e.Code != escrow.Replayed || e.Time.IsZero() {
		return 0, false
	}
	c.offset.Store(int64(e.Time.Sub(c.now())))
	if e.Code == escrow.Replayed {
		pause = e.Time.Truncate(time.Second).Add(time.Second).Sub(e.Time)
	}
	return pause, true
}

// retryPause says whether to ask again after a failure that may pass by itself,
// and how long to wait before.
func retryPause(err error, try int) (time.Duration, bool) {
	_, lost := errors.AsType[*lostError](err)
	if !lost || try >= tries {
		return 0, false
	}
	pause := 150 * time.Millisecond << (2 * (try - 1))
	return pause + rand.N(pause/2), true
}

func sleep(ctx context.Context, pause time.Duration) bool {
	if pause <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once makes one try.
func (c *Client) once(ctx context.Context, k call, body []byte) error {
	tryCtx, cancel := context.WithTimeout(ctx, c.timeout+k.wait)
	defer cancel()
	target := c.base.String() + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(tryCtx, k.method, target, bytes.NewReader(body))
	if err != nil {
		return escrow.Errorf(escrow.Invalid, "the request cannot be addressed")
	}
	req.Header.Set("Content-Type", wire.MediaType)
	if c.signer != nil {
		at := c.now().Add(time.Duration(c.offset.Load()))
		if err := c.signer.Sign(req, body, at); err != nil {
			return err
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		return unreachable(ctx, err)
	}
	if len(answer) > maxResponse {
		return escrow.Errorf(escrow.Unavailable, "the escrow's answer is too large to be one")
	}
	return c.read(resp, answer, k.out)
}

// read takes an answer apart.
func (c *Client) read(resp *http.Response, body []byte, out any) error {
	contentType := resp.Header.Get("Content-Type")
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		err := wire.ReadProblem(resp.StatusCode, contentType, body)
		if strings.HasPrefix(contentType, wire.ProblemType) {
			return err // the escrow's own word
		}
		switch resp.StatusCode {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return &lostError{told: err}
		}
		return err
	}
	if out == nil {
		return nil
	}
	mediaType, _, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(mediaType), wire.MediaType) || json.Unmarshal(body, out) != nil {
		return escrow.Errorf(escrow.Unavailable, "the answer is not an escrow's; is the address right?")
	}
	return nil
}
