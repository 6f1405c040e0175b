package agent_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/mail"
)

// stranger is an account at the escrow with no agent.
func (w *world) stranger() escrow.Service {
	w.t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	must(w.t, err)
	service := w.server.As(escrow.PublicKey(public))
	_, err = service.OpenAccount(w.t.Context(), escrow.OpenAccount{Key: escrow.PublicKey(public)})
	must(w.t, err)
	return service
}

// onlySent is the bond of the only mail that the person has sent.
func (w *world) onlySent(p *person) string {
	w.t.Helper()
	sent, err := p.Sent(w.t.Context())
	must(w.t, err)
	if len(sent) != 1 {
		w.t.Fatalf("%d mails were sent", len(sent))
	}
	return sent[0].Bond
}

// stock buys with stock tools, and writes as many mails as wanted with one key.
func (w *world) stock(from, to *person) (bond string, write func(subject, text string) []byte) {
	w.t.Helper()
	keys := openpgp.NewKeys(keyring.OpenMemory(), time.Now)
	own, err := keys.Generate(w.t.Context(), "own", "sender")
	must(w.t, err)
	bought, err := from.Buy(w.t.Context(), agentclient.BuyKey{To: to.address, Certificate: own.Raw})
	must(w.t, err)
	key, err := openpgp.ParseCertificate([]byte(bought.Key))
	must(w.t, err)
	return bought.Bond, func(subject, text string) []byte {
		raw, err := keys.Seal(w.t.Context(), openpgp.SealRequest{
			Letter: mail.Letter{From: from.address, To: to.address, Subject: subject, Text: text,
				Date: time.Now(), MessageID: mail.NewMessageID(from.address)},
			Stamp: openpgp.Stamp{Bond: bought.Bond, Key: bought.Fingerprint, Reply: own.Fingerprint},
			To:    key, SignWith: "own",
		})
		must(w.t, err)
		return raw
	}
}

// idOf is the id under which the agent keeps a mail.
func idOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// keyIn is the one-time key of a bond in the recipient's store.
func (w *world) keyIn(tx *store.Tx, bond string) (found store.Key) {
	w.t.Helper()
	bonds, err := store.List[store.Bond](tx)
	must(w.t, err)
	for _, b := range bonds {
		if string(b.ID) == bond && b.Role == escrow.RoleRecipient {
			found, _, err = store.Get[store.Key](tx, b.KeyFingerprint)
			must(w.t, err)
		}
	}
	if found.Name == "" {
		w.t.Fatal("the recipient has no key for the bond")
	}
	return found
}

func (w *world) keyOf(p *person, bond string) (key store.Key) {
	w.t.Helper()
	eventually(w.t, "the recipient knows the bond", func() (known bool) {
		w.look(p, func(tx *store.Tx) error {
			bonds, err := store.List[store.Bond](tx)
			for _, b := range bonds {
				known = known || string(b.ID) == bond
			}
			return err
		})
		return known
	})
	w.look(p, func(tx *store.Tx) error { key = w.keyIn(tx, bond); return nil })
	return key
}

// change changes the store of a person whose agent does not run.
func (w *world) change(p *person, fn func(*store.Tx) error) {
	w.t.Helper()
	w.open(p, func(memory *store.Store) { must(w.t, memory.Update(w.t.Context(), "test", fn)) })
}
