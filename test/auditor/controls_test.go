package main

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
)

// falsification is something done to a sound export.
type falsification struct {
	name string
	why  string // the reason that the auditor must give
	do   func(p *paper) (bond string)
}

// last is the newest receipt of a chain.
func last(chain []members) members { return chain[len(chain)-1] }

func moved(r members, by time.Duration) {
	t, err := time.Parse(time.RFC3339Nano, r["time"].(string))
	if err != nil {
		panic(err)
	}
	r["time"] = t.Add(by).Format(time.RFC3339Nano)
}

// forged is a falsification by the escrow, which signs it.
func forged(kind string, change func(p *paper, quote members, chain, asides []members) ([]members, []members)) func(*paper) string {
	return func(p *paper) string {
		f := p.bond(kind, 0)
		f.forge(func(quote members, chain, asides []members) ([]members, []members) {
			return change(p, quote, chain, asides)
		})
		return string(f.life.id)
	}
}

// tampered changes the receipts of a bond as they stand, without a key.
func tampered(kind string, change func(receipts []any) []any) func(*paper) string {
	return func(p *paper) string {
		f := p.bond(kind, 0)
		f.line["receipts"] = change(f.line["receipts"].([]any))
		p.recount()
		return string(f.life.id)
	}
}

// TestAuditorFindsFalsifications: each is found, with its own reason, and
// nothing else but the totals that no longer agree.
func TestAuditorFindsFalsifications(t *testing.T) {
	w := newTown(t, 5, 20, 12)
	w.round(240)
	w.leaveOpen(10)
	var export bytes.Buffer
	w.export(&export)
	sound, err := audit(bytes.NewReader(export.Bytes()), w.pinned())
	w.ok(err)
	if len(sound.Faults) > 0 {
		t.Fatalf("the sound export has faults: %v", sound.Faults)
	}
	again, err := audit(bytes.NewReader(copied(t, w, export.Bytes()).text()), w.pinned())
	w.ok(err)
	if len(again.Faults) > 0 {
		t.Fatalf("taken apart and put together: %v", again.Faults)
	}
	all := slices.Concat(withoutKey(), byTheEscrow(), ofDecisions(), ofTheWhole())
	for _, f := range all {
		t.Run(f.name, func(t *testing.T) {
			p := copied(t, w, export.Bytes())
			bond := f.do(p)
			r, err := audit(bytes.NewReader(p.text()), w.pinned())
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, fault := range r.Faults {
				if fault.Why == f.why && fault.Bond == bond {
					found = true
					t.Log(fault)
				} else if fault.Why != whyTotals || bond == "" {
					t.Errorf("beside it: %v", fault)
				}
			}
			if !found {
				t.Errorf("not found as %s of bond %q: %v", f.why, bond, r.Faults)
			}
		})
	}
	t.Logf("%d falsifications", len(all))
}

// withoutKey are those of somebody who cannot sign for the escrow.
func withoutKey() []falsification {
	return []falsification{
		{"a receipt left out", whyNumber, tampered("reject", func(r []any) []any { return slices.Delete(r, 1, 2) })},
		{"two receipts swapped", whyNumber, tampered("reject", func(r []any) []any {
			r[1], r[2] = r[2], r[1]
			return r
		})},
		{"a receipt twice", whyNumber, tampered("accept", func(r []any) []any { return append(r, r[len(r)-1]) })},
		{"an amount changed", whySignature, tampered("accept", func(r []any) []any {
			parts := strings.Split(r[0].(string), ".")
			raw, _ := strict().DecodeString(parts[1])
			parts[1] = strict().EncodeToString(bytes.Replace(raw, []byte(`"amount":`), []byte(`"amount":1`), 1))
			r[0] = strings.Join(parts, ".")
			return r
		})},
		{"signed by another key", whySignature, func(p *paper) string {
			f := p.bond("reject", 0)
			r := f.line["receipts"].([]any)
			r[0] = p.sign(p.w.senders[0].key, escrow.KindReceipt, p.payload(r[0]))
			return string(f.life.id)
		}},
		{"a receipt of another bond", whyParty, func(p *paper) string {
			f, other := p.bond("accept", 0), p.bond("accept", 1)
			f.line["receipts"].([]any)[0] = other.line["receipts"].([]any)[0]
			return string(f.life.id)
		}},
		{"the quote of another bond", whyParty, func(p *paper) string {
			f, other := p.bond("accept", 0), p.bond("accept", 1)
			f.line["quote"] = other.line["quote"]
			return string(f.life.id)
		}},
		{"a header that lets the signer choose", whySignature, tampered("accept", func(r []any) []any {
			parts := strings.Split(r[0].(string), ".")
			parts[0] = strict().EncodeToString([]byte(`{"alg":"none","typ":"earnest-receipt+jws"}`))
			r[0] = strings.Join(parts, ".")
			return r
		})},
	}
}

