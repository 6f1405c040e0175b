package linear

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/internal/pgtest"
)

// aside keeps purchases that are asked of it, and does none.
type aside struct {
	escrowserver.Store
	kept []escrowserver.Buy
}

func (a *aside) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	var results []escrowserver.Result
	for _, op := range ops {
		if buy, ok := op.(escrowserver.Buy); ok {
			a.kept = append(a.kept, buy)
			results = append(results, escrowserver.Result{Err: escrow.Errorf(escrow.Unavailable, "kept for later")})
			continue
		}
		results = append(results, a.Store.Apply(ctx, []escrowserver.Op{op})...)
	}
	return results
}

// TestTrouble_ABondThatAppears: a batch asks for a bond that another server has not
// committed yet, and then waits for that one to have its accounts. What it reads after
// that names the bond, and the batch does not take it for one that there is not.
func TestTrouble_ABondThatAppears(t *testing.T) {
	url, err := pgtest.For(t).NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stores := []escrowserver.Store{openBooks(t, url), openBooks(t, url)}
	later := &aside{Store: stores[1]}
	w := newTown(t, func(testing.TB) []escrowserver.Store { return []escrowserver.Store{stores[0], later} }, escrow.DefaultTerms())
	shop := w.shop(2)
	buyer := w.settle(2 * price)
	quote, err := buyer.quote(t.Context(), shop)
	w.ok(err)
	certificate, _ := plain{w}.signer()
	request := func() escrow.BuyRequest {
		return escrow.BuyRequest{ID: escrow.BondID(w.id()), Quote: quote, Verification: certificate, Reply: certificate}
	}
	first := request()
	second := w.at(buyer, 1)
	for _, req := range []escrow.BuyRequest{first, request(), first} {
		if _, err := second.Buy(t.Context(), req); escrow.CodeOf(err) != escrow.Unavailable {
			t.Fatal(err)
		}
	}
	bought, other, again := later.kept[0], later.kept[1], later.kept[2]
	withdraw := escrowserver.AskWithdraw{Moment: bought.Moment, Account: buyer.public().ID(), Bond: first.ID}

	locked, err := pgx.Connect(t.Context(), url)
	w.ok(err)
	defer locked.Close(context.Background())
	_, err = locked.Exec(t.Context(), `BEGIN; SELECT 1 FROM account WHERE id = '`+string(buyer.public().ID())+`' FOR UPDATE`)
	w.ok(err)
	apply := func(store escrowserver.Store, ops ...escrowserver.Op) chan []escrowserver.Result {
		results := make(chan []escrowserver.Result, 1)
		go func() { results <- store.Apply(context.Background(), ops) }()
		return results
	}
	waiting := func(want int) {
		t.Helper()
		for n := 0; n < want; time.Sleep(time.Millisecond) {
			w.ok(locked.QueryRow(t.Context(), `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n))
		}
	}
	one := apply(stores[0], bought)
	waiting(1)
	two := apply(stores[1], withdraw, other, again)
	waiting(2)
	_, err = locked.Exec(t.Context(), `COMMIT`)
	w.ok(err)

	paid := (<-one)[0]
	w.ok(paid.Err)
	results := <-two
	if err := results[0].Err; err != nil && escrow.CodeOf(err) != escrow.NotFound {
		t.Errorf("the withdrawal: %v", err)
	}
	if err := results[1].Err; escrow.CodeOf(err) != escrow.OpenBond {
		t.Errorf("another purchase of the same recipient: %v, want %s", err, escrow.OpenBond)
	}
	if err := results[2].Err; err != nil {
		t.Errorf("the same purchase once more: %v", err)
	} else if p := results[2].Value.(escrow.Purchase); p.Bond.KeyFingerprint != paid.Value.(escrow.Purchase).Bond.KeyFingerprint {
		t.Errorf("the same purchase once more has key %s", p.Bond.KeyFingerprint)
	}
	w.verified()
}
