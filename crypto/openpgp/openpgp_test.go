package openpgp_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"earnest/crypto/openpgp"
	"earnest/crypto/secret"
	"earnest/mail"
)

// vault is a Vault in memory.
type vault struct {
	mu    sync.Mutex
	items map[string][]byte
}

func (v *vault) Put(_ context.Context, name string, s secret.Secret) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.items == nil {
		v.items = map[string][]byte{}
	}
	v.items[name] = append([]byte(nil), s.Reveal()...)
	return nil
}

func (v *vault) Get(_ context.Context, name string) (secret.Secret, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	raw, ok := v.items[name]
	if !ok {
		return secret.Secret{}, errors.New("no such item")
	}
	return secret.New(raw), nil
}

func (v *vault) Delete(_ context.Context, name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.items, name)
	return nil
}

// pair is a sender and a recipient with fresh keys.
type pair struct {
	keys      *openpgp.Keys
	vault     *vault
	now       time.Time
	recipient openpgp.Certificate // private half: "bob"
	sender    openpgp.Certificate // private half: "alice"
}

func newPair(t testing.TB) *pair {
	t.Helper()
	p := &pair{vault: &vault{}, now: time.Now().UTC()} // gpg knows no other clock
	p.keys = openpgp.NewKeys(p.vault, func() time.Time { return p.now })
	p.recipient = must(p.keys.Generate(t.Context(), "bob", "bob@example.org"))
	p.sender = must(p.keys.Generate(t.Context(), "alice", "Alice Example <alice@example.com>"))
	return p
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func letter(now time.Time) mail.Letter {
	return mail.Letter{
		From: "alice@example.com", FromName: "Alice Exämple", To: "bob@example.org",
		Subject: "Lieferung für März — die wirkliche Betreffzeile", Date: now,
		MessageID: mail.NewMessageID("alice@example.com"), InReplyTo: "<earlier@example.org>",
		References: []string{"<first@example.org>", "<earlier@example.org>"},
		Text:       "Guten Tag Bob,\nein geheimer Satz.\n",
	}
}

func stamp() openpgp.Stamp {
	return openpgp.Stamp{Bond: "0191d2f0-0000-7000-8000-000000000001", Key: "aa", Reply: "bb"}
}

func (p *pair) seal(t testing.TB) []byte {
	t.Helper()
	raw, err := p.keys.Seal(t.Context(), openpgp.SealRequest{Letter: letter(p.now), Stamp: stamp(), To: p.recipient, SignWith: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (p *pair) open(ctx context.Context, raw []byte) (openpgp.Opened, error) {
	s, err := openpgp.Inspect(raw)
	if err != nil {
		return openpgp.Opened{}, err
	}
	return p.keys.Open(ctx, s, "bob", p.sender)
}

func TestSealedMailOpens(t *testing.T) {
	p := newPair(t)
	raw := p.seal(t)
	sealed, err := openpgp.Inspect(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(sealed.KeyIDs) != 1 || sealed.Hidden != 0 || sealed.KeyIDs[0] != p.recipient.KeyIDs[0] {
		t.Errorf("Inspect: %x, %d hidden; the key is %x", sealed.KeyIDs, sealed.Hidden, p.recipient.KeyIDs)
	}
	opened, err := p.keys.Open(t.Context(), sealed, "bob", p.sender)
	if err != nil {
		t.Fatal(err)
	}
	l := letter(p.now)
	if !opened.Protected || opened.Header.Subject != l.Subject || opened.Header.From != l.From || opened.Header.To != l.To || opened.Header.FromName != l.FromName {
		t.Errorf("header %+v", opened.Header)
	}
	if opened.Stamp == nil || *opened.Stamp != stamp() {
		t.Errorf("stamp %+v", opened.Stamp)
	}
	content := must(mail.Read(opened.Inner))
	if content.Text != l.Text {
		t.Errorf("text %q", content.Text)
	}
	if err := openpgp.VerifyArrival(p.sender.Raw, opened.Proof); err != nil {
		t.Errorf("proof: %v", err)
	}
	if err := openpgp.VerifyArrival(p.recipient.Raw, opened.Proof); !errors.Is(err, openpgp.ErrProof) {
		t.Errorf("the proof verifies with another certificate: %v", err)
	}
}
