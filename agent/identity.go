package agent

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ed25519"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// identityItem is where an account's identity is in the keyring; firstItem is where
// its first one is, which stays as long as the account: it blinds what is stored.
func identityItem(s store.Account) string { return cmp.Or(s.Safety.Item, firstItem(s.ID)) }

func firstItem(id string) string { return id + "/identity" }

// accountID is the account's id at its escrow: the key-id of its first key.
func accountID(s store.Account) escrow.KeyID { return cmp.Or(s.Safety.Account, s.Identity.ID()) }

// identityItems are all of its places in the keyring, that of one to come included.
func identityItems(s store.Account) []string {
	items := []string{firstItem(s.ID), identityItem(s)}
	for _, former := range s.Safety.Former {
		items = append(items, former.Item)
	}
	if s.Safety.Rotation != nil {
		items = append(items, s.Safety.Rotation.Item)
	}
	return items
}

// identified says in an offer whose it is, and of which identities it follows.
func identified(offer escrow.Offer, s store.Account, now time.Time) escrow.Offer {
	offer.Address, offer.Identity, offer.Made = s.Address, s.Identity, now.UTC()
	offer.Follows, offer.Recovery = s.Safety.Follows, s.Safety.Recovery
	return offer
}

func publicOf(signer crypto.Signer) escrow.PublicKey {
	return escrow.PublicKey(signer.Public().(ed25519.PublicKey))
}

// loadFormer loads the identities that were replaced. One that cannot be loaded is
// missed where it is needed.
func (a *account) loadFormer(ctx context.Context, settings store.Account) error {
	a.former = map[escrow.KeyID]crypto.Signer{}
	for _, former := range settings.Safety.Former {
		signer, err := a.Keyring.Signer(ctx, former.Item)
		if err != nil {
			a.Log.Error("an identity of before could not be loaded", "err", err)
			continue
		}
		a.former[former.Key.ID()] = signer
	}
	if a.blinder = a.signer; identityItem(settings) == firstItem(settings.ID) {
		return nil
	}
	first, err := a.Keyring.Signer(ctx, firstItem(settings.ID))
	if err == nil {
		a.blinder = first
	}
	return err
}

// quoted is the identity in the offer that a bond was bought on.
func quoted(quote escrow.Signed) escrow.PublicKey {
	var q escrow.Quote
	var offer escrow.Offer
	if escrow.Peek(quote, &q) != nil || escrow.Peek(q.Offer, &offer) != nil {
		return nil
	}
	return offer.Identity
}

// signerOf is the key with which is signed what is said about a bond: the identity
// of its quote, whoever has the account now. Nil: it was lost with another machine.
func (a *account) signerOf(quote escrow.Signed) crypto.Signer {
	id := quoted(quote).ID()
	if id == publicOf(a.signer).ID() {
		return a.signer
	}
	return a.former[id]
}

// signOf signs what is said about a bond.
func (a *account) signOf(quote escrow.Signed, kind escrow.Kind, statement any) (escrow.Signed, error) {
	signer := a.signerOf(quote)
	if signer == nil {
		return "", agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("identity.lost", "This mail was paid for before the account was recovered, and the key that could decide it was lost with the other machine."),
			agentclient.Say("identity.lost-means", "Nothing was changed. Its money goes back to the sender at the deadline."), nil)
	}
	return escrow.Sign(signer, kind, statement)
}

// ours reports whether the identity is or was this account's, as far as known here.
func (a *account) ours(identity escrow.PublicKey) bool {
	id, s := identity.ID(), a.get()
	if id == s.Identity.ID() {
		return true
	}
	for _, former := range s.Safety.Former {
		if former.Key.ID() == id {
			return true
		}
	}
	return false
}

// lostBefore reports a bond whose keys were lost with another machine.
func (a *account) lostBefore(view escrow.BondView) bool {
	recovered := a.get().Safety.RecoveredAt
	return !recovered.IsZero() && view.BoughtAt.Before(recovered) && !a.ours(quoted(view.Quote))
}

// keyCounts notes whether the escrow takes the account's key. Another may have the
// account: by a rotation that was ordered elsewhere, or by a recovery.
func (a *account) keyCounts(err error) {
	code := escrow.CodeOf(err)
	if err != nil && code != escrow.Unauthorized {
		return
	}
	a.mu.Lock()
	gone := code == escrow.Unauthorized && a.settings.Safety.Rotation == nil
	changed := a.keyGone != gone
	a.keyGone = gone
	a.mu.Unlock()
	if !changed {
		return
	}
	if gone {
		a.Log.Error("the escrow does not take the account's key any more: another key has the account")
		wake(a.wakeKeys)
	}
	a.tell(agentclient.EventStatus, a.id, "safety")
}

func (a *account) keyIsGone() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keyGone
}

func sayKeyGone(s store.Account) agentclient.Said {
	return agentclient.Say("identity.gone", "Another key has the account of {Address} at {Escrow}: this machine can buy, decide and price nothing.", "Address", s.Address, "Escrow", s.Info.Name).And(
		agentclient.Say("identity.gone-do", "If that was not you, take it back with the recovery key: earnest account remove {Address} --force, then earnest account recover {Address}. If you recovered it on another machine, remove it here.", "Address", s.Address))
}
