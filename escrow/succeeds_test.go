package escrow

import (
	"crypto/ed25519"
	"testing"
	"time"
)

// Who has seen an identity takes another only where that one, or the recovery key
// that its offer named, handed the account over.
func TestK_AnIdentityFollowsByItsOwnOrTheRecoveryKeysOrder(t *testing.T) {
	key := func(seed byte) ed25519.PrivateKey {
		return ed25519.NewKeyFromSeed(append(make([]byte, 31), seed))
	}
	public := func(k ed25519.PrivateKey) PublicKey { return PublicKey(k.Public().(ed25519.PublicKey)) }
	first, second, third, recovery, thief := key(1), key(2), key(3), key(4), key(5)
	hand := func(by, to ed25519.PrivateKey, account PublicKey, action Action) Signed {
		accepted, err := Sign(to, KindNewKey, NewKey{Account: account.ID(), Key: public(to)})
		if err != nil {
			t.Fatal(err)
		}
		signed, err := Sign(by, KindOrder, Order{ID: "1", Account: account.ID(), Action: action, Key: public(to), Accepted: accepted, Time: time.Unix(1, 0)})
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	account := public(first)
	one, two := hand(first, second, account, ActionRotate), hand(second, third, account, ActionRotate)
	for name, c := range map[string]struct {
		now      ed25519.PrivateKey
		follows  []Signed
		seen     ed25519.PrivateKey
		recovery PublicKey
		want     bool
	}{
		"by the old":                       {second, []Signed{one}, first, nil, true},
		"by two":                           {third, []Signed{one, two}, first, nil, true},
		"from the middle":                  {third, []Signed{one, two}, second, nil, true},
		"by the recovery key":              {third, []Signed{hand(recovery, third, account, ActionRotate)}, first, public(recovery), true},
		"by one that no offer named":       {third, []Signed{hand(recovery, third, account, ActionRotate)}, first, nil, false},
		"nothing":                          {second, nil, first, nil, false},
		"by a stranger":                    {thief, []Signed{hand(thief, thief, account, ActionRotate)}, first, public(recovery), false},
		"to another than it shows":         {thief, []Signed{one}, first, nil, false},
		"a link is missing":                {third, []Signed{two}, first, nil, false},
		"out of order":                     {third, []Signed{two, one}, first, nil, false},
		"by an order of something else":    {second, []Signed{hand(first, second, account, ActionFreeze)}, first, nil, false},
		"to another account in the middle": {third, []Signed{one, hand(second, third, public(thief), ActionRotate)}, first, nil, false},
	} {
		offer := Offer{Identity: public(c.now), Follows: c.follows}
		if got := offer.Succeeds(public(c.seen), c.recovery); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
