package smtpsubmit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"earnest/internal/bearer"
)

// present shows the server the password or token. tried is false where it came
// to nothing before the server was asked.
func (c *client) present() (tried bool, err error) {
	_, offered := c.smtp.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	if c.cfg.Token != nil {
		return c.presentToken(mechanisms)
	}
	password, err := c.cfg.Password(c.ctx)
	if err != nil {
		return false, fmt.Errorf("password: %w", err)
	}
	mechanism := sasl.NewPlainClient("", c.cfg.User, password)
	if !slices.Contains(mechanisms, "PLAIN") && slices.Contains(mechanisms, "LOGIN") {
		mechanism = sasl.NewLoginClient(c.cfg.User, password)
	}
	return true, c.smtp.Auth(mechanism)
}

// presentToken shows a token once: after a refusal the library leaves the
// connection in a state that some servers end it for.
func (c *client) presentToken(offered []string) (tried bool, err error) {
	host, number, _ := net.SplitHostPort(c.cfg.Addr)
	port, _ := strconv.Atoi(number) // 0 is left out
	token, err := c.cfg.Token(c.ctx, c.refused)
	if err != nil {
		return false, fmt.Errorf("sign in: %w", err)
	}
	if token == c.refused {
		return false, ErrLogin
	}
	mechanism, err := bearer.Client(offered, c.cfg.User, token, host, port)
	if err != nil {
		return false, fmt.Errorf("sign in: %w", err)
	}
	err = c.smtp.Auth(mechanism)
	if reply, answered := errors.AsType[*smtp.SMTPError](err); answered && reply.Code >= 500 {
		c.refused = token
	}
	return true, err
}

// openTwice tries a second token, on a connection of its own, where the first is
// refused: it may have been taken back before its time.
func openTwice(ctx context.Context, cfg Config) (*client, error) {
	c, refused, err := openWith(ctx, cfg, "")
	if refused != "" {
		c, _, err = openWith(ctx, cfg, refused)
	}
	return c, err
}