// byTheEscrow are those of an escrow that signs what it likes.
func byTheEscrow() []falsification {
	type list = []members
	return []falsification{
		{"the quote replaced", whyLink, func(p *paper) string {
			f := p.bond("reject", 0)
			quote := p.payload(f.line["quote"])
			quote["id"] = "another"
			f.line["quote"] = p.sign(p.w.signer, escrow.KindQuote, quote)
			return string(f.life.id)
		}},
		{"another bond's name", whyParty, forged("accept", func(p *paper, _ members, c, a list) (list, list) {
			last(c)["bond"] = string(p.bond("accept", 1).life.id)
			return c, a
		})},
		{"more held than quoted", whyParty, forged("accept", func(_ *paper, _ members, c, a list) (list, list) {
			option := maps.Clone(c[0]["option"].(map[string]any))
			option["amount"] = 9999
			c[0]["option"] = option
			return c, a
		})},
		{"less refunded than held", whyParty, forged("accept", func(_ *paper, _ members, c, a list) (list, list) {
			option := maps.Clone(last(c)["option"].(map[string]any))
			option["amount"] = 0
			last(c)["option"] = option
			return c, a
		})},
		{"a price that nobody offered", whyQuote, forged("accept", func(_ *paper, q members, c, a list) (list, list) {
			q["option"].(map[string]any)["amount"] = 9999
			return c, a
		})},
		{"another beneficiary in a receipt", whyBeneficiary, forged("reject", func(_ *paper, _ members, c, a list) (list, list) {
			last(c)["beneficiary"] = "somebody"
			return c, a
		})},
		{"another beneficiary than the offer's", whyBeneficiary, forged("reject", func(_ *paper, q members, c, a list) (list, list) {
			q["beneficiary"] = "somebody"
			for _, r := range slices.Concat(c, a) {
				r["beneficiary"] = "somebody"
			}
			return c, a
		})},
		{"expired before the decision deadline", whyDeadline, forged("silence", func(_ *paper, _ members, c, a list) (list, list) {
			moved(last(c), -7*day)
			return c, a
		})},
		{"expired before the delivery deadline", whyDeadline, forged("never arrived", func(_ *paper, _ members, c, a list) (list, list) {
			last(c)["time"] = c[0]["time"]
			moved(last(c), 30*day-time.Second)
			return c, a
		})},
		{"two endings", whyEnding, forged("accept", func(_ *paper, _ members, c, a list) (list, list) {
			expired := maps.Clone(last(c))
			expired["event"] = "expired"
			delete(expired, "statement")
			return append(c, expired), a
		})},
		{"a forfeit and a refund", whyEnding, forged("reject", func(_ *paper, _ members, c, a list) (list, list) {
			expired := maps.Clone(last(c))
			expired["event"], expired["money"] = "expired", "refunded"
			delete(expired, "statement")
			return append(c, expired), a
		})},
		{"an arrival after the end", whyEnding, forged("accept", func(_ *paper, _ members, c, a list) (list, list) {
			return append(c, maps.Clone(c[1])), a
		})},
		{"an accept that forfeits", whyMoney, forged("accept", func(_ *paper, _ members, c, a list) (list, list) {
			last(c)["money"] = "forfeited"
			return c, a
		})},
		{"paid after the quote", whyDeadline, forged("never arrived", func(_ *paper, _ members, c, a list) (list, list) {
			moved(c[0], 11*time.Minute)
			return c, a
		})},
		{"arrived after the delivery deadline", whyDeadline, forged("accept", func(_ *paper, _ members, c, a list) (list, list) {
			i := slices.IndexFunc(c, func(r members) bool { return r["event"] == "arrived" })
			moved(c[i], 40*day)
			return c, a
		})},
		{"a longer deadline than the recipient's own", whyQuote, func(p *paper) string {
			for skip := 0; ; skip++ {
				f := p.bond("silence", skip)
				if f.life.to.decide != 7*day {
					continue
				}
				f.forge(func(q members, c, a list) (list, list) {
					q["terms"].(map[string]any)["decide"] = 8 * 24 * 60 * 60
					return c, a
				})
				return string(f.life.id)
			}
		}},
	}
}

