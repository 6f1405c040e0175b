// Command openpgp measures what our opener costs beside bare go-crypto: decrypt
// and verify of a 4 KiB mail, in one run, taking turns. Each one-time key opens
// one mail, so both read key and certificate from bytes every time.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/crypto/openpgp"
	"earnest/crypto/secret"
	"earnest/mail"
)

func main() {
	rounds := flag.Int("rounds", 2000, "how often each opens the mail")
	size := flag.Int("size", 4096, "bytes of text in the mail")
	flag.Parse()
	if err := run(context.Background(), *rounds, *size, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench openpgp:", err)
		os.Exit(1)
	}
}

// vault is in memory: the keyring's own cost is not measured here.
type vault struct{ items sync.Map }

func (v *vault) Put(_ context.Context, name string, s secret.Secret) error {
	v.items.Store(name, s)
	return nil
}

func (v *vault) Get(_ context.Context, name string) (secret.Secret, error) {
	s, ok := v.items.Load(name)
	if !ok {
		return secret.Secret{}, errors.New("no such item")
	}
	return s.(secret.Secret), nil
}

func (v *vault) Delete(_ context.Context, name string) error {
	v.items.Delete(name)
	return nil
}

func run(ctx context.Context, rounds, size int, out io.Writer) error {
	v := &vault{}
	keys := openpgp.NewKeys(v, time.Now)
	bob, err := keys.Generate(ctx, "bob", "bob@example.org")
	if err != nil {
		return err
	}
	alice, err := keys.Generate(ctx, "alice", "alice@example.com")
	if err != nil {
		return err
	}
	raw, err := keys.Seal(ctx, openpgp.SealRequest{To: bob, SignWith: "alice", Letter: mail.Letter{
		From: "alice@example.com", To: "bob@example.org", Subject: "bench", Date: time.Now(),
		MessageID: mail.NewMessageID("alice@example.com"), Text: strings.Repeat("0123456789abcde\n", (size+15)/16)[:size],
	}})
	if err != nil {
		return err
	}
	message, err := mail.EncryptedPart(raw)
	if err != nil {
		return err
	}
	private, err := v.Get(ctx, "bob")
	if err != nil {
		return err
	}
	ours := func() error {
		sealed, err := openpgp.Inspect(raw)
		if err != nil {
			return err
		}
		certificate, err := openpgp.ParseCertificate(alice.Raw)
		if err != nil {
			return err
		}
		_, err = keys.Open(ctx, sealed, "bob", certificate)
		return err
	}
	bare := func() error { return openBare(message, private.Reveal(), alice.Raw) }
	return compare(out, rounds, ours, bare)
}

// openBare is what a program does with go-crypto alone.
func openBare(message, private, certificate []byte) error {
	block, err := armor.Decode(bytes.NewReader(private))
	if err != nil {
		return err
	}
	own, err := pgp.ReadEntity(packet.NewReader(block.Body))
	if err != nil {
		return err
	}
	signer, err := pgp.ReadEntity(packet.NewReader(bytes.NewReader(certificate)))
	if err != nil {
		return err
	}
	text, err := armor.Decode(bytes.NewReader(message))
	if err != nil {
		return err
	}
	read, err := pgp.ReadMessage(text.Body, pgp.EntityList{own, signer}, nil, nil)
	if err != nil {
		return err
	}
	if _, err := io.ReadAll(read.UnverifiedBody); err != nil {
		return err
	}
	if !read.IsSigned || read.Signature == nil || read.SignatureError != nil {
		return errors.New("the signature does not verify")
	}
	return nil
}

// compare lets both take turns and prints their medians and the ratio of rates.
func compare(out io.Writer, rounds int, ours, bare func() error) error {
	times := [2][]time.Duration{}
	for range rounds {
		for i, f := range []func() error{ours, bare} {
			start := time.Now()
			if err := f(); err != nil {
				return err
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	median := [2]time.Duration{}
	for i := range times {
		slices.Sort(times[i])
		median[i] = times[i][len(times[i])/2]
	}
	_, err := fmt.Fprintf(out, "open and verify: ours %v, bare go-crypto %v (medians of %d); our rate is %.2f of its (goal 0.80)\n",
		median[0], median[1], rounds, float64(median[1])/float64(median[0]))
	return err
}
