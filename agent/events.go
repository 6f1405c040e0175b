package agent

import (
	"context"
	"sync"

	"earnest/agentclient"
)

// events hands what happens to everybody who listens. A listener that does not
// keep up loses the middle, never blocks the agent: an event only says what to
// ask for anew.
type events struct {
	mu        sync.Mutex
	listeners map[chan agentclient.Event]struct{}
}

const eventsBehind = 256

func (e *events) listen() (chan agentclient.Event, func()) {
	ch := make(chan agentclient.Event, eventsBehind)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listeners == nil {
		e.listeners = map[chan agentclient.Event]struct{}{}
	}
	e.listeners[ch] = struct{}{}
	return ch, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.listeners, ch)
	}
}

func (e *events) send(event agentclient.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ch := range e.listeners {
		select {
		case ch <- event:
		default:
		}
	}
}

// Events calls fn for every event until ctx ends.
func (a *Agent) Events(ctx context.Context, fn func(agentclient.Event)) error {
	ch, stop := a.events.listen()
	defer stop()
	fn(agentclient.Event{Type: agentclient.EventStatus, Time: a.Now()})
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-ch:
			fn(event)
		}
	}
}

func (a *Agent) tell(kind, id, state string) {
	a.events.send(agentclient.Event{Type: kind, ID: id, State: state, Time: a.Now()})
}
