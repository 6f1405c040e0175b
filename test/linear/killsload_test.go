package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
)

// load is people who use the escrow without a pause, and a journal of what was
// answered.
type load struct {
	*process
	*town // of the same escrow, past the program
	real  *real
	// Servers past the program whose quotes promise other terms: that a reject takes
	// effect at once, and that a mail is decided within a second.
	strict, hasty *escrowserver.Server

	mu       sync.Mutex
	journal  []entry
	judged   int
	workers  []*worker
	answered int
	again    map[string]int // requests that were repeated, by what was asked
	done     map[string]int // what was answered, by what was asked
	refused  []error        // what should not have been
	stop     context.CancelFunc
	all      sync.WaitGroup
	// hopeless: what is not answered by now never will be.
	hopeless atomic.Bool
}

// entry is what was answered of a bond, of a payout or of a payment by card.
type entry struct {
	bond escrow.BondID
	key  string // that was sold, or
	// state is what the bond has come to.
	state escrow.State

	payout string
	of     *person
	end    escrow.PayoutState

	session string // whose payment the escrow has acknowledged
}

// worker is a buyer and two shops, and some who ask for their money back: one mail
// after another.
type worker struct {
	*load
	buyer    *person
	quitters []*person
	// At late mails arrive that nobody decides on.
	shop, late *person
	random     *rand.Rand
	mails      int
	waits      *waiting
	begun      sums // that were asked for, and
	told       sums // that were answered
}

// sums are what a worker has done, by which his money and his keys can be counted.
type sums struct {
	keys, paid, bought, rejected, forfeited, withdrawn, paidOut int
	// Payments by card that were told to the escrow, and that it said it has credited.
	byCard, credited int
}

// waiting is a mail at the shop that decides on nothing.
type waiting struct {
	bond escrow.BondID
	key  string
	due  time.Time
}

const (
	workers = 6
	// quits is how many bonds a sender may leave unarrived within a month, and buy more.
	quits = 2
	// payout is how much is asked for at once.
	payout = 5
	bank   = "a bank that was named long ago"
)

// kinds are all that must be done and answered under kills.
func kinds() []string {
	return []string{"keys", "topup", "checkout", "webhook", "card", "buy", "arrive", "accept", "reject", "forfeit", "withdraw", "expire", "payout asked", "payout begun", "payout paid", "payout refused", "payout cancelled"}
}

func startLoad(p *process) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{process: p, town: p.beside(), real: newReal(p), stop: stop, again: map[string]int{}, done: map[string]int{}}
	terms := escrow.DefaultTerms()
	terms.Quote, terms.Undo = 30*24*60*60, 0
	l.strict = p.another(l.town, time.Now, terms)
	terms.Decide = 1
	l.hasty = p.another(l.town, time.Now, terms)
	longAgo := p.another(l.town, func() time.Time { return time.Now().Add(-3 * 24 * time.Hour) }, terms)
	transport := &http.Transport{MaxIdleConnsPerHost: workers}
	p.Cleanup(transport.CloseIdleConnections)
	for n := range workers {
		w := &worker{load: l, buyer: l.settle(price), shop: l.shop(0), late: l.shop(0), random: rand.New(rand.NewPCG(uint64(n), 1)), mails: n}
		for range 4 {
			w.quitters = append(w.quitters, l.settle(price))
		}
		l.known(longAgo, w.buyer)
		for _, person := range append([]*person{w.buyer, w.shop, w.late}, w.quitters...) {
			client, err := escrowclient.New(escrowclient.Config{BaseURL: "http://" + p.listen, Signer: person.key, Transport: transport, Timeout: 3 * time.Second})
			l.ok(err)
			person.Service = client
		}
		l.workers = append(l.workers, w)
		l.all.Go(func() {
			for ctx.Err() == nil && w.mail() {
			}
			w.expired(true)
		})
	}
	return l
}

