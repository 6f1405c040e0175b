package escrowserver

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"

	"earnest/escrow"
	"earnest/payment"
)

// view is the escrow as one account sees it.
type view struct {
	s   *Server
	key escrow.PublicKey
	id  escrow.KeyID // of the account; "" for an anonymous caller
	// gone: the key was the account's, and is it no more.
	gone bool
	err  error // nobody can tell whose the key is
}

var _ escrow.Service = view{}

// known refuses an anonymous caller.
func (v view) known() error {
	if v.id == "" {
		return escrow.Errorf(escrow.Unauthorized, "this needs an account: sign the request with its key")
	}
	if v.gone {
		return Replaced()
	}
	return v.err
}

// account finds the caller's account.
func (v view) account(ctx context.Context) (AccountRecord, error) {
	if err := v.known(); err != nil {
		return AccountRecord{}, err
	}
	record, err := v.s.cfg.Store.Account(ctx, v.id)
	if err != nil {
		return record, v.s.failed(ctx, "account", err)
	}
	if !slices.Equal(record.Key, v.key) { // another process has taken the order, just now
		v.s.keys.stale()
		return AccountRecord{}, Replaced()
	}
	return record, nil
}

func (v view) Info(context.Context) (escrow.Info, error) {
	c := v.s.cfg
	return escrow.Info{
		Name: c.Name, Operator: c.Operator, LegalForm: c.LegalForm,
		Currencies: slices.Clone(c.Currencies), Beneficiaries: slices.Clone(c.Beneficiaries),
		Terms: c.Terms, ReceiptKey: escrow.PublicKey(v.s.receiptKey), TokenSender: c.TokenSender, Time: v.s.now(), Checkouts: v.s.checkouts(), CheckoutHold: v.s.checkoutHold(),
		LeastPayouts: slices.Clone(c.LeastPayouts),
		Outages:      v.s.newestOutages(),
		Totals:       v.s.publishedTotals(),
	}, nil
}

func (v view) OpenAccount(ctx context.Context, req escrow.OpenAccount) (escrow.Account, error) {
	if err := v.known(); err != nil {
		return escrow.Account{}, err
	}
	if !slices.Equal(req.Key, v.key) {
		return escrow.Account{}, escrow.Errorf(escrow.Forbidden, "an account is opened with its own key")
	}
	if len(req.Recovery) > 0 {
		if err := escrow.CheckKey(ed25519.PublicKey(req.Recovery)); err != nil {
			return escrow.Account{}, err
		}
	}
	if v.id != v.key.ID() {
		return v.Account(ctx) // the key has taken over one that is open
	}
	free, err := v.mayOpen(ctx)
	if err != nil {
		return escrow.Account{}, err
	}
	record, err := do[AccountRecord](ctx, v.s, OpenAccount{Now: v.s.now(), Key: v.key, Recovery: req.Recovery, Seal: v.s.seal})
	if err != nil {
		free()
	}
	return v.shown(record), err
}

// mayOpen counts an account that is new, of its network: its row stays for good.
func (v view) mayOpen(ctx context.Context) (free func(), err error) {
	account, _, err := v.s.cfg.Store.OwnerOf(ctx, v.id)
	if err != nil {
		return nil, v.s.failed(ctx, "account", err)
	}
	network := escrow.NetworkOf(ctx)
	if account != "" || network == "" {
		return func() {}, nil
	}
	const tooMany = "too many accounts were opened from your network within an hour"
	perNetwork, wide := v.s.cfg.Strangers.AccountsPerNetwork, wideNetwork(network)
	if wait := v.s.openings.take(wide, networksInWide*perNetwork, -1, v.s.now()); wait > 0 {
		return nil, tooManyOfAll(wait, tooMany)
	}
	if wait := v.s.openings.take(network, perNetwork, -1, v.s.now()); wait > 0 {
		if wide != "" {
			v.s.openings.back(wide)
		}
		return nil, tooManyOfAll(wait, tooMany)
	}
	return func() {
		v.s.openings.back(network)
		if wide != "" {
			v.s.openings.back(wide)
		}
	}, nil
}

func (v view) Account(ctx context.Context) (escrow.Account, error) {
	record, err := v.account(ctx)
	if err != nil {
		return escrow.Account{}, err
	}
	return v.withLimits(ctx, v.shown(record))
}

// shown is the account with a balance in each currency of the escrow.
func (v view) shown(record AccountRecord) escrow.Account {
	account := escrow.Account{ID: record.ID, Balances: []escrow.Balance{}, Addresses: record.Addresses}
	account.FrozenAt, account.Recovery, account.Changes = record.FrozenAt, record.Recovery, record.Changes
	if account.Addresses == nil {
		account.Addresses = []escrow.ProvenAddress{}
	}
	for _, currency := range v.s.cfg.Currencies {
		b := escrow.Balance{Currency: currency}
		for _, have := range record.Balances {
			if have.Currency == currency.Name {
				b.Available, b.Held = have.Available, have.Held
			}
		}
		account.Balances = append(account.Balances, b)
	}
	return account
}

