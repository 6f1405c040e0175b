package linear

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
)

// choose takes an action of the client's role: the first three buy, the others
// sell. It fails if there is no bond yet to do it to.
func (c *client) choose() (action, bool) {
	dice := c.random.IntN(100)
	if c.number < 3 {
		buyer := max(0, c.number-1)
		switch {
		case dice < 35:
			return c.buy(buyer, c.random.IntN(shops)), true
		case dice < 50:
			return c.topUp(buyer), true
		case dice < 70:
			return c.onBond(withdraw)
		}
		return action{}, false
	}
	shop := max(0, c.number-4)
	switch {
	case dice < 10:
		return c.addKeys(shop, 1+c.random.IntN(2)), true
	case dice < 35:
		return c.onBond(arrive)
	case dice < 70:
		return c.onBond(decide)
	case dice < 85:
		return c.onBond(destroyed)
	}
	return action{}, false
}

// look asks for what changes nothing.
func (c *client) look() action {
	buyer, shop := max(0, c.number-1), max(0, c.number-4)
	if c.number >= 3 {
		if a, ok := c.onBond(view); ok && c.random.IntN(3) > 0 {
			return a
		}
		return action{input{kind: pool, shop: shop}, func(ctx context.Context) (output, error) {
			p, err := c.shops[shop].Pool(ctx, c.shops[shop].address)
			return output{free: int8(p.Free)}, err
		}}
	}
	shop = c.random.IntN(shops)
	switch c.random.IntN(3) {
	case 0:
		return action{input{kind: quote, buyer: buyer, shop: shop}, func(ctx context.Context) (output, error) {
			_, err := c.buyers[buyer].quote(ctx, c.shops[shop])
			return output{}, err
		}}
	case 1:
		if a, ok := c.onBond(view); ok {
			return a
		}
	}
	return action{input{kind: account, buyer: buyer}, func(ctx context.Context) (output, error) {
		account, err := c.buyers[buyer].Account(ctx)
		for _, b := range account.Balances {
			if b.Currency.Name == servicetest.Currency {
				return output{available: int16(b.Available), held: int16(b.Held)}, err
			}
		}
		return output{}, err
	}}
}

// number counts operations that have an id.
func (h *history) number() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops++
	return h.ops - 1
}

func (c *client) topUp(buyer int) action {
	voucher := c.random.IntN(len(c.vouchers))
	req := escrow.TopUp{ID: c.newID(), Voucher: c.vouchers[voucher]}
	return action{input{kind: topUp, op: c.history.number(), buyer: buyer, voucher: voucher}, func(ctx context.Context) (output, error) {
		b, err := c.buyers[buyer].TopUp(ctx, req)
		return output{available: int16(b.Available), held: int16(b.Held)}, err
	}}
}

func (c *client) addKeys(shop, n int) action {
	var certificates []servicetest.Certificate
	for range n {
		binary, fingerprint := c.key()
		certificates = append(certificates, servicetest.Certificate{Binary: binary, Fingerprint: fingerprint})
	}
	op := c.history.number()
	in := input{kind: addKeys, op: op, shop: shop}
	c.cast.mu.Lock()
	for _, certificate := range certificates {
		c.keys[certificate.Fingerprint] = int8(len(c.keys))
		in.keys |= 1 << c.keys[certificate.Fingerprint]
	}
	c.cast.mu.Unlock()
	upload := c.shops[shop].upload(c.newID(), c.now(), certificates...)
	return action{in, func(ctx context.Context) (output, error) {
		p, err := c.shops[shop].AddKeys(ctx, upload)
		return output{free: int8(p.Free)}, err
	}}
}

func (c *client) keyNumber(fingerprint string) int8 {
	c.cast.mu.Lock()
	defer c.cast.mu.Unlock()
	number, ok := c.keys[fingerprint]
	if !ok {
		return -1
	}
	return number
}

func (c *client) buy(buyer, shop int) action {
	certificate, proof := c.signer()
	to, quote, now := c.shops[shop], c.quotes[buyer][shop], c.now()
	b := &saleOf{buyer: buyer, shop: shop,
		req: escrow.BuyRequest{ID: escrow.BondID(c.newID()), Quote: quote, Verification: certificate, Reply: certificate}}
	b.arrival = escrow.Arrival{Proof: proof, Statement: to.statement(b.req.ID, quote, escrow.EventArrived, proof.Hash(), now)}
	b.gone = to.statement(b.req.ID, quote, escrow.EventWithdrawn, "", now)
	c.history.mu.Lock()
	b.number = len(c.bonds)
	c.bonds = append(c.bonds, b)
	c.history.mu.Unlock()
	return action{input{kind: buy, buyer: buyer, shop: shop, bond: b.number}, func(ctx context.Context) (output, error) {
		p, err := c.buyers[buyer].Buy(ctx, b.req)
		return output{state: p.Bond.State, key: c.keyNumber(p.Bond.KeyFingerprint)}, err
	}}
}

// onBond does that to one of the client's newest bonds, bought or not yet.
func (c *client) onBond(what kind) (action, bool) {
	c.history.mu.Lock()
	var own []*saleOf
	for _, b := range c.bonds {
		if c.number < 3 && b.buyer == max(0, c.number-1) || c.number >= 3 && b.shop == max(0, c.number-4) {
			own = append(own, b)
		}
	}
	c.history.mu.Unlock()
	if len(own) == 0 {
		return action{}, false
	}
	own = own[max(0, len(own)-3):]
	b := own[c.random.IntN(len(own))]
	from, to, id := c.buyers[b.buyer], c.shops[b.shop], b.req.ID
	in := input{kind: what, bond: b.number, sender: c.number < 3}
	outcome := func(o escrow.Outcome, err error) (output, error) { return output{state: o.Bond.State}, err }
	switch what {
	case view:
		who := to
		if in.sender {
			who = from
		}
		return action{in, func(ctx context.Context) (output, error) {
			v, err := who.Bond(ctx, id)
			return output{state: v.State, key: c.keyNumber(v.KeyFingerprint)}, err
		}}, true
	case withdraw:
		return action{in, func(ctx context.Context) (output, error) {
			v, err := from.AskWithdraw(ctx, id)
			return output{state: v.State}, err
		}}, true
	case arrive:
		return action{in, func(ctx context.Context) (output, error) { return outcome(to.Arrive(ctx, id, b.arrival)) }}, true
	case destroyed:
		return action{in, func(ctx context.Context) (output, error) { return outcome(to.Destroyed(ctx, id, b.gone)) }}, true
	}
	in.verdict = []escrow.Verdict{escrow.Accept, escrow.Reject, escrow.Reject, escrow.Undo}[c.random.IntN(4)]
	in.n = int8(b.decisions.Add(1))
	signed := to.decision(id, b.req.Quote, in.verdict, int64(in.n), c.now())
	return action{in, func(ctx context.Context) (output, error) { return outcome(to.Decide(ctx, id, in.verdict, signed)) }}, true
}
