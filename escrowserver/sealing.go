package escrowserver

import (
	"context"
	"time"

	"earnest/escrow"
)

const (
	// kindTaken is the escrow's word on an order that it took: an order is signed by its
	// owner's key, and which key was whose only orders say.
	kindTaken escrow.Kind = "earnest-taken+jws"
	// kindSealing is its word on which rows of older books it signed once.
	kindSealing escrow.Kind = "earnest-sealing+jws"
)

// The kinds of rows of older books that are signed once, each with a word of its own that
// they were: orders, and anew the inventories that list no keys and changes.
const (
	SealedOrders      = "orders"
	SealedInventories = "inventories"
)

// SealedKinds are all of them.
func SealedKinds() []string { return []string{SealedOrders, SealedInventories} }

type takenStatement struct {
	Order   string        `json:"order"` // its hash
	Account escrow.KeyID  `json:"account"`
	Action  escrow.Action `json:"action"`
	Signer  string        `json:"signer"` // base64url
	TakenAt time.Time     `json:"takenAt"`
}

func takenOf(o OrderLine) takenStatement {
	signer, _ := o.Signer.MarshalText() // it does not fail
	return takenStatement{o.Hash, o.Account, o.Action, string(signer), o.Made.UTC()}
}

// Taken signs that the escrow has taken an order, by whose key and when.
func (s Seal) Taken(o OrderLine) (escrow.Signed, error) { return s.sign(kindTaken, takenOf(o)) }

type sealingStatement struct {
	Kind string `json:"kind"`
	Sealed
}

// Sealing signs that rows of a kind were sealed.
func (s Seal) Sealing(kind string, what Sealed) (escrow.Signed, error) {
	return s.sign(kindSealing, sealingStatement{kind, what})
}

// sealedAll reports whether all rows of an older program were signed already.
func (s *Server) sealedAll(ctx context.Context) (bool, error) {
	words := []func() (string, error){
		func() (string, error) { return s.cfg.Store.Note(ctx, NoteSealed) },
		func() (string, error) { return s.cfg.Store.InventoryAnchor(ctx) },
	}
	for _, kind := range SealedKinds() {
		words = append(words, func() (string, error) { return s.cfg.Store.Sealing(ctx, kind) })
	}
	for _, word := range words {
		if text, err := word(); err != nil || text == "" {
			return false, err
		}
	}
	return true, nil
}

// sealingWord holds the word on older rows of a kind against the escrow's signature.
func (a *audit) sealingWord(kind, text string) error {
	var st sealingStatement
	if escrow.Verify(escrow.Signed(text), kindSealing, a.receiptKey, &st) != nil || st.Kind != kind {
		a.fault("the books do not say when their older %s were signed; serve them once with this program, and if they were served, somebody took it away", kind)
	}
	a.sealings[kind] = st.Sealed
	return nil
}
