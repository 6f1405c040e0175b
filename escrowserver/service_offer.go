package escrowserver

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/payment"
)

// NoOffer is the one answer for unknown and for unlisted addresses.
func NoOffer() error {
	return escrow.Errorf(escrow.NoOffer, "nobody has set a price for that address here")
}

// Unproven refuses an account that has not proven the address.
func Unproven() error { return escrow.Errorf(escrow.Unproven, "prove first that the address is yours") }

// NoBalance refuses keys of an account without money.
func NoBalance() error {
	return escrow.Errorf(escrow.InsufficientFunds, "an account needs some balance before it can offer keys; top up first")
}

// CanPay refuses a purchase for which the available money is not enough.
func CanPay(have payment.Amount, quote escrow.Quote) error {
	need, scale := quote.Option.Amount+quote.RefundFee, quote.Option.Scale
	if have >= need {
		return nil
	}
	refused := escrow.Errorf(escrow.InsufficientFunds, "you have %s and need %s; nothing was paid; top up and try again",
		have.Format(scale), need.Format(scale))
	refused.Have, refused.Need = &have, &need
	return refused
}

func (v view) PublishOffer(ctx context.Context, signed escrow.Signed) error {
	if err := v.known(); err != nil {
		return err
	}
	if len(signed) > maxOffer {
		return escrow.Errorf(escrow.Invalid, "a signed offer has at most %d bytes", maxOffer)
	}
	offer, err := escrow.VerifyOffer(signed)
	if err != nil {
		return err
	}
	now := v.s.now()
	switch _, listed := v.s.beneficiary(offer.Beneficiary); {
	case !slices.Equal(offer.Identity, v.key):
		return escrow.Errorf(escrow.Forbidden, "an offer is signed by the account that publishes it")
	case !listed:
		return escrow.Errorf(escrow.Invalid, "the beneficiary is not on the escrow's list")
	case offer.Beneficiary == v.id.Holder(): // the key may not be the account's first
		return escrow.Errorf(escrow.Invalid, "a forfeit never goes to the recipient")
	case offer.Made.After(now.Add(clockSkew)):
		return v.s.skewed(now)
	case offer.DecideWithin > v.s.cfg.Terms.Decide:
		return escrow.Errorf(escrow.Invalid, "the decision deadline is longer than the escrow's")
	case offer.Made.IsZero():
		return escrow.Errorf(escrow.Invalid, "the offer does not say when it was made")
	}
	for _, option := range offer.Options {
		currency, ok := v.s.currency(option.Currency)
		if option.System != payment.SystemEscrow || !ok || currency.Scale != option.Scale {
			return escrow.Errorf(escrow.Invalid, "the escrow does not deal in option %q", option)
		}
	}
	_, err = do[any](ctx, v.s, PublishOffer{Now: now, Account: v.id, Offer: offer, Signed: signed})
	return err
}

// skewed tells a client whose clock runs ahead.
func (s *Server) skewed(now time.Time) error {
	err := escrow.Errorf(escrow.ClockSkew, "that was signed in the escrow's future; set your clock")
	err.Time = now
	return err
}

func (v view) Offer(ctx context.Context, address escrow.Address) (escrow.Signed, error) {
	if !address.Valid() {
		return "", escrow.Errorf(escrow.Invalid, "that is not an address in its compared form")
	}
	offer, err := v.lookup(ctx, address)
	return offer.Signed, err
}

// lookup finds an offer and counts the lookup, unless the recipient made the
// price public. An address without offer counts, so that nobody can try out a list.
func (v view) lookup(ctx context.Context, address escrow.Address) (OfferRecord, error) {
	who := looker{account: v.id, network: escrow.NetworkOf(ctx), limits: v.s.cfg.Strangers}
	if v.id != "" {
		record, err := v.account(ctx)
		if err != nil {
			return OfferRecord{}, err
		}
		who.stranger = record.stranger()
	}
	now := v.s.now()
	offer, err := v.s.cfg.Store.Offer(ctx, address, now)
	if err != nil && escrow.CodeOf(err) != escrow.NoOffer {
		return offer, v.s.failed(ctx, "offer", err)
	}
	if err == nil && (offer.Public || offer.Account == v.id) {
		return offer, nil
	}
	if v.id == "" {
		return OfferRecord{}, NoOffer()
	}
	if limited := v.s.lookups.take(who, address, now); limited != nil {
		return OfferRecord{}, limited
	}
	return offer, err
}

