package localapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"earnest/agentclient"
)

// Serve answers for the agent on the listener until ctx ends. Then it breaks
// off the event streams, lets the other requests finish for a moment, and
// closes the listener.
func Serve(ctx context.Context, listener net.Listener, agent agentclient.Agent, log *slog.Logger) error {
	stopping := make(chan struct{})
	a := newAPI(agent, log)
	a.stopping = stopping
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		close(stopping)
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
