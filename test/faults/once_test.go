package faults

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// deed is what a person wants done: play looks whether it is, does it only if it is
// not, and waits until it is. Each of its writes, named by process, is killed once.
type deed struct {
	name   string
	notice string // how long a change waits that it asks for
	play   func(context.Context) error
	writes map[string]string
}

// points are the writes of a process as fault points: "decide.posting" is its first one
// in its transaction.
func (d deed) points(process string) (points []string) {
	for _, write := range strings.Fields(d.writes[process]) {
		if !strings.Contains(write, "#") {
			write += "#1"
		}
		points = append(points, write)
	}
	return points
}

// moment is when a process is killed at a point: a write is lost then, a commit is
// made and nobody hears of it.
func moment(point string) string {
	if strings.Contains(point, ".commit#") {
		return point + " after"
	}
	return point + " before"
}

// shared is the commit of operations that came in together, whosever they are.
const shared = "batch.commit#1"

// once plays the deed, and has each of its writes killed. It gives how many were.
func (r *rig) once(ctx context.Context, d deed) (kills int, err error) {
	notice := d.notice
	if notice == "" {
		notice = "1h"
	}
	if err := os.WriteFile(filepath.Join(r.faults, "notice"), []byte(notice), 0o600); err != nil {
		return 0, err
	}
	was := map[string]int{}
	for process := range d.writes {
		moments := []string{moment(shared)}
		for _, point := range d.points(process) {
			moments = append(moments, moment(point))
		}
		was[process] = len(r.lines(process + ".killed"))
		if err := r.arm(process, moments); err != nil {
			return 0, err
		}
	}
	if err := d.play(ctx); err != nil {
		return 0, fmt.Errorf("%s: %w", d.name, err)
	}
	for end := time.Now().Add(10 * time.Second); len(r.missed(d, was)) > 0 && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	var faults []error
	for _, process := range slices.Sorted(maps.Keys(d.writes)) {
		kills += len(r.lines(process+".killed")) - was[process]
		faults = append(faults, r.arm(process, nil))
	}
	for _, point := range r.missed(d, was) {
		faults = append(faults, fmt.Errorf("%s: nobody was killed at %s", d.name, point))
	}
	return kills, errors.Join(faults...)
}

// missed are points of the deed at which nobody was killed since. Who commits together
// with others is killed there.
func (r *rig) missed(d deed, since map[string]int) (missed []string) {
	for _, process := range slices.Sorted(maps.Keys(d.writes)) {
		killed := r.lines(process + ".killed")[since[process]:]
		together := slices.Contains(killed, moment(shared))
		for _, point := range d.points(process) {
			if !slices.Contains(killed, moment(point)) && !(together && strings.Contains(point, ".commit#")) {
				missed = append(missed, process+" "+point)
			}
		}
	}
	return missed
}

// unkilled are the writes of these operations that the escrow made and at which it was
// never killed; each deed has looked for its commit.
func (r *rig) unkilled(operations ...string) (never []string) {
	killed := map[string]bool{}
	for _, line := range r.lines(escrowProcess + ".killed") {
		label, _, _ := strings.Cut(line, "#")
		killed[label] = true
	}
	for _, point := range r.lines(escrowProcess + ".reached") {
		label, _, _ := strings.Cut(point, "#")
		operation, _, _ := strings.Cut(label, ".")
		if slices.Contains(operations, operation) && !killed[label] && !strings.HasSuffix(label, ".commit") && !slices.Contains(never, label) {
			never = append(never, label)
		}
	}
	return never
}
