package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"golang.org/x/sync/semaphore"

	"earnest/escrow"
)

// Bounds of the large answers that are in memory at once: of all, and of one account,
// so that one that reads slowly leaves room for the others.
const (
	maxAnswers         = 128 << 20
	maxAnswersPerKey   = 16 << 20
	waitForAnswerRoom  = time.Second
	retryAfterAnswers  = 10 * time.Second
	exportsEachAccount = time.Minute
)

// answers keeps count of them.
type answers struct {
	bonds   *bodies
	exports *semaphore.Weighted // one
	seldom  *limiter            // exports of an account
}

func newAnswers(now func() time.Time) *answers {
	return &answers{
		bonds: &bodies{all: semaphore.NewWeighted(maxAnswers), most: maxAnswers, perKey: maxAnswersPerKey,
			wait: waitForAnswerRoom, of: map[string]int64{}},
		exports: semaphore.NewWeighted(1),
		seldom:  newLimiter(Rate{PerSecond: 1 / exportsEachAccount.Seconds(), Burst: 1}, now),
	}
}

// held is the room that a request's answer takes until it is written.
type held struct{ free func() }

type heldKey struct{}

func (h *held) release() {
	if h.free != nil {
		h.free()
	}
}

// holdRoom has the room given back once the answer is written.
func holdRoom(ctx context.Context, free func()) {
	if h, ok := ctx.Value(heldKey{}).(*held); ok {
		h.free = free
		return
	}
	free()
}

// roomForPage waits for the room that a page takes: as it was read, and as it is written.
func (a *API) roomForPage(ctx context.Context, page escrow.BondPage) error {
	size := int64(0)
	for _, b := range page.Bonds {
		size += int64(len(b.Verification)+len(b.Reply)+len(b.Quote)) + 1<<10
	}
	key, _ := ctx.Value(accountKey{}).(escrow.PublicKey)
	free, err := a.answers.bonds.take(ctx, string(key), min(3*size, maxAnswersPerKey))
	if err != nil {
		return &escrow.Error{Code: escrow.Limited, RetryAfter: retryAfterAnswers,
			Detail: "too many long lists are being read at once; nothing was changed; ask again later, and read the answers faster"}
	}
	holdRoom(ctx, free)
	return nil
}

// export makes one at a time, and seldom: all of it is in memory several times over.
func (a *API) export(ctx context.Context, _ *struct{}) (*output[json.RawMessage], error) {
	key, _ := ctx.Value(accountKey{}).(escrow.PublicKey)
	if !a.answers.exports.TryAcquire(1) {
		return nil, &escrow.Error{Code: escrow.Limited, RetryAfter: retryAfterAnswers,
			Detail: "another export is being made; nothing was changed; ask again later"}
	}
	holdRoom(ctx, func() { a.answers.exports.Release(1) })
	if wait, ok := a.answers.seldom.take(string(key)); !ok {
		return nil, &escrow.Error{Code: escrow.Limited, RetryAfter: wait,
			Detail: "an account is exported once a minute at most; nothing was changed; ask again later"}
	}
	return answer(a.service(ctx).Export(ctx))
}
