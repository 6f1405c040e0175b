// Package mailhost is a mail provider in one process, on loopback and in
// memory: IMAP, submission, a relay, and delivery between its users. The
// sandbox lives on it, and tests that need no real Dovecot. It keeps every
// mail byte for byte as it was handed over, and adds no trace lines; only a
// mail whose header cannot be parsed at all is shown empty by its IMAP library.
package mailhost

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
)

// Options shape a host. The zero value is a well one.
type Options struct {
	// NoIdle hides IDLE from clients, as some providers do.
	NoIdle bool
	// MaxMail is the size in bytes that submission takes: 64 MiB unless set.
	MaxMail int64
	// CertNotBefore and CertNotAfter bound the server certificate, so that an
	// expired one can be shown. Unset: a year around now.
	CertNotBefore, CertNotAfter time.Time
	// Now is time.Now unless set.
	Now func() time.Time
}

// Host is a running provider.
type Host struct {
	// IMAPAddr speaks TLS from the first byte, IMAPStartTLSAddr upgrades.
	IMAPAddr, IMAPStartTLSAddr string
	// SubmissionsAddr speaks TLS from the first byte, SubmissionAddr upgrades;
	// both want a login.
	SubmissionsAddr, SubmissionAddr string
	// RelayAddr takes mail for the users from anybody on this machine, in the
	// clear and without login: the escrow's token mails come in here.
	RelayAddr string
	// CAPEM is the certificate of the authority to trust.
	CAPEM []byte

	authority *Authority
	opts      Options
	imap      *imapmemserver.Server
	closers   []io.Closer
	serving   sync.WaitGroup

	mu    sync.Mutex
	users map[string]*user // by login
	boxes map[string]*user // by folded address
	fault Fault
	left  int
	conns map[net.Conn]struct{}
}

// Start listens on loopback ports that the system picks.
func Start(opts Options) (*Host, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.MaxMail <= 0 {
		opts.MaxMail = 64 << 20
	}
	now := opts.Now()
	if opts.CertNotBefore.IsZero() {
		opts.CertNotBefore = now.AddDate(-1, 0, 0)
	}
	if opts.CertNotAfter.IsZero() {
		opts.CertNotAfter = now.AddDate(1, 0, 0)
	}
	authority, err := NewAuthority(now)
	if err != nil {
		return nil, err
	}
	pair, _, _, err := authority.Issue(opts.CertNotBefore, opts.CertNotAfter, "127.0.0.1", "::1", "localhost")
	if err != nil {
		return nil, err
	}
	h := &Host{
		CAPEM:     authority.PEM(),
		authority: authority,
		opts:      opts,
		imap:      imapmemserver.New(),
		users:     make(map[string]*user),
		boxes:     make(map[string]*user),
		conns:     make(map[net.Conn]struct{}),
	}
	server := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if err := h.listen(server); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// listen opens every door.
func (h *Host) listen(server *tls.Config) error {
	quiet := log.New(io.Discard, "", 0)
	imapServer := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return newSession(h.imap), nil, nil
		},
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapUIDPlus: {}, imap.CapESearch: {},
			imap.CapListExtended: {}, imap.CapListStatus: {}, imap.CapMove: {}, imap.CapStatusSize: {},
		},
		TLSConfig: server,
		// The implicit door hides its TLS from the library, which then takes it
		// for a clear one.
		InsecureAuth: true,
		Logger:       quiet,
	})
	startTLSServer := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return newSession(h.imap), nil, nil
		},
		TLSConfig: server,
		Logger:    quiet,
	})
	submission := h.smtpServer(true, quiet)
	submission.TLSConfig = server
	submissions := h.smtpServer(true, quiet)
	relay := h.smtpServer(false, quiet)
	for _, door := range []struct {
		addr   *string
		secure bool
		server interface {
			Serve(net.Listener) error
			Close() error
		}
	}{
		{&h.IMAPAddr, true, imapServer},
		{&h.IMAPStartTLSAddr, false, startTLSServer},
		{&h.SubmissionsAddr, true, submissions},
		{&h.SubmissionAddr, false, submission},
		{&h.RelayAddr, false, relay},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		*door.addr = l.Addr().String()
		if door.secure {
			l = tls.NewListener(l, server)
		}
		if door.addr == &h.IMAPAddr {
			l = &watchedListener{Listener: l, host: h}
		}
		h.closers = append(h.closers, door.server)
		h.serving.Go(func() {
			// It ends with an error when Close closes it, as it shall.
			_ = door.server.Serve(l)
		})
	}
	return nil
}

func (h *Host) smtpServer(login bool, quiet *log.Logger) *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if login {
			return &authSession{session{host: h, conn: c.Conn(), login: true}}, nil
		}
		return &session{host: h, conn: c.Conn()}, nil
	}))
	server.Domain = "localhost"
	server.MaxMessageBytes = h.opts.MaxMail
	server.MaxRecipients = 100
	server.ReadTimeout = time.Minute
	server.WriteTimeout = time.Minute
	server.EnableSMTPUTF8 = true
	server.ErrorLog = quiet
	return server
}

// Close ends everything. Mail is lost.
func (h *Host) Close() error {
	var errs []error
	for _, c := range h.closers {
		errs = append(errs, c.Close())
	}
	h.Cut()
	h.serving.Wait()
	return errors.Join(errs...)
}

// Pool trusts this host and nothing else.
func (h *Host) Pool() *x509.CertPool { return h.authority.Pool() }

// TLSConfig is a client's configuration that trusts this host.
func (h *Host) TLSConfig() *tls.Config {
	return &tls.Config{RootCAs: h.Pool(), MinVersion: tls.VersionTLS12}
}

// Cut breaks every IMAP connection, as a server's restart does.
func (h *Host) Cut() {
	h.mu.Lock()
	conns := slices.Collect(maps.Keys(h.conns))
	h.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
}
