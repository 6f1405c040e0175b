package imapwatch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"

	"earnest/internal/bearer"
)

// present shows the server the password or token. tried is false where it came
// to nothing before the server was asked.
func (s *session) present(ctx context.Context) (tried bool, err error) {
	if s.cfg.Token != nil {
		return s.presentToken(ctx)
	}
	password, err := s.cfg.Password(ctx)
	if err != nil {
		return false, fmt.Errorf("password of the mailbox: %w", err)
	}
	if s.client.Caps().Has(imap.AuthCap("PLAIN")) {
		return true, s.client.Authenticate(sasl.NewPlainClient("", s.cfg.User, password))
	}
	return true, s.client.Login(s.cfg.User, password).Wait()
}

// presentToken tries a second token where the first is refused: it may have been
// taken back before its time.
func (s *session) presentToken(ctx context.Context) (tried bool, err error) {
	host, port := serverName(s.cfg)
	refused := ""
	for range 2 {
		token, wrong := s.cfg.Token(ctx, refused)
		if wrong != nil {
			return false, fmt.Errorf("sign in to the mailbox: %w", wrong)
		}
		if tried && token == refused {
			break
		}
		client, wrong := bearer.Client(s.client.Caps().AuthMechanisms(), s.cfg.User, token, host, port)
		if wrong != nil {
			return false, fmt.Errorf("sign in to the mailbox: %w", wrong)
		}
		tried, err = true, s.client.Authenticate(client)
		if _, answered := errors.AsType[*imap.Error](err); !answered {
			break
		}
		refused = token
	}
	return tried, err
}

func serverName(cfg Config) (host string, port int) {
	host, number, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return cfg.Addr, 0
	}
	port, _ = strconv.Atoi(number) // 0 is left out
	return host, port
}