// ofDecisions are those that touch what the recipient signed.
func ofDecisions() []falsification {
	type list = []members
	return []falsification{
		{"a forfeit without decision", whyDecision, forged("reject", func(_ *paper, _ members, c, a list) (list, list) {
			delete(last(c), "statement")
			return c, a
		})},
		{"silence that forfeits", whyUndo, forged("silence", func(p *paper, _ members, c, a list) (list, list) {
			f := p.bond("silence", 0)
			last(c)["event"], last(c)["money"] = "rejected", "forfeited"
			last(c)["statement"] = p.sign(f.life.to.key, escrow.KindDecision, escrow.Decision{Bond: f.life.id, Quote: f.life.quote.Hash(), Verdict: escrow.Reject, N: 1})
			return c, a
		})},
		{"the decision of another bond", whyDecision, forged("reject", func(p *paper, _ members, c, a list) (list, list) {
			f := p.bond("reject", 0)
			for skip := 1; ; skip++ { // of the same recipient, who signed both
				if other := p.bond("reject", skip); other.life.to == f.life.to {
					last(c)["statement"] = last(other.list("receipts"))["statement"]
					return c, a
				}
			}
		})},
		{"a decision by the escrow", whyDecision, forged("reject", func(p *paper, _ members, c, a list) (list, list) {
			last(c)["statement"] = p.sign(p.w.signer, escrow.KindDecision, p.payload(last(c)["statement"]))
			return c, a
		})},
		{"a reject of another bond", whyDecision, forged("reject", func(p *paper, _ members, c, a list) (list, list) {
			f := p.bond("reject", 0)
			for skip := 1; ; skip++ {
				if other := p.bond("reject", skip); other.life.to == f.life.to {
					a[0]["statement"] = last(other.list("receipts"))["statement"]
					last(c)["statement"] = a[0]["statement"]
					return c, a
				}
			}
		})},
		{"a reject that refunds as an accept", whyDecision, forged("reject", func(_ *paper, _ members, c, _ list) (list, list) {
			last(c)["event"], last(c)["money"] = "accepted", "refunded"
			return c, nil
		})},
		{"an accept that is a reject", whyDecision, forged("reject", func(_ *paper, _ members, c, a list) (list, list) {
			last(c)["event"], last(c)["money"] = "accepted", "refunded"
			return c, a
		})},
		{"forfeited before it took effect", whyUndo, forged("reject", func(_ *paper, _ members, c, a list) (list, list) {
			moved(last(c), -time.Second)
			return c, a
		})},
		{"an undo ignored", whyUndo, forged("undo and silence", func(_ *paper, _ members, c, a list) (list, list) {
			last(c)["event"], last(c)["money"], last(c)["statement"] = "rejected", "forfeited", a[0]["statement"]
			return c, a
		})},
		{"an undo after the reject took effect", whyUndo, forged("undo and accept", func(_ *paper, _ members, c, a list) (list, list) {
			moved(a[1], time.Minute)
			return c, a
		})},
		{"an undone reject played again", whyDecision, forged("undo and reject", func(_ *paper, _ members, c, a list) (list, list) {
			a[2]["statement"], last(c)["statement"] = a[0]["statement"], a[0]["statement"]
			return c, a
		})},
		{"the reject before the undo in the forfeit", whyDecision, forged("undo and reject", func(_ *paper, _ members, c, a list) (list, list) {
			last(c)["statement"] = a[0]["statement"]
			return c, a
		})},
		{"a reject without its receipt", whyUndo, forged("reject", func(_ *paper, _ members, c, _ list) (list, list) { return c, nil })},
		{"a reject after the deadline", whyDeadline, forged("reject at the deadline", func(_ *paper, _ members, c, a list) (list, list) {
			moved(a[0], 61*time.Minute)
			moved(last(c), 61*time.Minute)
			return c, a
		})},
		{"a reject that expires", whyUndo, forged("reject at the deadline", func(_ *paper, _ members, c, a list) (list, list) {
			last(c)["event"], last(c)["money"] = "expired", "refunded"
			delete(last(c), "statement")
			return c, a
		})},
		{"withdrawn without the recipient's word", whyDecision, forged("withdrawn", func(_ *paper, _ members, c, a list) (list, list) {
			delete(last(c), "statement")
			return c, a
		})},
		{"one proof for two mails", whyTwice, func(p *paper) string {
			f, other := p.bond("silence", 0), p.bond("silence", 1)
			if string(f.life.id) < string(other.life.id) { // as the export orders them
				f, other = other, f
			}
			proof := p.payload(other.list("receipts")[1]["statement"])["proof"]
			f.forge(func(_ members, c, a list) (list, list) {
				said := p.payload(c[1]["statement"])
				said["proof"] = proof
				c[1]["statement"] = p.sign(f.life.to.key, escrow.KindStatement, said)
				return c, a
			})
			return string(f.life.id)
		}},
	}
}

