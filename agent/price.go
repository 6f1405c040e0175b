package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// Price is what it costs to write to the address; an empty address or one of our
// own asks for what strangers see.
func (a *Agent) Price(ctx context.Context, address string) (agentclient.Price, error) {
	acct, err := a.byAddress(address)
	if err == nil {
		return acct.ownPrice(ctx)
	}
	if address == "" {
		return agentclient.Price{}, err
	}
	wanted, err := typedAddress(address)
	if err != nil {
		return agentclient.Price{}, err
	}
	// A stranger's price is asked for at each escrow that we know.
	lookup := noAccount()
	var price agentclient.Price
	for _, acct := range a.each() {
		var offer escrow.Offer
		if offer, lookup = acct.lookUp(ctx, wanted); lookup == nil {
			price = acct.viewOffer(offer)
			break
		}
	}
	return a.knownPrice(ctx, wanted, price, lookup)
}

// lookUp fetches an offer, checks its signature, and holds its identity against
// the one under which the address was first seen.
func (a *account) lookUp(ctx context.Context, address escrow.Address) (escrow.Offer, error) {
	signed, err := a.service.Offer(ctx, address)
	if err != nil {
		return escrow.Offer{}, err
	}
	return a.checkOffer(ctx, signed, address)
}

// openOffer checks that it is an offer, and of that address.
func openOffer(signed escrow.Signed, address escrow.Address) (escrow.Offer, error) {
	offer, err := escrow.VerifyOffer(signed)
	if err != nil {
		return escrow.Offer{}, fmt.Errorf("the escrow's offer: %w", err)
	}
	if offer.Address != address {
		return escrow.Offer{}, escrow.Errorf(escrow.Invalid, "the escrow answered for another address")
	}
	return offer, nil
}

// checkOffer returns the offer also where its identity is not the one that is known.
func (a *account) checkOffer(ctx context.Context, signed escrow.Signed, address escrow.Address) (escrow.Offer, error) {
	offer, err := openOffer(signed, address)
	if err != nil {
		return offer, err
	}
	id, err := a.blind(address)
	if err != nil {
		return escrow.Offer{}, err
	}
	return offer, a.Store.Update(ctx, "pin", func(tx *store.Tx) error {
		pin, known, err := store.Get[store.Pin](tx, id)
		if err != nil {
			return err
		}
		switch {
		case !known:
			pin = store.Pin{ID: id, Address: address, Seen: a.Now()}
		case pin.Identity.ID() == offer.Identity.ID():
			if pin.Recovery.ID() == offer.Recovery.ID() || offer.Made.Before(pin.Made) {
				return nil // an older one says nothing new
			}
		case !offer.Succeeds(pin.Identity, pin.Recovery):
			return a.otherIdentity(pin, offer)
		default:
			pin.AcceptedAt = time.Time{}
		}
		pin.Identity, pin.Recovery, pin.Made = offer.Identity, offer.Recovery, offer.Made
		return store.Put(tx, pin)
	})
}

// Balances is the money at each escrow.
func (a *Agent) Balances(ctx context.Context) ([]agentclient.Balance, error) {
	var all []agentclient.Balance
	for _, acct := range a.each() {
		known, err := acct.service.Account(ctx)
		if err != nil {
			return nil, err
		}
		for _, b := range known.Balances {
			all = append(all, agentclient.Balance{
				Account: string(acct.address), Escrow: acct.get().Info.Name,
				Available: money(b.Currency, b.Available), Held: money(b.Currency, b.Held), ByCard: acct.takesCards(b.Currency.Name), CardHold: int64(acct.get().Info.CheckoutHold),
				LeastPayout: acct.leastPayout(b.Currency),
			})
		}
	}
	if all == nil && len(a.each()) == 0 {
		return nil, noAccount()
	}
	return all, nil
}

