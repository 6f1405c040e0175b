package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Times of the server. Writing takes the longest poll and the answer after it.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 90 * time.Second
	idleTimeout       = 2 * time.Minute
	// stopGrace is what requests under way get when the server stops.
	stopGrace = 10 * time.Second
)

// Serve answers on the listener until ctx ends; then it lets go of long polls,
// finishes what is under way, and returns. Without a TLS configuration it
// speaks plain HTTP, for tests and behind a proxy on the same machine.
func (a *API) Serve(ctx context.Context, listener net.Listener, tlsConfig *tls.Config) error {
	server := &http.Server{
		Handler:           a.Handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    32 << 10,
		// What one connection may send ahead of the reading.
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: 100, MaxReceiveBufferPerConnection: 256 << 10, MaxReceiveBufferPerStream: 256 << 10},
		TLSConfig: tlsConfig,
		ErrorLog:  slog.NewLogLogger(a.cfg.Log.Handler(), slog.LevelDebug),
	}
	listener = a.limited(listener)
	served := make(chan error, 1)
	go func() {
		if tlsConfig != nil {
			served <- server.ServeTLS(listener, "", "")
		} else {
			served <- server.Serve(listener)
		}
	}()
	select {
	case err := <-served:
		a.stop()
		return fmt.Errorf("http api: %w", err)
	case <-ctx.Done():
	}
	a.stop()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		a.cfg.Log.Warn("requests cut off at stop", "error", err)
		_ = server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http api: %w", err)
	}
	return nil
}

func (a *API) limited(listener net.Listener) net.Listener {
	most, perRemote := a.cfg.MaxConns, a.cfg.MaxConnsPerRemote
	if most == 0 {
		most = maxConns
	}
	switch {
	case a.cfg.Proxied:
		perRemote = -1
	case perRemote == 0:
		perRemote = maxConnsPerRemote
	}
	return limitListener(listener, most, perRemote)
}
