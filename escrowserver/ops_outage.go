package escrowserver

import (
	"time"

	"earnest/escrow"
)

// Beat records that the escrow is alive, for all of its processes. If none has beaten
// for longer than Over, it was away since the last beat: the operation that finds
// this writes the outage, once. It gives a [Beaten].
type Beat struct {
	Now  time.Time
	Over time.Duration
	Sign func(began, ended time.Time) (escrow.Signed, error)
}

// Beaten is what the escrow knows of its outages at a beat.
type Beaten struct {
	Outages []OutageLine // all, in the order of time
	Found   bool         // the last of them was found by this beat
}

// OutageWorkedOff records that the deadlines of all bonds that were open when the
// outage ended are stored as it has moved them.
type OutageWorkedOff struct {
	Now   time.Time
	Ended time.Time
}

// Names of the operations.
func (Beat) Name() string            { return "beat" }
func (OutageWorkedOff) Name() string { return "workedoff" }
