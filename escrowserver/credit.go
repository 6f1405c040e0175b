package escrowserver

import (
	"context"
	"crypto/ed25519"
	"strings"
	"time"
	"unicode"

	"earnest/escrow"
	"earnest/payment"
)

// kindCredit is the statement that keeps a credit as it was given, as a voucher's
// does: else whoever can write to the books could write himself money.
const kindCredit escrow.Kind = "earnest-credit+jws"

type creditStatement struct {
	ID       string         `json:"id"`
	Kind     CreditKind     `json:"kind"`
	Account  escrow.KeyID   `json:"account"`
	Currency string         `json:"currency"`
	Amount   payment.Amount `json:"amount"`
	Reason   string         `json:"reason"`
	By       string         `json:"by"`
	Time     time.Time      `json:"time"`
}

func statementOf(line CreditLine) creditStatement {
	return creditStatement{line.ID, line.Kind, line.Account, line.Currency, line.Amount, line.Reason, line.By, line.MadeAt.UTC()}
}

// Genuine reports whether the receipt key has signed the credit as it is.
func (line CreditLine) Genuine(receiptKey ed25519.PublicKey) bool {
	var st creditStatement
	err := escrow.Verify(line.Signed, kindCredit, receiptKey, &st)
	return err == nil && st == statementOf(line)
}

func (s *Server) signCredit(line CreditLine) (escrow.Signed, error) {
	return escrow.Sign(s.cfg.ReceiptSigner, kindCredit, statementOf(line))
}

// signedCredit gives the line its statement.
func (s *Server) signedCredit(ctx context.Context, line CreditLine) (CreditLine, error) {
	signed, err := s.signCredit(line)
	if err != nil {
		return line, s.failed(ctx, "credit", err)
	}
	line.Signed = signed
	return line, nil
}

// Grant is a credit that the operator gives.
type Grant struct {
	// ID is the operation's, made before the first try. The same grant under the
	// same id is given once.
	ID       string
	Account  escrow.KeyID
	Address  escrow.Address // whose holder gets it, if no account is named
	Currency string
	Amount   payment.Amount
	Reason   string
	By       string // who gives it
}

// maxReason bounds what an operator writes to an account.
const maxReason = 200

// Grant credits an account by the operator's word. The account sees the reason.
func (s *Server) Grant(ctx context.Context, g Grant) (CreditLine, error) {
	if err := checkID(g.ID); err != nil {
		return CreditLine{}, err
	}
	if _, ok := s.currency(g.Currency); !ok || g.Amount <= 0 {
		return CreditLine{}, escrow.Errorf(escrow.Invalid, "a credit needs a currency of this escrow and an amount over zero")
	}
	reason, err := oneLine(g.Reason, maxReason)
	if err != nil {
		return CreditLine{}, err
	}
	if g.Account == "" {
		if g.Account, err = s.cfg.Store.Holder(ctx, g.Address, s.now()); err != nil {
			return CreditLine{}, s.failed(ctx, "credit", err)
		}
	}
	line, err := s.signedCredit(ctx, CreditLine{ID: CreditID(g.ID), Kind: CreditOperator, Account: g.Account, Currency: g.Currency,
		Amount: g.Amount, Reason: reason, By: g.By, MadeAt: s.now()})
	if err != nil {
		return CreditLine{}, err
	}
	return do[CreditLine](ctx, s, Credit{line})
}

// oneLine is text that a person wrote for another, on one line.
func oneLine(text string, most int) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" || len(text) > most {
		return "", escrow.Errorf(escrow.Invalid, "that needs 1 to %d bytes of text", most)
	}
	for _, c := range text {
		// What steers a terminal, is not seen, or turns the order of what is seen: an
		// IBAN could look like another.
		if !unicode.IsPrint(c) || c == unicode.ReplacementChar {
			return "", escrow.Errorf(escrow.Invalid, "that text has characters that are no letters, digits or signs")
		}
	}
	return text, nil
}

// WelcomeCredit is what the first proven address of an account is given. A zero
// amount is none.
type WelcomeCredit struct {
	Currency string
	Amount   payment.Amount
	// PerDomain and PerDay are how many are given within 24 hours to one
	// organisational domain, and in all.
	PerDomain, PerDay int
}

// welcome gives the credit after a proof. That it was not given stops no proof.
func (s *Server) welcome(ctx context.Context, account escrow.KeyID, address escrow.Address) {
	w := s.cfg.Welcome
	if w.Amount <= 0 {
		return
	}
	now := s.now()
	mailbox := escrow.Hash([]byte("earnest welcome mailbox\x00" + string(address.Folded())))
	line, err := s.signedCredit(ctx, CreditLine{ID: "welcome:" + mailbox, Kind: CreditWelcome, Account: account, Currency: w.Currency,
		Amount: w.Amount, Reason: "welcome credit: for bonds only", By: s.cfg.Name, MadeAt: now})
	if err == nil {
		_, err = do[bool](ctx, s, Welcome{CreditLine: line, Mailbox: mailbox, OneDayAgo: now.Add(-24 * time.Hour),
			Domain:    escrow.Hash([]byte("earnest welcome domain\x00" + organisation(address))),
			PerDomain: w.PerDomain, PerDay: w.PerDay})
	}
	if err != nil {
		s.log.Warn("welcome credit was not given", "error", err)
	}
}
