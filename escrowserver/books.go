package escrowserver

import (
	"time"

	"earnest/escrow"
	"earnest/ledger"
	"earnest/payment"
)

// Visitor sees the books. A nil function skips its part.
type Visitor struct {
	// Fault is told what the store itself finds wrong.
	Fault func(string)
	// Safety is shown first.
	Safety *SafetyVisitor
	// Outage is shown before any bond, whose deadlines it moves.
	Outage func(OutageLine) error
	// Epoch is shown the note of the pools' epoch before any certificate.
	Epoch func(string) error
	// Sealed is shown the note of that name.
	Sealed func(string) error
	// Sealing is shown, for each kind of older rows, the word that they were signed.
	Sealing func(kind, text string) error
	Proven  func(ProvenLine) error
	Limit   func(LimitLine) error
	// InventoryAnchor is shown the anchor of the log of inventories, then InventoryLog
	// that log, and Inventory each account's.
	InventoryAnchor func(string) error
	InventoryLog    func(InventoryLogLine) error
	Inventory       func(InventoryLine) error
	// LogAnchor is shown the log's anchor before the log.
	LogAnchor func(string) error
	Audit     func(AuditLine) error
	Balance   func(BalanceLine) error
	Transfer  func(TransferLine) error
	Voucher   func(VoucherLine) error
	Credit    func(CreditLine, CreditOf) error
	Checkout  func(CheckoutLine) error
	Welcome   func(WelcomeLine) error
	Payout    func(PayoutRecord) error
	Offer     func(OfferLine) error
	Bond      func(BondLine) error
	// BondMoney is all bonds again with their money alone, which is read much faster.
	BondMoney func(BondMoney) error
	// Key is a fingerprint that was ever here, and Certificate the certificate of
	// one that is unsold, or sold and not yet fetched.
	Key         func(KeyLine) error
	Certificate func(CertificateLine) error
}

// OutageLine is a time in which the escrow was away.
type OutageLine struct {
	Began, Ended time.Time
	// Signed says so. It is empty until the first beat of a program that signs them.
	Signed escrow.Signed
	// WorkedOff is when the last bond's moved deadline was stored; zero before.
	WorkedOff time.Time
}

// BalanceLine is one holder's money in one currency.
type BalanceLine struct {
	Holder   ledger.Holder
	Currency string
	Balance  ledger.Balance
}

// TransferLine is a transfer with its postings in the order booked.
type TransferLine struct {
	ledger.Transfer // as it is now
	Steps           []StepLine
	// Of...: a bond, a redeemed voucher, a credit or a payout has the transfer.
	OfBond, OfVoucher, OfCredit, OfPayout bool
}

// StepLine is a transfer as a step of it was booked.
type StepLine struct {
	N int // 1 that began it, 2 that ended it
	ledger.Transfer
	MadeAt time.Time
}

// VoucherLine is a voucher and the transfer that redeemed it, if any.
type VoucherLine struct {
	Hash       string
	Currency   string
	Amount     payment.Amount
	Account    escrow.KeyID // who redeemed it
	RedeemedAt time.Time
	Signed     escrow.Signed
	Transfer   *ledger.Transfer
}

// OfferLine is an offer as stored, and who holds its address.
type OfferLine struct {
	Address escrow.Address
	Account escrow.KeyID
	Holder  escrow.KeyID
	Signed  escrow.Signed
	Public  bool
	Made    time.Time
}

// BondLine is a bond and all that is stored beside it.
type BondLine struct {
	escrow.Bond
	DueAt        time.Time
	SenderFolded escrow.Address
	// RecipientFolded is missing where an older program saw the bond end.
	RecipientFolded escrow.Address
	SenderGroup     string
	KeyAddress      escrow.Address // whose key it was
	BuyHash         string         // of the buy request
	Transfer        *ledger.Transfer
	Receipts        []escrow.Signed // the chain
	Asides          []escrow.Signed // the receipts outside of the chain
	Parties         []PartyLine
	Proofs          []StatementLine
	Statements      []StatementLine
}

// BondMoney is what became of a bond's money.
type BondMoney struct {
	ID              escrow.BondID
	BoughtAt, Ended time.Time
	Scale           uint8 // of the amount
	Transfer        *ledger.Transfer
}

func (b BondLine) money() BondMoney {
	return BondMoney{b.ID, b.BoughtAt, b.EndedAt, b.Option.Scale, b.Transfer}
}

// PartyLine is the place of a bond in a party's list.
type PartyLine struct {
	Role    escrow.Role
	Account escrow.KeyID
	N       int64
	Newest  int64 // the newest number of the account's list
}

// StatementLine is what a recipient signed and the answer that was kept. A
// proof has its hash only.
type StatementLine struct {
	Hash    string
	Verdict string
	N       int64
	Signed  escrow.Signed
	Outcome string
}

// KeyLine is a fingerprint, whether it is on the list of all that were ever
// here, and how many unsold keys and how many bonds have it.
type KeyLine struct {
	Fingerprint         string
	Known, Unsold, Sold int
}

// CertificateLine is a certificate, its batch as signed, and whose it is.
type CertificateLine struct {
	Fingerprint string
	Address     escrow.Address
	Certificate []byte
	BatchHash   string
	Batch       escrow.Signed
	Account     escrow.KeyID
	Key         escrow.PublicKey
	// Holder of the address; empty for a key that is sold.
	Holder escrow.KeyID
}