func (v view) AddKeys(ctx context.Context, req escrow.KeyUpload) (escrow.Pool, error) {
	if err := v.known(); err != nil {
		return escrow.Pool{}, err
	}
	batch, err := escrow.VerifyBatch(req.Batch, ed25519.PublicKey(v.key), req.Certificates)
	if err != nil {
		return escrow.Pool{}, err
	}
	if err := checkID(batch.ID); err != nil {
		return escrow.Pool{}, err
	}
	answered, err := v.s.cfg.Store.Answered(ctx, v.id, batch.ID, req.Batch.Hash())
	if err != nil {
		return escrow.Pool{}, v.s.failed(ctx, "keys", err)
	}
	// Reading certificates is work: it is done for who may add them, and once.
	if !answered {
		if err := v.mayAddKeys(ctx, batch); err != nil {
			return escrow.Pool{}, err
		}
		if err := v.checkBatch(batch, req.Certificates); err != nil {
			return escrow.Pool{}, err
		}
	}
	return do[escrow.Pool](ctx, v.s, AddKeys{Now: v.s.now(), Account: v.id, Key: v.key.ID(), Batch: batch, Signed: req.Batch, Certificates: req.Certificates})
}

func (v view) mayAddKeys(ctx context.Context, batch escrow.KeyBatch) error {
	account, err := v.account(ctx)
	if err != nil {
		return err
	}
	now := v.s.now()
	if !slices.ContainsFunc(account.Addresses, func(a escrow.ProvenAddress) bool { return a.Address == batch.Address && a.RenewBy.After(now) }) {
		return Unproven()
	}
	if !slices.ContainsFunc(account.Balances, func(b BalanceRecord) bool { return b.Available > 0 || b.Held > 0 }) {
		return NoBalance()
	}
	return nil
}

func (v view) checkBatch(batch escrow.KeyBatch, certificates [][]byte) error {
	for i, certificate := range certificates {
		fingerprint, err := v.s.cfg.Certificates.Check(certificate)
		if err != nil || fingerprint != batch.Keys[i].Fingerprint {
			return escrow.Errorf(escrow.Invalid, "certificate %d cannot be used, or is not the one that the batch names", i+1)
		}
	}
	return nil
}

func (v view) Pool(ctx context.Context, address escrow.Address) (escrow.Pool, error) {
	account, err := v.account(ctx)
	if err != nil {
		return escrow.Pool{}, err
	}
	if !slices.ContainsFunc(account.Addresses, func(a escrow.ProvenAddress) bool { return a.Address == address }) {
		return escrow.Pool{}, Unproven()
	}
	free, err := v.s.cfg.Store.Pool(ctx, address)
	if err != nil {
		return escrow.Pool{}, v.s.failed(ctx, "pool", err)
	}
	epoch, err := v.s.cfg.Store.Epoch(ctx)
	if err != nil {
		return escrow.Pool{}, v.s.failed(ctx, "pool", err)
	}
	aged, err := v.s.cfg.Store.Aged(ctx, address, v.s.now())
	if err != nil {
		return escrow.Pool{}, v.s.failed(ctx, "pool", err)
	}
	return escrow.Pool{Address: address, Free: free, Epoch: epoch, Aged: aged}, nil
}

func (v view) Quote(ctx context.Context, req escrow.QuoteRequest) (escrow.Signed, error) {
	if _, err := v.account(ctx); err != nil {
		return "", err
	}
	if !req.Sender.Valid() || !req.Recipient.Valid() || req.Sender == req.Recipient {
		return "", escrow.Errorf(escrow.Invalid, "a quote is for two different addresses in their compared form")
	}
	now := v.s.now()
	standing, err := v.s.cfg.Store.Standing(ctx, StandingQuery{
		Account: v.id, Sender: req.Sender, Recipient: req.Recipient, Group: SenderGroup(req.Sender), Now: now})
	if err != nil {
		return "", v.s.failed(ctx, "quote", err)
	}
	if err := standing.Check(now); err != nil {
		return "", err
	}
	record, err := v.lookup(ctx, req.Recipient)
	if err != nil {
		return "", err
	}
	var offer escrow.Offer
	if err := escrow.Peek(record.Signed, &offer); err != nil {
		return "", v.s.failed(ctx, "quote", err)
	}
	if !slices.Contains(offer.Options, req.Option) {
		return "", escrow.Errorf(escrow.Invalid, "the recipient does not offer that option; look at the offer again")
	}
	free, err := v.s.cfg.Store.Pool(ctx, req.Recipient)
	if err != nil {
		return "", v.s.failed(ctx, "quote", err)
	}
	if free == 0 {
		return "", escrow.Errorf(escrow.SoldOut, "no one-time key of the recipient is left; try again later")
	}
	name, err := v.quotable(offer, req.Option)
	if err != nil {
		return "", err
	}
	signed, err := escrow.Sign(v.s.cfg.ReceiptSigner, escrow.KindQuote, escrow.Quote{
		ID: newSecret(), Offer: record.Signed, Sender: req.Sender, Account: v.id, Recipient: req.Recipient, Option: req.Option,
		Beneficiary: offer.Beneficiary, BeneficiaryName: name, Terms: v.s.cfg.Terms.For(offer), Salt: newSecret(),
		Made: now, Expires: now.Add(v.s.cfg.Terms.Quote.Duration()),
	})
	if err != nil {
		return "", v.s.failed(ctx, "quote", err)
	}
	return signed, nil
}

