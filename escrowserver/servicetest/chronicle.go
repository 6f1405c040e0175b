package servicetest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"earnest/escrow"
)

// Chronicle is what an escrow answered when its books were left, by which a later
// program is held to them. Keys are seeds.
type Chronicle struct {
	Now       time.Time    `json:"now"`
	Receipt   []byte       `json:"receipt"`
	Purchases []ToldBuyer  `json:"purchases"`
	Accounts  []ToldHolder `json:"accounts"`
}

// ToldBuyer is a bond as its buyer saw it, and a hash of what the purchase answered.
type ToldBuyer struct {
	Buyer  []byte        `json:"buyer"`
	ID     escrow.BondID `json:"id"`
	State  escrow.State  `json:"state"`
	Answer string        `json:"answer"`
}

// ToldHolder is what an account was told of its money and its bonds. Programs of the
// first four steps of the schema told no movements.
type ToldHolder struct {
	Key       []byte              `json:"key"`
	Balances  map[string][2]int64 `json:"balances"`
	Movements []escrow.Movement   `json:"movements,omitempty"`
	Bonds     []ToldPlace         `json:"bonds,omitempty"`
}

// ToldPlace is a bond in an account's list; the last of a page has its cursor.
type ToldPlace struct {
	ID     escrow.BondID `json:"id"`
	Cursor int64         `json:"cursor"`
	State  escrow.State  `json:"state"`
	Role   escrow.Role   `json:"role"`
}

// AnswerHash is of what a purchase answers each time that it is repeated.
func AnswerHash(p escrow.Purchase) string {
	sum := sha256.Sum256([]byte(string(p.Receipt) + "|" + base64.StdEncoding.EncodeToString(p.Certificate) + "|" + string(p.Batch)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Chronicled plays all stories, leaves bonds in each state, the newest rejecting, and
// tells what the escrow answers at the end.
func Chronicled(t testing.TB, h Harness) Chronicle {
	t.Helper()
	told := Chronicle{Receipt: h.ReceiptSigner.Seed()}
	var keys []ed25519.PrivateKey
	seen, as := map[string]bool{}, h.As
	h.As = func(key ed25519.PrivateKey) escrow.Service {
		if key != nil && !seen[string(key)] {
			seen[string(key)], keys = true, append(keys, key)
		}
		return as(key)
	}
	SafetyStory(t, h)
	MoneyStory(t, h)
	w := &world{TB: t, Harness: h, ids: 500_000}
	bonds := w.bondsInAllStates()
	told.Now = w.Clock.Now()
	for _, b := range bonds {
		told.Purchases = append(told.Purchases, ToldBuyer{b.from.key.Seed(), b.id(), b.view(b.from).State, AnswerHash(b.Purchase)})
	}
	for _, key := range keys {
		if account, err := as(key).Account(context.Background()); err == nil { // neither replaced nor deleted
			told.Accounts = append(told.Accounts, w.toldHolder(key, as(key), account))
		}
	}
	return told
}

func (w *world) bondsInAllStates() (bonds []*bought) {
	w.Helper()
	ctx := context.Background()
	anna, zoe := w.owner("anna@old.example", 500), w.owner("zoe@older.example", 90)
	bob, carol := w.recipient("bob@recipient.old.example", 25, 5), w.recipient("carol@recipient.old.example", 25, 5)
	buy := func(from, to *person) *bought {
		bonds = append(bonds, from.buy(to, 25))
		return bonds[len(bonds)-1]
	}
	accepted := buy(anna, bob)
	accepted.arrive()
	accepted.decide(escrow.Accept)
	late := buy(anna, carol)
	late.arrive()
	buy(zoe, bob) // never arrives
	w.later(31 * day)
	_, err := carol.Decide(ctx, late.id(), escrow.Accept, late.decision(escrow.Accept))
	w.ok(err)
	rejected := buy(anna, carol)
	rejected.arrive()
	rejected.decide(escrow.Reject)
	rejected.decide(escrow.Undo)
	rejected.decide(escrow.Reject)
	w.later(time.Hour)
	withdrawn := buy(zoe, carol)
	_, err = zoe.AskWithdraw(ctx, withdrawn.id())
	w.ok(err)
	_, err = carol.Destroyed(ctx, withdrawn.id(), withdrawn.statement(escrow.EventWithdrawn, ""))
	w.ok(err)
	_, err = w.Server.NewVoucher(ctx, Currency, 700) // nobody has it
	w.ok(err)
	points, err := w.Server.NewVoucher(ctx, OtherCurrency, 7)
	w.ok(err)
	_, err = anna.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: points})
	w.ok(err)
	buy(anna, carol).arrive()
	w.later(time.Minute)
	buy(anna, bob) // held
	w.later(time.Minute)
	rejecting := buy(zoe, bob)
	rejecting.arrive()
	rejecting.decide(escrow.Reject)
	return bonds
}

func (w *world) toldHolder(key ed25519.PrivateKey, service escrow.Service, account escrow.Account) ToldHolder {
	w.Helper()
	told := ToldHolder{Key: key.Seed(), Balances: map[string][2]int64{}}
	for _, b := range account.Balances {
		told.Balances[b.Currency.Name] = [2]int64{int64(b.Available), int64(b.Held)}
	}
	movements, err := service.Movements(context.Background(), 0, 0)
	w.ok(err)
	told.Movements = movements.Movements
	for after, more := int64(0), true; more; {
		page, err := service.Bonds(context.Background(), after, 0)
		w.ok(err)
		for _, b := range page.Bonds {
			told.Bonds = append(told.Bonds, ToldPlace{ID: b.ID, State: b.State, Role: b.Role})
		}
		if len(page.Bonds) > 0 {
			told.Bonds[len(told.Bonds)-1].Cursor = page.Cursor
		}
		after, more = page.Cursor, page.More
	}
	return told
}
