package escrow

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"
)

// weakKeys are keys for which anybody can make up a signature, or nobody any.
func weakKeys(t *testing.T) map[string]PublicKey {
	t.Helper()
	read := func(text string) PublicKey {
		key, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	pad := func(first string, fill byte, last byte) PublicKey {
		key := append(read(first), bytes.Repeat([]byte{fill}, 32-len(first)/2)...)
		key[31] = last
		return key
	}
	eighth := read("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
	other := read("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
	signed := func(key PublicKey) PublicKey { return append(bytes.Clone(key[:31]), key[31]|0x80) }
	return map[string]PublicKey{
		"neutral": pad("01", 0, 0), "neutral, signed": pad("01", 0, 0x80),
		"order 2": pad("ec", 0xff, 0x7f), "order 2, signed": pad("ec", 0xff, 0xff),
		"order 4": pad("00", 0, 0), "order 4, signed": pad("00", 0, 0x80),
		"order 8": eighth, "order 8, signed": signed(eighth), "other of order 8": other, "other of order 8, signed": signed(other),
		"zero as p": pad("ed", 0xff, 0x7f), "one as p+1": pad("ee", 0xff, 0x7f), "two as p+2": pad("ef", 0xff, 0x7f), "all ones": pad("ff", 0xff, 0xff),
		"not on the curve": pad("02", 0, 0), "short": make(PublicKey, 31), "none": {},
	}
}

// TestWeakKeysAreRefused: where a public key enters, by whatever statement it comes, one
// whose signatures anybody can make up, or nobody, is refused.
func TestWeakKeysAreRefused(t *testing.T) {
	for name, key := range weakKeys(t) {
		text := base64.RawURLEncoding.EncodeToString(key)
		var read PublicKey
		if err := read.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s was read", name)
		}
		var open OpenAccount
		if err := json.Unmarshal([]byte(`{"key":"`+text+`"}`), &open); err == nil {
			t.Errorf("%s was read as an account's key", name)
		}
		// R the neutral point and S zero: a signature of everything by a key of small order.
		made := append([]byte{1}, make([]byte, 63)...)
		input := header(KindStatement, KeyIDOf(ed25519.PublicKey(key))) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{}`))
		statement := Signed(input + "." + base64.RawURLEncoding.EncodeToString(made))
		if err := Verify(statement, KindStatement, ed25519.PublicKey(key), &Statement{}); !errors.Is(err, Invalid) {
			t.Errorf("%s signed a statement: %v", name, err)
		}
		order := Order{ID: "o", Account: "a", Action: ActionRecovery, Recovery: key, Time: t0}
		if order.check() == nil {
			t.Errorf("%s is taken as recovery key", name)
		}
	}
	for _, who := range []string{"anna", "bob", "carol", "dora"} {
		if err := CheckKey(public(testKey(who))); err != nil {
			t.Errorf("a good key: %v", err)
		}
	}
}
