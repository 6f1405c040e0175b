package imapwatch

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// patientConn bears silence only as long as it was told to. The IMAP library
// clears all deadlines between commands, so a dead peer would never be
// noticed; here the deadlines are ours and the library's calls do nothing.
type patientConn struct {
	net.Conn
	mu      sync.Mutex
	silence time.Duration
	failure error
}

// bear sets how long a read may stay silent from now on; 0 is for ever.
func (c *patientConn) bear(silence time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silence = silence
	c.arm()
}

// arm sets the deadline of the read under way and the next. Callers hold mu.
func (c *patientConn) arm() {
	var at time.Time
	if c.silence > 0 {
		at = time.Now().Add(c.silence)
	}
	// A connection that cannot take a deadline is closed; the read says so.
	_ = c.Conn.SetReadDeadline(at)
}

// Read implements net.Conn.
func (c *patientConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	c.arm()
	c.mu.Unlock()
	n, err := c.Conn.Read(b)
	c.note(err)
	return n, err
}

// note keeps the first error of the network.
func (c *patientConn) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil && err != nil {
		c.failure = err
	}
}

// broken is the first error of the network itself, nil if it is well.
func (c *patientConn) broken() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// SetDeadline implements net.Conn and leaves reading to bear.
func (c *patientConn) SetDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(t) }

// SetReadDeadline implements net.Conn and does nothing.
func (c *patientConn) SetReadDeadline(time.Time) error { return nil }

// keepAlive finds a dead peer in about two minutes even while nothing is said.
func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4}
}

// connect opens the TLS connection. The handshake is ours and not the IMAP
// library's, so that a certificate fault stays an x509 error.
func connect(ctx context.Context, cfg Config) (conn net.Conn, raw *patientConn, err error) {
	dialer := net.Dialer{Timeout: cfg.Timing.Command, KeepAliveConfig: keepAlive()}
	plain, err := dialer.DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the mail server: %w", err)
	}
	raw = &patientConn{Conn: plain}
	raw.bear(cfg.Timing.Command)
	stop := context.AfterFunc(ctx, func() { plain.Close() })
	defer stop()
	defer func() {
		if err != nil {
			plain.Close()
		}
	}()
	if cfg.TLS == StartTLS {
		if err := startTLS(raw); err != nil {
			return nil, nil, fmt.Errorf("begin TLS with the mail server: %w", err)
		}
	}
	secure := tls.Client(raw, tlsConfig(cfg))
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, nil, fmt.Errorf("begin TLS with the mail server: %w", err)
	}
	conn = &secureConn{Conn: secure, raw: raw}
	if cfg.TLS == StartTLS {
		// After the upgrade the server does not greet again (RFC 3501 section
		// 6.2.1), but the library waits for a greeting: it gets one of ours.
		conn = &greetedConn{Conn: conn, greeting: strings.NewReader("* OK upgraded\r\n")}
	}
	return conn, raw, nil
}

// secureConn notes how the TLS connection ended: a server that closes it in
// good order is an end that the connection below does not see.
type secureConn struct {
	*tls.Conn
	raw *patientConn
}

// Read implements net.Conn.
func (c *secureConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.raw.note(err)
	return n, err
}

func tlsConfig(cfg Config) *tls.Config {
	conf := &tls.Config{}
	if cfg.TLSConfig != nil {
		conf = cfg.TLSConfig.Clone()
	}
	if conf.ServerName == "" {
		host, _, err := net.SplitHostPort(cfg.Addr)
		if err == nil {
			conf.ServerName = host
		}
	}
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	return conf
}

// startTLS upgrades (RFC 3501 section 6.2.1). It reads byte by byte up to the
// answer's line end, so nothing said in the clear can slip behind the upgrade.
func startTLS(conn net.Conn) error {
	greeting, err := readLine(conn)
	if err != nil {
		return err
	}
	// PREAUTH in the clear would have us skip TLS and login (RFC 9051 section 11.3).
	if !strings.HasPrefix(strings.ToUpper(greeting), "* OK") {
		return errors.New("the greeting is not OK")
	}
	if _, err := io.WriteString(conn, "S1 STARTTLS\r\n"); err != nil {
		return err
	}
	for range 100 {
		line, err := readLine(conn)
		if err != nil {
			return err
		}
		if rest, tagged := strings.CutPrefix(line, "S1 "); tagged {
			if strings.HasPrefix(strings.ToUpper(rest), "OK") {
				return nil
			}
			return ErrNoStartTLS
		}
	}
	return errors.New("no answer to STARTTLS")
}

func readLine(r io.Reader) (string, error) {
	line := make([]byte, 0, 128)
	one := make([]byte, 1)
	for len(line) < 8192 {
		if _, err := io.ReadFull(r, one); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		line = append(line, one[0])
	}
	return "", bufio.ErrTooLong
}

type greetedConn struct {
	net.Conn
	greeting *strings.Reader
}

// Read implements net.Conn: first the greeting, then the connection.
func (c *greetedConn) Read(b []byte) (int, error) {
	if c.greeting.Len() > 0 {
		return c.greeting.Read(b)
	}
	return c.Conn.Read(b)
}
