package faults

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net/mail"
	"time"

	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/internal/sandbox"
	"earnest/ledger"
	letters "earnest/mail"
	"earnest/payment"
)

// person has an account at the real escrow and no agent: what they sign is up to
// the test.
type person struct {
	escrow.Service
	r       *rig
	key     ed25519.PrivateKey
	address escrow.Address
	box     sandbox.Mailbox
	keys    *openpgp.Keys
	names   map[string]string // of own one-time keys, by fingerprint
	made    int
}

func roots(r *rig) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(r.CA)
	return pool
}

// join opens an account, proves an address by the mailed token, and has money.
func (r *rig) join(ctx context.Context, name string) (*person, error) {
	box, err := r.Provider.Mailbox(name)
	if err != nil {
		return nil, err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	p := &person{r: r, key: key, box: box, keys: openpgp.NewKeys(keyring.OpenMemory(), time.Now), names: map[string]string{}}
	config := escrowclient.Config{BaseURL: r.EscrowURL, Signer: key, Roots: roots(r)}
	if r.components != nil {
		config.Transport = signsAnew{p}
	}
	if p.Service, err = escrowclient.New(config); err != nil {
		return nil, err
	}
	if p.address, err = escrow.ParseAddress(box.Address); err != nil {
		return nil, err
	}
	if _, err = p.OpenAccount(ctx, escrow.OpenAccount{Key: p.public()}); err != nil {
		return nil, err
	}
	nonce := p.id()
	if err = p.ClaimAddress(ctx, escrow.AddressClaim{Address: box.Address, Nonce: nonce}); err != nil {
		return nil, err
	}
	token, err := r.token(ctx, box)
	if err != nil {
		return nil, err
	}
	if _, err = p.ProveAddress(ctx, escrow.AddressProof{Address: p.address, Nonce: nonce, Token: token}); err != nil {
		return nil, err
	}
	voucher, err := r.Voucher(ctx, "1.00")
	if err == nil {
		_, err = p.TopUp(ctx, escrow.TopUp{ID: p.id(), Voucher: voucher})
	}
	return p, err
}

// token reads the escrow's mail.
func (r *rig) token(ctx context.Context, box sandbox.Mailbox) (token string, err error) {
	err = r.until(ctx, "the token mail comes", func() (bool, error) {
		mails, err := r.Provider.Inbox(ctx, box)
		if err != nil || len(mails) == 0 {
			return false, err
		}
		read, err := mail.ReadMessage(bytes.NewReader(mails[0]))
		if err != nil {
			return false, err
		}
		token = read.Header.Get("Earnest-Token")
		return token != "", nil
	})
	return token, err
}

func (p *person) public() escrow.PublicKey {
	return escrow.PublicKey(p.key.Public().(ed25519.PublicKey))
}

func (p *person) id() string {
	p.made++
	return fmt.Sprintf("0192f0c1-0000-7000-8000-%04d%s", p.made, p.public().ID()[:8])
}

func (p *person) sign(kind escrow.Kind, payload any) (escrow.Signed, error) {
	return escrow.Sign(p.key, kind, payload)
}

func price() payment.Option {
	return payment.Option{System: payment.SystemEscrow, Currency: sandbox.EscrowName, Amount: 25, Scale: 2}
}

// sell sets a price and uploads keys.
func (p *person) sell(ctx context.Context, keys int) error {
	offer, err := p.sign(escrow.KindOffer, escrow.Offer{Address: p.address, Identity: p.public(), Options: []payment.Option{price()},
		Beneficiary: ledger.Company, Made: time.Now()})
	if err != nil {
		return err
	}
	if err := p.PublishOffer(ctx, offer); err != nil {
		return err
	}
	list := escrow.KeyBatch{ID: p.id(), Address: p.address, Made: time.Now()}
	var upload escrow.KeyUpload
	for range keys {
		name := p.id()
		certificate, err := p.keys.Generate(ctx, name, "one-time key")
		if err != nil {
			return err
		}
		p.names[certificate.Fingerprint] = name
		list.Keys = append(list.Keys, escrow.KeyBrief{Fingerprint: certificate.Fingerprint, Hash: escrow.Hash(certificate.Raw)})
		upload.Certificates = append(upload.Certificates, certificate.Raw)
	}
	if upload.Batch, err = p.sign(escrow.KindKeys, list); err != nil {
		return err
	}
	_, err = p.AddKeys(ctx, upload)
	return err
}

// bought is a purchase and the key that will sign its mail.
type bought struct {
	escrow.Purchase
	signer       string
	verification openpgp.Certificate
}

// buy buys a bond of somebody.
func (p *person) buy(ctx context.Context, from *person) (b bought, err error) {
	quote, err := p.Quote(ctx, escrow.QuoteRequest{Sender: p.address, Recipient: from.address, Option: price()})
	if err != nil {
		return b, err
	}
	b.signer = p.id()
	if b.verification, err = p.keys.Generate(ctx, b.signer, "signs one mail"); err != nil {
		return b, err
	}
	b.Purchase, err = p.Buy(ctx, escrow.BuyRequest{ID: escrow.BondID(p.id()), Quote: quote, Verification: b.verification.Raw, Reply: b.verification.Raw})
	return b, err
}

// receive seals the buyer's mail, opens it as the recipient and reports it.
func (p *person) receive(ctx context.Context, buyer *person, b bought) error {
	key, err := openpgp.ParseCertificate(b.Certificate)
	if err != nil {
		return err
	}
	raw, err := buyer.keys.Seal(ctx, openpgp.SealRequest{To: key, SignWith: b.signer, Letter: letters.Letter{
		From: string(buyer.address), To: string(p.address), Subject: "Good day", Text: "How are you?\n",
		Date: time.Now(), MessageID: letters.NewMessageID(string(buyer.address))}})
	if err != nil {
		return err
	}
	sealed, err := openpgp.Inspect(raw)
	if err != nil {
		return err
	}
	opened, err := p.keys.Open(ctx, sealed, p.names[key.Fingerprint], b.verification)
	if err != nil {
		return err
	}
	statement, err := p.arrived(b.Bond, opened.Proof)
	if err == nil {
		_, err = p.Arrive(ctx, b.Bond.ID, escrow.Arrival{Proof: opened.Proof, Statement: statement})
	}
	return err
}

func (p *person) arrived(bond escrow.BondView, proof escrow.ArrivalProof) (escrow.Signed, error) {
	return p.sign(escrow.KindStatement, escrow.Statement{Bond: bond.ID, Quote: bond.Quote.Hash(),
		Event: escrow.EventArrived, Proof: proof.Hash(), Time: time.Now().Truncate(time.Hour)})
}

// decision is the person's signed decision.
func (p *person) decision(bond escrow.BondView, verdict escrow.Verdict, n int64) (escrow.Signed, error) {
	return p.sign(escrow.KindDecision, escrow.Decision{Bond: bond.ID, Quote: bond.Quote.Hash(), Verdict: verdict, N: n, Time: time.Now()})
}

// fabricated is a report of a mail that nobody sent.
func (p *person) fabricated(bond escrow.BondView) (escrow.Arrival, error) {
	proof := escrow.ArrivalProof{Signature: []byte("no signature of anybody"), Digest: bytes.Repeat([]byte{7}, 32)}
	statement, err := p.arrived(bond, proof)
	return escrow.Arrival{Proof: proof, Statement: statement}, err
}
