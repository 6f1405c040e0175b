package escrowserver

import (
	"earnest/escrow"
	"earnest/ledger"
)

// The parts of the audit that are about money that came in beside vouchers, and
// about money on its way out.

// belongs demands of a transfer that one thing in the books has brought it about.
func (a *audit) belongs(line TransferLine) {
	owners := 0
	for _, of := range []bool{line.OfBond, line.OfVoucher, line.OfCredit, line.OfPayout, a.givenUp(line.Transfer)} {
		if of {
			owners++
		}
	}
	if owners != 1 || (line.OfVoucher || line.OfCredit) != (line.From == ledger.Issuance) || line.OfPayout != (line.To == ledger.Payouts) {
		a.fault("transfer %s belongs to no bond, redeemed voucher, credit, payout or order that it could be of", line.ID)
	}
}

// credit holds a credit against what the escrow signed, against its transfer, and
// against the reason for it.
func (a *audit) credit(c CreditLine, of CreditOf) error {
	a.credits++
	if !c.Genuine(a.receiptKey) {
		a.fault("credit %s is not as the escrow signed it", c.ID)
	}
	t := c.Transfer
	if t == nil || t.From != ledger.Issuance || t.To != c.Account.Holder() || t.Currency != c.Currency || t.Amount != int64(c.Amount) || t.State != ledger.Posted {
		a.fault("credit %s has no transfer, or one about other money", c.ID)
	}
	if of.Checkout != (c.Kind == CreditPayment) || of.Welcome != (c.Kind == CreditWelcome) {
		a.fault("credit %s is a %s, but there is no such reason for it", c.ID, c.Kind)
	}
	return nil
}

func (a *audit) checkout(c CheckoutLine) error {
	a.checkouts++
	paid := c.State == escrow.CheckoutPaid
	switch {
	case paid != (c.Credit != nil):
		a.fault("checkout %s is %s, and what was credited for it does not fit that", c.ID, c.State)
	case paid && (c.Credit.Kind != CreditPayment || c.Credit.Account != c.Account || c.Credit.Currency != c.Currency ||
		c.Credit.Amount != c.Amount || c.Credit.By != c.Provider):
		a.fault("checkout %s is about other money than its credit", c.ID)
	case !paid && c.Debts > 0:
		a.fault("checkout %s was never credited, but money of it was taken back", c.ID)
	}
	return nil
}

func (a *audit) welcomed(w WelcomeLine) error {
	a.welcomes++
	c := w.Credit
	if c == nil || c.Kind != CreditWelcome || c.Account != w.Account || c.Currency != w.Currency || c.Amount != w.Amount || c.ID != "welcome:"+w.Mailbox {
		a.fault("the welcome credit of account %s is missing, or about other money", w.Account)
	}
	return nil
}

func (a *audit) payout(p PayoutRecord) error {
	a.payouts++
	// Of an account that was deleted nobody is to know where its money went.
	forgotten := a.safety.deleted[p.Account] && p.State != escrow.PayoutAsked && p.To == "" && p.Signed == ""
	if !forgotten && !genuinePayout(p, a.receiptKey) {
		a.fault("payout %s is not as the escrow signed it", p.ID)
	}
	want := map[escrow.PayoutState]ledger.State{escrow.PayoutAsked: ledger.Pending, escrow.PayoutPaid: ledger.Posted, escrow.PayoutRefused: ledger.Voided}[p.State]
	t := p.Transfer
	if t == nil || t.From != p.Account.Holder() || t.To != ledger.Payouts || t.Currency != p.Currency || t.Amount != int64(p.Amount) || t.State != want {
		a.fault("payout %s is %s, but its transfer is missing or says otherwise", p.ID, p.State)
	}
	if asked := p.State == escrow.PayoutAsked; asked != p.EndedAt.IsZero() || !asked && p.Note == "" {
		a.fault("payout %s is %s, but its end is not as that", p.ID, p.State)
	}
	if p.State == escrow.PayoutPaid && p.EndedAt.Before(p.NotBefore) {
		a.fault("payout %s was paid before it could be", p.ID)
	}
	// Those that older programs ended were never begun.
	begun := !p.BegunAt.IsZero()
	if begun == (p.BegunBy == "") || begun && (p.BegunAt.Before(p.NotBefore) || !p.EndedAt.IsZero() && p.EndedAt.Before(p.BegunAt)) {
		a.fault("payout %s was begun by nobody, before it could be, or after its end", p.ID)
	}
	return nil
}
