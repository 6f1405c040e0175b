package agent

import (
	"context"
	"crypto/ed25519"

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
	chain, _, err := store.Get[store.Chain](tx, string(view.ID))
	if err != nil {
		return err
	}
	chain.Bond, chain.Account, chain.Quote, chain.Wanted = view.ID, a.id, view.Quote, true
	return store.Put(tx, chain)
}

// fetchChains fetches the receipts that are wanted. What fails is tried again
// when the list of bonds is asked for next.
func (a *account) fetchChains(ctx context.Context) {
	var wanted []store.Chain
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		wanted, err = store.List[store.Chain](tx, store.ChainWanted)
		return err
	})
	for _, chain := range wanted {
		if err == nil && chain.Account == a.id {
			err = a.keepChain(ctx, chain.Bond)
		}
	}
	if err != nil && ctx.Err() == nil {
		a.Log.Warn("receipts could not be fetched yet", "code", escrow.CodeOf(err))
	}
}

// keepChain fetches a bond's receipts and stores them with what is wrong with
// them, so that they can be checked without the escrow.
func (a *account) keepChain(ctx context.Context, bond escrow.BondID) error {
	receipts, err := a.service.Receipts(ctx, bond)
	if err != nil {
		return err
	}
	return a.Store.Update(ctx, "receipts", func(tx *store.Tx) error {
		b, ok, err := store.Get[store.Bond](tx, string(bond))
		if err != nil || !ok {
			return err
		}
		chain := store.Chain{Bond: bond, Account: a.id, Quote: b.Quote, Receipts: receipts}
		if _, err := escrow.VerifyChain(b.Quote, receipts, a.receiptKey()); err != nil {
			chain.Fault = err.Error()
			a.Log.Error("the receipts of a bond do not verify", "bond", bond)
		}
		return store.Put(tx, chain)
	})
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
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		chain, kept, err = store.Get[store.Chain](tx, string(bond.ID))
		return err
	})
	if err != nil {
		return agentclient.Receipts{}, err
	}
	if !kept || chain.Receipts == nil {
		return agentclient.Receipts{}, fetched
	}
	key, _ := escrow.PublicKey(acct.receiptKey()).MarshalText()
	out := agentclient.Receipts{Bond: string(bond.ID), Quote: string(chain.Quote), ReceiptKey: string(key)}
	for _, signed := range chain.Receipts {
		out.Receipts = append(out.Receipts, string(signed))
		var r escrow.Receipt
		if err := escrow.Peek(signed, &r); err != nil {
			continue // VerifyChain says what is wrong
		}
		out.Steps = append(out.Steps, agentclient.Receipt{N: r.N, Event: string(r.Event), Money: string(r.Money), Time: r.Time})
	}
	_, err = escrow.VerifyChain(chain.Quote, chain.Receipts, acct.receiptKey())
	out.Verified = err == nil
	if err != nil {
		out.Fault = err.Error()
	}
	return out, nil
}

// bondOf finds a bond by its id, by its mail's or by its sent mail's.
func (a *Agent) bondOf(ctx context.Context, id string) (bond store.Bond, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		wanted := id
		if m, ok, err := store.Get[store.Mail](tx, id); err != nil {
			return err
		} else if ok {
			wanted = string(m.Bond)
		}
		var ok bool
		bond, ok, err = store.Get[store.Bond](tx, wanted)
		if err == nil && !ok {
			return noMail(true)
		}
		return err
	})
	return bond, err
}

// replyFault compares the reply certificate that the escrow released with the
// fingerprint that the mail itself carried.
func replyFault(m store.Mail, view escrow.BondView) string {
	if m.Reply == "" {
		return ""
	}
	certificate, err := openpgp.ParseCertificate(view.Reply)
	if err != nil || certificate.Fingerprint != m.Reply {
		return "The escrow released another reply certificate than the one that the mail names. It was refused: do not write to this sender in confidence."
	}
	return ""
}
