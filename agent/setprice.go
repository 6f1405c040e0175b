package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// SetPrice changes what strangers pay to write to an own address, and what becomes
// of their money. What the request leaves empty stays as it is.
func (a *Agent) SetPrice(ctx context.Context, req agentclient.SetPrice) (agentclient.Price, error) {
	acct, err := a.byAddress(req.Address)
	if err != nil {
		return agentclient.Price{}, err
	}
	acct.pricing.Lock() // what the request leaves empty is read, and written again
	defer acct.pricing.Unlock()
	if err := acct.mayBeAnswered(req); err != nil {
		return agentclient.Price{}, err
	}
	if !onlyAnswers(req) {
		if err := acct.setOffer(ctx, req); err != nil {
			return agentclient.Price{}, err
		}
	}
	if err := acct.setAnswers(ctx, req); err != nil {
		return agentclient.Price{}, err
	}
	wake(acct.wakePool)
	a.tell(agentclient.EventPrice, acct.id, "")
	return acct.ownPrice(ctx)
}

// setOffer changes the offer, and what an accept grants.
func (a *account) setOffer(ctx context.Context, req agentclient.SetPrice) error {
	offer, err := a.newOffer(req)
	if err != nil {
		return err
	}
	freeAfter, err := newFreeAfter(a.get().FreeAfter, req.FreeAfter)
	if err != nil {
		return err
	}
	signed := a.get().Offer
	if ownAffair(req) && signed != "" {
		// The escrow has no part in it, so it need not answer.
		return a.change(ctx, "price.free", func(tx *store.Tx, s *store.Account) error {
			s.FreeAfter = freeAfter
			_, err := a.notePrice(tx, *s, *s)
			return err
		})
	}
	if signed, err = escrow.Sign(a.signer, escrow.KindOffer, offer); err != nil {
		return err
	}
	if _, err := escrow.VerifyOffer(signed); err != nil {
		return err
	}
	return a.publish(ctx, signed, &freeAfter)
}

// ownAffair reports a change of which strangers and the escrow see nothing.
func ownAffair(req agentclient.SetPrice) bool {
	return req.FreeAfter != "" && len(req.Options) == 0 && unpriced(req)
}

// unpriced reports that a request leaves everything of the offer as it is, but
// perhaps its options.
func unpriced(req agentclient.SetPrice) bool {
	return req.Beneficiary == "" && req.TellRead == nil && req.Public == nil && req.DecideWithin == 0
}

// newOffer is the offer as it is with the changes that the request asks for.
func (a *account) newOffer(req agentclient.SetPrice) (offer escrow.Offer, err error) {
	settings := a.get()
	offer = escrow.Offer{TellRead: true, Beneficiary: settings.Info.Beneficiaries[0].ID}
	if settings.Offer != "" {
		if offer, err = escrow.VerifyOffer(settings.Offer); err != nil {
			return offer, err
		}
	}
	offer = identified(offer, settings, a.Now())
	if req.TellRead != nil {
		offer.TellRead = *req.TellRead
	}
	if req.Public != nil {
		offer.Public = *req.Public
	}
	if err := setOptions(&offer, settings.Info, req.Options); err != nil {
		return offer, err
	}
	if err := setBeneficiary(&offer, settings.Info, req.Beneficiary); err != nil {
		return offer, err
	}
	return offer, setDecide(&offer, settings.Info.Terms, req.DecideWithin)
}

func setOptions(offer *escrow.Offer, info escrow.Info, options []string) error {
	example := agentclient.Say("price.example", "Write it as 0.25, or in full: ESCROW/1 {Currency} 0.25", "Currency", info.Currencies[0].Name)
	if len(options) == 0 && len(offer.Options) == 0 {
		return wrongPrice("options", agentclient.Say("price.no-amount", "A price needs an amount, and none is set yet."), example)
	}
	if len(options) > 0 {
		offer.Options = nil
	}
	for _, text := range options {
		option, err := payment.ParseOption(text, info.Currencies)
		if err == nil && option.System != payment.SystemEscrow {
			err = fmt.Errorf("%s is not a system that this escrow can hold", option.System)
		}
		if err != nil {
			return wrongPrice("options", agentclient.Say("price.cannot", "That price cannot be set: {Why}.", "Why", err), example)
		}
		offer.Options = append(offer.Options, option)
	}
	return nil
}

