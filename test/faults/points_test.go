package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// point is one write of one process in one step: its label and the how manieth
// of its transaction ("sweep.entry#2").
type point struct{ path, step, process, write string }

func (p point) String() string {
	return fmt.Sprintf("%s / %s: %s %s", p.path, p.step, p.process, p.write)
}

// killsEach is how often each point is hit.
const killsEach = 3

// moments are when the process is killed at the point: a write that was not
// committed is reached again by the retry, a commit that was made is not.
func (p point) moments() []string {
	if strings.Contains(p.write, ".commit#") {
		return []string{p.write + " before", p.write + " before", p.write + " after"}
	}
	return []string{p.write + " before", p.write + " after", p.write + " before"}
}

// housekeeping are writes that are no part of a mail's way: they go on at any
// time, and happen or not whatever a mail does.
func housekeeping(write string) bool {
	label, _, _ := strings.Cut(write, "#")
	operation, _, _ := strings.Cut(label, ".")
	return slices.Contains([]string{"heartbeat", "beat", "workedoff", "clean", "inventories", "pool", "keys", "claim", "prove", "offer", "price", "topup", "open", "account", "batch"}, operation)
}

// meeting says how a point was met in the dry run.
type meeting int

const (
	// always: in every mail, so it must be hit.
	always meeting = iota
	// first: only with the first mail between two people; it must be hit too.
	first
	// chance: in some mails, when two things happened to meet.
	chance
)

// task is a point that is to be hit.
type task struct {
	point
	meeting
	tries int
	kills int
}

// otherWay is the same write as the other operation makes it: what the agent
// hears of a bond comes with the answer to its own request (settle) or with the
// list of bonds, whichever is faster, and after a kill it is the list. A kill on
// either way is a kill of the write.
func otherWay(write string) (string, bool) {
	operation, rest, _ := strings.Cut(write, ".")
	switch operation {
	case "settle":
		return "bonds." + rest, true
	case "bonds":
		return "settle." + rest, true
	}
	return "", false
}

// plan is shared by the rigs that work on one path.
type plan struct {
	mu    sync.Mutex
	tasks []*task
}

// discover plays the path without kills and notes the writes of each step.
func discover(ctx context.Context, r *rig, way path) (*plan, error) {
	const rounds = 4
	seen := map[point][]int{}
	for round := range rounds {
		var l letter
		for _, s := range way.steps {
			was := map[string]int{}
			for _, process := range processes() {
				was[process] = len(r.lines(process + ".reached"))
			}
			if err := s.play(r, ctx, &l); err != nil {
				return nil, fmt.Errorf("dry run: %w", err)
			}
			time.Sleep(s.quiet)
			for _, process := range processes() {
				for _, write := range r.lines(process + ".reached")[was[process]:] {
					p := point{way.name, s.name, process, write}
					if !s.again && !housekeeping(write) && !slices.Contains(seen[p], round) {
						seen[p] = append(seen[p], round)
					}
				}
			}
		}
		if err := r.judge(ctx, &l, way.end); err != nil {
			return nil, fmt.Errorf("dry run: %w", err)
		}
	}
	p := &plan{}
	for at, in := range seen {
		t := &task{point: at, meeting: chance}
		switch {
		case slices.Contains(in, 1) && slices.Contains(in, 2) && slices.Contains(in, 3):
			t.meeting = always
		case len(in) == 1 && in[0] == 0:
			t.meeting = first
		}
		p.tasks = append(p.tasks, t)
	}
	slices.SortFunc(p.tasks, func(a, b *task) int { return strings.Compare(a.String(), b.String()) })
	return p, nil
}

func processes() []string { return []string{escrowProcess, recipientProcess, senderProcess} }

const (
	together = 2 // points that are armed in one step
	// triesMay is how many mails a point may take to get its kills: what nobody
	// repeats after a kill (the word that a purchase came in) gets one a mail.
	triesMay = 12
)

// next takes points of the step that are to be armed now. Those of a first mail
// come first where it is one: there will be no other.
func (p *plan) next(s step, fresh bool) (taken []*task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	take := func(now bool, limit int) {
		for _, t := range p.tasks {
			if t.step == s.name && t.kills < killsEach && t.tries < t.may() && (t.meeting == first) == now && len(taken) < limit {
				t.tries += 100 // nobody else takes it meanwhile
				taken = append(taken, t)
			}
		}
	}
	if fresh {
		take(true, len(p.tasks))
	}
	take(false, together)
	return taken
}

// may is how many tries the point has: one that is met by chance has few.
func (t *task) may() int {
	if t.meeting == chance {
		return 1
	}
	return triesMay
}

func (p *plan) giveBack(taken []*task, hit map[string]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range taken {
		t.tries += 1 - 100
		t.kills += hit[t.process+" "+t.write]
		if other, two := otherWay(t.write); two {
			t.kills += hit[t.process+" "+other]
		}
	}
}

// work sends mail after mail with kills until no point is left.
func (p *plan) work(ctx context.Context, r *rig, way path, fresh bool) error {
	for {
		var l letter
		armed := 0
		for _, s := range way.steps {
			taken := p.next(s, fresh)
			armed += len(taken)
			hit, err := r.playKilled(ctx, s, &l, taken)
			p.giveBack(taken, hit)
			if err != nil {
				return fmt.Errorf("%s, killed at %v: %w", s.name, taken, err)
			}
		}
		if err := r.judge(ctx, &l, way.end); err != nil {
			return err
		}
		if fresh = false; armed == 0 {
			return nil
		}
	}
}

// playKilled plays a step with its points armed, and counts the kills.
func (r *rig) playKilled(ctx context.Context, s step, l *letter, taken []*task) (hit map[string]int, err error) {
	moments, was := map[string][]string{}, map[string]int{}
	for _, t := range taken {
		moments[t.process] = append(moments[t.process], t.moments()[t.kills:]...)
		if other, two := otherWay(t.write); two {
			way := t.point
			way.write = other
			moments[t.process] = append(moments[t.process], way.moments()[t.kills:]...)
		}
	}
	for _, process := range processes() {
		was[process] = len(r.lines(process + ".killed"))
		if err := r.arm(process, moments[process]); err != nil {
			return nil, err
		}
	}
	err = s.play(r, ctx, l)
	// What is not on the person's way (receipts, trash) may come a little later.
	for end := time.Now().Add(s.quiet + 4*time.Second); r.armed() > 0 && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	for _, process := range processes() {
		if err := r.arm(process, nil); err != nil {
			return nil, err
		}
	}
	hit = map[string]int{}
	for _, process := range processes() {
		for _, line := range r.lines(process + ".killed")[was[process]:] {
			write, _, _ := strings.Cut(line, " ")
			hit[process+" "+write]++
		}
	}
	if err == nil {
		// Back to the state in which the step ended, whatever was killed after it.
		err = r.answer(ctx)
	}
	return hit, err
}

// answer waits until every process is up.
func (r *rig) answer(ctx context.Context) error {
	return r.until(ctx, "everything answers", func() (bool, error) {
		_, errA := r.Sender.Agent.Balances(ctx)
		if errA != nil {
			return false, errA
		}
		_, errB := r.Recipient.Agent.Balances(ctx)
		return errB == nil, errB
	})
}