// quotable refuses what the escrow has been set up without since the offer was
// made, and a forfeit that would go back to its sender. It names the beneficiary.
func (v view) quotable(offer escrow.Offer, option payment.Option) (string, error) {
	beneficiary, listed := v.s.beneficiary(offer.Beneficiary)
	currency, known := v.s.currency(option.Currency)
	switch {
	case !listed:
		return "", escrow.Errorf(escrow.NoOffer, "the offer's beneficiary is no longer on the escrow's list; the recipient must set the price again")
	case !known || currency.Scale != option.Scale:
		return "", escrow.Errorf(escrow.NoOffer, "the escrow no longer deals in that currency; the recipient must set the price again")
	case offer.Beneficiary == v.id.Holder():
		return "", escrow.Errorf(escrow.Forbidden, "a forfeit of yours would come back to you; the beneficiary cannot be the sender")
	}
	return beneficiary.Name, nil
}

func (v view) Buy(ctx context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	if err := v.known(); err != nil {
		return escrow.Purchase{}, err
	}
	if err := checkID(string(req.ID)); err != nil {
		return escrow.Purchase{}, err
	}
	quote, offer, err := escrow.VerifyOwnQuote(req.Quote, v.s.receiptKey)
	if err != nil {
		return escrow.Purchase{}, err
	}
	if quote.Account != v.id {
		return escrow.Purchase{}, escrow.Errorf(escrow.Forbidden, "the quote was made for another account")
	}
	// Nothing would hold the fee, book it or count it as spent.
	if quote.RefundFee != 0 {
		return escrow.Purchase{}, escrow.Errorf(escrow.Invalid, "the quote has a fee for the refund, which this escrow does not take; nothing was paid; ask for a new quote")
	}
	hash, err := buyHash(req)
	if err != nil {
		return escrow.Purchase{}, v.s.failed(ctx, "buy", err)
	}
	answered, available, err := v.s.cfg.Store.BeforeBuy(ctx, v.id, string(req.ID), hash, quote.Option.Currency)
	if err != nil {
		return escrow.Purchase{}, v.s.failed(ctx, "buy", err)
	}
	// Reading certificates is work: it is done for who can pay, and once.
	if !answered {
		if err := CanPay(available, quote); err != nil {
			return escrow.Purchase{}, err
		}
		if err := v.checkCertificates(req); err != nil {
			return escrow.Purchase{}, err
		}
	}
	moment, err := v.s.moment(ctx)
	if err != nil {
		return escrow.Purchase{}, err
	}
	recipient, replaced, err := v.s.keys.of(v.s.cfg.Store, offer.Identity.ID())
	if err != nil {
		return escrow.Purchase{}, v.s.failed(ctx, "buy", err)
	}
	if replaced && !answered {
		return escrow.Purchase{}, escrow.Errorf(escrow.NoOffer, "the recipient has another key now; nothing was paid; ask for a new quote")
	}
	return do[escrow.Purchase](ctx, v.s, Buy{
		Moment: moment, Account: v.id, Key: v.key.ID(), Request: req, BodyHash: hash, Quote: quote,
		Recipient: recipient, Group: SenderGroup(quote.Sender), KeepUntil: moment.Now.Add(keepSold),
		MostOpen: openBonds,
	})
}

func (v view) checkCertificates(req escrow.BuyRequest) error {
	for _, certificate := range [][]byte{req.Verification, req.Reply} {
		if len(certificate) > escrow.MaxCertificate {
			return escrow.Errorf(escrow.Invalid, "a certificate has at most %d bytes", escrow.MaxCertificate)
		}
		if _, err := v.s.cfg.Certificates.Check(certificate); err != nil {
			return escrow.Errorf(escrow.Invalid, "a certificate of the sender cannot be used")
		}
	}
	return nil
}

// buyHash names a buy request: the same id with another one is a conflict.
func buyHash(req escrow.BuyRequest) (string, error) {
	body, err := json.Marshal(req)
	return escrow.Hash(append([]byte("buy\x00"), body...)), err
}

func (v view) Acknowledge(ctx context.Context, bond escrow.BondID) error {
	if err := v.known(); err != nil {
		return err
	}
	_, err := do[any](ctx, v.s, Acknowledge{Account: v.id, Bond: bond})
	return err
}
