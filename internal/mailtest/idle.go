package mailtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Idler is a bare IDLE client: it notes when EXISTS comes and does nothing
// else. What a watcher adds is measured beside it.
type Idler struct {
	client *imapclient.Client
	idle   *imapclient.IdleCommand
	exists chan time.Time
}

// NewIdler logs in over TLS, opens INBOX and waits with IDLE.
func NewIdler(addr string, config *tls.Config, login, password string) (*Idler, error) {
	i := &Idler{exists: make(chan time.Time, 100)}
	var err error
	i.client, err = imapclient.DialTLS(addr, &imapclient.Options{
		TLSConfig: config,
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages == nil {
					return
				}
				select {
				case i.exists <- time.Now():
				default:
				}
			},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("start idle client: %w", err)
	}
	if err := i.client.Login(login, password).Wait(); err != nil {
		return nil, errors.Join(fmt.Errorf("start idle client: %w", err), i.client.Close())
	}
	if _, err := i.client.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return nil, errors.Join(fmt.Errorf("start idle client: %w", err), i.client.Close())
	}
	if i.idle, err = i.client.Idle(); err != nil {
		return nil, errors.Join(fmt.Errorf("start idle client: %w", err), i.client.Close())
	}
	return i, nil
}

// Next is when the next EXISTS came.
func (i *Idler) Next(ctx context.Context) (time.Time, error) {
	select {
	case at := <-i.exists:
		return at, nil
	case <-i.client.Closed():
		return time.Time{}, errors.New("idle client: the connection ended")
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

// Close ends the connection.
func (i *Idler) Close() error { return i.client.Close() }
