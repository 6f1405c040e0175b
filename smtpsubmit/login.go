package smtpsubmit

import (
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

// presentToken tries a second token where the first is refused: it may have been
// taken back before its time.
func (c *client) presentToken(offered []string) (tried bool, err error) {
	host, number, _ := net.SplitHostPort(c.cfg.Addr)
	port, _ := strconv.Atoi(number) // 0 is left out
	refused := ""
	for range 2 {
		token, wrong := c.cfg.Token(c.ctx, refused)
		if wrong != nil {
			return false, fmt.Errorf("sign in: %w", wrong)
		}
		if tried && token == refused {
			break
		}
		mechanism, wrong := bearer.Client(offered, c.cfg.User, token, host, port)
		if wrong != nil {
			return false, fmt.Errorf("sign in: %w", wrong)
		}
		tried, err = true, c.smtp.Auth(mechanism)
		if reply, answered := errors.AsType[*smtp.SMTPError](err); !answered || reply.Code < 500 {
			break
		}
		refused = token
	}
	return tried, err
}
