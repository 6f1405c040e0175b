package escrow

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"earnest/ledger"
	"earnest/payment"
)

// testKey is the same in every run: fuzz corpora stay good.
func testKey(who string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(fmt.Sprintf("%-32s", who)))
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

func mustSign(t testing.TB, key ed25519.PrivateKey, kind Kind, payload any) Signed {
	t.Helper()
	s, err := Sign(key, kind, payload)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testOffer() Offer {
	return Offer{Address: "bob@recipient.example", Identity: PublicKey(public(testKey("bob"))),
		Options:     []payment.Option{{System: payment.SystemEscrow, Currency: "escrow.example", Amount: 25, Scale: 2}},
		Beneficiary: ledger.Company, Made: t0}
}

func testQuote(t testing.TB) Quote {
	offer := testOffer()
	return Quote{ID: "quote", Offer: mustSign(t, testKey("bob"), KindOffer, offer), Sender: "anna@sender.example",
		Account: KeyIDOf(public(testKey("anna"))), Recipient: offer.Address, Option: offer.Options[0],
		Beneficiary: offer.Beneficiary, Terms: DefaultTerms(), Salt: "salt", Made: t0, Expires: t0.Add(10 * time.Minute)}
}

func TestVerifyRefuses(t *testing.T) {
	key := testKey("escrow")
	good := mustSign(t, key, KindStatement, Statement{Bond: "b"})
	var st Statement
	if err := Verify(good, KindStatement, public(key), &st); err != nil || st.Bond != "b" {
		t.Fatalf("%+v, %v", st, err)
	}
	parts := strings.Split(string(good), ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"earnest-statement+jws","kid":""}`))
	for name, bad := range map[string]Signed{
		"other payload":   Signed(parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"bond":"c"}`)) + "." + parts[2]),
		"no signature":    Signed(parts[0] + "." + parts[1] + "."),
		"alg none":        Signed(none + "." + parts[1] + "."),
		"padded":          good + "=",
		"trailing bits":   Signed(parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])-1] + flip(parts[2][len(parts[2])-1])),
		"two parts":       Signed(parts[0] + "." + parts[1]),
		"four parts":      good + ".",
		"empty":           "",
		"other key":       mustSign(t, testKey("eve"), KindStatement, Statement{Bond: "b"}),
		"other kind":      mustSign(t, key, KindDecision, Statement{Bond: "b"}),
		"payload no json": mustSign(t, key, KindStatement, "text"),
		"too long":        mustSign(t, key, KindStatement, Statement{Bond: BondID(strings.Repeat("b", maxSigned))}),
	} {
		if err := Verify(bad, KindStatement, public(key), &st); !errors.Is(err, Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Verify(good, KindStatement, nil, &st); !errors.Is(err, Invalid) {
		t.Errorf("no key: %v", err)
	}
}

// flip changes the last, unused bits of a base64 text: another spelling of the
// same bytes, which strict decoding refuses.
func flip(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func TestVerifyOffer(t *testing.T) {
	if _, err := VerifyOffer(mustSign(t, testKey("bob"), KindOffer, testOffer())); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Offer){
		"to the recipient":  func(o *Offer) { o.Beneficiary = o.Identity.ID().Holder() },
		"to nobody":         func(o *Offer) { o.Beneficiary = "" },
		"no option":         func(o *Offer) { o.Options = nil },
		"17 options":        func(o *Offer) { o.Options = make([]payment.Option, 17) },
		"free option":       func(o *Offer) { o.Options[0].Amount = 0 },
		"capital address":   func(o *Offer) { o.Address = "Bob@recipient.example" },
		"other identity":    func(o *Offer) { o.Identity = PublicKey(public(testKey("eve"))) },
		"no time to decide": func(o *Offer) { o.DecideWithin = MinDecide - 1 },
		"less than no time": func(o *Offer) { o.DecideWithin = -1 },
	} {
		offer := testOffer()
		change(&offer)
		if _, err := VerifyOffer(mustSign(t, testKey("bob"), KindOffer, offer)); !errors.Is(err, Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyQuote(t *testing.T) {
	key := testKey("escrow")
	if _, _, err := VerifyQuote(mustSign(t, key, KindQuote, testQuote(t)), public(key)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Quote){
		"other recipient":   func(q *Quote) { q.Recipient = "carol@recipient.example" },
		"other beneficiary": func(q *Quote) { q.Beneficiary = "somebody" },
		"other amount":      func(q *Quote) { q.Option.Amount = 26 },
		"other scale":       func(q *Quote) { q.Option.Scale = 1 },
		"offer not signed":  func(q *Quote) { q.Offer = q.Offer[:len(q.Offer)-4] + "AAAA" },
		"no offer":          func(q *Quote) { q.Offer = "" },
	} {
		quote := testQuote(t)
		change(&quote)
		if _, _, err := VerifyQuote(mustSign(t, key, KindQuote, quote), public(key)); !errors.Is(err, Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// chainOf signs receipts into a chain, as an escrow that may cheat.
func chainOf(t *testing.T, quote Signed, receipts ...Receipt) []Signed {
	t.Helper()
	var chain []Signed
	prev := quote.Hash()
	for i, r := range receipts {
		q := testQuote(t)
		r.Bond, r.Prev, r.N = "bond", prev, int64(i+1)
		if r.Time.IsZero() {
			r.Time = t0.Add(time.Hour).Truncate(time.Hour)
			if r.Event == EventExpired {
				r.Time = t0.Add(60 * 24 * time.Hour)
			}
		}
		r.From, r.To, r.Option, r.Beneficiary = q.Sender.SaltedHash(q.Salt), q.Recipient.SaltedHash(q.Salt), q.Option, q.Beneficiary
		s := mustSign(t, testKey("escrow"), KindReceipt, r)
		chain, prev = append(chain, s), s.Hash()
	}
	return chain
}

func TestVerifyChain(t *testing.T) {
	quote := mustSign(t, testKey("escrow"), KindQuote, testQuote(t))
	bob := testKey("bob")
	decision := func(key ed25519.PrivateKey, bond BondID, v Verdict) Signed {
		return mustSign(t, key, KindDecision, Decision{Bond: bond, Quote: quote.Hash(), Verdict: v, N: 1})
	}
	statement := func(event Event) Signed {
		return mustSign(t, bob, KindStatement, Statement{Bond: "bond", Quote: quote.Hash(), Event: event})
	}
	paid := Receipt{Event: EventPaid, Money: MoneyHeld}
	arrived := Receipt{Event: EventArrived, Statement: statement(EventArrived)}
	accepted := Receipt{Event: EventAccepted, Money: MoneyRefunded, Statement: decision(bob, "bond", Accept)}
	rejected := Receipt{Event: EventRejected, Money: MoneyForfeit, Statement: decision(bob, "bond", Reject)}
	expired := Receipt{Event: EventExpired, Money: MoneyRefunded}
	withdrawn := Receipt{Event: EventWithdrawn, Money: MoneyRefunded, Statement: statement(EventWithdrawn)}
	lateArrived := Receipt{Event: EventLateArrived, Statement: statement(EventArrived)}
	lateAccepted := Receipt{Event: EventLateAccepted, Statement: decision(bob, "bond", Accept)}
	with := func(r Receipt, s Signed) Receipt { r.Statement = s; return r }
	moved := func(r Receipt, m Money) Receipt { r.Money = m; return r }
	for name, c := range map[string]struct {
		chain []Receipt
		money Money // "" for a chain that must be refused
	}{
		"paid":                        {[]Receipt{paid}, MoneyHeld},
		"accepted":                    {[]Receipt{paid, arrived, accepted}, MoneyRefunded},
		"rejected":                    {[]Receipt{paid, arrived, rejected}, MoneyForfeit},
		"withdrawn":                   {[]Receipt{paid, withdrawn}, MoneyRefunded},
		"late":                        {[]Receipt{paid, expired, lateArrived, lateAccepted}, MoneyRefunded},
		"none":                        {nil, ""},
		"not paid":                    {[]Receipt{arrived}, ""},
		"paid twice":                  {[]Receipt{paid, paid}, ""},
		"forfeit without a decision":  {[]Receipt{paid, arrived, with(rejected, "")}, ""},
		"forfeit by an accept":        {[]Receipt{paid, arrived, with(rejected, accepted.Statement)}, ""},
		"forfeit by the sender":       {[]Receipt{paid, arrived, with(rejected, decision(testKey("anna"), "bond", Reject))}, ""},
		"forfeit by the escrow":       {[]Receipt{paid, arrived, with(rejected, decision(testKey("escrow"), "bond", Reject))}, ""},
		"forfeit of another bond":     {[]Receipt{paid, arrived, with(rejected, decision(bob, "other", Reject))}, ""},
		"forfeit after a refund":      {[]Receipt{paid, arrived, accepted, rejected}, ""},
		"refund twice":                {[]Receipt{paid, expired, expired}, ""},
		"forfeit called expired":      {[]Receipt{paid, moved(expired, MoneyForfeit)}, ""},
		"forfeit called read":         {[]Receipt{paid, arrived, moved(with(arrived, statement(EventRead)), MoneyForfeit)}, ""},
		"late accept that takes":      {[]Receipt{paid, expired, lateArrived, moved(lateAccepted, MoneyForfeit)}, ""},
		"arrived without a statement": {[]Receipt{paid, with(arrived, "")}, ""},
		"arrived by a read":           {[]Receipt{paid, with(arrived, statement(EventRead))}, ""},
		"withdrawn by nobody":         {[]Receipt{paid, with(withdrawn, "")}, ""},
		"accept without a decision":   {[]Receipt{paid, arrived, with(accepted, "")}, ""},
	} {
		v, err := VerifyChain(quote, chainOf(t, quote, c.chain...), public(testKey("escrow")))
		if (err == nil) != (c.money != "") || v.Money != c.money && c.money != "" {
			t.Errorf("%s: money %q, %v", name, v.Money, err)
		}
	}
	whole := chainOf(t, quote, paid, arrived, accepted)
	for name, chain := range map[string][]Signed{
		"one left out":   {whole[0], whole[2]},
		"another order":  {whole[0], whole[2], whole[1]},
		"first left out": whole[1:],
		"one twice":      {whole[0], whole[1], whole[1]},
	} {
		if _, err := VerifyChain(quote, chain, public(testKey("escrow"))); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	if _, err := VerifyChain(quote, whole, public(testKey("eve"))); err == nil {
		t.Error("a chain signed by another escrow was taken")
	}
}

func TestParseAddress(t *testing.T) {
	for typed, want := range map[string]Address{
		"Anna@Sender.Example":     "anna@sender.example",
		"anna+tag@sender.example": "anna+tag@sender.example",
		"bob@Bücher.example":      "bob@xn--bcher-kva.example",
		"u\u0308ber@x.example":    "über@x.example",
		"a@b":                     "a@b",
		"":                        "",
		"anna":                    "",
		"@x.example":              "",
		"anna@":                   "",
		"an na@x.example":         "",
		"an\x00na@x.example":      "",
		"a@b@c.example":           "",
		"<anna@x.example>":        "",
		"anna@[127.0.0.1]":        "",
		"anna@127.0.0.1":          "",
		"anna@１27.0.0.1":          "",
		"anna@::1":                "",
		"\u037e@x.example":        "", // NFC makes it a semicolon
		"anna@" + strings.Repeat("ü", 60) + "." + strings.Repeat("ö.", 90) + "example": "",
		"anna@x..example":          "",
		"anna@x.example.":          "",
		"anna@.x.example":          "",
		"anna@x.example\r\nBcc: y": "",
		"\xff@x.example":           "",
	} {
		got, err := ParseAddress(typed)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseAddress(%q) = %q, %v; want %q", typed, got, err, want)
		}
	}
}

func TestFoldedAndMixed(t *testing.T) {
	for address, want := range map[Address]Address{
		"a.n.na+tag@x.example": "anna@x.example",
		"anna@x.example":       "anna@x.example",
		"+tag@x.example":       "@x.example",
	} {
		if got := address.Folded(); got != want {
			t.Errorf("%q folds to %q, want %q", address, got, want)
		}
	}
	for address, want := range map[Address]bool{
		"anna@x.example":             false,
		"аnna@x.example":             true, // a Cyrillic а
		"анна@xn--e1afmkfd.xn--p1ai": false,
		"anna@xn--e1afmkfd.xn--p1ai": true,
	} {
		if got := address.MixedScript(); got != want {
			t.Errorf("%q mixed: %t, want %t", address, got, want)
		}
	}
}

func TestVerifyBatch(t *testing.T) {
	bob := testKey("bob")
	certificates := [][]byte{[]byte("one"), []byte("two")}
	batch := KeyBatch{ID: "batch", Address: "bob@recipient.example", Keys: []KeyBrief{{"f1", Hash(certificates[0])}, {"f2", Hash(certificates[1])}}}
	s := mustSign(t, bob, KindKeys, batch)
	if _, err := VerifyBatch(s, public(bob), certificates); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][][]byte{
		"other order": {certificates[1], certificates[0]}, "one missing": certificates[:1], "swapped": {certificates[0], []byte("x")}, "none": nil,
	} {
		if _, err := VerifyBatch(s, public(bob), bad); !errors.Is(err, Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	offer := testOffer()
	if brief, err := CheckSoldKey(s, offer, certificates[1]); err != nil || brief.Fingerprint != "f2" {
		t.Errorf("sold key: %+v, %v", brief, err)
	}
	if _, err := CheckSoldKey(s, offer, []byte("the escrow's own")); !errors.Is(err, Invalid) {
		t.Errorf("a swapped key: %v", err)
	}
	if _, err := CheckSoldKey(mustSign(t, testKey("escrow"), KindKeys, batch), offer, certificates[1]); !errors.Is(err, Invalid) {
		t.Errorf("a batch signed by the escrow: %v", err)
	}
	offer.Address = "carol@recipient.example"
	if _, err := CheckSoldKey(s, offer, certificates[1]); !errors.Is(err, Invalid) {
		t.Errorf("a key of another address: %v", err)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"Anna@Sender.Example", "bob@Bücher.example", "u\u0308ber@x.example", "a@b@c", "İ@x.example", "ẞ@x", "a@1.2.3.4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		a, err := ParseAddress(typed)
		if err != nil {
			return
		}
		if again, err := ParseAddress(string(a)); err != nil || again != a {
			t.Fatalf("%q became %q, which became %q, %v", typed, a, again, err)
		}
		if strings.ContainsAny(string(a), "\r\n \t<>") {
			t.Fatalf("%q became %q", typed, a)
		}
		a.MixedScript()
		a.Folded()
	})
}

func FuzzVerify(f *testing.F) {
	key := testKey("escrow")
	good := mustSign(f, key, KindDecision, Decision{Bond: "b", Verdict: Accept, N: 1})
	f.Add(string(good))
	f.Add(string(good) + "=")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := VerifyDecision(Signed(text), public(key))
		if err == nil && text != string(good) {
			t.Fatalf("%q was taken as signed: %+v", text, d)
		}
	})
}

// FuzzVerifyQuote signs whatever payload it is given: the parser behind the
// signature must hold too, and what it takes must survive being written again.
func FuzzVerifyQuote(f *testing.F) {
	key := testKey("escrow")
	good := mustSign(f, key, KindQuote, testQuote(f))
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(good), ".")[1])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	f.Add(bytes.Replace(payload, []byte(`"amount":25`), []byte(`"amount":2.5e1`), 1))
	f.Add([]byte(`{"offer":"a.b.c"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		head := header(KindQuote, KeyIDOf(public(key))) + "." + base64.RawURLEncoding.EncodeToString(payload)
		s := Signed(head + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(head))))
		quote, offer, err := VerifyQuote(s, public(key))
		if err != nil {
			return
		}
		if offer.Address != quote.Recipient || quote.Option.Check() != nil {
			t.Fatalf("taken: %+v", quote)
		}
		written, err := Sign(key, KindQuote, quote)
		if err != nil {
			return // a time that JSON cannot write: its zone is off by a day or more
		}
		again, _, err := VerifyQuote(written, public(key))
		if err != nil {
			t.Fatalf("written again it is refused: %v", err)
		}
		if rewritten := mustSign(t, key, KindQuote, again); rewritten != written {
			t.Fatalf("%s\nwas written as\n%s", written, rewritten)
		}
	})
}
