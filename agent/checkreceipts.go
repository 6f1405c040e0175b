package agent

import (
	"context"
	"crypto/ed25519"
	"slices"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// CheckReceipts holds exported receipts against the key of their escrow, with no
// network. Where this agent knows the escrow it is the key that it pinned, whatever
// key the file names; else the file's own, which proves only that its receipts
// agree with one another and come from whoever has that key.
func (a *Agent) CheckReceipts(ctx context.Context, receipts agentclient.Receipts) (agentclient.Receipts, error) {
	keys, err := a.pinnedKeys(ctx, receipts)
	if err != nil {
		return agentclient.Receipts{}, err
	}
	receipts.KeyPinned = len(keys) > 0
	if !receipts.KeyPinned {
		var own escrow.PublicKey
		if err := own.UnmarshalText([]byte(receipts.ReceiptKey)); err != nil {
			return agentclient.Receipts{}, agentclient.Refuse(agentclient.CodeUsage,
				agentclient.Say("receipts.foreign", "These are not receipts as this program exports them: {Why}.", "Why", err),
				agentclient.Say("receipts.not-checked", "Nothing was checked."),
				agentclient.Say("receipts.export", "Have them exported anew: earnest receipts ID --export FILE")).At("receiptKey")
		}
		keys = []escrow.PublicKey{own}
	}
	signed := make([]escrow.Signed, 0, len(receipts.Receipts))
	for _, text := range receipts.Receipts {
		signed = append(signed, escrow.Signed(text))
	}
	var outages []escrow.Signed
	for _, text := range receipts.Outages {
		outages = append(outages, escrow.Signed(text))
	}
	var fault error
	for _, key := range keys {
		text, _ := key.MarshalText()
		receipts.ReceiptKey = string(text)
		var verified escrow.Verified
		if verified, fault = escrow.VerifyMoved(escrow.Signed(receipts.Quote), signed, ed25519.PublicKey(key), outages); fault != nil {
			continue
		}
		if receipts.Bond != string(verified.Receipts[0].Bond) {
			fault = escrow.Errorf(escrow.Invalid, "receipt 1: it belongs to another bond")
			continue
		}
		break
	}
	receipts.Verified, receipts.Fault, receipts.SayFault = fault == nil, "", nil
	if fault != nil {
		receipts.SayFault = saidFault(fault.Error())
		receipts.Fault = receipts.SayFault.String()
	}
	receipts.Steps = viewSteps(signed)
	return receipts, nil
}

// viewSteps is what receipts say, whether or not they prove it.
func viewSteps(receipts []escrow.Signed) []agentclient.Receipt {
	steps := []agentclient.Receipt{}
	for _, signed := range receipts {
		var r escrow.Receipt
		if err := escrow.Peek(signed, &r); err != nil {
			continue // VerifyChain says what is wrong
		}
		steps = append(steps, agentclient.Receipt{N: r.N, Event: string(r.Event), Money: string(r.Money), Time: r.Time})
	}
	return steps
}

// pinnedKeys are the receipt keys of the own accounts at the escrow that the
// receipts say to be of: by the bond, by the currency of the money, or by the key.
func (a *Agent) pinnedKeys(ctx context.Context, receipts agentclient.Receipts) ([]escrow.PublicKey, error) {
	var quote escrow.Quote
	_ = escrow.Peek(escrow.Signed(receipts.Quote), &quote) // one that cannot be read verifies by no key
	var keys []escrow.PublicKey
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		for _, acct := range a.each() {
			settings := acct.get()
			_, known, err := store.Get[store.Bond](tx, store.BondID(acct.id, escrow.BondID(receipts.Bond)))
			if err != nil {
				return err
			}
			deals := slices.ContainsFunc(settings.Info.Currencies, func(c payment.Currency) bool { return c.Name == quote.Option.Currency })
			text, _ := settings.ReceiptKey.MarshalText()
			twice := slices.ContainsFunc(keys, func(k escrow.PublicKey) bool { return slices.Equal(k, settings.ReceiptKey) })
			if (known || deals || string(text) == receipts.ReceiptKey) && !twice {
				keys = append(keys, settings.ReceiptKey)
			}
		}
		return nil
	})
	return keys, err
}
