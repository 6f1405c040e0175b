package sqlstore

import (
	"context"
	"encoding/json"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
	"earnest/payment"
)

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

// revokeVoucher deletes a voucher that nobody has redeemed. Done again it finds it
// gone, and that is what was wanted.
func (t *tx) revokeVoucher(ctx context.Context, op escrowserver.RevokeVoucher) error {
	if _, err := t.exec(ctx, "revoke.voucher", `DELETE FROM voucher WHERE hash = ? AND redeemed_at = 0`, op.Hash); err != nil {
		return err
	}
	var redeemed int64
	there, err := found(t.conn.row(ctx, `SELECT redeemed_at FROM voucher WHERE hash = ?`, op.Hash).Scan(&redeemed))
	if err == nil && there {
		err = escrowserver.VoucherRedeemed()
	}
	return err
}
