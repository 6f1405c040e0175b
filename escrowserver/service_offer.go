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

func (v view) PublishOffer(ctx context.Context, signed escrow.Signed) error {
	if err := v.known(); err != nil {
		return err
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
	case offer.Made.After(now.Add(clockSkew)):
		return v.s.skewed(now)
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
	if v.id != "" {
		if _, err := v.account(ctx); err != nil {
			return OfferRecord{}, err
		}
	}
	now := v.s.now()
	offer, err := v.s.cfg.Store.Offer(ctx, address, now)
	if err != nil && escrow.CodeOf(err) != escrow.NoOffer {
		return offer, v.s.failed("offer", err)
	}
	if err == nil && (offer.Public || offer.Account == v.id) {
		return offer, nil
	}
	if v.id == "" {
		return OfferRecord{}, NoOffer()
	}
	if limited := v.s.lookups.take(v.id, address, now); limited != nil {
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
	for i, certificate := range req.Certificates {
		fingerprint, err := v.s.cfg.Certificates.Check(certificate)
		if err != nil || fingerprint != batch.Keys[i].Fingerprint {
			return escrow.Pool{}, escrow.Errorf(escrow.Invalid, "certificate %d cannot be used, or is not the one that the batch names", i+1)
		}
	}
	return do[escrow.Pool](ctx, v.s, AddKeys{Now: v.s.now(), Account: v.id, Batch: batch, Signed: req.Batch, Certificates: req.Certificates})
}

func (v view) Pool(ctx context.Context, address escrow.Address) (escrow.Pool, error) {
	account, err := v.account(ctx)
	if err != nil {
		return escrow.Pool{}, err
	}
	if !slices.ContainsFunc(account.Addresses, func(a escrow.ProvenAddress) bool { return a.Address == address }) {
		return escrow.Pool{}, escrow.Errorf(escrow.Unproven, "prove first that the address is yours")
	}
	free, err := v.s.cfg.Store.Pool(ctx, address)
	if err != nil {
		return escrow.Pool{}, v.s.failed("pool", err)
	}
	return escrow.Pool{Address: address, Free: free}, nil
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
		return "", v.s.failed("quote", err)
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
		return "", v.s.failed("quote", err)
	}
	if !slices.Contains(offer.Options, req.Option) {
		return "", escrow.Errorf(escrow.Invalid, "the recipient does not offer that option; look at the offer again")
	}
	free, err := v.s.cfg.Store.Pool(ctx, req.Recipient)
	if err != nil {
		return "", v.s.failed("quote", err)
	}
	if free == 0 {
		return "", escrow.Errorf(escrow.SoldOut, "no one-time key of the recipient is left; try again later")
	}
	name, _ := v.s.beneficiary(offer.Beneficiary)
	signed, err := escrow.Sign(v.s.cfg.ReceiptSigner, escrow.KindQuote, escrow.Quote{
		ID: newSecret(), Offer: record.Signed, Sender: req.Sender, Account: v.id, Recipient: req.Recipient, Option: req.Option,
		Beneficiary: offer.Beneficiary, BeneficiaryName: name.Name, Terms: v.s.cfg.Terms, Salt: newSecret(),
		Made: now, Expires: now.Add(v.s.cfg.Terms.Quote.Duration()),
	})
	if err != nil {
		return "", v.s.failed("quote", err)
	}
	return signed, nil
}

func (v view) Buy(ctx context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	if err := v.known(); err != nil {
		return escrow.Purchase{}, err
	}
	if err := checkID(string(req.ID)); err != nil {
		return escrow.Purchase{}, err
	}
	quote, offer, err := escrow.VerifyQuote(req.Quote, v.s.receiptKey)
	if err != nil {
		return escrow.Purchase{}, err
	}
	if quote.Account != v.id {
		return escrow.Purchase{}, escrow.Errorf(escrow.Forbidden, "the quote was made for another account")
	}
	for _, certificate := range [][]byte{req.Verification, req.Reply} {
		if len(certificate) > escrow.MaxCertificate {
			return escrow.Purchase{}, escrow.Errorf(escrow.Invalid, "a certificate has at most %d bytes", escrow.MaxCertificate)
		}
		if _, err := v.s.cfg.Certificates.Check(certificate); err != nil {
			return escrow.Purchase{}, escrow.Errorf(escrow.Invalid, "a certificate of the sender cannot be used")
		}
	}
	hash, err := buyHash(req)
	if err != nil {
		return escrow.Purchase{}, v.s.failed("buy", err)
	}
	moment := v.s.moment()
	return do[escrow.Purchase](ctx, v.s, Buy{
		Moment: moment, Account: v.id, Request: req, BodyHash: hash, Quote: quote,
		Recipient: offer.Identity.ID(), Group: SenderGroup(quote.Sender), KeepUntil: moment.Now.Add(keepSold),
	})
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
	_, err := do[any](ctx, v.s, Acknowledge{Now: v.s.now(), Account: v.id, Bond: bond})
	return err
}
