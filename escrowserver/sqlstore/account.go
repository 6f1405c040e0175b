package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
	"earnest/payment"
)

// accountExists locks the account.
func (t *tx) accountExists(ctx context.Context, id escrow.KeyID) error {
	if err := t.lockAccounts(ctx, []escrow.KeyID{id}); err != nil {
		return err
	}
	if t.known.accounts[id] == nil {
		return noAccount()
	}
	return nil
}

// accountLives locks the account, and refuses one that was deleted: its row stays.
func (t *tx) accountLives(ctx context.Context, id escrow.KeyID) error {
	if err := t.accountExists(ctx, id); err != nil {
		return err
	}
	if t.deleted(id) {
		return noAccount()
	}
	return nil
}

// deleted reports that no key reaches the account any more. It is locked.
func (t *tx) deleted(id escrow.KeyID) bool { return t.known.accounts[id].key == "" }

func noAccount() error {
	return escrow.Errorf(escrow.NotFound, "this key has no account here; open one first")
}

func (t *tx) openAccount(ctx context.Context, op escrowserver.OpenAccount) (any, error) {
	signed, err := op.Seal.Recovery(op.Key.ID(), op.Recovery)
	if err != nil {
		return nil, err
	}
	if _, err := t.exec(ctx, "open.account", `INSERT INTO account (id, key_id, public_key, recovery, recovery_signed, opened_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, op.Key.ID(), op.Key.ID(), []byte(op.Key), []byte(op.Recovery), signed, micros(op.Now)); err != nil {
		return nil, err
	}
	return t.reader().account(ctx, op.Key.ID())
}

// operation finds the stored answer of an operation. The same id with another
// body is a conflict.
func (r reader) operation(ctx context.Context, account escrow.KeyID, id, bodyHash string) (string, bool, error) {
	var o knownOperation
	var err error
	o.there, err = found(r.row(ctx, `SELECT body_hash, response FROM operation WHERE account = ? AND id = ?`, account, id).
		Scan(&o.bodyHash, &o.response))
	if err != nil {
		return "", false, err
	}
	return o.answer(bodyHash)
}

// keepAnswer keeps the answer of an operation beside what it did.
func (t *tx) keepAnswer(op string, key operationKey, bodyHash, response string, now time.Time) {
	t.known.operations[key] = knownOperation{true, bodyHash, response}
	t.put(newOperation, op, key.account, key.id, bodyHash, response, micros(now))
}

func (t *tx) newVoucher(ctx context.Context, op escrowserver.NewVoucher) error {
	_, err := t.exec(ctx, "voucher.voucher", `INSERT INTO voucher (hash, currency, amount, made_at, signed) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (hash) DO NOTHING`, // it was made before, and its answer lost: the code is random
		op.Hash, op.Currency, op.Amount, micros(op.Now), op.Signed)
	return err
}

func (t *tx) topUp(_ context.Context, op escrowserver.TopUp) (any, error) {
	if t.known.accounts[op.Account] == nil || t.deleted(op.Account) {
		return nil, noAccount()
	}
	key, body := operationKey{op.Account, op.ID}, escrow.Hash([]byte("topup\x00"+op.Hash))
	if text, ok, err := t.known.operations[key].answer(body); ok || err != nil {
		var b escrowserver.BalanceRecord
		if err == nil {
			err = json.Unmarshal([]byte(text), &b)
		}
		return b, err
	}
	voucher := t.known.vouchers[op.Hash]
	if voucher == nil {
		return nil, escrow.Errorf(escrow.BadVoucher, "there is no such voucher, or it was redeemed; your balance did not change; check the code")
	}
	if !op.Genuine(*voucher) {
		return nil, escrow.Errorf(escrow.BadVoucher, "the voucher is not as the escrow made it; your balance did not change; tell the escrow's operator")
	}
	tr, entry, err := ledger.Move("voucher:"+op.Hash, ledger.Issuance, op.Account.Holder(), voucher.Currency, int64(voucher.Amount))
	if err != nil {
		return nil, err
	}
	if err := t.record(op.Name(), tr, entry, op.Now); err != nil {
		return nil, err
	}
	t.known.vouchers[op.Hash] = nil
	t.put(takeVoucher, op.Name(), op.Account, micros(op.Now), op.Hash)
	after := t.balance(bucketKey{op.Account.Holder(), voucher.Currency}).now
	b := escrowserver.BalanceRecord{Currency: voucher.Currency, Available: payment.Amount(after.Available), Held: payment.Amount(after.Held)}
	text, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	t.keepAnswer(op.Name(), key, body, string(text), op.Now)
	return b, nil
}

func (t *tx) proveAddress(ctx context.Context, op escrowserver.ProveAddress) (any, error) {
	if err := t.accountLives(ctx, op.Account); err != nil {
		return nil, err
	}
	var typed string
	var madeAt int64
	ok, err := found(t.conn.row(ctx, `SELECT typed, made_at FROM claim WHERE account = ? AND address = ? AND nonce = ? AND token_hash = ? AND made_at > ?`,
		op.Account, op.Address, op.Nonce, op.TokenHash, micros(op.Now.Add(-escrowserver.ClaimLife))).Scan(&typed, &madeAt))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, escrow.Errorf(escrow.Unproven, "that token proves nothing: it is for another account or address, or too old; ask for a new one")
	}
	var owner escrow.KeyID
	var provenAt, renewBy int64
	bound, err := found(t.conn.row(ctx, `SELECT account, proven_at, renew_by FROM address WHERE address = ?`+lockRow, op.Address).
		Scan(&owner, &provenAt, &renewBy))
	if err != nil {
		return nil, err
	}
	if bound && owner != op.Account {
		if renewBy > micros(op.Now) {
			if err := t.asksForAddress(ctx, op, owner, typed); err != nil {
				return nil, err
			}
			return t.reader().account(ctx, op.Account)
		}
		if err := t.release(ctx, op.Address); err != nil {
			return nil, err
		}
	}
	if !bound || owner != op.Account || provenAt < madeAt {
		if err := t.bindAddress(ctx, op.Name(), binding{op.Address, typed, op.Account, owner, op.Now, op.RenewBy, op.Seal}); err != nil {
			return nil, err
		}
	}
	return t.reader().account(ctx, op.Account)
}

// binding is an address that becomes an account's; from is who held it when that was
// decided, empty for nobody.
type binding struct {
	address        escrow.Address
	typed          string
	account, from  escrow.KeyID
	provenAt, till time.Time
	seal           escrowserver.Seal
}

func (t *tx) bindAddress(ctx context.Context, op string, b binding) error {
	signed, err := b.seal.Proven(escrowserver.ProvenLine{Address: b.address, Typed: b.typed, Account: b.account,
		ProvenAt: fromMicros(micros(b.provenAt)), RenewBy: fromMicros(micros(b.till))})
	if err != nil {
		return err
	}
	n, err := t.exec(ctx, op+".address", `INSERT INTO address (address, folded, typed, account, proven_at, renew_by, signed) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (address) DO UPDATE SET typed = excluded.typed, account = excluded.account, proven_at = excluded.proven_at, renew_by = excluded.renew_by,
			signed = excluded.signed
		WHERE address.account = excluded.account OR address.account = ?`,
		b.address, b.address.Folded(), b.typed, b.account, micros(b.provenAt), micros(b.till), signed, b.from)
	if err == nil && n != 1 { // another process was faster
		err = fmt.Errorf("address %w", errNotAsRead)
	}
	return err
}

// release takes the offer and the unsold keys of an address away from an owner
// whose proof has lapsed.
func (t *tx) release(ctx context.Context, address escrow.Address) error {
	if _, err := t.exec(ctx, "prove.offer", `DELETE FROM offer WHERE address = ?`, address); err != nil {
		return err
	}
	_, err := t.exec(ctx, "prove.keys", `DELETE FROM one_time_key WHERE address = ?`, address)
	return err
}

// owns refuses an account that has not proven the address.
func (t *tx) owns(ctx context.Context, account escrow.KeyID, address escrow.Address, now time.Time) error {
	proven, err := t.reader().proven(ctx, account, address, now)
	if err == nil && !proven {
		err = escrowserver.Unproven()
	}
	return err
}

func (t *tx) publishOffer(ctx context.Context, op escrowserver.PublishOffer) error {
	if err := t.accountExists(ctx, op.Account); err != nil {
		return err
	}
	if err := t.mayChange(op.Account, op.Offer.Identity.ID()); err != nil {
		return err
	}
	if err := t.owns(ctx, op.Account, op.Offer.Address, op.Now); err != nil {
		return err
	}
	var jws escrow.Signed
	var made int64
	ok, err := found(t.conn.row(ctx, `SELECT jws, made FROM offer WHERE address = ?`, op.Offer.Address).Scan(&jws, &made))
	if err != nil || ok && jws == op.Signed {
		return err
	}
	if ok && micros(op.Offer.Made) <= made {
		return escrow.Errorf(escrow.Conflict, "a newer offer for this address is already published")
	}
	public := 0
	if op.Offer.Public {
		public = 1
	}
	_, err = t.exec(ctx, "offer.offer", `INSERT INTO offer (address, account, jws, public, made) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (address) DO UPDATE SET account = excluded.account, jws = excluded.jws, public = excluded.public, made = excluded.made`,
		op.Offer.Address, op.Account, op.Signed, public, micros(op.Offer.Made))
	return err
}

func (t *tx) addKeys(ctx context.Context, op escrowserver.AddKeys) (any, error) {
	pool := escrow.Pool{Address: op.Batch.Address}
	if text, ok, err := t.reader().operation(ctx, op.Account, op.Batch.ID, op.Signed.Hash()); ok || err != nil {
		if err == nil {
			err = json.Unmarshal([]byte(text), &pool)
		}
		return pool, err
	}
	epoch, err := t.reader().epoch(ctx)
	if err != nil {
		return nil, err
	}
	if op.Batch.Epoch != epoch {
		return nil, escrowserver.StaleKeys()
	}
	if err := t.mayAddKeys(ctx, op); err != nil {
		return nil, err
	}
	if err := t.dropAged(ctx, op.Batch.Address, op.Now); err != nil {
		return nil, err
	}
	hash := op.Signed.Hash()
	if _, err := t.exec(ctx, "keys.batch", `INSERT INTO key_batch (hash, account, address, jws, made_at) VALUES (?, ?, ?, ?, ?)`,
		hash, op.Account, op.Batch.Address, op.Signed, micros(op.Now)); err != nil {
		return nil, err
	}
	for i, brief := range op.Batch.Keys {
		if _, err := t.exec(ctx, "keys.fingerprint", `INSERT INTO key_fingerprint (fingerprint, address, seen_at) VALUES (?, ?, ?)`,
			brief.Fingerprint, op.Batch.Address, micros(op.Now)); err != nil {
			return nil, err
		}
		if _, err := t.exec(ctx, "keys.key", `INSERT INTO one_time_key (address, fingerprint, certificate, batch) VALUES (?, ?, ?, ?)`,
			op.Batch.Address, brief.Fingerprint, op.Certificates[i], hash); err != nil {
			return nil, err
		}
	}
	free, err := t.reader().pool(ctx, op.Batch.Address)
	if err != nil {
		return nil, err
	}
	pool.Free, pool.Epoch = free, epoch
	text, err := json.Marshal(pool)
	if err != nil {
		return nil, err
	}
	t.keepAnswer(op.Name(), operationKey{op.Account, op.Batch.ID}, hash, string(text), op.Now)
	return pool, nil
}

func (t *tx) mayAddKeys(ctx context.Context, op escrowserver.AddKeys) error {
	if err := t.accountExists(ctx, op.Account); err != nil {
		return err
	}
	if err := t.mayChange(op.Account, op.Key); err != nil {
		return err
	}
	if err := t.owns(ctx, op.Account, op.Batch.Address, op.Now); err != nil {
		return err
	}
	var money int
	if err := t.conn.row(ctx, `SELECT COUNT(*) FROM balance WHERE holder = ? AND available + held > 0`, op.Account).Scan(&money); err != nil {
		return err
	}
	if money == 0 {
		return escrowserver.NoBalance()
	}
	free, err := t.reader().pool(ctx, op.Batch.Address)
	if err != nil {
		return err
	}
	aged, err := t.reader().aged(ctx, op.Batch.Address, op.Now)
	if err != nil {
		return err
	}
	if free -= aged; free+len(op.Batch.Keys) > escrow.PoolSize {
		return escrow.Errorf(escrow.Limited, "a pool holds %d keys and %d are unsold", escrow.PoolSize, free)
	}
	seen := map[string]bool{}
	for i, brief := range op.Batch.Keys {
		var n int
		if err := t.conn.row(ctx, `SELECT COUNT(*) FROM key_fingerprint WHERE fingerprint = ?`, brief.Fingerprint).Scan(&n); err != nil {
			return err
		}
		if n > 0 || seen[brief.Fingerprint] {
			return escrow.Errorf(escrow.Invalid, "key %d of the batch was here before; a one-time key is never taken twice", i+1)
		}
		seen[brief.Fingerprint] = true
	}
	return nil
}
