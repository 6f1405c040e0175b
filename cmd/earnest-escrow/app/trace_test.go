package app_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowclient"
)

// traced sends each request as a part of that trace.
type traced string

func (t traced) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Traceparent", string(t))
	return http.DefaultTransport.RoundTrip(r)
}

// spanLine is a line of the log by its keys.
type spanLine map[string]string

func spanLines(log string) (all []spanLine) {
	for text := range strings.Lines(log) {
		if !strings.Contains(text, "msg=span ") {
			continue
		}
		line := spanLine{}
		for field := range strings.FieldsSeq(text) {
			name, value, _ := strings.Cut(field, "=")
			line[name] = value
		}
		all = append(all, line)
	}
	return all
}

// asTraced does some things and gives the log.
func asTraced(t *testing.T, share float64) string {
	t.Helper()
	var log strings.Builder
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example", NoTLS: true, Trace: share, Log: app.Logger(&log, slog.LevelInfo)}
	ready, stop := start(t, cfg)
	c := client(t, ready, func(cfg *escrowclient.Config) { cfg.Transport = traced("00-" + traceOfTest + "-00f067aa0ba902b7-01") })
	paid(t, c, cfg)
	if _, err := c.Offer(t.Context(), "anna@mail.example"); !errors.Is(err, escrow.NoOffer) {
		t.Errorf("no offer: %v", err)
	}
	stop()
	return log.String()
}

const traceOfTest = "4bf92f3577b34da6a3ce929d0e0e4736"

// The spans of a request join, from the request to the commit, under the trace that it
// came with, and name nobody.
func TestTheSpansOfARequestJoin(t *testing.T) {
	log := asTraced(t, 1)
	lines, byID := spanLines(log), map[string]spanLine{}
	for _, l := range lines {
		byID[l["span"]] = l
	}
	parents := map[string]string{"check": "request", "operation": "request", "queue": "operation", "batch": "operation",
		"begin": "batch", "load": "batch", "write": "batch", "commit": "batch"}
	ways := map[string]bool{}
	for _, l := range lines {
		if l["trace"] != traceOfTest || l["start"] == "" || l["took"] == "" {
			t.Errorf("not of the trace, or without its time: %v", l)
		}
		if l["name"] == "request" {
			if l["parent"] != "00f067aa0ba902b7" || l["id"] == "" || l["status"] == "" || l["operation"] == "" {
				t.Errorf("a request: %v", l)
			}
			continue
		}
		if parent := byID[l["parent"]]["name"]; parents[l["name"]] == "" || parents[l["name"]] != parent {
			t.Errorf("%s is a part of %q", l["name"], parent)
		}
		way := l["name"]
		for at := byID[l["parent"]]; at != nil; at = byID[at["parent"]] {
			way = at["name"] + " " + way
			if at["name"] == "operation" {
				way = strings.Replace(way, "operation", at["operation"], 1)
			}
		}
		ways[way] = true
	}
	for _, way := range []string{"request check", "request topup queue", "request topup batch begin", "request topup batch load",
		"request topup batch write", "request topup batch commit"} {
		if !ways[way] {
			t.Errorf("there is no %s; there are %v", way, ways)
		}
	}
	me := escrow.PublicKey(account(1).Public().(ed25519.PublicKey))
	for _, name := range []string{string(me.ID()), "anna", "mail.example", "topup-1-of-test", "EARN-", "127.0.0.1"} {
		for text := range strings.Lines(log) {
			if strings.Contains(text, "msg=span ") && strings.Contains(text, name) {
				t.Errorf("%s is named: %s", name, text)
			}
		}
	}
}

// Whoever asks to be traced is not, unless the operator traces.
func TestNothingIsTracedUnlessItIsAskedFor(t *testing.T) {
	if log := asTraced(t, 0); strings.Contains(log, "span") || strings.Contains(log, traceOfTest) {
		t.Errorf("the log: %s", log)
	}
	for _, share := range []float64{-0.1, 1.5} {
		err := app.Run(context.WithoutCancel(t.Context()), app.Config{DataDir: t.TempDir(), Trace: share, Listen: "127.0.0.1:0"})
		if !errors.Is(err, app.ErrConfig) || !strings.Contains(err.Error(), "trace") {
			t.Errorf("a share of %g: %v", share, err)
		}
	}
}
