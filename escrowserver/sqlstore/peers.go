package sqlstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"earnest/escrow"
	"earnest/escrowserver"
)

// peers are the processes on the same PostgreSQL database. Each has two connections
// of its own beside its pool: one that listens, and one whose session holds, or waits
// for, the lock of who leads. A session ends with its process, and its lock with it.
type peers struct {
	e    *postgresEngine
	name string // of this process
}

const (
	peerChannel = "earnest_news"
	peerLock    = "earnest sweeper"
	// peerEvery is how often a connection is asked whether it lives, and how often
	// who waits to lead asks.
	peerEvery   = time.Second
	peerTimeout = 5 * time.Second
	// maxPayload bounds one message: PostgreSQL takes less than 8000 bytes.
	maxPayload = 7500
	everybody  = "*"
)

// Peers are the other processes on these books; nil where there can be none.
func (s *Store) Peers() escrowserver.Peers {
	e, ok := s.engine.(*postgresEngine)
	if !ok {
		return nil
	}
	name := make([]byte, 8)
	rand.Read(name) // never fails (crypto/rand)
	return &peers{e, hex.EncodeToString(name)}
}

// connect makes a connection whose other end finds out soon that it is gone.
func (p *peers) connect(ctx context.Context) (*pgx.Conn, error) {
	config := p.e.pool.Config().ConnConfig.Copy()
	for _, setting := range []string{"tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"} {
		config.RuntimeParams[setting] = "2" // seconds, seconds, probes
	}
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	return pgx.ConnectConfig(ctx, config)
}

func leave(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), peerTimeout)
	defer cancel()
	_ = conn.Close(ctx) // it is gone either way
}

// Hear says what the others told.
func (p *peers) Hear(ctx context.Context, listening func(), told func([]escrow.KeyID)) error {
	conn, err := p.connect(ctx)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer leave(conn)
	if _, err := conn.Exec(ctx, "LISTEN "+peerChannel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	listening()
	for {
		message, err := p.wait(ctx, conn)
		if err != nil {
			return err
		}
		from, accounts, _ := strings.Cut(message, " ")
		switch {
		case message == "" || from == p.name:
		case accounts == everybody:
			told(nil)
		default:
			var ids []escrow.KeyID
			for _, id := range strings.Fields(accounts) {
				ids = append(ids, escrow.KeyID(id))
			}
			told(ids)
		}
	}
}

// wait is for the next message; after a silence it looks whether the connection lives.
func (p *peers) wait(ctx context.Context, conn *pgx.Conn) (string, error) {
	silence, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	message, err := conn.WaitForNotification(silence)
	switch {
	case err == nil:
		return message.Payload, nil
	case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
		return "", fmt.Errorf("listen: %w", err)
	}
	return "", alive(ctx, conn)
}

func alive(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	return conn.Ping(ctx)
}

// Tell tells the others. It is not part of the transaction that it tells of: a
// commit with a notification would wait for all others that have one.
func (p *peers) Tell(ctx context.Context, accounts []escrow.KeyID) error {
	_, err := p.e.pool.Exec(ctx, `SELECT pg_notify($1, message) FROM unnest($2::text[]) AS message`, peerChannel, p.messages(accounts))
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

func (p *peers) messages(accounts []escrow.KeyID) []string {
	if len(accounts) == 0 {
		return []string{p.name + " " + everybody}
	}
	var all []string
	message := p.name
	for _, account := range accounts {
		if len(message)+1+len(account) > maxPayload {
			all, message = append(all, message), p.name
		}
		message += " " + string(account)
	}
	return append(all, message)
}

// Lead waits for the lock, says that it has it, and returns when it may be lost.
func (p *peers) Lead(ctx context.Context, leading func()) error {
	conn, err := p.connect(ctx)
	if err != nil {
		return fmt.Errorf("lead: %w", err)
	}
	defer leave(conn)
	for has := false; ; {
		if has {
			err = alive(ctx, conn)
		} else {
			err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended($1, 0))`, peerLock).Scan(&has)
			if err == nil && has {
				leading()
			}
		}
		if err != nil {
			return fmt.Errorf("lead: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(peerEvery):
		}
	}
}
