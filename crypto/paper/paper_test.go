package paper

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func made(t *testing.T) *Key {
	t.Helper()
	k, err := New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestARecoveryKeyIsReadAsItWasWritten(t *testing.T) {
	k := made(t)
	for _, typed := range []string{k.Code(), strings.ToLower(k.Code()), strings.ReplaceAll(k.Code(), " ", "-"),
		strings.ReplaceAll(k.Code(), "0", "o"), strings.ReplaceAll(k.Code(), "1", "l"), "  " + strings.ReplaceAll(k.Code(), " ", "\r\n")} {
		again, err := Parse(typed)
		if err != nil {
			t.Fatalf("%q: %v", typed, err)
		}
		signature, err := again.Sign(nil, []byte("order"), crypto.Hash(0))
		if err != nil || !ed25519.Verify(k.public, []byte("order"), signature) || !bytes.Equal(again.Account(), k.Account()) {
			t.Fatalf("%q is another key", typed)
		}
	}
	if groups := strings.Fields(k.Code()); len(groups) != Groups || len(groups[0]) != GroupLen {
		t.Fatalf("%q", k.Code())
	}
}

// Every mistyped character is found, nearly always in its group; none gives a key.
func TestATypingErrorIsFoundWhereItIs(t *testing.T) {
	code := made(t).Code()
	there, tried := 0, 0
	for i := range code {
		for _, c := range alphabet + "U?é" {
			if code[i] == ' ' || string(c) == code[i:i+1] {
				continue
			}
			_, err := Parse(code[:i] + string(c) + code[i+1:])
			wrong, ok := errors.AsType[*TypingError](err)
			switch {
			case err == nil:
				t.Fatalf("character %d as %q was taken", i, c)
			case ok && wrong.Group != i/(GroupLen+1)+1:
				t.Fatalf("character %d was looked for in group %d", i, wrong.Group)
			case ok:
				there++
			}
			tried++
		}
	}
	if there*100 < tried*95 {
		t.Errorf("%d of %d were found in their group", there, tried)
	}
	groups := strings.Fields(code)
	groups[3], groups[4] = groups[4], groups[3]
	if _, err := Parse(strings.Join(groups, " ")); err == nil {
		t.Error("groups that changed places were taken")
	}
	for _, short := range []string{"", "words", strings.Join(groups[1:], " "), code + "A"} {
		if _, err := Parse(short); !errors.Is(err, ErrLength) {
			t.Errorf("%q: %v", short, err)
		}
	}
}

func TestARecoveryKeyIsNotPrinted(t *testing.T) {
	k := made(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		shown := fmt.Sprintf(verb, k)
		for _, group := range strings.Fields(k.Code()) {
			if strings.Contains(shown, group) {
				t.Errorf("%s shows it", verb)
			}
		}
	}
}
