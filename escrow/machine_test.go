package escrow

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"earnest/ledger"
	"earnest/payment"
	"earnest/test/soak"
)

// machine is the model that the server must be like: bonds, their receipts and
// the books, in memory.
type machine struct {
	t     *rapid.T
	now   time.Time
	book  ledger.Book
	bonds []*modelBond
	step  func()
}

type modelBond struct {
	Bond
	quote    Quote
	receipts []Signed
	endings  int
}

// TestMachineInMemory is also the conservation of money over the life of bonds:
// after each step the books add up to zero in each currency.
func TestMachineInMemory(t *testing.T) {
	soak.Machine(t, soak.Times(100_000, 1_000_000), func(rt *rapid.T, step func()) {
		m := &machine{t: rt, now: t0, step: step}
		rt.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { m.check() },
			"top up": func(rt *rapid.T) {
				m.record(ledger.Move(fmt.Sprint("top-up ", len(m.book.Journal())), ledger.Issuance, "anna", m.currency(), rapid.Int64Range(1, 50).Draw(rt, "money")))
			},
			"buy":  func(rt *rapid.T) { m.buy(m.currency(), rapid.Int64Range(1, 60).Draw(rt, "price")) },
			"wait": func(rt *rapid.T) { m.now = m.now.Add(m.pause(rt)) },
			"sweep": func(*rapid.T) {
				for _, b := range m.bonds {
					m.advance(b)
				}
			},
			"event": func(rt *rapid.T) {
				if len(m.bonds) > 0 {
					m.event(rapid.SampledFrom(m.bonds).Draw(rt, "bond"),
						rapid.SampledFrom([]string{"arrive", "read", "accept", "reject", "undo", "withdraw", "destroyed"}).Draw(rt, "event"))
				}
			},
		})
		m.verify()
	})
}

func machineCurrencies() []string { return []string{"c", "d"} }

func (m *machine) currency() string {
	return rapid.SampledFrom(machineCurrencies()).Draw(m.t, "currency")
}

func (m *machine) pause(rt *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{time.Microsecond, time.Minute, 10 * time.Minute, 24 * time.Hour, 14 * 24 * time.Hour, 30 * 24 * time.Hour}).Draw(rt, "pause")
}

func (m *machine) record(t ledger.Transfer, e ledger.Entry, err error) {
	if err == nil {
		err = m.book.Record(t, e)
	}
	if err != nil {
		m.t.Fatalf("record: %v", err)
	}
}

func (m *machine) buy(currency string, price int64) {
	quote := Quote{ID: "q", Sender: "anna@sender.example", Recipient: "bob@recipient.example", Terms: DefaultTerms(), Salt: fmt.Sprint(len(m.bonds)),
		Option: payment.Option{System: payment.SystemEscrow, Currency: currency, Amount: payment.Amount(price)}, Beneficiary: ledger.Company}
	offer := testOffer()
	offer.Options = []payment.Option{quote.Option}
	quote.Offer = m.sign("bob", KindOffer, offer)
	id := BondID(fmt.Sprint("bond ", len(m.bonds)))
	transfer, entry, err := ledger.Hold(string(id), "anna", ledger.Company, currency, price)
	if err != nil {
		m.t.Fatal(err)
	}
	have := m.book.Balance("anna", currency).Available
	err = m.book.Record(transfer, entry)
	if errors.Is(err, ledger.ErrInsufficient) && have < price {
		return
	}
	if err != nil {
		m.t.Fatalf("hold %d of %d: %v", price, have, err)
	}
	b := &modelBond{quote: quote}
	b.Bond = NewBond(id, m.sign("escrow", KindQuote, quote), quote, "bob", "f", []byte("v"), []byte("r"), m.now)
	m.bonds = append(m.bonds, b)
	m.receipt(b, Step{Event: EventPaid, Money: MoneyHeld, At: m.now})
}

