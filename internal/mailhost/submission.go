package mailhost

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Fault is what submission does wrong on purpose.
type Fault int

// The faults.
const (
	// Well: none.
	Well Fault = iota
	// RefuseForNow answers 451 after the mail.
	RefuseForNow
	// RefuseForGood answers 550 after the mail.
	RefuseForGood
	// CutDelivered delivers the mail and breaks the connection instead of answering.
	CutDelivered
	// CutLost breaks the connection after the final dot and delivers nothing.
	CutLost
)

// SetFault has the next so many submitted mails meet a fault; 0 is until it is
// changed. The relay is not affected.
func (h *Host) SetFault(fault Fault, mails int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault, h.left = fault, mails
}

// meetFault counts one mail.
func (h *Host) meetFault() Fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	fault := h.fault
	if fault != Well && h.left > 0 {
		h.left--
		if h.left == 0 {
			h.fault = Well
		}
	}
	return fault
}

// session is one SMTP connection.
type session struct {
	host  *Host
	conn  net.Conn
	login bool
	user  *user
	to    []string
}

// authSession is one that wants a login. The library offers AUTH by the type.
type authSession struct{ session }

// AuthMechanisms implements smtp.AuthSession.
func (s *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, login, password string) error {
		s.host.mu.Lock()
		u := s.host.users[login]
		s.host.mu.Unlock()
		if u == nil || u.store.Login(login, password) != nil {
			return smtp.ErrAuthFailed
		}
		s.user = u
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.login {
		return nil
	}
	if s.user == nil {
		return smtp.ErrAuthRequired
	}
	own := func(address string) bool { return fold(address) == fold(from) }
	if from != "" && !slices.ContainsFunc(s.user.addresses, own) {
		return refusal(553, smtp.EnhancedCode{5, 7, 1}, "This login does not own the sender address")
	}
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.host.owner(to) == nil {
		return refusal(550, smtp.EnhancedCode{5, 1, 1}, "No such user here")
	}
	s.to = append(s.to, to)
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	fault := Well
	if s.login {
		fault = s.host.meetFault()
	}
	switch fault {
	case RefuseForNow:
		return refusal(451, smtp.EnhancedCode{4, 3, 0}, "Not now, try again later")
	case RefuseForGood:
		return refusal(550, smtp.EnhancedCode{5, 7, 1}, "This mail is not wanted")
	case CutLost:
		return errors.Join(errors.New("cut on purpose"), s.conn.Close())
	}
	for _, to := range s.to {
		if err := s.host.Deliver(to, raw); err != nil {
			return fmt.Errorf("take mail: %w", err)
		}
	}
	if fault == CutDelivered {
		return s.conn.Close()
	}
	return nil
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.to = nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

func refusal(code int, enhanced smtp.EnhancedCode, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}
