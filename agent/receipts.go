package agent

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
)

func (a *account) receiptKey() ed25519.PublicKey { return ed25519.PublicKey(a.get().ReceiptKey) }

// wantChain notes, with the ending of a bond, that its receipts must be fetched:
// a crash or an outage between the two does not hide an ending that they do not
// prove.
func (a *account) wantChain(tx *store.Tx, view escrow.BondView) error {
	chain, _, err := store.Get[store.Chain](tx, store.BondID(a.id, view.ID))
	if err != nil {
		return err
	}
	chain.Bond, chain.Account, chain.Quote, chain.Wanted = view.ID, a.id, view.Quote, true
	return store.Put(tx, chain)
}

// followChains fetches the receipts that are wanted.
func (a *account) followChains(ctx context.Context) error {
	for {
		a.fetchChains(ctx)
		if !sleep(ctx, a.wakeChains, 30*time.Second) {
			return nil
		}
	}
}

func (a *account) fetchChains(ctx context.Context) {
	var wanted []store.Chain
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		wanted, err = store.List[store.Chain](tx, store.ChainWanted)
		return err
	})
	for _, chain := range wanted {
		if chain.Account != a.id {
			continue
		}
		if failed := a.keepChain(ctx, chain.Bond); failed != nil {
			err = failed
			if errors.Is(err, escrow.Unavailable) {
				break // so would the others
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		a.Log.Warn("receipts could not be fetched yet", "code", escrow.CodeOf(err))
	}
}

// keepChain fetches a bond's receipts and stores them with what is wrong with
// them, so that they can be checked without the escrow. If the bond has changed
// meanwhile they may not show it, and are fetched again: its states are few.
func (a *account) keepChain(ctx context.Context, bond escrow.BondID) error {
	for {
		current, err := a.keepChainOnce(ctx, bond)
		if current || err != nil {
			return err
		}
	}
}

func (a *account) keepChainOnce(ctx context.Context, bond escrow.BondID) (current bool, err error) {
	var asked store.Bond
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		asked, _, err = store.Get[store.Bond](tx, store.BondID(a.id, bond))
		return err
	})
	if err != nil {
		return false, err
	}
	receipts, err := a.service.Receipts(ctx, bond)
	if err != nil {
		return false, err
	}
	current = true
	err = a.Store.Update(ctx, "receipts", func(tx *store.Tx) error {
		b, ok, err := store.Get[store.Bond](tx, store.BondID(a.id, bond))
		if err != nil || !ok {
			return err
		}
		if b.State != asked.State || !b.LateAcceptedAt.Equal(asked.LateAcceptedAt) {
			current = false
			return nil
		}
		chain := store.Chain{Bond: bond, Account: a.id, Quote: b.Quote, Receipts: receipts}
		unproven, err := a.checkChain(tx, b.BondView, chain)
		if err != nil {
			return err
		}
		if unproven != nil {
			chain.Fault = unproven.Error()
			a.Log.Error("the receipts of a bond do not verify", "bond", bond)
		} else if err := a.learnFree(tx, b.BondView, receipts); err != nil {
			return err
		}
		return store.Put(tx, chain)
	})
	return current, err
}

// checkChain says what the receipts fail to prove of a bond. They may verify by
// themselves and yet not prove the ending that the escrow shows; and a quote that
// is not the one bought would name another recipient, whose decision anybody
// could have signed.
func (a *account) checkChain(tx *store.Tx, bond escrow.BondView, chain store.Chain) (unproven, err error) {
	verified, unproven := escrow.VerifyMoved(chain.Quote, chain.Receipts, a.receiptKey(), bond.Outages)
	if unproven != nil {
		return unproven, nil
	}
	ours := true
	if bond.Role == escrow.RoleSender {
		sent, ok, err := store.Get[store.Sent](tx, string(bond.ID))
		if err != nil {
			return nil, err
		}
		ours = !ok || sent.Buy.Quote == chain.Quote
	} else {
		offer, err := escrow.VerifyOffer(verified.Quote.Offer)
		ours = err == nil && (a.ours(offer.Identity) || a.lostBefore(bond))
	}
	ending := map[escrow.State]escrow.Money{escrow.Rejected: escrow.MoneyForfeit, escrow.Accepted: escrow.MoneyRefunded,
		escrow.Expired: escrow.MoneyRefunded, escrow.Withdrawn: escrow.MoneyRefunded}[bond.State]
	switch {
	case !ours:
		return escrow.Errorf(escrow.Invalid, "the quote is not the one that was bought"), nil
	case verified.Receipts[0].Bond != bond.ID:
		return escrow.Errorf(escrow.Invalid, "they belong to another bond"), nil
	case ending != escrow.MoneyStays && verified.Money != ending:
		return escrow.Errorf(escrow.Invalid, "the escrow says that the bond is %s and has shown no receipt of it", bond.State), nil
	}
	return nil, nil
}

