package openpgp_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/mail"
)

// The dry run says what sealing then does: the same lines outside, the same text
// inside, and a size that is within 5%.
func TestDryRun_SaysWhatSealMakes(t *testing.T) {
	keys := openpgp.NewKeys(keyring.OpenMemory(), time.Now)
	to, err := keys.Generate(t.Context(), "to", "one-time key")
	if err != nil {
		t.Fatal(err)
	}
	sign, err := keys.Generate(t.Context(), "sign", "signs one mail")
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 3<<20)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	long := strings.Repeat("Größe und Gewicht, ", 40)
	stamp := openpgp.Stamp{Bond: "01939f00-0000-7000-8000-000000000000", Key: to.Fingerprint, Reply: to.Fingerprint}
	for name, l := range map[string]mail.Letter{
		"nothing":      {},
		"a line":       {Subject: "Hello", Text: "Hello\n"},
		"a page":       {Subject: long, Text: strings.Repeat("A line of a page that is as long as lines are.\n", 60)},
		"Chinese":      {Subject: "你好", Text: strings.Repeat("你好，世界。", 500)},
		"a small file": {Subject: "s", Text: "t", Attachments: []mail.Attachment{{Name: "ä.bin", Type: "image/png", Data: random[:2000]}}},
		"large files": {Subject: "s", Text: strings.Repeat("t", 100_000), Attachments: []mail.Attachment{{Name: "a", Data: random},
			{Name: "b", Type: "text/plain", Data: bytes.Repeat([]byte("b"), 2<<20)}}},
	} {
		l.From, l.To, l.Date, l.MessageID = "a@mail.example", "b@mail.example", time.Now(), mail.NewMessageID("a@mail.example")
		dry, err := openpgp.DryRun(l, stamp)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := keys.Seal(t.Context(), openpgp.SealRequest{Letter: l, Stamp: stamp, To: to, SignWith: "sign"})
		if err != nil {
			t.Fatal(err)
		}
		if off := float64(dry.Size)/float64(len(raw)) - 1; off < -0.05 || off > 0.05 {
			t.Errorf("%s: %d bytes were foreseen, %d it has: %+.1f%%", name, dry.Size, len(raw), 100*off)
		} else {
			t.Logf("%s: %d foreseen, %d it has: %+.2f%%", name, dry.Size, len(raw), 100*off)
		}
		header, _, _ := strings.Cut(string(raw), "\r\n\r\n")
		header = strings.ReplaceAll(header, "\r\n ", " ")
		if got, want := noBoundary(strings.Join(dry.Outside, "\r\n")), noBoundary(header); got != want {
			t.Errorf("%s: outside stands\n%s\nforeseen was\n%s", name, want, got)
		}
		foreseen, err := mail.Read(dry.Inner)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := openpgp.Inspect(raw)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := keys.Open(t.Context(), sealed, "to", sign)
		if err != nil {
			t.Fatal(err)
		}
		read, err := mail.Read(opened.Inner)
		if err != nil || read.Text != foreseen.Text || read.Header.Subject != foreseen.Header.Subject || fmt.Sprint(read.Attachments) != fmt.Sprint(foreseen.Attachments) {
			t.Errorf("%s: it reads otherwise than foreseen (%v)", name, err)
		}
	}
}

func noBoundary(header string) string {
	before, _, _ := strings.Cut(header, "boundary=")
	return before
}
