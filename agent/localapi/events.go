package localapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"earnest/agentclient"
)

// errSlow cuts off a reader that does not keep up.
var errSlow = errors.New("the reader of the event stream is too slow")

// events is one long GET: a JSON object a line, each flushed at once, and an
// empty line as heartbeat. The agent never waits for a reader: one whose
// backlog is full is cut off, and asks for everything anew when it comes back.
func (a *api) events(w http.ResponseWriter, r *http.Request) {
	ctx, cut := context.WithCancelCause(r.Context())
	defer cut(nil)
	waiting := make(chan agentclient.Event, a.backlog)
	go func() {
		err := a.agent.Events(ctx, func(event agentclient.Event) {
			select {
			case waiting <- event:
			default:
				cut(errSlow)
			}
		})
		if err == nil {
			err = context.Canceled
		}
		cut(err)
	}()
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	heartbeat := time.NewTicker(a.heartbeat)
	defer heartbeat.Stop()
	err := a.line(w, nil)
	for err == nil {
		select {
		case event := <-waiting:
			var line []byte
			if line, err = json.Marshal(event); err == nil {
				err = a.line(w, line)
			}
		case <-heartbeat.C:
			err = a.line(w, nil)
		case <-a.stopping:
			err = context.Canceled
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if errors.Is(err, errSlow) {
		a.log.Warn("event stream cut off", "err", err)
	}
	// Broken off, not ended: the client must not take it for the last event.
	panic(http.ErrAbortHandler)
}

// line writes one line and flushes it, and does not wait for long.
func (a *api) line(w http.ResponseWriter, line []byte) error {
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(a.patience)); err != nil {
		return err
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return err
	}
	return control.Flush()
}
