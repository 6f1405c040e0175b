package secret

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// wrapper holds a secret where printers walk by reflection and call no methods.
type wrapper struct {
	Name   string
	inner  Secret
	sealer *Sealer
	signer any
}

const word = "correct horse battery staple"

// traces are the forms in which the secret would show.
func traces() []string {
	return []string{
		word, hex.EncodeToString([]byte(word)), strings.ToUpper(hex.EncodeToString([]byte(word))),
		strings.Trim(fmt.Sprint([]byte(word)), "[]"), fmt.Sprintf("%#v", []byte(word))[8:30],
	}
}

func printed(v any) string {
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	fmt.Fprintln(&b, v)
	if j, err := json.Marshal(v); err == nil {
		b.Write(j)
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	if m, ok := v.(encoding.TextMarshaler); ok {
		text, _ := m.MarshalText()
		b.Write(text)
	}
	return b.String()
}

func TestASecretIsNeverPrinted(t *testing.T) {
	s := New([]byte(word))
	key := New(append([]byte(word), make([]byte, KeySize-len(word))...))
	sealer, err := NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{
		"secret": s, "pointer": &s, "sealer": sealer, "sealer value": *sealer,
		"struct":         wrapper{"n", s, sealer, sealer},
		"struct pointer": &wrapper{"n", s, sealer, s},
		"list":           []Secret{s}, "map": map[string]Secret{"a": s}, "error": fmt.Errorf("x: %v", s),
	} {
		out := printed(v)
		for _, trace := range traces() {
			if strings.Contains(out, trace) {
				t.Errorf("%s shows %q in:\n%s", name, trace, out)
			}
		}
	}
	if got := fmt.Sprintf("%v %#v %x", s, s, s); got != "[secret] [secret] [secret]" {
		t.Errorf("got %s", got)
	}
	// The control: the same search finds the bytes of a slice.
	plain := printed(wrapper{Name: "n", signer: []byte(word)})
	found := 0
	for _, trace := range traces() {
		if strings.Contains(plain, trace) {
			found++
		}
	}
	if found < 4 {
		t.Errorf("the search found only %d of %d traces in bare bytes", found, len(traces()))
	}
}

func TestSecretOwnsItsBytes(t *testing.T) {
	b := []byte(word)
	s := New(b)
	b[0] = 'X'
	s.Reveal()[1] = 'X'
	if string(s.Reveal()) != word {
		t.Error("the secret changed from outside")
	}
	if !s.Equal(New([]byte(word))) || s.Equal(New([]byte("other"))) {
		t.Error("Equal is wrong")
	}
	var zero Secret
	if zero.Reveal() != nil || !zero.Empty() || s.Empty() {
		t.Error("the zero secret is not empty")
	}
}

func TestSealer(t *testing.T) {
	sealer, err := NewSealer(NewKey())
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("mail "), 20_000)} {
		sealed := sealer.Seal(plain, "mail 1")
		if len(sealed) != len(plain)+Overhead {
			t.Errorf("sealed %d bytes into %d", len(plain), len(sealed))
		}
		got, err := sealer.Open(sealed, "mail 1")
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("open: %v", err)
		}
	}
	if a, b := sealer.Seal([]byte("x"), "c"), sealer.Seal([]byte("x"), "c"); bytes.Equal(a, b) {
		t.Error("the same text was sealed alike twice: the nonce is not random")
	}
}

func TestSealerRefuses(t *testing.T) {
	sealer, _ := NewSealer(NewKey())
	other, _ := NewSealer(NewKey())
	sealed := sealer.Seal([]byte("subject"), "mail 1")
	refused := func(what string, s *Sealer, b []byte, context string) {
		t.Helper()
		if plain, err := s.Open(b, context); !errors.Is(err, ErrOpen) || plain != nil {
			t.Errorf("%s: got %q, %v", what, plain, err)
		}
	}
	refused("another key", other, sealed, "mail 1")
	refused("another context", sealer, sealed, "mail 2")
	refused("nothing", sealer, nil, "mail 1")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), sealer, changed, "mail 1")
		refused(fmt.Sprintf("cut to %d", i), sealer, sealed[:i], "mail 1")
	}
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := NewSealer(New(make([]byte, n))); err == nil {
			t.Errorf("a key of %d bytes was taken", n)
		}
	}
}
