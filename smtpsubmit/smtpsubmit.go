// Package smtpsubmit hands one mail to a submission server (RFC 6409) or to a
// relay, and says exactly what became of it: taken, refused for good, refused
// for now, or unknown.
package smtpsubmit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// TLSMode says how the connection becomes private.
type TLSMode int

const (
	// Implicit speaks TLS from the first byte (port 465, RFC 8314).
	Implicit TLSMode = iota
	// StartTLS begins in the clear and upgrades, or gives up (port 587).
	StartTLS
	// Plain has no TLS. It is for a relay on the own machine, and never authenticates.
	Plain
)

// Errors that have no reply code.
var (
	// ErrLogin means that the server refused the user or password.
	ErrLogin = errors.New("the submission server refused the login")
	// ErrTooLarge means that the mail is above the size that the server takes;
	// nothing was sent.
	ErrTooLarge = errors.New("the mail is larger than the submission server takes")
	// ErrInsecure means that a login was wanted without TLS, or that the server
	// offers no STARTTLS; the password was not sent.
	ErrInsecure = errors.New("the submission server offers no TLS")
	// ErrNoUTF8 means that an address or header needs SMTPUTF8 (RFC 6531) and
	// the server does not know it.
	ErrNoUTF8 = errors.New("the submission server does not take international addresses")
)

// Config names the server.
type Config struct {
	// Addr is host:port.
	Addr string
	TLS  TLSMode
	// TLSConfig may name further roots; the server name is taken from Addr when
	// it is empty.
	TLSConfig *tls.Config
	// User may be empty: then nobody logs in.
	User     string
	Password func(context.Context) (string, error)
	// Token, if set, is asked for an OAuth 2.0 access token in place of the
	// password. refused is the token that the server has just refused, empty at
	// first: the same one again means that there is no other.
	Token func(ctx context.Context, refused string) (string, error)
	// Hello is the name given in EHLO: "localhost" unless set.
	Hello string
	// Timeout is the longest wait for one reply: 1 minute unless set.
	Timeout time.Duration
	// FinalTimeout is the longest wait for the reply after the final dot, where
	// servers scan the mail: 10 minutes unless set (RFC 5321 section 4.5.3.2.6).
	FinalTimeout time.Duration
}

// Envelope says between whom the mail goes, whatever its headers say.
type Envelope struct {
	// From may be empty: the null sender of automatic mail (RFC 3834).
	From string
	To   []string
}

// Stage is where in the dialogue something happened.
type Stage string

// The stages, in order.
const (
	StageConnect Stage = "connect"
	StageTLS     Stage = "tls"
	StageLogin   Stage = "login"
	StageMail    Stage = "mail"
	StageRcpt    Stage = "rcpt"
	StageData    Stage = "data"
	StageFinal   Stage = "final"
)

// Error says what became of a mail that was not taken.
type Error struct {
	Stage Stage
	// Code is the server's reply, 0 if there was none.
	Code int
	// Permanent: trying again with the same mail is of no use.
	Permanent bool
	// Uncertain: the connection was lost after the final dot. The mail may
	// have been delivered; sending again may deliver it twice.
	Uncertain bool
	Err       error
}

// Error implements error. It shows the server's own words, if there are any.
func (e *Error) Error() string {
	switch {
	case e.Uncertain:
		return fmt.Sprintf("submit mail: connection lost after the whole mail was sent, it may have been taken: %v", e.Err)
	case e.Code != 0:
		return fmt.Sprintf("submit mail: refused at %s: %v", e.Stage, e.Err)
	default:
		return fmt.Sprintf("submit mail: %s: %v", e.Stage, e.Err)
	}
}

// Unwrap gives the cause: an x509 error, a network error, one of the errors above.
func (e *Error) Unwrap() error { return e.Err }

// Submit hands the mail over. Nil means that the server took it for every
// recipient. Any other outcome is an *[Error]: if one recipient is refused,
// nothing is sent to any.
func Submit(ctx context.Context, cfg Config, env Envelope, raw []byte) error {
	c, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.send(env, raw); err != nil {
		return err
	}
	c.quit()
	return nil
}

// Check connects, logs in and leaves, sending nothing.
func Check(ctx context.Context, cfg Config) error {
	c, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	defer c.close()
	c.quit()
	return nil
}
