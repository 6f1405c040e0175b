package linear

import (
	"math/bits"

	"github.com/anishathalye/porcupine"

	"earnest/escrow"
)

// The sizes of a history: two who buy, two who sell, and room for all that six
// clients can do in eight operations each.
const (
	buyers    = 2
	shops     = 2
	mostOps   = 48
	mostBonds = 32
	mostKeys  = 32
)

// kind is what an operation does.
type kind string

const (
	account   kind = "account"
	topUp     kind = "top up"
	pool      kind = "pool"
	addKeys   kind = "add keys"
	quote     kind = "quote"
	buy       kind = "buy"
	view      kind = "view"
	withdraw  kind = "withdraw"
	destroyed kind = "destroyed"
	arrive    kind = "arrive"
	decide    kind = "decide"
	// end comes after all that was answered.
	end kind = "end"
)

// input is an operation. Op is its id: the same id is the same operation.
type input struct {
	kind    kind
	op      int
	buyer   int
	shop    int
	keys    uint32 // of addKeys, by number
	voucher int
	bond    int
	sender  bool // of view: who looks
	verdict escrow.Verdict
	n       int8
}

// output is its answer. Unknown: there was none, and nobody knows whether the
// operation was done, or will be.
type output struct {
	unknown         bool
	code            escrow.Code
	state           escrow.State
	available, held int16
	free, key       int8
}

// books are all that the model knows, small enough to be compared.
type books struct {
	money    [buyers]struct{ available, held int16 }
	unsold   [shops]uint32
	vouchers uint32
	// done keeps the answers of top-ups and uploads.
	done [mostOps]struct {
		done bool
		a, b int16
	}
	bonds [mostBonds]bondBook
	// over: from here on what was not answered is not done any more.
	over bool
}

// bondBook is one bond; with no state it is not bought.
type bondBook struct {
	state          escrow.State
	buyer, shop    int8
	key, n         int8
	asked, arrived bool
	taken          uint32 // decisions that counted, by number
}

// model is the escrow with one clerk. Where a reject takes effect at once, nobody
// sees when the clerk books it: each operation may find it booked or not.
func model(first books, atOnce bool) porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{first} },
		Step: func(state, in, out any) []any { return state.(books).then(in.(input), out.(output), atOnce) },
		Hash: func(state any) uint64 { return state.(books).hash() },
	}
	return m.ToModel()
}

// then is one operation of the history. One without an answer is done at some time,
// or never: it is taken for never done at the end alone, so that the judge has not
// to try that at every place.
func (b books) then(in input, out output, atOnce bool) []any {
	switch {
	case in.kind == end:
		b.over = true
		return []any{b}
	case b.over:
		return []any{b}
	}
	var all []any
	for _, b := range settled(b, in, atOnce) {
		for _, next := range b.step(in, out) {
			if !out.unknown || next.(books) != b {
				all = append(all, next)
			}
		}
	}
	return all
}

// hash is of what changes most.
func (b books) hash() uint64 {
	h := uint64(b.unsold[0])<<32 ^ uint64(b.unsold[1]) ^ uint64(b.vouchers)<<16
	for _, m := range b.money {
		h = h*1099511628211 ^ uint64(uint16(m.available))<<16 ^ uint64(uint16(m.held))
	}
	for _, bond := range b.bonds {
		h = h*1099511628211 ^ uint64(len(bond.state))<<40 ^ uint64(bond.taken)<<8 ^ uint64(uint8(bond.key))
	}
	return h
}

// settled are the books with each choice of the rejects that the operation would
// see booked.
func settled(b books, in input, atOnce bool) []books {
	all := []books{b}
	if !atOnce {
		return all
	}
	for i, bond := range b.bonds {
		seen := in.bond == i
		switch in.kind {
		case account, topUp:
			seen = int(bond.buyer) == in.buyer
		case buy:
			seen = seen || int(bond.buyer) == in.buyer && int(bond.shop) == in.shop
		case pool, addKeys, quote:
			seen = false
		}
		if bond.state != escrow.Rejecting || !seen {
			continue
		}
		for _, other := range all {
			other.bonds[i].state = escrow.Rejected
			other.money[bond.buyer].held -= price
			all = append(all, other)
		}
	}
	return all
}

