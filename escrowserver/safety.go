package escrowserver

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"sync"
	"time"

	"earnest/escrow"
)

// RenewAfter is how long the proof of an address counts.
const RenewAfter = renewAfter

// Replaced refuses a key that is its account's no more.
func Replaced() error {
	return escrow.Errorf(escrow.Unauthorized, "this key is no account's any more: another has taken the account over, or it was deleted; nothing was changed; if that was not you, use the recovery key")
}

// Frozen refuses what a frozen account may not do.
func Frozen() error {
	return escrow.Errorf(escrow.Forbidden, "the account is frozen: it buys nothing, pays nothing out, changes no price and raises no limit; nothing was changed; mails that wait can be decided; the recovery key ends it at once")
}

// OrderInTime refuses an order that was signed too far from the escrow's clock.
func OrderInTime(order escrow.Order, now time.Time) error {
	if order.Time.After(now.Add(escrow.OrderSkew)) || order.Time.Before(now.Add(-escrow.OrderSkew)) {
		err := escrow.Errorf(escrow.ClockSkew, "the order was signed over 5 minutes from the escrow's clock; nothing was changed; set your clock, and order again")
		err.Time = now
		return err
	}
	return nil
}

// ProposalsADay is how many changes that act later an account's own key may order
// within 24 hours.
const ProposalsADay = 20

// TooManyProposals refuses one more.
func TooManyProposals(wait time.Duration) error {
	err := escrow.Errorf(escrow.Limited, "this key has ordered %d changes within 24 hours; nothing was changed; one that waits can still be cancelled, and the recovery key is not limited", ProposalsADay)
	err.RetryAfter = wait
	return err
}

// ChangeID is the id of the change that the signed text asks for.
func ChangeID(asked escrow.Signed) string { return asked.Hash() }

// kindChange is the statement that keeps a change as it was asked for.
const kindChange escrow.Kind = "earnest-change+jws"

// promise signs a change that acts later.
func (s *Server) promise(c escrow.AccountChange) (escrow.Signed, error) {
	return escrow.Sign(s.cfg.ReceiptSigner, kindChange, promised(c))
}

// promised is what of a change is promised: not what becomes of it.
func promised(c escrow.AccountChange) escrow.AccountChange {
	c.Ended, c.Ending = time.Time{}, ""
	return c
}

// genuineChange reports whether the receipt key has signed the change as it is.
func genuineChange(c ChangeLine, receiptKey ed25519.PublicKey) bool {
	var st escrow.AccountChange
	if escrow.Verify(c.Signed, kindChange, receiptKey, &st) != nil {
		return false
	}
	want := promised(c.AccountChange)
	same := st.AskedAt.Equal(want.AskedAt) && st.DueAt.Equal(want.DueAt)
	st.AskedAt, st.DueAt = want.AskedAt, want.DueAt
	return same && st == want
}

// Propose has a change of an account act after [escrow.ChangeNotice]; until then it
// is shown in the account's view, and can be cancelled there. The kind is one that
// the store's tx.act knows.
func (s *Server) Propose(ctx context.Context, account escrow.KeyID, kind, subject, value string) (escrow.AccountChange, error) {
	now := s.now()
	return do[escrow.AccountChange](ctx, s, ProposeChange{Now: now, Promise: s.promise, Change: escrow.AccountChange{
		ID: newSecret(), Account: account, Kind: kind, Subject: subject, Value: value, AskedAt: now, DueAt: now.Add(escrow.ChangeNotice)}})
}

// applyChanges does the changes whose time has come. One that is damaged is logged,
// left, and tried again when stuck says so.
func (s *Server) applyChanges(ctx context.Context, now time.Time, again map[string]time.Time) error {
	var last DueChange
	for {
		due, err := s.cfg.Store.DueChanges(ctx, now, last, s.cfg.SweepBatch)
		if err != nil {
			return s.failed(ctx, "changes", err)
		}
		if err := s.applyDue(ctx, now, due, again); err != nil {
			return err
		}
		if len(due) < s.cfg.SweepBatch {
			return nil
		}
		last = due[len(due)-1]
	}
}

func (s *Server) applyDue(ctx context.Context, now time.Time, due []DueChange, again map[string]time.Time) error {
	var ops []Op
	var ids []string
	for _, c := range due {
		if s.stuck.waits("change "+c.ID, now, again) {
			continue
		}
		ops, ids = append(ops, ApplyChange{Now: now, ID: c.ID, Genuine: func(c ChangeLine) bool { return genuineChange(c, s.receiptKey) }, Seal: s.seal}), append(ids, c.ID)
	}
	if len(ops) == 0 {
		return nil
	}
	defer s.keys.stale()
	for i, result := range s.queue.DoAside(ctx, ops) {
		switch {
		case result.Err == nil:
		case ctx.Err() != nil:
			return result.Err
		default:
			again["change "+ids[i]] = now.Add(stuckRetry)
			s.log.Error("a change of an account could not act when it was due; run verify", "change", ids[i], "error", result.Err)
		}
	}
	return nil
}

