package escrowserver

import (
	"context"
	"fmt"
	"time"
)

// An escrow that was away for longer than outageOver lets nothing expire for
// outageGrace after its start, final deadlines excepted: who could not reach it
// gets the time to.
const (
	outageOver  = 5 * time.Minute
	outageGrace = 24 * time.Hour
)

// outage is what New found out about the time before.
type outage struct {
	began, ended time.Time // zero if there was none before this start
	until        time.Time // nothing expires before; zero if there is nothing to wait for
}

// findOutage looks for the escrow's last sign of life. A start within the grace
// of an earlier outage goes on with it.
func findOutage(ctx context.Context, store Store, now time.Time) (outage, error) {
	alive, err := store.Alive(ctx)
	if err != nil {
		return outage{}, fmt.Errorf("the escrow's last sign of life: %w", err)
	}
	var o outage
	if !alive.OutageEnded.IsZero() {
		o.until = alive.OutageEnded.Add(outageGrace)
	}
	if !alive.Beat.IsZero() && now.Sub(alive.Beat) > outageOver {
		o = outage{began: alive.Beat, ended: now, until: now.Add(outageGrace)}
	}
	return o, nil
}
