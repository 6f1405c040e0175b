package agent

import (
	"context"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/mail"
)

// Headers of the escrow's token mail.
const (
	headerClaim = "Earnest-Claim"
	headerToken = "Earnest-Token"
)

// claimAgain is how long the agent waits for a token mail before it asks for
// another: the escrow sends one an hour at most.
const claimAgain = time.Hour + time.Minute

// renewAhead is how long before a proof ends it is renewed.
const renewAhead = 14 * 24 * time.Hour

// keepAddress has the address proven, and the proof renewed in time. The agent
// reads the inbox, so nobody has to click anything.
func (a *account) keepAddress(ctx context.Context) {
	settings := a.get()
	if settings.Proven && a.Now().Before(settings.RenewBy.Add(-renewAhead)) {
		return
	}
	if settings.Claim != "" && a.Now().Before(settings.ClaimedAt.Add(claimAgain)) {
		return
	}
	nonce := newID()
	err := a.change(ctx, "claim", func(_ *store.Tx, s *store.Account) error {
		s.Claim, s.ClaimedAt = nonce, a.Now()
		return nil
	})
	if err == nil {
		err = a.service.ClaimAddress(ctx, escrow.AddressClaim{Address: settings.Typed, Nonce: nonce})
	}
	select {
	case a.claimed <- err: // a set-up waits for it
	default:
	}
	if err != nil && ctx.Err() == nil {
		a.Log.Warn("the address could not be claimed yet", "code", escrow.CodeOf(err))
		if retryLater(err) {
			// Nothing was mailed: try again with the next beat.
			_ = a.change(ctx, "claim", func(_ *store.Tx, s *store.Account) error {
				s.Claim = ""
				return nil
			})
		}
	}
}

// isClaim reports whether a mail answers a request that this agent made. Others
// are not ours, whoever sent them.
func (a *account) isClaim(nonce string) bool {
	settings := a.get()
	return nonce != "" && nonce == settings.Claim
}

// prove ends a claim with the token of the mail.
func (a *account) prove(ctx context.Context, raw []byte) error {
	header, err := mail.ReadHeader(raw)
	if err != nil {
		return nil // not what the escrow writes: leave it alone
	}
	nonce, token := header.Get(headerClaim), header.Get(headerToken)
	if !a.isClaim(nonce) || token == "" {
		return nil
	}
	account, err := a.service.ProveAddress(ctx, escrow.AddressProof{Address: a.address, Nonce: nonce, Token: token})
	if retryLater(err) {
		return err // the mailbox offers the mail again
	}
	if err != nil {
		a.Log.Warn("the escrow did not take the proof of the address", "code", escrow.CodeOf(err))
		a.claimLater(ctx, err)
		return nil
	}
	err = a.change(ctx, "prove", func(_ *store.Tx, s *store.Account) error {
		s.Proven, s.Claim = true, ""
		for _, proven := range account.Addresses {
			if proven.Address == a.address {
				s.RenewBy = proven.RenewBy
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	a.Log.Info("the address is proven")
	a.tell(agentclient.EventStatus, a.id, "proven")
	wake(a.wakePool)
	wake(a.wakeOutbox)
	return nil
}