// step gives the books after the operation, or none if one clerk could not have
// answered so.
func (b books) step(in input, out output) []any {
	var ok bool
	var next books
	switch in.kind {
	case account:
		m := b.money[in.buyer]
		next, ok = b, out == output{available: m.available, held: m.held}
	case pool:
		next, ok = b, out == output{free: b.free(in.shop)}
	case quote:
		next, ok = b, b.quoted(in, out)
	case topUp:
		next, ok = b.topUp(in, out)
	case addKeys:
		next, ok = b.addKeys(in, out)
	case buy:
		return b.buy(in, out)
	default:
		var right output
		next, right = b.ofBond(in)
		ok = out == right || out.unknown || in.kind == arrive && right.code == escrow.Ended && out.code == escrow.BadProof
	}
	if !ok {
		return nil
	}
	return []any{next}
}

func (b books) free(shop int) int8 { return int8(bits.OnesCount32(b.unsold[shop])) }

func (b books) quoted(in input, out output) bool {
	switch out.code {
	case escrow.SoldOut:
		return b.free(in.shop) == 0
	case escrow.Limited:
		return b.barred(in.buyer)
	}
	return out.code == "" && b.free(in.shop) > 0
}

// barred: three bonds of the buyer ended before they arrived.
func (b books) barred(buyer int) bool {
	n := 0
	for _, bond := range b.bonds {
		if bond.state == escrow.Withdrawn && int(bond.buyer) == buyer {
			n++
		}
	}
	return n >= 3
}

func (b books) topUp(in input, out output) (books, bool) {
	money, done := &b.money[in.buyer], &b.done[in.op]
	right := output{available: done.a, held: done.b}
	switch {
	case done.done:
	case b.vouchers&(1<<in.voucher) != 0:
		right = output{code: escrow.BadVoucher}
	default:
		b.vouchers |= 1 << in.voucher
		money.available += price
		right = output{available: money.available, held: money.held}
		done.done, done.a, done.b = true, money.available, money.held
	}
	return b, out.unknown || out == right
}

func (b books) addKeys(in input, out output) (books, bool) {
	done := &b.done[in.op]
	if !done.done {
		b.unsold[in.shop] |= in.keys
		done.done, done.a = true, int16(b.free(in.shop))
	}
	return b, out.unknown || out == output{free: int8(done.a)}
}

// buy takes any unsold key: which one is the escrow's choice.
func (b books) buy(in input, out output) []any {
	if bond := b.bonds[in.bond]; bond.state != "" {
		if out.unknown || out == (output{state: escrow.Held, key: bond.key}) {
			return []any{b}
		}
		return nil
	}
	refusals := map[escrow.Code]bool{
		escrow.OpenBond:          b.open(in.buyer, in.shop),
		escrow.Limited:           b.barred(in.buyer),
		escrow.SoldOut:           b.unsold[in.shop] == 0,
		escrow.InsufficientFunds: b.money[in.buyer].available < price,
	}
	refused := false
	for _, so := range refusals {
		refused = refused || so
	}
	switch {
	case out.unknown && refused, refusals[out.code] && out == output{code: out.code}:
		return []any{b}
	case refused || out.code != "":
		return nil
	}
	var all []any
	for key := range int8(mostKeys) {
		if b.unsold[in.shop]&(1<<key) == 0 || !out.unknown && out != (output{state: escrow.Held, key: key}) {
			continue
		}
		next := b
		next.unsold[in.shop] &^= 1 << key
		next.money[in.buyer].available -= price
		next.money[in.buyer].held += price
		next.bonds[in.bond] = bondBook{state: escrow.Held, buyer: int8(in.buyer), shop: int8(in.shop), key: key}
		all = append(all, next)
	}
	return all
}

func (b books) open(buyer, shop int) bool {
	for _, bond := range b.bonds {
		if bond.state != "" && !bond.state.Ended() && int(bond.buyer) == buyer && int(bond.shop) == shop {
			return true
		}
	}
	return false
}
