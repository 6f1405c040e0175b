package linear

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"earnest/escrow"
)

const (
	clients    = 6
	operations = 8 // of each client
)

// forms are what certificates and proofs look like at the escrow under test.
type forms interface {
	// key is a new one-time key.
	key() (binary []byte, fingerprint string)
	// signer is a certificate that has signed one mail, with the proof of it.
	signer() (certificate []byte, proof escrow.ArrivalProof)
}

// cast is who takes part in a history, what they begin with and how they ask.
type cast struct {
	forms
	buyers   [buyers]*person
	shops    [shops]*person
	quotes   [buyers][shops]escrow.Signed
	vouchers []string
	first    books
	keys     map[string]int8 // by fingerprint
	mu       sync.Mutex      // of keys
	now      func() time.Time
	newID    func() string
	// at is a person as the client of that number reaches the escrow.
	at func(*person, int) *person
	// try asks once. How often the request left the client is counted.
	try func(ctx context.Context, random *rand.Rand, ask func(context.Context) error) (sent int64, err error)
	// giveUp is how many of a hundred operations without an answer are not repeated.
	giveUp int
}

// history is what six clients do and are told.
type history struct {
	*cast
	clock atomic.Int64
	mu    sync.Mutex
	done  []porcupine.Operation
	bonds []*saleOf
	ops   int
	made  int8 // keys
}

// saleOf is a bond that somebody tries to buy.
type saleOf struct {
	number      int
	buyer, shop int
	req         escrow.BuyRequest
	arrival     escrow.Arrival
	gone        escrow.Signed
	decisions   atomic.Int32
}

// action is an operation that can be done again under its id.
type action struct {
	in  input
	ask func(ctx context.Context) (output, error)
}

// play lets the clients loose. Two of them are one buyer, and two one seller.
func (c *cast) play(ctx context.Context, seed uint64) *history {
	h := &history{cast: c, made: int8(len(c.keys))}
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			client := &client{history: h, number: n, random: rand.New(rand.NewPCG(seed, uint64(n)))}
			for i, p := range c.buyers {
				client.buyers[i] = c.at(p, n)
			}
			for i, p := range c.shops {
				client.shops[i] = c.at(p, n)
			}
			for range operations {
				client.operate(ctx)
			}
		})
	}
	all.Wait()
	return h
}

type client struct {
	*history
	number int
	// The people as this client reaches the escrow.
	buyers [buyers]*person
	shops  [shops]*person
	random *rand.Rand
	mine   []action // that change something, to be repeated
}

func (c *client) operate(ctx context.Context) {
	if len(c.mine) > 0 && c.random.IntN(100) < 15 {
		c.perform(ctx, c.mine[c.random.IntN(len(c.mine))])
		return
	}
	a, ok := c.choose()
	if !ok {
		a = c.look()
	}
	switch a.in.kind {
	case account, pool, quote, view:
	default:
		c.mine = append(c.mine, a)
	}
	c.perform(ctx, a)
}

// perform does the action until it is answered, or gives up.
func (c *client) perform(ctx context.Context, a action) {
	began := c.clock.Add(1)
	for lost := false; ; lost = true {
		call := c.clock.Add(1)
		var out output
		sent, err := c.try(ctx, c.random, func(ctx context.Context) (err error) {
			out, err = a.ask(ctx)
			return err
		})
		if err != nil {
			out = output{code: escrow.CodeOf(err)}
		}
		lost = lost || sent > 1
		if unanswered(err) {
			if ctx.Err() == nil && c.random.IntN(100) >= c.giveUp {
				continue
			}
			c.note(a.in, output{unknown: true}, began, forever)
			return
		}
		if !lost {
			call = began
		}
		// A success under one id is one operation, whenever it was done. A refusal is
		// of the last try alone, and an earlier one may still be done.
		if lost && err != nil {
			c.note(a.in, output{unknown: true}, began, forever)
		}
		if lost && err == nil {
			call = began
		}
		c.note(a.in, out, call, c.clock.Add(1))
		return
	}
}

const forever = int64(1) << 62

// unanswered tells an operation of which nobody knows whether it was done.
func unanswered(err error) bool {
	if err == nil {
		return false
	}
	switch escrow.CodeOf(err) {
	case escrow.Unavailable, escrow.Replayed, escrow.ClockSkew, "":
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// note keeps an operation for the judge. What was only looked at without an answer
// says nothing.
func (h *history) note(in input, out output, call, back int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch in.kind {
	case account, pool, quote, view:
		if out.unknown {
			return
		}
	}
	h.done = append(h.done, porcupine.Operation{Input: in, Output: out, Call: call, Return: back})
}

// judge asks whether one clerk could have done all that, one after the other.
func (h *history) judge(atOnce bool) porcupine.CheckResult {
	last := porcupine.Operation{Input: input{kind: end}, Output: output{}, Call: h.clock.Add(1), Return: h.clock.Add(1)}
	return porcupine.CheckOperationsTimeout(model(h.first, atOnce), append(slices.Clone(h.done), last), time.Minute)
}