// Receipts returns a bond's receipts with what they prove. It asks the escrow
// for the newest, and answers from what is kept where it does not answer.
func (a *Agent) Receipts(ctx context.Context, id string) (agentclient.Receipts, error) {
	bond, err := a.bondOf(ctx, id)
	if err != nil {
		return agentclient.Receipts{}, err
	}
	acct := a.byID(bond.Account)
	if acct == nil {
		return agentclient.Receipts{}, noAccount()
	}
	fetched := acct.keepChain(ctx, bond.ID)
	var chain store.Chain
	var kept bool
	var unproven error
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		chain, kept, err = store.Get[store.Chain](tx, store.BondID(acct.id, bond.ID))
		if err != nil {
			return err
		}
		if bond, _, err = store.Get[store.Bond](tx, store.BondID(acct.id, bond.ID)); err != nil {
			return err
		}
		unproven, err = acct.checkChain(tx, bond.BondView, chain)
		return err
	})
	if err != nil {
		return agentclient.Receipts{}, err
	}
	if !kept || chain.Receipts == nil {
		return agentclient.Receipts{}, fetched
	}
	key, _ := escrow.PublicKey(acct.receiptKey()).MarshalText()
	out := agentclient.Receipts{Bond: string(bond.ID), Quote: string(chain.Quote), ReceiptKey: string(key), KeyPinned: true,
		Steps: viewSteps(chain.Receipts)}
	for _, signed := range chain.Receipts {
		out.Receipts = append(out.Receipts, string(signed))
	}
	for _, signed := range bond.Outages {
		out.Outages = append(out.Outages, string(signed))
	}
	if out.Verified = unproven == nil; unproven != nil {
		out.SayFault = saidFault(unproven.Error())
		out.Fault = out.SayFault.String()
	}
	return out, nil
}

// bondOf finds a bond by its id, by its mail's or by its sent mail's.
func (a *Agent) bondOf(ctx context.Context, id string) (bond store.Bond, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		m, isMail, err := store.Get[store.Mail](tx, id)
		if err != nil {
			return err
		}
		wanted := escrow.BondID(id)
		sent, _, err := store.Get[store.Sent](tx, id)
		if err != nil {
			return err
		}
		if m.Connection != "" || sent.Connection != "" {
			return wrongState(agentclient.Say("receipts.free", "This mail went free, over a connection: there is no bond, and so there are no receipts."),
				agentclient.Say("people.see-free", "See who writes free with: earnest people"))
		}
		if isMail {
			wanted = m.Bond
		}
		for _, acct := range a.each() {
			if isMail && acct.id != m.Account {
				continue
			}
			var ok bool
			if bond, ok, err = store.Get[store.Bond](tx, store.BondID(acct.id, wanted)); ok || err != nil {
				return err
			}
		}
		return noMail(true)
	})
	return bond, err
}

// checkReply compares the reply certificate that the escrow releases with the
// fingerprint that the mail itself carries. Another one is refused: it is not
// kept, and the mail says so.
func (a *account) checkReply(tx *store.Tx, view *escrow.BondView) error {
	m, ok, err := a.mailOf(tx, view.ID)
	if err != nil || !ok || m.Reply == "" {
		return err
	}
	certificate, err := openpgp.ParseCertificate(view.Reply)
	if err == nil && certificate.Fingerprint == m.Reply {
		return nil
	}
	view.Reply = nil
	m.Error = agentclient.Say("mail.other-reply", "The escrow released another reply certificate than the one that the mail names. It was refused and is not used: do not write to this sender in confidence.")
	return store.Put(tx, m)
}