// TopUp redeems a voucher. The operation id is made from the code, so that
// trying again after a crash redeems it once.
func (a *Agent) TopUp(ctx context.Context, req agentclient.Redeem) ([]agentclient.Balance, error) {
	acct, err := a.byAddress(req.Account)
	if err != nil {
		return nil, err
	}
	id := escrow.Hash([]byte("top-up " + acct.id + req.Voucher))
	if _, err := acct.service.TopUp(ctx, escrow.TopUp{ID: id, Voucher: req.Voucher}); err != nil {
		return nil, err
	}
	wake(acct.wakePool)
	a.tell(agentclient.EventBalance, "", "")
	return a.Balances(ctx)
}

func (a *account) viewOffer(offer escrow.Offer) agentclient.Price {
	info := a.get().Info
	price := agentclient.Price{
		Address: string(offer.Address), Identity: string(offer.Identity.ID()), TellRead: offer.TellRead, Public: offer.Public,
		Beneficiary:  beneficiaryName(info, string(offer.Beneficiary)),
		DecideWithin: int64(info.Terms.For(offer).Decide), DeliverWithin: int64(info.Terms.Deliver),
		DecideMost: int64(info.Terms.Decide),
	}
	for i, option := range offer.Options {
		price.Options = append(price.Options, agentclient.Option{
			Index: i + 1, Instruction: option.String(), Price: a.price(option)})
	}
	return price
}

func beneficiaryName(info escrow.Info, id string) string {
	for _, b := range info.Beneficiaries {
		if string(b.ID) == id {
			return b.Name
		}
	}
	return id
}

// price is an option's amount with the unit that its currency is known by.
func (a *account) price(option payment.Option) agentclient.Money {
	m := agentclient.Money{Amount: option.Amount.Format(option.Scale), Currency: option.Currency}
	for _, currency := range a.get().Info.Currencies {
		if currency.Name == option.Currency {
			m.Unit = currency.Unit
		}
	}
	return m
}

func money(currency payment.Currency, amount payment.Amount) agentclient.Money {
	return agentclient.Money{Amount: amount.Format(currency.Scale), Currency: currency.Name, Unit: currency.Unit}
}

// quote asks what it costs to write there by the chosen option, and checks the
// answer against the pinned keys before a cent moves.
func (a *account) quote(ctx context.Context, to escrow.Address, option int) (escrow.Signed, error) {
	return a.quoteOption(ctx, to, func(offer escrow.Offer) (payment.Option, error) {
		if option < 0 || option > len(offer.Options) {
			return payment.Option{}, agentclient.Refuse(agentclient.CodeUsage,
				agentclient.Say("price.no-such-option", "{Address} offers {N} ways to pay, and {Option} is none of them.", "Address", to, "N", len(offer.Options), "Option", option),
				agentclient.Say("nothing.paid", "Nothing was paid or sent."),
				agentclient.Say("price.see", "See them with: earnest price show {Address}", "Address", to))
		}
		return offer.Options[max(option, 1)-1], nil
	})
}

func (a *account) quoteOption(ctx context.Context, to escrow.Address, choose func(escrow.Offer) (payment.Option, error)) (escrow.Signed, error) {
	offer, err := a.lookUp(ctx, to)
	if err != nil {
		return "", err
	}
	chosen, err := choose(offer)
	if err != nil {
		return "", err
	}
	signed, err := a.service.Quote(ctx, escrow.QuoteRequest{Sender: a.address, Recipient: to, Option: chosen})
	if err != nil {
		return "", err
	}
	quote, quoted, err := escrow.VerifyQuote(signed, a.receiptKey())
	if err != nil {
		return "", fmt.Errorf("the escrow's quote: %w", err)
	}
	same := quote.Sender == a.address && quote.Recipient == to && quote.Option == chosen && quoted.Identity.ID() == offer.Identity.ID()
	if !same || quote.RefundFee != 0 {
		return "", errors.Join(escrow.Errorf(escrow.Invalid, "the quote is not what was asked for"))
	}
	return signed, nil
}