// ofTheWhole are those that no chain shows.
func ofTheWhole() []falsification {
	cent := func(lines []any) { lines[0].(map[string]any)["forfeited"].(map[string]any)["amount"] = 1 }
	return []falsification{
		{"totals off by one cent", whyTotals, func(p *paper) string {
			p.totals(p.w.signer, func(lines []any) {
				sum := lines[0].(map[string]any)["forfeited"].(map[string]any)
				amount, err := sum["amount"].(interface{ Int64() (int64, error) }).Int64()
				if err != nil {
					p.Fatal(err)
				}
				sum["amount"] = amount - 1
			})
			return ""
		}},
		{"totals by another key", whySignature, func(p *paper) string {
			p.totals(p.w.senders[0].key, cent)
			return ""
		}},
		{"no totals", whyTotals, func(p *paper) string {
			p.lines = slices.DeleteFunc(p.lines, func(l members) bool { return l["line"] == "totals" })
			return ""
		}},
		{"a bond left out", whyTotals, func(p *paper) string {
			p.bond("reject", 0).drop()
			return ""
		}},
		{"an ending left out", whyTotals, func(p *paper) string {
			f := p.bond("reject", 0)
			r := f.line["receipts"].([]any)
			f.line["receipts"] = r[:len(r)-1]
			p.recount()
			return ""
		}},
		{"a bond twice", whyTwice, func(p *paper) string {
			f := p.bond("never arrived", 0) // no proof gives it away
			p.lines = slices.Insert(p.lines, 1, maps.Clone(f.line))
			p.recount()
			return string(f.life.id)
		}},
		{"the end cut off", whyCount, func(p *paper) string {
			p.lines = p.lines[:len(p.lines)-1]
			return ""
		}},
		{"another key in the head", whySignature, func(p *paper) string {
			p.lines[0]["keys"] = []string{"iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"}
			return ""
		}},
	}
}
