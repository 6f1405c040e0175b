package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/internal/trace"
)

// Handler is the whole API: limits outside, then routing, then the signature,
// then the operation.
func (a *API) Handler() http.Handler {
	// Outside of the signature's check, which reads the whole body.
	return a.observed(a.guard(http.MaxBytesHandler(http.HandlerFunc(a.route), wire.MaxBody)))
}

// guard refuses too many requests, sets the headers of all responses, and keeps
// a defect in one request from ending the others.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.recovered(w)
		// Prices, balances and bonds are nobody's cache's business. There is no
		// CORS: no web page has reason to ask from a browser.
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if name, known := a.remote(r); known {
			if wait, ok := a.remotes.take(name); !ok {
				a.writeProblem(w, wire.ProblemOf(&escrow.Error{Code: escrow.Limited, RetryAfter: wait,
					Detail: "too many requests from your network; nothing was done"}))
				return
			}
			r = r.WithContext(escrow.FromNetwork(r.Context(), name))
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) recovered(w http.ResponseWriter) {
	failure := recover()
	if failure == nil {
		return
	}
	if failure == http.ErrAbortHandler {
		panic(failure)
	}
	a.cfg.Log.Error("request panicked", "error", failure, "stack", string(debug.Stack()))
	a.writeProblem(w, wire.ProblemOf(escrow.Internal))
}

// remote is the network that a request comes from. Behind a proxy on this
// machine that is who the proxy says that it came from: the last entry, since
// the client may have written those before it. Without a word of the proxy
// nobody can tell.
func (a *API) remote(r *http.Request) (name string, ok bool) {
	if !a.cfg.Proxied {
		return network(r.RemoteAddr), true
	}
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	last := strings.TrimSpace(entries[len(entries)-1])
	if host, _, err := net.SplitHostPort(last); err == nil {
		last = host
	}
	ip, err := netip.ParseAddr(strings.Trim(last, "[]"))
	if err != nil {
		return "", false
	}
	return networkOf(ip), true
}

// network is an IPv4 address, or an IPv6 /64, which is what one customer gets.
func network(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	return networkOf(ip)
}

func networkOf(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64)
	return prefix.String()
}

func (a *API) route(w http.ResponseWriter, r *http.Request) {
	handler, pattern := a.mux.Handler(r)
	if pattern == "" {
		a.unrouted(w, r, handler)
		return
	}
	if err := plain(r); err != nil {
		a.writeProblem(w, wire.ProblemOf(err))
		return
	}
	access := a.unsigned[pattern]
	if access == open || access == optional && !wire.Signed(r) {
		a.mux.ServeHTTP(w, r)
		return
	}
	check := trace.From(r.Context()).Child("check")
	caller, err := a.caller(r, pattern)
	if err == nil {
		if caller.stranger {
			r.Body = http.MaxBytesReader(w, r.Body, maxOpening)
		}
		var free func()
		if free, err = a.bodies.take(r.Context(), string(caller.Key), sizeOf(r)); err == nil {
			defer free()
			err = a.verifier.Complete(r, caller.Caller, caller.stranger)
		}
	}
	check.End()
	if err != nil {
		a.writeProblem(w, wire.ProblemOf(err))
		return
	}
	room := &held{}
	defer room.release()
	ctx := context.WithValue(r.Context(), accountKey{}, caller.Key)
	a.mux.ServeHTTP(w, r.WithContext(context.WithValue(ctx, heldKey{}, room)))
}

// maxOpening is the largest body of a key without account: two keys.
const maxOpening = 4 << 10

// caller is who signed a request, and whether the escrow has no account of it.
type caller struct {
	wire.Caller
	stranger bool
}

// caller is the account that signed the request. What costs little and needs no
// memory comes first; the body is read for accounts only, or to open one.
func (a *API) caller(r *http.Request, pattern string) (caller, error) {
	signer, err := a.verifier.Caller(r)
	if err != nil {
		return caller{}, err
	}
	known, err := a.known.has(r.Context(), signer.Key)
	if err != nil {
		a.cfg.Log.Error("account not looked up", "error", err)
		if escrow.CodeOf(err) == escrow.Unavailable {
			return caller{}, err
		}
		return caller{}, escrow.Errorf(escrow.Internal, "the account could not be looked up")
	}
	if !known && pattern != patternOpen {
		return caller{}, escrow.Errorf(escrow.NotFound, "this key has no account at this escrow; nothing was done; open one first")
	}
	if known {
		if wait, ok := a.accounts.take(string(signer.Key)); !ok {
			return caller{}, &escrow.Error{Code: escrow.Limited, RetryAfter: wait,
				Detail: "too many requests of this account; nothing was done"}
		}
	}
	return caller{signer, !known}, nil
}