// known has the person's bank known for days, so that it can be paid to at once.
func (l *load) known(longAgo *escrowserver.Server, p *person) {
	l.process.Helper()
	ctx := context.Background()
	_, err := longAgo.As(p.public()).AskPayout(ctx, escrow.PayoutRequest{ID: l.id(), Currency: servicetest.Currency, Amount: 1, To: bank})
	l.ok(err)
	open, err := l.Store.Payouts(ctx, p.public().ID(), 1)
	l.ok(err)
	l.ok(l.begin(ctx, open[0].ID))
	l.ok(l.pay(ctx, open[0].ID))
}

// begin is what the operator does who is about to pay. Who gets a conflict has begun it
// before and was not answered: nobody else pays here.
func (l *load) begin(ctx context.Context, id string) error {
	_, err := l.Server.BeginPayout(ctx, id, "operator", time.Time{})
	if escrow.CodeOf(err) == escrow.Conflict {
		return nil
	}
	return err
}

// pay is what he does who has paid by hand.
func (l *load) pay(ctx context.Context, id string) error {
	_, err := l.Server.EndPayout(ctx, id, true, "by hand", "operator")
	return err
}

// some waits until so many more operations were answered: a kill without load shows
// nothing. After a crash of PostgreSQL nothing is taken for a second or two, until no
// request that was seen before it can come again. Who was refused something goes home:
// then it is for the judge.
func (l *load) some(more int) {
	l.process.Helper()
	answered := func() (n int, refused bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.answered, len(l.refused) > 0
	}
	first, _ := answered()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		n, refused := answered()
		if n >= first+more || refused {
			return
		}
		if time.Now().After(end) {
			l.process.Fatalf("the escrow answered %d of %d operations within a minute", n-first, more)
		}
	}
}

// end lets the people finish what they do.
func (l *load) end() {
	l.stop()
	l.all.Wait()
}

// mail is the life of one: a key, money, a purchase, and one of its ends. Between the
// money and the purchase some of it is asked to be paid out.
func (w *worker) mail() bool {
	w.mails++
	money := w.money
	if w.mails%3 == 0 {
		money = w.card
	}
	if !w.expired(false) || !money() || w.mails%2 == 0 && !w.payOut() {
		return false
	}
	switch w.mails % 4 {
	case 0:
		if used := w.told.withdrawn; used < quits*len(w.quitters) {
			return w.withdraw(w.quitters[used/quits])
		}
	case 1:
		return w.decided(w.strict, escrow.Reject)
	case 2:
		if w.waits == nil {
			return w.undecided()
		}
	}
	return w.decided(nil, escrow.Accept)
}

func (w *worker) money() bool {
	code := ""
	for try := 0; code == "" && try < 200; try++ {
		// Past the program, which may be dead: it is no part of the load.
		if made, err := w.Server.NewVoucher(context.Background(), servicetest.Currency, price); err == nil {
			code = made
		} else {
			time.Sleep(20 * time.Millisecond)
		}
	}
	if code == "" {
		w.process.Error("no voucher")
		return false
	}
	req := escrow.TopUp{ID: w.id(), Voucher: code}
	return w.answer("topup", func(s *sums) { s.paid++ }, nil, func(ctx context.Context) error { _, err := w.buyer.TopUp(ctx, req); return err })
}

// key gives the shop one.
func (w *worker) key(shop *person, count func(*sums)) (fingerprint string, ok bool) {
	binary, fingerprint := w.real.key()
	upload := shop.upload(w.id(), w.now(), servicetest.Certificate{Binary: binary, Fingerprint: fingerprint})
	return fingerprint, w.answer("keys", count, nil, func(ctx context.Context) error { _, err := shop.AddKeys(ctx, upload); return err })
}

// sale is a bond that was bought, and all that can be said of it.
type sale struct {
	bond  escrow.BondID
	key   string
	quote escrow.Signed
	proof escrow.ArrivalProof
}

