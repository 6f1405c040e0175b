package localapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"earnest/agentclient"
)

// Front answers for one agent after the other: for that which waits for its keys,
// then for that which has them. Requests under way, event streams too, go on with
// the agent that they were begun with.
type Front struct {
	log      *slog.Logger
	stopping chan struct{}
	handler  atomic.Pointer[http.Handler]
}

// NewFront answers nobody until Turn has named the first agent.
func NewFront(log *slog.Logger) *Front {
	return &Front{log: log, stopping: make(chan struct{})}
}

// Turn has the agent answer every request from now on.
func (f *Front) Turn(agent agentclient.Agent) {
	a := newAPI(agent, f.log)
	a.stopping = f.stopping
	handler := a.handler()
	f.handler.Store(&handler)
}

func (f *Front) answer(w http.ResponseWriter, r *http.Request) { (*f.handler.Load()).ServeHTTP(w, r) }

// Serve answers for the agent on the listener until ctx ends. Then it breaks
// off the event streams, lets the other requests finish for a moment, and
// closes the listener.
func Serve(ctx context.Context, listener net.Listener, agent agentclient.Agent, log *slog.Logger) error {
	front := NewFront(log)
	front.Turn(agent)
	return front.Serve(ctx, listener)
}

// Serve is as the function of that name. It is called once, after the first Turn.
func (f *Front) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           http.HandlerFunc(f.answer),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(f.log.Handler(), slog.LevelWarn),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		close(f.stopping)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the local API: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("stop the local API: %w", err)
	}
	return nil
}
