package escrow

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// What an accept gives its sender is signed with it, and nothing else can say so.
func TestVerifyDecision_FreeComesWithAnAcceptOnly(t *testing.T) {
	key := testKey("identity")
	for _, c := range []struct {
		verdict Verdict
		free    string
		ok      bool
	}{
		{Accept, "", true}, {Accept, FreeAlways, true}, {Accept, "0", true}, {Accept, "3", true}, {Accept, "1000000", true},
		{Accept, "1000001", false}, {Accept, "-1", false}, {Accept, "03", false}, {Accept, "+3", false}, {Accept, "3 ", false}, {Accept, "Always", false},
		{Reject, "3", false}, {Undo, FreeAlways, false}, {Reject, "", true},
	} {
		signed := mustSign(t, key, KindDecision, Decision{Bond: "b", Quote: "q", Verdict: c.verdict, N: 1, Free: c.free})
		d, err := VerifyDecision(signed, public(key))
		if (err == nil) != c.ok || c.ok && d.Free != c.free {
			t.Errorf("%s with %q: %+v, %v", c.verdict, c.free, d, err)
		}
	}
}

// A decision that gives nothing is the same bytes as before there was anything to
// give, so what older programs signed stays valid.
func TestDecision_FormIsGolden(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for free, want := range map[string]string{
		"":         `{"bond":"b","quote":"q","verdict":"accept","n":7,"time":"2026-11-22T10:00:00Z"}`,
		"3":        `{"bond":"b","quote":"q","verdict":"accept","n":7,"time":"2026-11-22T10:00:00Z","free":"3"}`,
		FreeAlways: `{"bond":"b","quote":"q","verdict":"accept","n":7,"time":"2026-11-22T10:00:00Z","free":"always"}`,
	} {
		signed := mustSign(t, testKey("identity"), KindDecision, Decision{Bond: "b", Quote: "q", Verdict: Accept, N: 7, Time: at, Free: free})
		body, err := base64.RawURLEncoding.DecodeString(strings.Split(string(signed), ".")[1])
		if err != nil || string(body) != want {
			t.Errorf("free %q: %s, %v", free, body, err)
		}
	}
}