func (m *machine) sign(who string, kind Kind, payload any) Signed {
	s, err := Sign(testKey(who), kind, payload)
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

func (m *machine) event(b *modelBond, event string) {
	m.advance(b)
	before := b.Bond
	statement := func(e Event) Signed {
		return m.sign("bob", KindStatement, Statement{Bond: b.ID, Quote: b.Quote.Hash(), Event: e})
	}
	var after Bond
	var step Step
	var err error
	switch event {
	case "arrive":
		after, step, err = b.Arrive(m.now, statement(EventArrived))
	case "read":
		after, step, err = b.Read(m.now, statement(EventRead))
	case "withdraw":
		after, err = b.AskWithdraw(m.now)
	case "destroyed":
		after, step, err = b.Destroyed(m.now, statement(EventWithdrawn))
	default:
		d := testDecision(b.Bond, Verdict(event))
		after, step, err = b.Decide(m.now, d, m.sign("bob", KindDecision, d))
	}
	if err != nil {
		if CodeOf(err) == Internal {
			m.t.Fatalf("%s: %v", event, err)
		}
		return
	}
	if step.Money != MoneyStays && before.State.Ended() {
		m.t.Fatalf("%s moved money of a bond that is %s", event, before.State)
	}
	b.Bond = after
	if step.Event != "" {
		m.take(b, step)
	}
}

func (m *machine) advance(b *modelBond) {
	after, step, due := b.Advance(m.now)
	if !due {
		return
	}
	b.Bond = after
	m.take(b, step)
}

// take books a step.
func (m *machine) take(b *modelBond, step Step) {
	if step.Money != MoneyStays {
		t, _ := m.book.Transfer(string(b.ID))
		end := t.Void
		if step.Money == MoneyForfeit {
			end = t.Post
		} else if step.Event == EventExpired {
			end = t.Expire
		}
		m.record(end())
		b.endings++
	}
	m.receipt(b, step)
}

func (m *machine) receipt(b *modelBond, step Step) {
	prev := b.Quote
	if n := len(b.receipts); n > 0 {
		prev = b.receipts[n-1]
	}
	s := m.sign("escrow", KindReceipt, NewReceipt(b.Bond, b.quote.Salt, step, int64(len(b.receipts)+1), prev.Hash()))
	if step.Event.Chained() {
		b.receipts = append(b.receipts, s)
	}
}

func (m *machine) check() {
	m.step()
	held := map[string]int64{}
	for _, b := range m.bonds {
		if (b.endings == 1) != b.State.Ended() || b.endings > 1 {
			m.t.Fatalf("bond %s is %s after %d endings", b.ID, b.State, b.endings)
		}
		if !b.State.Ended() {
			held[b.Option.Currency] += int64(b.Option.Amount)
		}
		if b.State == Rejected && (b.Reply != nil || b.Verification != nil) {
			m.t.Fatalf("bond %s was rejected and keeps certificates", b.ID)
		}
	}
	for _, currency := range machineCurrencies() {
		if sum, err := m.book.Sum(currency); sum != 0 || err != nil {
			m.t.Fatalf("the books add %s up to %d, %v", currency, sum, err)
		}
		if anna := m.book.Balance("anna", currency); anna.Held != held[currency] || anna.Available < 0 {
			m.t.Fatalf("anna has %+v of %s, her open bonds hold %d", anna, currency, held[currency])
		}
	}
}

// verify checks every chain as a stranger would.
func (m *machine) verify() {
	forfeit := map[string]int64{}
	for _, b := range m.bonds {
		v, err := VerifyChain(b.Quote, b.receipts, testKey("escrow").Public().(ed25519.PublicKey))
		if err != nil {
			m.t.Fatalf("bond %s: %v", b.ID, err)
		}
		want := MoneyRefunded
		switch {
		case !b.State.Ended():
			want = MoneyHeld
		case b.State == Rejected:
			want = MoneyForfeit
			forfeit[b.Option.Currency] += int64(b.Option.Amount)
		}
		if v.Money != want {
			m.t.Fatalf("bond %s is %s, its receipts say %s", b.ID, b.State, v.Money)
		}
	}
	for _, currency := range machineCurrencies() {
		if got := m.book.Balance(ledger.Company, currency).Available; got != forfeit[currency] {
			m.t.Fatalf("the company has %d of %d forfeits in %s", got, forfeit[currency], currency)
		}
	}
}