func (v view) Order(ctx context.Context, signed escrow.Signed) (escrow.Account, error) {
	var claimed escrow.Order
	if err := escrow.Peek(signed, &claimed); err != nil {
		return escrow.Account{}, err
	}
	// Anybody may send anything here: what no owner signed does not reach the writer.
	keys, err := v.s.cfg.Store.Keys(ctx, claimed.Account)
	if err != nil {
		return escrow.Account{}, v.s.failed(ctx, "order", err)
	}
	keys = v.s.seal.Trusted(claimed.Account, keys)
	if _, _, err := escrow.VerifyOrder(signed, keys.Key, keys.Recovery); err != nil {
		return escrow.Account{}, err
	}
	record, err := do[AccountRecord](ctx, v.s, TakeOrder{Now: v.s.now(), Signed: signed, Promise: v.s.promise, Seal: v.s.seal})
	if err != nil {
		return escrow.Account{}, err
	}
	v.s.keys.stale()
	return v.shown(record), nil
}

func (v view) Export(ctx context.Context) (json.RawMessage, error) {
	if _, err := v.account(ctx); err != nil {
		return nil, err
	}
	all, err := v.s.cfg.Store.Export(ctx, v.id)
	if err != nil {
		return nil, v.s.failed(ctx, "export", err)
	}
	return all, nil
}

// keyring knows which keys were replaced: few, so all are in memory. What another
// process replaced is known here within keysEvery; what moves money is checked
// within its transaction besides.
type keyring struct {
	mu      sync.Mutex
	last    int64
	gone    map[escrow.KeyID]bool
	account map[escrow.KeyID]escrow.KeyID // of a key that is not the account's first

	asked  time.Time     // when the store answered last, or failed to
	news   int           // how often somebody knew of news
	known  int           // how many news that answer has, and the start
	asking chan struct{} // closed when the question at hand is answered; nil: there is none
}

const keysEvery = 5 * time.Second

// stale has the next call ask the store.
func (k *keyring) stale() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.news++
}

// of is the account of a key, and whether the key was replaced.
func (k *keyring) of(store Store, key escrow.KeyID) (account escrow.KeyID, gone bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh(store)
	if account, ok := k.account[key]; ok {
		return account, k.gone[key]
	}
	return key, k.gone[key]
}

// refresh asks the store if that is due: one asks for all. Who is after news waits for
// the answer; for anybody else what is known will do meanwhile, so that a store that
// hangs holds up no other.
func (k *keyring) refresh(store Store) {
	want := k.news + 1
	for k.known < want || time.Since(k.asked) > keysEvery {
		switch asking := k.asking; {
		case asking == nil:
			k.ask(store)
		case k.known >= want:
			return
		default:
			k.mu.Unlock()
			<-asking
			k.mu.Lock()
		}
	}
}

// ask puts the question, unlocked.
func (k *keyring) ask(store Store) {
	asking, known, last := make(chan struct{}), k.news+1, k.last
	k.asking = asking
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), keysEvery)
	var rows []ReplacedKey
	defer func() {
		cancel()
		k.mu.Lock()
		k.add(rows)
		// A store that does not answer is told of by the operation itself, and is not
		// asked more often than one that does.
		k.asked, k.known, k.asking = time.Now(), known, nil
		close(asking)
	}()
	if answer, err := store.Replaced(ctx, last); err == nil {
		rows = answer
	}
}

func (k *keyring) add(rows []ReplacedKey) {
	if k.gone == nil {
		k.gone, k.account = map[escrow.KeyID]bool{}, map[escrow.KeyID]escrow.KeyID{}
	}
	for _, row := range rows {
		k.gone[row.Key] = true
		k.account[row.Key] = row.Account
		if row.Next != "" {
			k.account[row.Next] = row.Account
		}
		k.last = row.N
	}
}

// HasAccount reports whether the key has an account, or had one. A key that is
// unknown may have taken an account over just now, by way of another process.
func (s *Server) HasAccount(ctx context.Context, key escrow.PublicKey) (bool, error) {
	for try := 0; ; try++ {
		id, _ := s.keys.of(s.cfg.Store, key.ID())
		_, err := s.cfg.Store.Account(ctx, id)
		switch {
		case err == nil, escrow.CodeOf(err) == escrow.Unauthorized:
			return true, nil // of a key that was replaced the service says so itself
		case escrow.CodeOf(err) != escrow.NotFound:
			return false, err
		case try > 0:
			return false, nil
		}
		s.keys.stale()
	}
}

// identityIn is the key with which the caller signs about the bond: the one in the
// offer that its quote holds, so that a rotation changes nothing about who decides.
func (v view) identityIn(b escrow.Bond) ed25519.PublicKey {
	if v.key.ID() == v.id {
		return ed25519.PublicKey(v.key) // it never had another
	}
	var quote escrow.Quote
	var offer escrow.Offer
	if escrow.Peek(b.Quote, &quote) != nil || escrow.Peek(quote.Offer, &offer) != nil {
		return nil // nothing verifies
	}
	return ed25519.PublicKey(offer.Identity)
}

// heldByAnother tells who proved an address that another account holds, when it
// changes hands.
func heldByAnother(record AccountRecord, address escrow.Address, now time.Time) error {
	for _, have := range record.Addresses {
		if have.Address == address {
			return nil
		}
	}
	for _, c := range record.Changes {
		if c.Ended.IsZero() && c.Account == record.ID && c.Subject == string(address) {
			err := escrow.Errorf(escrow.Forbidden, "another account holds this address; it becomes yours on %s unless that account objects; nothing else was changed; to have it at once, release it there",
				c.DueAt.Format("2 January 2006"))
			err.RetryAfter = c.DueAt.Sub(now)
			return err
		}
	}
	return escrow.Errorf(escrow.Forbidden, "another account holds this address and must release it first")
}
