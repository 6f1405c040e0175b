package escrowserver

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/payment"
)

// The statements that keep rows of value as they were written. Vouchers, credits,
// changes and outages have their own.
const (
	kindRecovery escrow.Kind = "earnest-recovery+jws"
	kindPayout   escrow.Kind = "earnest-payout+jws"
	kindProven   escrow.Kind = "earnest-address+jws"
	kindLimit    escrow.Kind = "earnest-limit+jws"
	kindSealed   escrow.Kind = "earnest-sealed+jws"
)

// NoteSealed is the note that holds the escrow's word that all rows of older books
// were signed, and when. Once it is there no row is signed but by what wrote it.
const NoteSealed = "sealed"

// Seal signs rows of value, and tells those that it signed. The zero seal signs
// nothing, and knows nothing.
type Seal struct {
	signer crypto.Signer
	key    ed25519.PublicKey
}

// SealOf is the seal of the escrow's receipt key.
func SealOf(signer crypto.Signer) Seal {
	key, _ := signer.Public().(ed25519.PublicKey)
	return Seal{signer, key}
}

func (s Seal) sign(kind escrow.Kind, payload any) (escrow.Signed, error) {
	if s.signer == nil {
		return "", nil
	}
	return escrow.Sign(s.signer, kind, payload)
}

// signedAs reports whether the key has signed exactly that.
func signedAs[T comparable](signed escrow.Signed, kind escrow.Kind, key ed25519.PublicKey, want T) bool {
	var st T
	return escrow.Verify(signed, kind, key, &st) == nil && st == want
}

type recoveryStatement struct {
	Account  escrow.KeyID `json:"account"`
	Recovery string       `json:"recovery"` // base64url; nothing: it has none
}

func recoveryOf(account escrow.KeyID, recovery escrow.PublicKey) recoveryStatement {
	text, _ := recovery.MarshalText() // it does not fail
	return recoveryStatement{account, string(text)}
}

// Recovery signs that this is the account's recovery key; none is signed too.
func (s Seal) Recovery(account escrow.KeyID, recovery escrow.PublicKey) (escrow.Signed, error) {
	return s.sign(kindRecovery, recoveryOf(account, recovery))
}

func genuineRecovery(account escrow.KeyID, recovery escrow.PublicKey, signed escrow.Signed, key ed25519.PublicKey) bool {
	return signedAs(signed, kindRecovery, key, recoveryOf(account, recovery))
}

// Trusted are the account's keys without a recovery key that the escrow has not
// signed: whoever wrote it into the books would take the account over by it at once.
func (s Seal) Trusted(account escrow.KeyID, keys AccountKeys) AccountKeys {
	if !genuineRecovery(account, keys.Recovery, keys.Signed, s.key) {
		keys.Recovery = nil
	}
	return keys
}

type payoutStatement struct {
	ID        string         `json:"id"`
	Account   escrow.KeyID   `json:"account"`
	Operation string         `json:"operation"`
	Currency  string         `json:"currency"`
	Amount    payment.Amount `json:"amount"`
	To        string         `json:"to"`
	AskedAt   time.Time      `json:"askedAt"`
	NotBefore time.Time      `json:"notBefore"`
	BegunAt   time.Time      `json:"begunAt,omitzero"`
	BegunBy   string         `json:"begunBy,omitempty"`
}

func payoutOf(p PayoutRecord) payoutStatement {
	return payoutStatement{p.ID, p.Account, p.Operation, p.Currency, p.Amount, p.To, p.AskedAt.UTC(), p.NotBefore.UTC(), p.BegunAt.UTC(), p.BegunBy}
}

// Payout signs a payout as it was asked for, and then as it was begun.
func (s Seal) Payout(p PayoutRecord) (escrow.Signed, error) { return s.sign(kindPayout, payoutOf(p)) }

// GenuinePayout reports whether the payout is as it was asked for, or begun.
func (s Seal) GenuinePayout(p PayoutRecord) bool { return genuinePayout(p, s.key) }

// MayBeBegun reports whether the payout may have been begun, and so have been paid: as
// the row says or what was signed of it, or where nothing signed says otherwise.
func (s Seal) MayBeBegun(p PayoutRecord) bool {
	var st payoutStatement
	return !p.BegunAt.IsZero() || escrow.Verify(p.Signed, kindPayout, s.key, &st) != nil || st.ID != p.ID || !st.BegunAt.IsZero()
}

func genuinePayout(p PayoutRecord, key ed25519.PublicKey) bool {
	return signedAs(p.Signed, kindPayout, key, payoutOf(p))
}

// ProvenLine is a proven address as stored.
type ProvenLine struct {
	Address           escrow.Address
	Folded            escrow.Address
	Typed             string
	Account           escrow.KeyID
	ProvenAt, RenewBy time.Time
	Signed            escrow.Signed
}

type provenStatement struct {
	Address  escrow.Address `json:"address"`
	Typed    string         `json:"typed"`
	Account  escrow.KeyID   `json:"account"`
	ProvenAt time.Time      `json:"provenAt"`
	RenewBy  time.Time      `json:"renewBy"`
}

