package wire_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
)

const target = "https://escrow.example/v1/x"

// twin is the same request once more.
func twin(t *testing.T, r *http.Request) *http.Request {
	t.Helper()
	again := r.Clone(t.Context())
	again.Body = io.NopCloser(strings.NewReader(body))
	return again
}

// TestAFloodOfOneKeyShutsOutNobodyElse: whoever fills the memory, with requests
// dated as far ahead as is taken, is refused alone.
func TestAFloodOfOneKeyShutsOutNobodyElse(t *testing.T) {
	v := wire.NewVerifier(wire.VerifierConfig{Hosts: []string{"escrow.example"}, Now: now,
		Started: now().Add(-time.Hour), MaxNonces: 60, MaxPerKey: 40})
	early := request(t, "POST", target, now().Add(-time.Minute))
	if _, err := v.Verify(twin(t, early)); err != nil {
		t.Fatal(err)
	}
	ahead := now().Add(wire.MaxSkew - time.Second)
	refused := 0
	for range 200 {
		if _, err := v.Verify(requestOf(t, 2, "POST", target, ahead)); errors.Is(err, escrow.Limited) {
			refused++
		} else if err != nil {
			t.Fatalf("the flood: %v", err)
		}
	}
	if refused < 150 {
		t.Errorf("only %d of the flood are refused", refused)
	}
	// Two more fill what is left, and then take it from each other.
	for i := range 200 {
		_, err := v.Verify(requestOf(t, byte(3+i%2), "POST", target, ahead))
		if err != nil && !errors.Is(err, escrow.Limited) && !errors.Is(err, escrow.Replayed) {
			t.Fatal(err)
		}
	}
	if _, err := v.Verify(twin(t, early)); !errors.Is(err, escrow.Replayed) {
		t.Errorf("the flood pushed out another's nonce: %v", err)
	}
	mine := request(t, "POST", target, now())
	if _, err := v.Verify(twin(t, mine)); err != nil {
		t.Errorf("another key is shut out: %v", err)
	}
	if _, err := v.Verify(twin(t, mine)); !errors.Is(err, escrow.Replayed) {
		t.Errorf("its replay: %v", err)
	}
	if _, err := v.Verify(requestOf(t, 9, "POST", target, now().Add(-time.Minute))); err != nil {
		t.Errorf("a key that asks for the first time, a minute late: %v", err)
	}
}

// TestNonceMemoryIsBoundedAndStillRefusesReplays: many keys take each other's
// room, and whatever is given up is refused rather than taken twice.
func TestNonceMemoryIsBoundedAndStillRefusesReplays(t *testing.T) {
	v := wire.NewVerifier(wire.VerifierConfig{Hosts: []string{"escrow.example"}, Now: now,
		Started: now().Add(-time.Hour), MaxNonces: 24, MaxPerKey: 24})
	var sent []*http.Request
	taken := 0
	for i := range 60 {
		r := requestOf(t, byte(1+i%4), "POST", target, now().Add(time.Duration(i/4)*time.Second))
		_, err := v.Verify(twin(t, r))
		if err == nil {
			taken++
			sent = append(sent, r)
		} else if !errors.Is(err, escrow.Limited) {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	if taken < 12 {
		t.Errorf("only %d are taken", taken)
	}
	for i, r := range sent {
		if _, err := v.Verify(r); !errors.Is(err, escrow.Replayed) {
			t.Errorf("request %d again: %v", i, err)
		}
	}
}

// TestMemoryIsFreeAgainAfterFiveMinutes for a key that was refused.
func TestMemoryIsFreeAgainAfterFiveMinutes(t *testing.T) {
	clock := now()
	v := wire.NewVerifier(wire.VerifierConfig{Hosts: []string{"escrow.example"}, Now: func() time.Time { return clock },
		Started: now().Add(-time.Hour), MaxNonces: 8, MaxPerKey: 4})
	for i := range 5 {
		_, err := v.Verify(request(t, "POST", target, clock))
		if want := map[bool]escrow.Code{true: escrow.Limited}[i > 2]; escrow.CodeOf(err) != want {
			t.Errorf("request %d: %v, want %q", i, err, want)
		}
	}
	clock = clock.Add(wire.MaxSkew + time.Second)
	if _, err := v.Verify(request(t, "POST", target, clock)); err != nil {
		t.Errorf("later: %v", err)
	}
}

// unread fails the test when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

// TestNoBodyIsReadBeforeTheSignatureIsRight, nor is anything remembered.
func TestNoBodyIsReadBeforeTheSignatureIsRight(t *testing.T) {
	v := verifier()
	r := request(t, "POST", target, now())
	r.Body = io.NopCloser(unread{t})
	caller, err := v.Caller(r)
	if err != nil || caller.Key.ID() == "" {
		t.Fatalf("caller: %v, %v", caller, err)
	}
	r.Header.Set("Content-Type", "text/plain")
	if _, err := v.Verify(r); !errors.Is(err, escrow.Unauthorized) {
		t.Errorf("wrong signature: %v", err)
	}
}

// TestWhatWasSignedBeforeTheAccountIsNotDoneLater: it was refused then.
func TestWhatWasSignedBeforeTheAccountIsNotDoneLater(t *testing.T) {
	v := verifier()
	before, opening, after := request(t, "POST", target, now().Add(-time.Second)), request(t, "POST", target, now()), request(t, "POST", target, now())
	caller, err := v.Caller(opening)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Complete(twin(t, opening), caller, true); err != nil {
		t.Fatal(err)
	}
	if err := v.Complete(twin(t, opening), caller, true); !errors.Is(err, escrow.Replayed) {
		t.Errorf("opened twice with one request: %v", err)
	}
	for r, want := range map[*http.Request]escrow.Code{before: escrow.Replayed, opening: escrow.Replayed, after: ""} {
		if _, err := v.Verify(r); escrow.CodeOf(err) != want {
			t.Errorf("signed at %s: %v, want %q", r.Header.Get("Signature-Input"), err, want)
		}
	}
}