// buy buys a key of the shop, at the terms of the server past the program if there is one.
func (w *worker) buy(from, shop *person, terms *escrowserver.Server, keys, bought func(*sums)) (s sale, ok bool) {
	key, ok := w.key(shop, keys)
	if !ok {
		return s, false
	}
	s.key = key
	if !w.answer("quote", nil, nil, func(ctx context.Context) (err error) {
		asker := *from
		if terms != nil {
			// Anew for each try: whose account it is, is looked up here, and where that
			// failed it fails for good.
			asker.Service = terms.As(from.public())
		}
		s.quote, err = asker.quote(ctx, shop)
		return err
	}) {
		return s, false
	}
	certificate, proof := w.real.signer()
	s.bond, s.proof = escrow.BondID(w.id()), proof
	req := escrow.BuyRequest{ID: s.bond, Quote: s.quote, Verification: certificate, Reply: certificate}
	return s, w.answer("buy", bought, &entry{bond: s.bond, key: key, state: escrow.Held},
		func(ctx context.Context) error { _, err := from.Buy(ctx, req); return err })
}

func (w *worker) arrive(shop *person, s sale) bool {
	arrival := escrow.Arrival{Proof: s.proof, Statement: shop.statement(s.bond, s.quote, escrow.EventArrived, s.proof.Hash(), w.now())}
	return w.answer("arrive", nil, &entry{bond: s.bond, key: s.key, state: escrow.Arrived},
		func(ctx context.Context) error { _, err := shop.Arrive(ctx, s.bond, arrival); return err })
}

// decided is a mail that arrives and is accepted, or rejected with no time to undo it:
// then the money is gone when anybody looks.
func (w *worker) decided(terms *escrowserver.Server, verdict escrow.Verdict) bool {
	s, ok := w.buy(w.buyer, w.shop, terms, func(s *sums) { s.keys++ }, func(s *sums) { s.bought++ })
	if !ok || !w.arrive(w.shop, s) {
		return false
	}
	decision := w.shop.decision(s.bond, s.quote, verdict, 1, w.now())
	decide := func(ctx context.Context) error { _, err := w.shop.Decide(ctx, s.bond, verdict, decision); return err }
	if verdict == escrow.Accept {
		return w.answer("accept", nil, &entry{bond: s.bond, key: s.key, state: escrow.Accepted}, decide)
	}
	return w.answer("reject", func(s *sums) { s.rejected++ }, nil, decide) &&
		w.answer("forfeit", func(s *sums) { s.forfeited++ }, &entry{bond: s.bond, key: s.key, state: escrow.Rejected}, func(ctx context.Context) error {
			view, err := w.buyer.Bond(ctx, s.bond)
			return is(view.State, escrow.Rejected, err)
		})
}

// withdraw is a mail that is asked back before it arrives.
func (w *worker) withdraw(from *person) bool {
	s, ok := w.buy(from, w.shop, nil, func(s *sums) { s.keys++ }, func(s *sums) { s.bought++ })
	if !ok || !w.answer("withdrawal asked", nil, nil, func(ctx context.Context) error { _, err := from.AskWithdraw(ctx, s.bond); return err }) {
		return false
	}
	gone := w.shop.statement(s.bond, s.quote, escrow.EventWithdrawn, "", w.now())
	return w.answer("withdraw", func(s *sums) { s.withdrawn++ }, &entry{bond: s.bond, key: s.key, state: escrow.Withdrawn}, func(ctx context.Context) error {
		o, err := w.shop.Destroyed(ctx, s.bond, gone)
		return is(o.Bond.State, escrow.Withdrawn, err)
	})
}

// undecided is a mail that arrives where nobody decides: [worker.expired] looks for it.
func (w *worker) undecided() bool {
	s, ok := w.buy(w.buyer, w.late, w.hasty, nil, nil)
	if !ok || !w.arrive(w.late, s) {
		return false
	}
	w.waits = &waiting{s.bond, s.key, time.Now().Add(time.Second + 10*time.Millisecond)}
	return true
}

// expired demands that what was not decided on in time is over, once it must be.
func (w *worker) expired(wait bool) bool {
	if w.waits == nil || !wait && time.Now().Before(w.waits.due) {
		return true
	}
	time.Sleep(time.Until(w.waits.due))
	late := *w.waits
	w.waits = nil
	return w.answer("expire", nil, &entry{bond: late.bond, key: late.key, state: escrow.Expired}, func(ctx context.Context) error {
		view, err := w.buyer.Bond(ctx, late.bond)
		return is(view.State, escrow.Expired, err)
	})
}

