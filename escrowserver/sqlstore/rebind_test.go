package sqlstore

import (
	"context"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/internal/pgtest"
)

// An address that nobody holds changes hands, while another process binds it to
// somebody else: who was first has it.
func TestRebindingTakesNoAddressThatAnotherHas(t *testing.T) {
	url, err := pgtest.For(t).NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, second := openAt(t, url), openAt(t, url)
	const address = escrow.Address("anna@sender.example")
	asking, owner := newAccount(1), newAccount(2)
	apply(t, first, asking)
	apply(t, first, owner)
	promise := func(escrow.AccountChange) (escrow.Signed, error) { return "x", nil }
	apply(t, first, escrowserver.ProposeChange{Now: now0, Promise: promise, Change: escrow.AccountChange{ID: "change", Account: asking.Key.ID(),
		Holder: "former", Kind: changeAddress, Subject: string(address), Value: `{"typed":"anna@sender.example"}`, AskedAt: now0, DueAt: now0}})
	apply(t, first, escrowserver.StartClaim{Now: now0, Account: owner.Key.ID(), Address: address, Typed: string(address), Nonce: "nonce", TokenHash: "token"})
	conn, err := first.engine.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.rollback()
	binding := &tx{conn: conn, batches: &first.batches, pools: &first.pools, known: newKnown()}
	if _, err := binding.do(t.Context(), planOf(escrowserver.ProveAddress{Now: now0, Account: owner.Key.ID(), Address: address, Nonce: "nonce",
		TokenHash: "token", RenewBy: now0.Add(time.Hour), Promise: promise})); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- second.Apply(context.Background(), []escrowserver.Op{escrowserver.ApplyChange{Now: now0, ID: "change",
			Genuine: func(escrowserver.ChangeLine) bool { return true }}})[0].Err
	}()
	time.Sleep(500 * time.Millisecond) // it has found nobody that holds the address, and waits to bind it
	if err := binding.commit("prove.commit"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var holder escrow.KeyID
	var ending string
	if err := first.reader().row(t.Context(), `SELECT (SELECT account FROM address), (SELECT ending FROM account_change)`).Scan(&holder, &ending); err != nil {
		t.Fatal(err)
	}
	if holder != owner.Key.ID() || ending != "failed" {
		t.Errorf("the address is of %s, the change is %s; want it of %s, and failed", holder, ending, owner.Key.ID())
	}
}
