package discover

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// way is how a server is spoken to.
type way struct {
	service string // of the SRV record
	scheme  string
	begin   func(net.Conn) error // up to where TLS begins; nil: at once
}

// ways to read and to send, those with TLS from the first byte first (RFC 8314).
func ways() (imap, smtp []way) {
	return []way{{"imaps", "imaps", nil}, {"imap", "imap", beginIMAP}},
		[]way{{"submissions", "smtps", nil}, {"submission", "smtp", beginSMTP}}
}

// srv asks for SRV records. A record in the domain is taken; one that leads out
// of it could be forged, and is taken only if the target proves by a certificate
// that it is who it says (RFC 6186 section 6).
func (f *Finder) srv(ctx context.Context, domain string) (Found, error) {
	imaps, smtps := ways()
	ctx, stop := context.WithTimeout(ctx, 2*f.cfg.Patience)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer stop()
	reading := start(ctx, &asked, func(ctx context.Context) (string, error) { return f.lookup(ctx, domain, imaps) })
	sending, err := f.lookup(ctx, domain, smtps)
	in := <-reading
	if err := errors.Join(err, in.err); err != nil {
		return Found{}, err
	}
	return Found{IMAP: in.found, SMTP: sending}, nil
}

// lookup asks for all ways at once and takes the first that there is.
func (f *Finder) lookup(ctx context.Context, domain string, list []way) (string, error) {
	var asked sync.WaitGroup
	defer asked.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var answers []<-chan answer[string]
	for _, w := range list {
		answers = append(answers, start(ctx, &asked, func(ctx context.Context) (string, error) { return f.target(ctx, domain, w) }))
	}
	found, _, err := first(answers)
	return found, err
}

func (f *Finder) target(ctx context.Context, domain string, w way) (string, error) {
	limited, stop := context.WithTimeout(ctx, f.cfg.Patience)
	defer stop()
	_, records, err := f.cfg.Resolver.LookupSRV(limited, w.service, "tcp", domain)
	if err != nil {
		return "", fmt.Errorf("srv: %w", err)
	}
	for _, r := range records[:min(len(records), 4)] { // in their order of priority
		host, err := hostName(r.Target)
		if err != nil || r.Port == 0 {
			continue // "." says that there is none
		}
		addr := net.JoinHostPort(host, strconv.Itoa(int(r.Port)))
		if !within(host, domain) && f.probe(ctx, addr, w.begin) != nil {
			continue
		}
		return w.scheme + "://" + addr, nil
	}
	return "", errNothing
}

// escrow asks which escrow the domain names.
func (f *Finder) escrow(ctx context.Context, domain string) (string, error) {
	at, err := f.target(ctx, domain, way{"earnest", "https", nil})
	return strings.TrimSuffix(at, ":443"), err
}

// guess tries the usual names, all at once; the better ones come first.
func (f *Finder) guess(ctx context.Context, domain string) (Found, error) {
	ctx, stop := context.WithTimeout(ctx, f.cfg.Patience)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer stop()
	try := func(scheme, prefix, port string, begin func(net.Conn) error) <-chan answer[string] {
		return start(ctx, &asked, func(ctx context.Context) (string, error) {
			addr := net.JoinHostPort(prefix+"."+domain, port)
			return scheme + "://" + addr, f.probe(ctx, addr, begin)
		})
	}
	reading := []<-chan answer[string]{try("imaps", "imap", "993", nil), try("imaps", "mail", "993", nil), try("imap", "imap", "143", beginIMAP), try("imap", "mail", "143", beginIMAP)}
	sending := []<-chan answer[string]{try("smtps", "smtp", "465", nil), try("smtps", "mail", "465", nil), try("smtp", "smtp", "587", beginSMTP), try("smtp", "mail", "587", beginSMTP)}
	imap, _, err := first(reading)
	if err != nil {
		return Found{}, err
	}
	smtp, _, err := first(sending)
	return Found{IMAP: imap, SMTP: smtp}, err
}

// probe connects and has the server show a certificate for its name. Nothing is
// said to it beyond that.
func (f *Finder) probe(ctx context.Context, addr string, begin func(net.Conn) error) error {
	ctx, stop := context.WithTimeout(ctx, f.cfg.Patience)
	defer stop()
	conn, err := f.cfg.Dial(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return fmt.Errorf("probe: %w", err)
		}
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if begin != nil {
		if err := begin(conn); err != nil {
			return fmt.Errorf("probe: %w", err)
		}
	}
	config := &tls.Config{}
	if f.cfg.TLS != nil {
		config = f.cfg.TLS.Clone()
	}
	config.ServerName, _, _ = strings.Cut(addr, ":")
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if err := tls.Client(conn, config).HandshakeContext(ctx); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return nil
}

var errNoTLS = errors.New("the server offers no STARTTLS")

// beginIMAP asks for TLS (RFC 3501 section 6.2.1).
func beginIMAP(conn net.Conn) error {
	return converse(conn, "* OK", "S1 STARTTLS\r\n", "S1 OK")
}

// beginSMTP asks for TLS (RFC 3207).
func beginSMTP(conn net.Conn) error {
	if err := converse(conn, "220", "EHLO localhost\r\n", "250 "); err != nil {
		return err
	}
	return converse(conn, "", "STARTTLS\r\n", "220")
}

// converse waits for a greeting, says a line and waits for its answer. Lines that
// go on ("250-") are passed over.
func converse(conn net.Conn, greeting, say, want string) error {
	// Byte by byte, so that nothing behind the answer is taken from TLS.
	lines := bufio.NewReaderSize(oneByOne{conn}, 16)
	if greeting != "" {
		for {
			text, err := line(lines)
			if err != nil {
				return err
			}
			if !strings.HasPrefix(text, greeting) {
				return errNoTLS
			}
			if !strings.HasPrefix(text, greeting+"-") {
				break
			}
		}
	}
	if _, err := io.WriteString(conn, say); err != nil {
		return err
	}
	for range 100 {
		text, err := line(lines)
		if err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(text, want):
			return nil
		case strings.HasPrefix(text, "*"), strings.HasPrefix(text, strings.TrimSpace(want)+"-"):
		default:
			return errNoTLS
		}
	}
	return errNoTLS
}

func line(r *bufio.Reader) (string, error) {
	var text []byte
	for len(text) < 2048 {
		b, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return strings.TrimSuffix(string(text), "\r"), nil
		}
		text = append(text, b)
	}
	return "", bufio.ErrBufferFull
}

// oneByOne never reads ahead.
type oneByOne struct{ io.Reader }

// Read implements io.Reader.
func (o oneByOne) Read(b []byte) (int, error) {
	return o.Reader.Read(b[:min(len(b), 1)])
}
