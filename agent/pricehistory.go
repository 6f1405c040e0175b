package agent

import (
	"context"
	"slices"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// notePrice keeps a new price in the history, and before the first also the one
// that was set when there was no history yet. It returns the id of the new one.
func (a *account) notePrice(tx *store.Tx, before, after store.Account) (string, error) {
	known, err := store.List[store.PriceChange](tx, a.id)
	if err != nil {
		return "", err
	}
	if len(known) == 0 && before.Offer != "" && (before.Offer != after.Offer || before.FreeAfter != after.FreeAfter) {
		if err := store.Put(tx, a.firstPrice(before)); err != nil {
			return "", err
		}
	}
	change := store.PriceChange{ID: newID(), Account: a.id, Number: a.Now().UnixMilli(), Offer: after.Offer, FreeAfter: after.FreeAfter}
	return change.ID, store.Put(tx, change)
}

// firstPrice is the price as it stands, from the time on when it was signed.
func (a *account) firstPrice(s store.Account) store.PriceChange {
	var offer escrow.Offer
	_ = escrow.Peek(s.Offer, &offer) // it is our own
	return store.PriceChange{ID: newID(), Account: a.id, Number: offer.Made.UnixMilli(), Offer: s.Offer, FreeAfter: s.FreeAfter}
}

// PriceHistory lists the prices of an own address, or of all, the newest first.
func (a *Agent) PriceHistory(ctx context.Context, address string) ([]agentclient.PriceChange, error) {
	accounts, err := a.named(address)
	if err != nil {
		return nil, err
	}
	list := []agentclient.PriceChange{}
	for _, acct := range accounts {
		changes, err := acct.priceHistory(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, changes...)
	}
	slices.SortStableFunc(list, func(x, y agentclient.PriceChange) int { return y.Time.Compare(x.Time) })
	return list, nil
}

// priceHistory is that of one account, the newest first.
func (a *account) priceHistory(ctx context.Context) ([]agentclient.PriceChange, error) {
	var changes []store.PriceChange
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		changes, err = store.List[store.PriceChange](tx, a.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if settings := a.get(); len(changes) == 0 && settings.Offer != "" {
		changes = []store.PriceChange{a.firstPrice(settings)}
	}
	list := make([]agentclient.PriceChange, 0, len(changes))
	for _, change := range slices.Backward(changes) {
		offer, err := escrow.VerifyOffer(change.Offer)
		if err != nil {
			return nil, err
		}
		price := a.viewOffer(offer)
		price.FreeAfter = freeAfter(change.FreeAfter)
		list = append(list, agentclient.PriceChange{Time: time.UnixMilli(change.Number).UTC(), Price: price})
	}
	return list, nil
}

// ownPrice is what strangers see of the account, and what it sets besides.
func (a *account) ownPrice(ctx context.Context) (agentclient.Price, error) {
	settings := a.get()
	terms := settings.Info.Terms
	price := agentclient.Price{Address: string(a.address), Identity: string(settings.Identity.ID()),
		DecideWithin: int64(terms.Decide), DeliverWithin: int64(terms.Deliver), DecideMost: int64(terms.Decide)}
	if settings.Offer != "" {
		offer, err := escrow.VerifyOffer(settings.Offer)
		if err != nil {
			return agentclient.Price{}, err
		}
		price = a.viewOffer(offer)
	}
	price.FreeAfter = freeAfter(settings.FreeAfter)
	for _, b := range settings.Info.Beneficiaries {
		price.Beneficiaries = append(price.Beneficiaries, agentclient.Beneficiary{ID: string(b.ID), Name: b.Name})
	}
	return a.withAnswers(ctx, price)
}

func freeAfter(stored string) agentclient.Free {
	if stored == "" {
		return agentclient.FreeAlways
	}
	return agentclient.Free(stored)
}