func (v view) TopUp(ctx context.Context, req escrow.TopUp) (escrow.Balance, error) {
	if err := v.known(); err != nil {
		return escrow.Balance{}, err
	}
	if err := checkID(req.ID); err != nil {
		return escrow.Balance{}, err
	}
	record, err := do[BalanceRecord](ctx, v.s, TopUp{
		Now: v.s.now(), Account: v.id, ID: req.ID, Hash: voucherHash(req.Voucher),
		Genuine: func(line VoucherLine) bool { return genuine(line, v.s.receiptKey) }})
	if err != nil {
		return escrow.Balance{}, err
	}
	currency, ok := v.s.currency(record.Currency)
	if !ok {
		currency = payment.Currency{Name: record.Currency}
	}
	return escrow.Balance{Currency: currency, Available: record.Available, Held: record.Held}, nil
}

func (v view) ClaimAddress(ctx context.Context, req escrow.AddressClaim) error {
	if err := v.known(); err != nil {
		return err
	}
	address, err := escrow.ParseAddress(req.Address)
	if err != nil {
		return err
	}
	if err := checkID(req.Nonce); err != nil {
		return err
	}
	token := newSecret()
	now := v.s.now()
	free, err := v.mayMail(ctx, address)
	if err != nil {
		return err
	}
	send, err := do[bool](ctx, v.s, StartClaim{
		Now: now, Account: v.id, Address: address, Typed: req.Address, Nonce: req.Nonce, TokenHash: escrow.Hash([]byte(token))})
	if err != nil || !send {
		free()
		return err
	}
	return v.mailToken(ctx, req.Address, TokenMail{
		Escrow: v.s.cfg.Name, Account: v.id, Address: address, Nonce: req.Nonce, Token: token, Expires: now.Add(ClaimLife)})
}

// mayMail counts a mail to an address that the account does not hold: of its network,
// and of all. Who holds the address renews it whatever the others ask for.
func (v view) mayMail(ctx context.Context, address escrow.Address) (free func(), err error) {
	record, err := v.account(ctx)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(record.Addresses, func(have escrow.ProvenAddress) bool { return have.Address == address }) {
		return func() {}, nil
	}
	network, limits := escrow.NetworkOf(ctx), v.s.cfg.Strangers
	if wait := v.s.mails.take(network, limits.MailsPerNetwork, limits.MailsInAll, v.s.now()); wait > 0 {
		return nil, tooManyOfAll(wait, "too many mails with tokens were asked for within an hour")
	}
	return func() { v.s.mails.back(network) }, nil
}

// mailToken sends the mail of a claim. The claim counts unless the mail was
// certainly not taken, and nobody cuts the mail short by leaving: else whoever
// asks and hangs up would have an address mailed without end.
func (v view) mailToken(ctx context.Context, to string, mail TokenMail) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailTimeout)
	defer cancel()
	err := v.s.cfg.Mailer.SendToken(ctx, to, mail)
	if err == nil {
		return nil
	}
	v.s.log.Warn("token mail was not sent", "error", err)
	var failure interface{ NotSent() bool }
	if !errors.As(err, &failure) || !failure.NotSent() {
		return escrow.Errorf(escrow.Unavailable, "the escrow does not know whether the mail with the token went out; look for it, or ask again later")
	}
	if _, err := do[any](context.WithoutCancel(ctx), v.s, DropClaim{Account: v.id, Address: mail.Address, Nonce: mail.Nonce}); err != nil {
		return err
	}
	return escrow.Errorf(escrow.Unavailable, "the escrow could not send the mail with the token; try again later")
}

func (v view) ProveAddress(ctx context.Context, req escrow.AddressProof) (escrow.Account, error) {
	if err := v.known(); err != nil {
		return escrow.Account{}, err
	}
	if !req.Address.Valid() {
		return escrow.Account{}, escrow.Errorf(escrow.Invalid, "that is not an address in its compared form")
	}
	now := v.s.now()
	record, err := do[AccountRecord](ctx, v.s, ProveAddress{
		Now: now, Account: v.id, Address: req.Address, Nonce: req.Nonce,
		TokenHash: escrow.Hash([]byte(req.Token)), RenewBy: now.Add(renewAfter), Promise: v.s.promise, Seal: v.s.seal})
	if err != nil {
		return escrow.Account{}, err
	}
	if err := heldByAnother(record, req.Address, now); err != nil {
		return escrow.Account{}, err
	}
	if v.s.cfg.Welcome.Amount > 0 {
		v.s.welcome(ctx, v.id, req.Address)
		return v.Account(ctx) // with the credit
	}
	return v.shown(record), nil
}

func (v view) Heartbeat(ctx context.Context) error {
	if _, err := v.account(ctx); err != nil {
		return err
	}
	_, err := do[any](ctx, v.s, Heartbeat{Now: v.s.now(), Account: v.id})
	return err
}

// newSecret makes 160 random bits of text.
func newSecret() string {
	random := make([]byte, 20)
	rand.Read(random) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(random)
}

// checkID bounds what a client makes up as an id or nonce.
func checkID(id string) error {
	if len(id) < 8 || len(id) > 64 {
		return escrow.Errorf(escrow.Invalid, "an id has 8 to 64 characters")
	}
	for i := range len(id) {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return escrow.Errorf(escrow.Invalid, "an id is made of letters, digits, - and _")
		}
	}
	return nil
}
