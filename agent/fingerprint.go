package agent

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// otherIdentity is the alarm: it says both fingerprints in full, and that only the
// person can tell whether the new one is right.
func (a *account) otherIdentity(pin store.Pin, offer escrow.Offer) error {
	do := agentclient.Say("price.ask-fingerprint", "Ask the person, by another way, for the fingerprint on the card. If it is the new one, accept it with: earnest price accept-fingerprint {Address} FINGERPRINT", "Address", pin.Address)
	if len(a.each()) > 1 {
		do = agentclient.Say("price.ask-fingerprint-of", "Ask the person, by another way, for the fingerprint on the card. If it is the new one, accept it with: earnest price accept-fingerprint {Address} FINGERPRINT --account {Account}", "Address", pin.Address, "Account", a.address)
	}
	return agentclient.Refuse(agentclient.CodeIdentity,
		agentclient.Say("price.other-identity", "The escrow shows another identity for {Address} than before: its fingerprint was {Known}, and is {Shown}.",
			"Address", pin.Address, "Known", pin.Identity.ID(), "Shown", offer.Identity.ID()),
		agentclient.Say("price.taking-place", "Somebody may be taking its place, or the person has lost a machine and began anew. Nothing was paid or sent."), do)
}

// Fingerprints tells by which identity an account knows an address, and which one the
// escrow shows.
func (a *Agent) Fingerprints(ctx context.Context, account, address string) (agentclient.Fingerprints, error) {
	acct, wanted, err := a.ofWhom(account, address)
	if err != nil {
		return agentclient.Fingerprints{}, err
	}
	offer, err := acct.lookUp(ctx, wanted)
	if failure, told := errors.AsType[*agentclient.Failure](err); err != nil && (!told || failure.Code != agentclient.CodeIdentity) {
		return agentclient.Fingerprints{}, err
	}
	return acct.viewFingerprints(ctx, offer)
}

func (a *Agent) ofWhom(account, address string) (*account, escrow.Address, error) {
	acct, err := a.byAddress(account)
	if err != nil {
		return nil, "", err
	}
	wanted, err := typedAddress(address)
	return acct, wanted, err
}

// AcceptFingerprint has an account know an address by another identity. What the
// person gives is held against what the escrow shows at this moment, so that nothing
// is accepted that the person has not seen, and nothing by a mere yes.
func (a *Agent) AcceptFingerprint(ctx context.Context, req agentclient.AcceptFingerprint) (agentclient.Fingerprints, error) {
	acct, wanted, err := a.ofWhom(req.Account, req.Address)
	if err != nil {
		return agentclient.Fingerprints{}, err
	}
	given, err := typedFingerprint(req.Fingerprint, wanted)
	if err != nil {
		return agentclient.Fingerprints{}, err
	}
	signed, err := acct.service.Offer(ctx, wanted)
	if err != nil {
		return agentclient.Fingerprints{}, err
	}
	offer, err := openOffer(signed, wanted)
	if err != nil {
		return agentclient.Fingerprints{}, err
	}
	if shown := offer.Identity.ID(); shown != given {
		return agentclient.Fingerprints{}, agentclient.Refuse(agentclient.CodeIdentity,
			agentclient.Say("fingerprint.other", "That is not the fingerprint that the escrow shows for {Address}: it shows {Shown}.", "Address", wanted, "Shown", shown),
			agentclient.Say("fingerprint.other-means", "Nothing was accepted, paid or sent. If the person gave you the other one, somebody may be taking their place."),
			agentclient.Say("fingerprint.other-do", "Compare it letter by letter with what the person says, not with what stands here.")).At(agentclient.FieldFingerprint)
	}
	if err := acct.accept(ctx, offer); err != nil {
		return agentclient.Fingerprints{}, err
	}
	a.Log.Warn("a fingerprint was accepted by hand")
	a.tell(agentclient.EventPrice, string(wanted), "")
	return acct.viewFingerprints(ctx, offer)
}

// mostBefore is how many former identities of an address are kept.
const mostBefore = 8

// accept notes the identity of an offer as known, and what it takes the place of.
func (a *account) accept(ctx context.Context, offer escrow.Offer) error {
	id, err := a.blind(offer.Address)
	if err != nil {
		return err
	}
	return a.Store.Update(ctx, "pin.accept", func(tx *store.Tx) error {
		pin, known, err := store.Get[store.Pin](tx, id)
		switch {
		case err != nil:
			return err
		case !known:
			pin = store.Pin{ID: id, Address: offer.Address, Seen: a.Now()}
		case pin.Identity.ID() != offer.Identity.ID():
			pin.Before = slices.Insert(pin.Before, 0, store.FormerIdentity{Identity: pin.Identity.ID(), Until: a.Now()})
			pin.Before = pin.Before[:min(len(pin.Before), mostBefore)]
		case !pin.AcceptedAt.IsZero():
			return nil
		}
		pin.AcceptedAt = a.Now()
		// An older offer of the same identity, shown anew, must not bring back a
		// recovery key that was given up.
		if pin.Identity.ID() != offer.Identity.ID() || !offer.Made.Before(pin.Made) {
			pin.Identity, pin.Recovery, pin.Made = offer.Identity, offer.Recovery, offer.Made
		}
		return store.Put(tx, pin)
	})
}

func (a *account) viewFingerprints(ctx context.Context, offer escrow.Offer) (agentclient.Fingerprints, error) {
	view := agentclient.Fingerprints{Account: string(a.address), Address: string(offer.Address), Escrow: a.get().Info.Name, Shown: string(offer.Identity.ID())}
	id, err := a.blind(offer.Address)
	if err != nil {
		return view, err
	}
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		pin, _, err := store.Get[store.Pin](tx, id)
		if err != nil {
			return err
		}
		view.Known, view.Seen, view.AcceptedAt = string(pin.Identity.ID()), pin.Seen, pin.AcceptedAt
		for _, former := range pin.Before {
			view.Before = append(view.Before, agentclient.FormerFingerprint{Fingerprint: string(former.Identity), Until: former.Until})
		}
		_, view.Connected, err = store.Get[store.Connection](tx, id)
		return err
	})
	return view, err
}

// typedFingerprint reads a fingerprint as a person gives it: by itself, or the card of
// that address.
func typedFingerprint(typed string, address escrow.Address) (escrow.KeyID, error) {
	text := strings.Join(strings.Fields(typed), "")
	if rest, card := strings.CutPrefix(text, "earnest:"); card {
		who, query, _ := strings.Cut(rest, "?")
		plain, err := url.PathUnescape(who)
		on, unread := escrow.ParseAddress(plain)
		values, malformed := url.ParseQuery(query)
		if errors.Join(err, unread, malformed) != nil || on != address {
			return "", notWhole(agentclient.Say("fingerprint.card", "That is not the card of {Address}.", "Address", address))
		}
		text = values.Get("fp")
	}
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(text); err != nil || len(raw) != 32 {
		return "", notWhole(agentclient.Say("fingerprint.none", "That is no fingerprint."))
	}
	return escrow.KeyID(text), nil
}

func notWhole(happened agentclient.Said) error {
	return agentclient.Refuse(agentclient.CodeUsage, happened, agentclient.Say("nothing.changed", "Nothing was changed."),
		agentclient.Say("fingerprint.whole", "Give the whole fingerprint on the card: 43 letters, digits, - and _.")).At(agentclient.FieldFingerprint)
}
