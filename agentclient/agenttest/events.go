package agenttest

import (
	"context"

	"earnest/agentclient"
)

// listener is one who hears the events. Its queue grows, so that telling it
// something never waits for it.
type listener struct {
	queue []agentclient.Event
	wake  chan struct{}
	busy  bool // with what was in the queue
	cut   bool
}

// Events implements [agentclient.Agent].
func (a *Agent) Events(ctx context.Context, fn func(agentclient.Event)) error {
	if err := a.begin(ctx, "Events"); err != nil {
		return err
	}
	l := &listener{wake: make(chan struct{}, 1)}
	l.queue = append(l.queue, agentclient.Event{Type: agentclient.EventStatus, Time: a.now()})
	l.wake <- struct{}{}
	a.listen[l] = true
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.listen, l)
		a.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.wake:
		}
		a.mu.Lock()
		queue, cut := l.queue, l.cut
		l.queue, l.busy = nil, true
		a.mu.Unlock()
		for _, event := range queue {
			fn(event)
		}
		a.mu.Lock()
		l.busy = false
		a.mu.Unlock()
		if cut {
			return failure(agentclient.CodeNoAgent, "The agent has stopped.")
		}
	}
}

// emit tells an event; the caller holds the lock.
func (a *Agent) emit(kind, id, state string) {
	a.tell(agentclient.Event{Type: kind, ID: id, State: state, Time: a.now()})
}

func (a *Agent) tell(event agentclient.Event) {
	a.told++
	for l := range a.listen {
		l.queue = append(l.queue, event)
		l.nudge()
	}
}

func (l *listener) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Emit tells an event to everyone who listens.
func (a *Agent) Emit(event agentclient.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tell(event)
}

// Listeners is how many listen to the events now.
func (a *Agent) Listeners() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.listen)
}

// CutEvents ends every event stream with a failure, as a stopping agent does.
func (a *Agent) CutEvents() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for l := range a.listen {
		l.cut = true
		l.nudge()
	}
}

// Told is how many events were told so far, and whether all were heard by those
// who listen: while it stays the same nothing is on its way to them.
func (a *Agent) Told() (events int, heard bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for l := range a.listen {
		if l.busy || len(l.queue) > 0 {
			return a.told, false
		}
	}
	return a.told, true
}
