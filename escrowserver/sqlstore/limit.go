package sqlstore

import (
	"context"
	"errors"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

type limitKey struct {
	account  escrow.KeyID
	currency string
}

// knownLimit is a limit, as it holds at the batch's moment, with what counts
// against it; since is from when bonds count.
type knownLimit struct {
	escrow.SpendingLimit
	since time.Time
}

// limitColumns are a limit as it is stored.
const limitColumns = `currency, per_mail, per_day, raise_mail, raise_day, raise_at`

func limitValues(l escrow.SpendingLimit) []any {
	mail, day, at := int64(noLimit), int64(noLimit), int64(0)
	if l.Raise != nil {
		mail, day, at = storedLimit(l.Raise.PerMail), storedLimit(l.Raise.PerDay), micros(l.Raise.At)
	}
	return []any{l.Currency, storedLimit(l.PerMail), storedLimit(l.PerDay), mail, day, at}
}

const noLimit = -1

func storedLimit(amount *payment.Amount) int64 {
	if amount == nil {
		return noLimit
	}
	return int64(*amount)
}

// scanLimit reads limitColumns, before what comes after them.
func scanLimit(scan func(...any) error, last ...any) (escrow.SpendingLimit, error) {
	var l escrow.SpendingLimit
	var amounts [4]int64
	var at int64
	err := scan(append([]any{&l.Currency, &amounts[0], &amounts[1], &amounts[2], &amounts[3], &at}, last...)...)
	l.PerMail, l.PerDay = amountOf(amounts[0]), amountOf(amounts[1])
	if at > 0 {
		l.Raise = &escrow.RaisedLimit{PerMail: amountOf(amounts[2]), PerDay: amountOf(amounts[3]), At: fromMicros(at)}
	}
	return l, err
}

func amountOf(stored int64) *payment.Amount {
	if stored == noLimit {
		return nil
	}
	amount := payment.Amount(stored)
	return &amount
}

// spentSum is what an account has put on hold and not got back of the bonds that it
// bought since: of the account and the currency of a row of spending_limit.
const spentSum = `(SELECT CAST(COALESCE(SUM(entry.amount), 0) AS BIGINT) FROM bond JOIN entry ON entry.transfer = bond.id AND entry.step = 1
	WHERE bond.sender_account = spending_limit.account AND bond.state IN ('held', 'arrived', 'rejecting', 'rejected')
	AND bond.bought_at > ? AND entry.currency = spending_limit.currency)`

// limitQuestions read what holds a purchase back beside the sender's standing: the
// account's limit in the currency, if it has one.
func (t *tx) limitQuestions(w wants) []question {
	k, since := &t.known, w.now.Add(-escrowserver.SpendingWindow)
	return []question{
		askFor(`SELECT `+limitColumns+`, `+spentSum+` FROM spending_limit WHERE account = ? AND currency = ?`,
			unknown(w.limits, k.limits), func(l limitKey) []any { return []any{micros(since), l.account, l.currency} },
			func(key limitKey, scan func(...any) error) error {
				var spent payment.Amount
				l, err := scanLimit(scan, &spent)
				l = l.Now(w.now)
				l.Spent = spent
				k.limits[key] = &knownLimit{l, since}
				return err
			}),
	}
}

// withinLimits refuses a purchase that the account's own limits leave no room for,
// and one of an account with too many open bonds.
func (t *tx) withinLimits(ctx context.Context, op escrowserver.Buy) error {
	if op.MostOpen > 0 && t.known.accounts[op.Account].open >= op.MostOpen {
		if err := t.endDue(ctx, op); err != nil {
			return err
		}
		if t.known.accounts[op.Account].open >= op.MostOpen {
			return escrowserver.TooManyOpen(op.MostOpen)
		}
	}
	limit := t.known.limits[limitKey{op.Account, op.Quote.Option.Currency}]
	if limit == nil {
		return nil
	}
	return limit.Check(op.Quote.Option.Amount+op.Quote.RefundFee, op.Quote.Option.Scale)
}

// endMost is how many bonds that are due a purchase ends at most.
const endMost = 10

// endDue ends bonds of the account whose deadline has passed, though no sweep has
// come by: they are not open any more. A damaged one holds up no other.
func (t *tx) endDue(ctx context.Context, op escrowserver.Buy) error {
	rows, err := t.conn.query(ctx, `SELECT id FROM bond WHERE sender_account = ? AND state IN ('held', 'arrived', 'rejecting')
		AND due_at > 0 AND due_at <= ? ORDER BY due_at, id`, op.Account, micros(op.Now))
	var ids []escrow.BondID // as many as may be open
	if err := each(rows, err, func(scan func(...any) error) error {
		var id escrow.BondID
		err := scan(&id)
		ids = append(ids, id)
		return err
	}); err != nil {
		return err
	}
	ended := 0
	for _, id := range ids {
		b, err := t.named(ctx, id)
		if err == nil && b.State.Ended() {
			continue // it was ended by another purchase of the batch
		}
		if err == nil {
			err = t.advance("advance", op.Moment, b)
		}
		if errors.Is(err, errDamaged) {
			continue // the sweeper tells of it
		}
		if err != nil {
			return err
		}
		if b.State.Ended() {
			ended++
		}
		if ended == endMost {
			return nil
		}
	}
	return nil
}

// bought counts a purchase for those after it in the batch, and ended the end of a
// bond: what comes back makes room again.
func (t *tx) bought(b escrow.Bond) {
	t.known.accounts[b.SenderAccount].open++
	if limit := t.known.limits[limitKey{b.SenderAccount, b.Option.Currency}]; limit != nil {
		limit.Spent += b.Option.Amount
	}
}

func (t *tx) endedOf(b *knownBond, next escrow.Bond) {
	if b.State.Ended() || !next.State.Ended() {
		return
	}
	if a := t.known.accounts[b.SenderAccount]; a != nil {
		a.open = max(0, a.open-1) // a damaged count, which verify finds, holds back no money
	}
	limit := t.known.limits[limitKey{b.SenderAccount, b.Option.Currency}]
	if limit != nil && next.State != escrow.Rejected && b.BoughtAt.After(limit.since) {
		limit.Spent -= b.Option.Amount
	}
}

// Limits are the account's, as they hold at now, by currency.
func (s *Store) Limits(ctx context.Context, account escrow.KeyID, now time.Time) ([]escrow.SpendingLimit, error) {
	rows, err := s.reader().query(ctx, `SELECT `+limitColumns+`, `+spentSum+` FROM spending_limit WHERE account = ? ORDER BY currency`,
		micros(now.Add(-escrowserver.SpendingWindow)), account)
	var limits []escrow.SpendingLimit
	err = each(rows, err, func(scan func(...any) error) error {
		var spent payment.Amount
		l, err := scanLimit(scan, &spent)
		l = l.Now(now)
		l.Spent = spent
		if l.PerMail != nil || l.PerDay != nil || l.Raise != nil {
			limits = append(limits, l)
		}
		return err
	})
	return limits, err
}

func (t *tx) setLimit(ctx context.Context, op escrowserver.SetLimit) error {
	if err := t.accountExists(ctx, op.Account); err != nil {
		return err
	}
	if err := t.mayAct(op.Account, op.Key); err != nil {
		return err
	}
	before := escrow.SpendingLimit{Currency: op.Limit.Currency}
	l, err := scanLimit(t.conn.row(ctx, `SELECT `+limitColumns+` FROM spending_limit WHERE account = ? AND currency = ?`,
		op.Account, op.Limit.Currency).Scan)
	there, err := found(err)
	if err != nil {
		return err
	}
	if there {
		before = l
	}
	next := before.Set(op.Limit, op.Now)
	if next.Raise != nil && t.known.accounts[op.Account].frozen {
		return escrowserver.Frozen()
	}
	return t.writeLimit(ctx, op.Name(), op.Seal, op.Account, next)
}

func (t *tx) writeLimit(ctx context.Context, op string, seal escrowserver.Seal, account escrow.KeyID, limit escrow.SpendingLimit) error {
	limit = asStored(limit)
	signed, err := seal.Limit(escrowserver.LimitLine{Account: account, Limit: limit})
	if err != nil {
		return err
	}
	return t.inventoried(ctx, op, seal, func() error {
		_, err := t.exec(ctx, op+".limit", `INSERT INTO spending_limit (account, signed, `+limitColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (account, currency) DO UPDATE SET per_mail = excluded.per_mail, per_day = excluded.per_day,
				raise_mail = excluded.raise_mail, raise_day = excluded.raise_day, raise_at = excluded.raise_at,
				signed = excluded.signed`,
			append([]any{account, signed}, limitValues(limit)...)...)
		return err
	}, account)
}

// dropRaises ends the raises of an account's limits that wait: a thief may have asked
// for them. One that has acted already stays.
func (t *tx) dropRaises(ctx context.Context, op escrowserver.TakeOrder, account escrow.KeyID) error {
	rows, err := t.conn.query(ctx, `SELECT `+limitColumns+` FROM spending_limit WHERE account = ? AND raise_at > ? ORDER BY currency`, account, micros(op.Now))
	var limits []escrow.SpendingLimit
	if err := each(rows, err, func(scan func(...any) error) error {
		l, err := scanLimit(scan)
		l.Raise = nil
		limits = append(limits, l)
		return err
	}); err != nil {
		return err
	}
	for _, l := range limits {
		if err := t.writeLimit(ctx, op.Name(), op.Seal, account, l); err != nil {
			return err
		}
	}
	return nil
}

// walkLimits looks for limits that nobody can have set, and for open bonds that are
// not counted.
func (r reader) walkLimits(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, `SELECT account.id FROM account LEFT JOIN (
			SELECT sender_account, COUNT(*) AS n FROM bond WHERE state IN ('held', 'arrived', 'rejecting') GROUP BY sender_account) AS counted
		ON counted.sender_account = account.id WHERE account.open_bonds <> COALESCE(counted.n, 0) ORDER BY account.id`)
	if err := each(rows, err, func(scan func(...any) error) error {
		var account string
		err := scan(&account)
		v.Fault("the open bonds of account " + account + " are not as many as its row says")
		return err
	}); err != nil {
		return err
	}
	rows, err = r.query(ctx, `SELECT spending_limit.account, currency FROM spending_limit LEFT JOIN account ON account.id = spending_limit.account
		WHERE account.id IS NULL OR per_mail < -1 OR per_day < -1 OR raise_mail < -1 OR raise_day < -1 OR raise_at < 0
			OR raise_at = 0 AND (raise_mail <> -1 OR raise_day <> -1)
			OR raise_at > 0 AND raise_mail >= 0 AND (per_mail = -1 OR raise_mail < per_mail)
			OR raise_at > 0 AND raise_day >= 0 AND (per_day = -1 OR raise_day < per_day)
		ORDER BY spending_limit.account, currency`)
	return each(rows, err, func(scan func(...any) error) error {
		var account, currency string
		err := scan(&account, &currency)
		v.Fault("the limit of account " + account + " in " + currency + " is none that can be set")
		return err
	})
}