// setBeneficiary chooses who gets forfeits. Whoever the escrow has taken off its
// list is never replaced by another without a word.
func setBeneficiary(offer *escrow.Offer, info escrow.Info, id string) error {
	happened := agentclient.Say("price.no-beneficiary", "Nobody on the escrow's list has the id {ID}.", "ID", fmt.Sprintf("%.80q", id))
	if id == "" {
		id = string(offer.Beneficiary)
		happened = agentclient.Say("price.beneficiary-gone", "{ID}, who got your forfeits, is no longer on the escrow's list.", "ID", fmt.Sprintf("%.80q", id))
	}
	var known []string
	for _, b := range info.Beneficiaries {
		if string(b.ID) == id {
			offer.Beneficiary = b.ID
			return nil
		}
		known = append(known, string(b.ID)+" ("+b.Name+")")
	}
	return wrongPrice("beneficiary", happened, agentclient.Say("price.choose", "Choose one of these: {List}", "List", strings.Join(known, ", ")))
}

// setDecide sets the decision deadline. The escrow's own is none of the offer's: it
// may become shorter some day.
func setDecide(offer *escrow.Offer, terms escrow.Terms, within int64) error {
	wanted := escrow.Seconds(within)
	switch {
	case wanted == 0 && offer.DecideWithin >= terms.Decide, wanted == terms.Decide:
		offer.DecideWithin = 0
	case wanted == 0:
	case wanted < escrow.MinDecide || wanted > terms.Decide:
		return wrongPrice("decideWithin", agentclient.Say("price.no-time", "That is no time in which you can decide."),
			agentclient.Say("price.times", "It can be from an hour to {Span}, which is the escrow's own.", "Span", terms.Decide.Duration()))
	default:
		offer.DecideWithin = wanted
	}
	return nil
}

func newFreeAfter(before string, wanted agentclient.Free) (string, error) {
	_, always, ok := wanted.Count()
	switch {
	case wanted == agentclient.FreePolicy:
		return before, nil
	case !ok:
		return "", wrongPrice("freeAfter", agentclient.Say("price.no-free", "{Typed} is no number of free mails.", "Typed", fmt.Sprintf("%.80q", string(wanted))),
			agentclient.Say("price.free-like", "Write always, or a number from 0 to {Most}.", "Most", agentclient.MaxFree))
	case always:
		return "", nil
	}
	return string(wanted), nil
}

func wrongPrice(field string, happened, do agentclient.Said) error {
	return agentclient.Refuse(agentclient.CodeUsage, happened, agentclient.Say("price.as-it-was", "The price is as it was."), do).At(field)
}

// publish stores the offer before it is sent: what strangers can see, the agent
// knows. If the escrow refuses it, the price is as it was. Without freeAfter it is
// an offer that is stored already.
func (a *account) publish(ctx context.Context, signed escrow.Signed, freeAfter *string) error {
	var before store.Account
	var noted string
	err := a.change(ctx, "price", func(tx *store.Tx, s *store.Account) (err error) {
		before = *s
		s.Offer, s.Published = signed, false
		if freeAfter != nil {
			s.FreeAfter = *freeAfter
			noted, err = a.notePrice(tx, before, *s)
		}
		return err
	})
	if err != nil {
		return err
	}
	refused := a.service.PublishOffer(ctx, signed)
	stored := a.change(ctx, "price.published", func(tx *store.Tx, s *store.Account) error {
		if s.Published = true; refused == nil {
			return nil
		}
		s.Offer, s.Published = before.Offer, !errors.Is(refused, escrow.Unavailable)
		if freeAfter != nil {
			s.FreeAfter = before.FreeAfter
		}
		return store.Delete[store.PriceChange](tx, noted)
	})
	return errors.Join(refused, stored)
}

// publishAgain gives the escrow the offer that a crash or an outage kept from it.
func (a *account) publishAgain(ctx context.Context) error {
	a.pricing.Lock()
	defer a.pricing.Unlock()
	if settings := a.get(); !settings.Published {
		return a.publish(ctx, settings.Offer, nil)
	}
	return nil
}
