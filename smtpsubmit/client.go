package smtpsubmit

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/idna"
)

// LogValue implements slog.LogValuer: the server's words, which repeat
// addresses, stay out of the log.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("stage", string(e.Stage)), slog.Int("code", e.Code),
		slog.Bool("permanent", e.Permanent), slog.Bool("uncertain", e.Uncertain),
	)
}

// client is one connection.
type client struct {
	ctx  context.Context
	cfg  Config
	raw  *timedConn
	smtp *smtp.Client
	stop func() bool
	// refused is a token that the server has just refused.
	refused string
}

// open connects, begins TLS and logs in.
func open(ctx context.Context, cfg Config) (*client, error) {
	if cfg.Token != nil {
		return openTwice(ctx, cfg)
	}
	c, _, err := openWith(ctx, cfg, "")
	return c, err
}

// openWith is told of a token that was refused, and tells of another.
func openWith(ctx context.Context, cfg Config, refused string) (*client, string, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.FinalTimeout <= 0 {
		cfg.FinalTimeout = 10 * time.Minute
	}
	if cfg.Hello == "" {
		cfg.Hello = "localhost"
	}
	if cfg.User != "" && cfg.TLS == Plain {
		return nil, "", &Error{Stage: StageLogin, Err: ErrInsecure}
	}
	dialer := net.Dialer{Timeout: cfg.Timeout}
	plain, err := dialer.DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, "", &Error{Stage: StageConnect, Err: err}
	}
	c := &client{ctx: ctx, cfg: cfg, raw: &timedConn{Conn: plain, timeout: cfg.Timeout}, refused: refused}
	c.stop = context.AfterFunc(ctx, func() { plain.Close() })
	if err := c.begin(); err != nil {
		c.close()
		if c.refused == refused {
			return nil, "", err
		}
		return nil, c.refused, err
	}
	return c, "", nil
}

func (c *client) begin() error {
	var err error
	switch c.cfg.TLS {
	case Implicit:
		secure := tls.Client(c.raw, c.tlsConfig())
		limited, cancel := context.WithTimeout(c.ctx, c.cfg.Timeout)
		defer cancel()
		if err := secure.HandshakeContext(limited); err != nil {
			return c.fault(StageTLS, err)
		}
		c.adopt(smtp.NewClient(secure))
	case StartTLS:
		// The library greets, asks for STARTTLS and goes over to TLS; the
		// handshake itself happens with the EHLO below.
		upgraded, err := smtp.NewClientStartTLS(c.raw, c.tlsConfig())
		if err != nil {
			if _, refused := errors.AsType[*smtp.SMTPError](err); !refused && c.raw.broken() == nil {
				err = ErrInsecure
			}
			return c.fault(StageTLS, err)
		}
		c.adopt(upgraded)
	case Plain:
		c.adopt(smtp.NewClient(c.raw))
	default:
		return &Error{Stage: StageTLS, Err: fmt.Errorf("unknown TLS mode %d", c.cfg.TLS)}
	}
	if err = c.smtp.Hello(c.cfg.Hello); err != nil {
		if c.cfg.TLS == StartTLS {
			return c.fault(StageTLS, err)
		}
		return c.fault(StageConnect, err)
	}
	return c.login()
}

func (c *client) adopt(s *smtp.Client) {
	s.CommandTimeout = c.cfg.Timeout
	s.SubmissionTimeout = c.cfg.FinalTimeout
	c.smtp = s
}

func (c *client) tlsConfig() *tls.Config {
	conf := &tls.Config{}
	if c.cfg.TLSConfig != nil {
		conf = c.cfg.TLSConfig.Clone()
	}
	if conf.ServerName == "" {
		if host, _, err := net.SplitHostPort(c.cfg.Addr); err == nil {
			conf.ServerName = host
		}
	}
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	return conf
}

// login authenticates (RFC 4954), never outside TLS.
func (c *client) login() error {
	if c.cfg.User == "" {
		return nil
	}
	if _, secure := c.smtp.TLSConnectionState(); !secure {
		return &Error{Stage: StageLogin, Err: ErrInsecure}
	}
	tried, err := c.present()
	if !tried {
		return &Error{Stage: StageLogin, Err: err}
	}
	if reply, refused := errors.AsType[*smtp.SMTPError](err); refused && reply.Code >= 500 {
		return &Error{Stage: StageLogin, Code: reply.Code, Err: ErrLogin}
	}
	return c.fault(StageLogin, err)
}

// send does one transaction.
func (c *client) send(env Envelope, raw []byte) error {
	if len(env.To) == 0 {
		return &Error{Stage: StageRcpt, Permanent: true, Err: errors.New("nobody to send to")}
	}
	from, to, err := wireAddresses(env)
	if err != nil {
		return &Error{Stage: StageMail, Permanent: true, Err: err}
	}
	options, err := c.mailOptions(from, to, raw)
	if err != nil {
		return &Error{Stage: StageMail, Permanent: true, Err: err}
	}
	if err := c.fault(StageMail, c.smtp.Mail(from, options)); err != nil {
		return err
	}
	for _, address := range to {
		if err := c.fault(StageRcpt, c.smtp.Rcpt(address, nil)); err != nil {
			return err
		}
	}
	return c.data(raw)
}