// payOut asks for some money, and the operator pays it or refuses to, perhaps when he
// has begun, or it is taken back.
func (w *worker) payOut() bool {
	req := escrow.PayoutRequest{ID: w.id(), Currency: servicetest.Currency, Amount: payout, To: bank}
	if !w.answer("payout asked", nil, &entry{payout: req.ID, of: w.buyer, end: escrow.PayoutAsked},
		func(ctx context.Context) error { _, err := w.buyer.AskPayout(ctx, req); return err }) {
		return false
	}
	begin := func() bool {
		return w.answer("payout begun", nil, &entry{payout: req.ID, of: w.buyer, end: escrow.PayoutPaying}, func(ctx context.Context) error {
			return w.operator(ctx, req.ID, func(id string) error { return w.begin(ctx, id) })
		})
	}
	refused := &entry{payout: req.ID, of: w.buyer, end: escrow.PayoutRefused}
	switch w.mails / 2 % 3 {
	case 0:
		return w.answer("payout cancelled", nil, refused, func(ctx context.Context) error { _, err := w.buyer.CancelPayout(ctx, req.ID); return err })
	case 1:
		return (w.random.IntN(2) == 0 || begin()) && w.answer("payout refused", nil, refused, func(ctx context.Context) error {
			return w.operator(ctx, req.ID, func(id string) error {
				_, err := w.Server.EndPayout(ctx, id, false, "not this one", "operator")
				return err
			})
		})
	}
	return begin() && w.answer("payout paid", func(s *sums) { s.paidOut++ }, &entry{payout: req.ID, of: w.buyer, end: escrow.PayoutPaid}, func(ctx context.Context) error {
		return w.operator(ctx, req.ID, func(id string) error { return w.pay(ctx, id) })
	})
}

// operator does that to the payout, past the program as its commands do. That they see
// what was answered is not the point here, but that it is not lost.
func (w *worker) operator(ctx context.Context, operation string, do func(id string) error) error {
	record, err := w.payoutOf(ctx, w.buyer, operation)
	for try := 0; escrow.CodeOf(err) == escrow.NotFound && try < 20; try++ {
		time.Sleep(10 * time.Millisecond)
		record, err = w.payoutOf(ctx, w.buyer, operation)
	}
	if err != nil {
		return err
	}
	return do(record.ID)
}

func (l *load) payoutOf(ctx context.Context, p *person, operation string) (escrowserver.PayoutRecord, error) {
	all, err := l.Store.Payouts(ctx, p.public().ID(), 500)
	if err != nil {
		return escrowserver.PayoutRecord{}, err
	}
	for _, record := range all {
		if record.Operation == operation {
			return record, nil
		}
	}
	return escrowserver.PayoutRecord{}, escrow.Errorf(escrow.NotFound, "payout %s was answered, and is not there", operation)
}

// is refuses another state than the one that must have been answered.
func is(state, want escrow.State, err error) error {
	if err == nil && state != want {
		return escrow.Errorf(escrow.Conflict, "answered as %s, want %s", state, want)
	}
	return err
}

// answer asks until there is an answer, and notes it: what it counts for, before it
// is asked and when it is answered, and in the journal.
func (w *worker) answer(kind string, count func(*sums), note *entry, ask func(context.Context) error) bool {
	if count == nil {
		count = func(*sums) {}
	}
	w.mu.Lock()
	count(&w.begun)
	w.mu.Unlock()
	var err error
	// PostgreSQL may take long to come back on a busy machine.
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && !w.hopeless.Load(); time.Sleep(10 * time.Millisecond) {
		err = ask(context.Background())
		if err == nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.answered++
			w.done[kind]++
			count(&w.told)
			if note != nil {
				w.journal = append(w.journal, *note)
			}
			return true
		}
		if !unanswered(err) {
			break
		}
		w.mu.Lock()
		w.again[kind]++
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = append(w.refused, fmt.Errorf("%s: %w", kind, err))
	return false
}