func provenOf(p ProvenLine) provenStatement {
	return provenStatement{p.Address, p.Typed, p.Account, p.ProvenAt.UTC(), p.RenewBy.UTC()}
}

// Proven signs that an account has proven an address.
func (s Seal) Proven(p ProvenLine) (escrow.Signed, error) { return s.sign(kindProven, provenOf(p)) }

// LimitLine is an account's limit as stored.
type LimitLine struct {
	Account escrow.KeyID
	Limit   escrow.SpendingLimit
	Signed  escrow.Signed
}

// limitStatement has -1 for no limit, as the books have.
type limitStatement struct {
	Account   escrow.KeyID `json:"account"`
	Currency  string       `json:"currency"`
	PerMail   int64        `json:"perMail"`
	PerDay    int64        `json:"perDay"`
	RaiseMail int64        `json:"raiseMail"`
	RaiseDay  int64        `json:"raiseDay"`
	RaiseAt   time.Time    `json:"raiseAt"`
}

func limitOf(l LimitLine) limitStatement {
	amount := func(a *payment.Amount) int64 {
		if a == nil {
			return -1
		}
		return int64(*a)
	}
	st := limitStatement{l.Account, l.Limit.Currency, amount(l.Limit.PerMail), amount(l.Limit.PerDay), -1, -1, time.Time{}}
	if raise := l.Limit.Raise; raise != nil {
		st.RaiseMail, st.RaiseDay, st.RaiseAt = amount(raise.PerMail), amount(raise.PerDay), raise.At.UTC()
	}
	return st
}

// Limit signs what an account may spend.
func (s Seal) Limit(l LimitLine) (escrow.Signed, error) { return s.sign(kindLimit, limitOf(l)) }

// SealRows signs the rows that an older program wrote, its orders, and the inventories of
// its accounts, each once: with the word that says so (a note, [Store.Sealing], an anchor)
// nothing is signed ever again that is not. It gives how many it signed. Books that have
// such rows signed, but not that word are left alone: somebody took it away.
type SealRows struct {
	Now  time.Time
	Seal Seal
}

// Name begins the label of each write that the operation makes.
func (SealRows) Name() string { return "seal" }

// Sealed is what the note says.
type Sealed struct {
	Rows int       `json:"rows"`
	Time time.Time `json:"time"`
}

// Sealed signs the note.
func (s Seal) Sealed(what Sealed) (escrow.Signed, error) { return s.sign(kindSealed, what) }

// sealRows has the rows of an older program signed before anything counts on them.
func (s *Server) sealRows(ctx context.Context) error {
	done, err := s.sealedAll(ctx)
	if err != nil {
		return fmt.Errorf("what the books say of themselves: %w", err)
	}
	if done {
		return nil
	}
	rows, err := do[int](ctx, s, SealRows{Now: s.now(), Seal: s.seal})
	if err != nil {
		return fmt.Errorf("sign what an older program wrote: %w", err)
	}
	if rows > 0 {
		s.log.Warn("rows that an older program wrote, or lists of them, were signed; this happens once in the life of the books for each", "rows", rows)
	}
	return nil
}

// sealed holds the note against the escrow's signature.
func (a *audit) sealedNote(text string) error {
	if escrow.Verify(escrow.Signed(text), kindSealed, a.receiptKey, &a.sealing) != nil {
		a.fault("the books do not say when their older rows were signed; serve them once with this program, and if they were served, somebody took it away")
	}
	return nil
}

func (a *audit) proven(p ProvenLine) error {
	a.addresses++
	if p.Folded != p.Address.Folded() || !signedAs(p.Signed, kindProven, a.receiptKey, provenOf(p)) {
		a.fault("address %s is not proven as the escrow signed it", p.Address)
	}
	return nil
}

func (a *audit) limit(l LimitLine) error {
	a.limits++
	if !signedAs(l.Signed, kindLimit, a.receiptKey, limitOf(l)) {
		a.fault("the limit of account %s in %s is not as the escrow signed it", l.Account, l.Limit.Currency)
	}
	return nil
}

// newRecovery notes which recovery key an order has given an account, and when.
func (a *audit) newRecovery(account escrow.KeyID, order escrow.Order, at time.Time) {
	if len(order.Recovery) > 0 && !at.Before(a.safety.recoveries[account].at) {
		a.safety.recoveries[account] = recoveryAt{order.Recovery, at}
	}
}

type recoveryAt struct {
	key escrow.PublicKey
	at  time.Time
}

// recovery holds an account's recovery key against the escrow's word, and against the
// newest order that named one.
func (a *audit) recovery(o OwnerLine) {
	newest, ordered := a.safety.recoveries[o.Account]
	switch {
	case !o.Deleted.IsZero():
		a.safety.deleted[o.Account] = true
		if len(o.Recovery) > 0 {
			a.fault("account %s is deleted, but has a recovery key", o.Account)
		}
	case !genuineRecovery(o.Account, o.Recovery, o.RecoverySigned, a.receiptKey):
		a.fault("account %s has another recovery key than the escrow signed", o.Account)
	case ordered && !slices.Equal(newest.key, o.Recovery):
		a.fault("account %s has another recovery key than its owner ordered last", o.Account)
	}
}
