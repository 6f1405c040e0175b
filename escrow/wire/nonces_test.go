package wire

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"earnest/escrow"
)

// TestNoncesUnderPressure takes random steps in too small a room: nothing is
// ever taken twice, the room is never exceeded, and in the end all of it is free.
func TestNoncesUnderPressure(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type request struct {
		key     escrow.PublicKey
		nonce   string
		created int64
	}
	const most = 40
	n := newNonces(time.Unix(1000, 0), most, 30)
	now := int64(1000)
	var taken []request
	given := 0
	for i := range 20_000 {
		now += int64(random.IntN(20) / 19)
		oldest := now - 10
		r := request{escrow.PublicKey{byte(random.IntN(random.IntN(6) + 1))}, fmt.Sprint(i), now + int64(random.IntN(21)) - 10}
		if len(taken) > 0 && random.IntN(3) == 0 {
			old := taken[random.IntN(len(taken))]
			if got := n.take(old.key, old.nonce, old.created, oldest); got == fresh {
				t.Fatalf("step %d: %+v is taken twice", i, old)
			}
		} else if n.take(r.key, r.nonce, r.created, oldest) == fresh {
			taken = append(taken, r)
		}
		sum := 0
		for _, k := range n.keys {
			if k.floor > 0 {
				given++
			}
			sum += len(k.seen)
			for _, ids := range k.seen {
				sum += len(ids)
			}
		}
		if sum != n.count || n.count > most || len(n.crowd) != len(n.keys) {
			t.Fatalf("step %d: %d counted, %d there, of %d; %d and %d keys", i, n.count, sum, most, len(n.crowd), len(n.keys))
		}
	}
	if len(taken) < 1000 || given == 0 {
		t.Errorf("only %d taken, %d gave up a second: the test tries too little", len(taken), given)
	}
	n.forget(now + 100)
	if n.count != 0 || len(n.keys)+len(n.seconds)+len(n.crowd) != 0 {
		t.Errorf("in the end: %+v", n)
	}
}