func (c *client) data(raw []byte) error {
	w, err := c.smtp.Data()
	if err != nil {
		return c.fault(StageData, err)
	}
	if _, err := w.Write(raw); err != nil {
		return c.fault(StageData, err)
	}
	err = w.Close()
	if err == nil {
		return nil
	}
	result := c.fault(StageFinal, err)
	failure, _ := errors.AsType[*Error](result)
	if failure.Code == 0 {
		// No answer to the final dot. If it could not even be written, the
		// server does not have the mail; else nobody knows (RFC 5321 section 4.2.5).
		failure.Uncertain = c.raw.unwritten() == nil
	}
	return failure
}

// mailOptions checks the mail against what the server said in EHLO.
func (c *client) mailOptions(from string, to []string, raw []byte) (*smtp.MailOptions, error) {
	options := &smtp.MailOptions{Size: int64(len(raw))}
	// RFC 1870: SIZE with 0 or nothing is no limit.
	if _, limit := c.smtp.Extension("SIZE"); limit != "" {
		if most, err := strconv.ParseInt(limit, 10, 64); err == nil && most > 0 && options.Size > most {
			return nil, fmt.Errorf("%w: %d bytes, it takes %d", ErrTooLarge, options.Size, most)
		}
	}
	header, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ascii([]byte(from)) || !ascii([]byte(strings.Join(to, ""))) || !ascii(header) {
		if ok, _ := c.smtp.Extension("SMTPUTF8"); !ok {
			return nil, ErrNoUTF8
		}
		options.UTF8 = true
	}
	if ok, _ := c.smtp.Extension("8BITMIME"); !ok && !ascii(raw) {
		return nil, errors.New("the mail has 8-bit content and the server takes none (RFC 6152)")
	}
	return options, nil
}

// wireAddresses writes domains as A-labels (RFC 5890), so that SMTPUTF8 is
// needed only for local parts.
func wireAddresses(env Envelope) (from string, to []string, err error) {
	if env.From != "" {
		if from, err = wireAddress(env.From); err != nil {
			return "", nil, err
		}
	}
	for _, address := range env.To {
		wire, err := wireAddress(address)
		if err != nil {
			return "", nil, err
		}
		to = append(to, wire)
	}
	return from, to, nil
}

func wireAddress(address string) (string, error) {
	at := strings.LastIndex(address, "@")
	if at <= 0 || at == len(address)-1 || strings.ContainsAny(address, "\r\n<>\x00") {
		return "", errors.New("an address of the envelope is malformed")
	}
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		// Address literals and underscores are for the server to judge.
		domain = address[at+1:]
	}
	return address[:at+1] + domain, nil
}

func ascii(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 })
}

// fault makes an *Error of what the library returned.
func (c *client) fault(stage Stage, err error) error {
	if err == nil {
		return nil
	}
	if reply, refused := errors.AsType[*smtp.SMTPError](err); refused {
		e := &Error{Stage: stage, Code: reply.Code, Permanent: reply.Code >= 500, Err: err}
		switch {
		case reply.Code == 530 || reply.Code == 535 || reply.Code == 538:
			// The account is at fault, not the mail (RFC 4954 section 6).
			e.Permanent, e.Err = false, fmt.Errorf("%w: %w", ErrLogin, err)
		case reply.Code == 552 && stage != StageRcpt:
			e.Err = fmt.Errorf("%w: %w", ErrTooLarge, err)
		case stage == StageConnect || stage == StageTLS || stage == StageLogin:
			e.Permanent = false
		}
		return e
	}
	if c.ctx.Err() != nil {
		err = c.ctx.Err()
	}
	return &Error{Stage: stage, Err: err}
}

// quit is polite; the mail is already taken.
func (c *client) quit() { _ = c.smtp.Quit() }

func (c *client) close() {
	c.stop()
	c.raw.Close()
}

// timedConn bounds each write, which the library does not while it sends a
// mail, and remembers what failed.
type timedConn struct {
	net.Conn
	timeout          time.Duration
	mu               sync.Mutex
	reading, writing error
}

// Read implements net.Conn.
func (c *timedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.mu.Lock()
		c.reading = err
		c.mu.Unlock()
	}
	return n, err
}

// Write implements net.Conn.
func (c *timedConn) Write(b []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		c.mu.Lock()
		c.writing = err
		c.mu.Unlock()
	}
	return n, err
}

func (c *timedConn) broken() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.reading, c.writing)
}

func (c *timedConn) unwritten() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writing
}
