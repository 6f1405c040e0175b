package localapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// Each code has its own words in all three parts: what happened, what it means
// for mail and money, what to do.
func TestEveryCodeHasItsOwnWords(t *testing.T) {
	happened := map[string]string{}
	check := func(name string, f *agentclient.Failure) {
		t.Helper()
		for part, text := range map[string]string{"happened": f.Happened, "means": f.Means, "do": f.Do} {
			if len(text) < 10 || !unicode.IsUpper([]rune(text)[0]) {
				t.Errorf("%s: %s is not a sentence: %q", name, part, text)
			}
			if strings.Contains(text, "escrow:") || strings.Contains(text, "%!") {
				t.Errorf("%s: %s is not for a person: %q", name, part, text)
			}
		}
		if !mentions(f.Means, "money", "paid", "sent", "mail", "balance", "changed", "moved") {
			t.Errorf("%s: what does it mean for mail and money? %q", name, f.Means)
		}
		if other, twice := happened[f.Happened]; twice {
			t.Errorf("%s and %s say the same: %q", name, other, f.Happened)
		}
		happened[f.Happened] = name
	}
	for _, code := range escrow.Codes() {
		f := FailureOf(fmt.Errorf("agent: %w", code), About{})
		if f.Code != string(code) {
			t.Errorf("%s becomes %s", code, f.Code)
		}
		check("escrow "+string(code), f)
		if code != escrow.Internal && statusOf(f.Code) == http.StatusInternalServerError {
			t.Errorf("%s has no HTTP status of its own", code)
		}
	}
	for _, code := range agentclient.Codes() {
		f := agentclient.Fail(code)
		if f.Code != code {
			t.Errorf("%s becomes %s", code, f.Code)
		}
		check("agent "+code, f)
		if code != agentclient.CodeInternal && statusOf(code) == http.StatusInternalServerError {
			t.Errorf("%s has no HTTP status of its own", code)
		}
	}
}

func mentions(text string, words ...string) bool {
	for _, word := range words {
		if strings.Contains(strings.ToLower(text), word) {
			return true
		}
	}
	return false
}

func TestFailureWordsNameWhatIsKnown(t *testing.T) {
	amount := func(n payment.Amount) *payment.Amount { return &n }
	euro := payment.Currency{Name: "escrow.example", Scale: 2, Unit: "EUR"}
	for _, test := range []struct {
		name  string
		err   error
		about About
		want  string
	}{
		{"no money", &escrow.Error{Code: escrow.InsufficientFunds, Have: amount(10), Need: amount(25)}, About{Currency: euro},
			"This costs €0.25 and you have €0.10. Nothing was sent; your text is kept. Top up at least €0.15, then send again."},
		{"no money, currency unknown", &escrow.Error{Code: escrow.InsufficientFunds, Have: amount(10), Need: amount(25)}, About{},
			"You have less at the escrow than this costs. Nothing was sent; your text is kept. Top up, then send again."},
		{"away", fmt.Errorf("quote: %w", escrow.Unavailable), About{Escrow: "escrow.example"},
			"escrow.example does not answer. No mail and no money is lost: decisions are kept and go out when it is back, and its deadlines wait too. Check the network, or try again when it is back."},
		{"clock", &escrow.Error{Code: escrow.ClockSkew, Time: time.Date(2026, 11, 22, 10, 12, 0, 0, time.UTC)}, About{},
			"This machine's clock is more than 5 minutes away from the escrow's, which says 2026-11-22 10:12 UTC. Nothing was changed. Only the escrow's clock counts for deadlines. Set the clock of this machine, then try again."},
		{"open bond, perhaps with another spelling", &escrow.Error{Code: escrow.OpenBond}, About{},
			"A mail of yours to this recipient is still undecided, and only one may wait at a time. Addresses that differ only in a tag after + or in dots before the @ count as one. Nothing more was paid. The money of the first mail stays held. Wait for the decision, or withdraw the first mail if it has not arrived."},
		{"limit", &escrow.Error{Code: escrow.Limited, Detail: "60 lookups an hour", RetryAfter: 61 * time.Second}, About{},
			"A limit of the escrow is reached: too many requests, or too many paid mails that never arrived. It says: 60 lookups an hour. Nothing was changed and no money moved. Try again in 2 minutes."},
		{"hostile words", escrow.Errorf(escrow.Invalid, "\x1b[31mred\u202e\x00 %s", strings.Repeat("x", 300)), About{},
			"That breaks a rule, so it was refused. It says: [31mred " + strings.Repeat("x", 192) + "…. Nothing was changed and no money moved. Check what was asked for. If it is right, update Earnest on this machine."},
		{"own failure", fmt.Errorf("send: %w", agentclient.Fail(agentclient.CodeNoKeyring)), About{},
			agentclient.Fail(agentclient.CodeNoKeyring).Error()},
		{"anything else", errors.New("open /secret: denied"), About{}, agentclient.Fail(agentclient.CodeInternal).Error()},
	} {
		if got := FailureOf(test.err, test.about).Error(); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
	if FailureOf(nil, About{}) != nil {
		t.Error("no error became a failure")
	}
}

func TestWaitingTimesAreNeverShorterThanTheyAre(t *testing.T) {
	for d, want := range map[time.Duration]string{
		300 * time.Millisecond: "1 second", 30 * time.Second: "30 seconds", time.Minute: "1 minute",
		59*time.Minute + 1: "1 hour", time.Hour: "1 hour", 25 * time.Hour: "2 days",
	} {
		if got := agentclient.Say("", "{Span}", "Span", rough(d)).String(); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
