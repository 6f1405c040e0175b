package linear

import "earnest/escrow"

// ofBond does an operation on one bond, and gives the books and the one right
// answer. It is written from the protocol's words, not from the code.
func (b books) ofBond(in input) (books, output) {
	bond := &b.bonds[in.bond]
	refused := func(code escrow.Code) (books, output) { return b, output{code: code} }
	if bond.state == "" {
		return refused(escrow.NotFound)
	}
	switch in.kind {
	case view:
		shown := bond.state
		if in.sender && shown == escrow.Rejecting {
			shown = escrow.Arrived
		}
		return b, output{state: shown, key: bond.key}
	case withdraw:
		switch {
		case bond.state == escrow.Held:
			bond.asked = true
		case bond.state.Ended():
			return refused(escrow.Ended)
		default:
			return refused(escrow.TooLate)
		}
	case destroyed:
		switch {
		case bond.state == escrow.Withdrawn: // the same statement again
		case bond.state.Ended():
			return refused(escrow.Ended)
		case bond.state != escrow.Held || !bond.asked:
			return refused(escrow.Conflict)
		default:
			bond.state = escrow.Withdrawn
			b.refund(bond)
		}
	case arrive:
		switch {
		case bond.arrived: // the same proof again
			return b, output{state: escrow.Arrived}
		case bond.state.Ended():
			return refused(escrow.Ended)
		}
		bond.state, bond.arrived, bond.asked = escrow.Arrived, true, false
	case decide:
		return b.decide(in)
	}
	return b, output{state: bond.state}
}

func (b *books) refund(bond *bondBook) {
	b.money[bond.buyer].held -= price
	b.money[bond.buyer].available += price
}

func (b books) decide(in input) (books, output) {
	bond := &b.bonds[in.bond]
	refused := func(code escrow.Code) (books, output) { return b, output{code: code} }
	after := map[escrow.Verdict]escrow.State{escrow.Accept: escrow.Accepted, escrow.Reject: escrow.Rejecting, escrow.Undo: escrow.Arrived}[in.verdict]
	switch {
	case bond.taken&(1<<in.n) != 0: // the same decision again
		return b, output{state: after}
	case in.n <= bond.n:
		return refused(escrow.Stale)
	case !bond.arrived:
		return refused(escrow.NotArrived)
	case in.verdict == escrow.Undo && bond.state == escrow.Rejecting:
	case in.verdict != escrow.Undo && bond.state == escrow.Arrived:
	case bond.state == escrow.Rejecting:
		return refused(escrow.Conflict)
	case bond.state.Ended() && in.verdict == escrow.Accept:
		return refused(escrow.Ended)
	case bond.state.Ended():
		return refused(escrow.TooLate)
	default:
		return refused(escrow.Invalid)
	}
	bond.state, bond.n = after, in.n
	bond.taken |= 1 << in.n
	if after == escrow.Accepted {
		b.refund(bond)
	}
	return b, output{state: after}
}
