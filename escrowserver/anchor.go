package escrowserver

import (
	"context"
	"time"

	"earnest/escrow"
)

// kindLog is the anchor of the operator's log: the escrow's word on how long it was, so
// that verify finds out when it was cut off, or deleted.
const kindLog escrow.Kind = "earnest-log+jws"

// LogAnchor is how long the log was, and the hash of its newest row.
type LogAnchor struct {
	N    int64     `json:"n"`
	Hash string    `json:"hash"`
	Time time.Time `json:"time"`
}

// Anchor signs how long the log is.
func (s Seal) Anchor(a LogAnchor) (escrow.Signed, error) { return s.sign(kindLog, a) }

// Anchored reads a signed anchor.
func (s Seal) Anchored(signed escrow.Signed) (a LogAnchor, err error) {
	err = escrow.Verify(signed, kindLog, s.key, &a)
	return a, err
}

// AnchorLog anchors the rows that came since, if those before are all there and each
// follows the one before it. The first anchor is made by [SealRows]. It gives false if
// the log is not as it was.
type AnchorLog struct {
	Now  time.Time
	Seal Seal
}

// Name begins the label of each write that the operation makes.
func (AnchorLog) Name() string { return "anchor" }

// anchorLog fails nothing: it is tried again, and verify tells what is wrong.
func (s *Server) anchorLog(ctx context.Context) {
	whole, err := do[bool](ctx, s, AnchorLog{Now: s.now(), Seal: s.seal})
	if err == nil && !whole {
		s.log.Error("the operator's log is not as the escrow knew it: rows were changed or cut off; run verify")
	}
}

func (a *audit) logAnchor(text string) error {
	var err error
	if a.anchor, err = (Seal{key: a.receiptKey}).Anchored(escrow.Signed(text)); err != nil {
		a.fault("the books do not say how long the operator's log was: somebody took that away, or changed it")
	}
	return nil
}

// anchored holds the log against its anchor, once all of it was seen.
func (a *audit) anchored() {
	if a.last.N < a.anchor.N {
		a.fault("the operator's log has %d rows, but had %d on %s: the newest were cut off", a.last.N, a.anchor.N, a.anchor.Time.Format(time.DateOnly))
	}
}
