package discover_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"earnest/discover"
	"earnest/internal/mailhost"
)

// world is an internet on loopback: a name server, and hosts by name. Whatever is
// asked of it is kept.
type world struct {
	t         *testing.T
	authority *mailhost.Authority
	dns       net.PacketConn

	mu    sync.Mutex
	srv   map[string]dnsmessage.SRVResource // by "_imaps._tcp.domain."
	mx    map[string]string
	hosts map[string]string // "host:port" to where it really is
	asked []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	authority, err := mailhost.NewAuthority(time.Now())
	must(t, err)
	w := &world{t: t, authority: authority, srv: map[string]dnsmessage.SRVResource{}, mx: map[string]string{}, hosts: map[string]string{}}
	w.dns, err = net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { w.dns.Close() })
	go w.answer()
	return w
}

// finder asks this world alone.
func (w *world) finder() *discover.Finder { return discover.New(w.config()) }

func (w *world) config() discover.Config {
	roots := &tls.Config{RootCAs: w.authority.Pool(), MinVersion: tls.VersionTLS12}
	return discover.Config{
		HTTP: &http.Client{Transport: &http.Transport{DialContext: w.dial, TLSClientConfig: roots, DisableKeepAlives: true}},
		Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "udp", w.dns.LocalAddr().String())
		}},
		Dial: w.dial, TLS: roots, Patience: 2 * time.Second, Reserved: true,
	}
}

func (w *world) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, what)
}

func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.asked, "\n")
}

func (w *world) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.note("connect " + addr)
	w.mu.Lock()
	real := w.hosts[addr]
	w.mu.Unlock()
	if real == "" {
		return nil, &net.OpError{Op: "dial", Err: fmt.Errorf("no host %s", addr)}
	}
	return (&net.Dialer{}).DialContext(ctx, network, real)
}

// answer is the name server.
func (w *world) answer() {
	buf := make([]byte, 1500)
	for {
		n, from, err := w.dns.ReadFrom(buf)
		if err != nil {
			return
		}
		var question dnsmessage.Message
		if question.Unpack(buf[:n]) != nil || len(question.Questions) != 1 {
			continue
		}
		q := question.Questions[0]
		name := strings.ToLower(q.Name.String())
		w.note("dns " + q.Type.String() + " " + name)
		reply := dnsmessage.Message{Header: dnsmessage.Header{ID: question.ID, Response: true, RecursionAvailable: true}, Questions: question.Questions}
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}
		w.mu.Lock()
		srv, isSRV := w.srv[name]
		mx, isMX := w.mx[name]
		w.mu.Unlock()
		switch {
		case q.Type == dnsmessage.TypeSRV && isSRV:
			reply.Answers = []dnsmessage.Resource{{Header: header, Body: &srv}}
		case q.Type == dnsmessage.TypeMX && isMX:
			reply.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(mx)}}}
		default:
			reply.RCode = dnsmessage.RCodeNameError
		}
		if packed, err := reply.Pack(); err == nil {
			_, _ = w.dns.WriteTo(packed, from)
		}
	}
}

// record adds an SRV record.
func (w *world) record(service, domain, target string, port uint16) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.srv["_"+service+"._tcp."+domain+"."] = dnsmessage.SRVResource{Priority: 1, Port: port, Target: dnsmessage.MustNewName(target + ".")}
}

// exchanger has another take the domain's mail.
func (w *world) exchanger(domain, host string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mx[domain+"."] = host + "."
}

// place has a name and port lead to a listener.
func (w *world) place(name string, real net.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[name] = real.String()
}

func (w *world) certificate(names ...string) *tls.Config {
	w.t.Helper()
	now := time.Now()
	pair, _, _, err := w.authority.Issue(now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0), names...)
	must(w.t, err)
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

// web serves https for a name.
func (w *world) web(name string, handler http.HandlerFunc) {
	w.t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.note("https " + r.Host + r.URL.String() + " " + r.Referer())
		handler(rw, r)
	}))
	server.TLS = w.certificate(name)
	server.StartTLS()
	w.t.Cleanup(server.Close)
	w.place(name+":443", server.Listener.Addr())
}

// file serves an autoconfig file at its two places.
func (w *world) file(name, text string) {
	w.web(name, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mail/config-v1.1.xml" || r.URL.Path == "/.well-known/autoconfig/mail/config-v1.1.xml" {
			fmt.Fprint(rw, text)
			return
		}
		http.NotFound(rw, r)
	})
}

// server is a mail server that can do no more than show its certificate for the
// names. With a greeting it has STARTTLS.
func (w *world) server(at, greeting string, names ...string) {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(w.t, err)
	w.t.Cleanup(func() { listener.Close() })
	config := w.certificate(names...)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn, greeting, config)
		}
	}()
	w.place(at, listener.Addr())
}

func serve(conn net.Conn, greeting string, config *tls.Config) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if greeting != "" {
		fmt.Fprint(conn, greeting)
		lines := bufio.NewReader(conn)
		for {
			text, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(text, "EHLO") {
				fmt.Fprint(conn, "250-mail\r\n250 STARTTLS\r\n")
				continue
			}
			if strings.HasPrefix(text, "STARTTLS") {
				fmt.Fprint(conn, "220 go on\r\n")
				break
			}
			if tag, ok := strings.CutSuffix(strings.TrimSpace(text), " STARTTLS"); ok {
				fmt.Fprint(conn, "* CAPABILITY IMAP4rev1\r\n"+tag+" OK begin\r\n")
				break
			}
			return
		}
	}
	_ = tls.Server(conn, config).Handshake()
}

// config writes an autoconfig file with one server each.
func configFile(imapHost string, imapPort int, imapSocket, smtpHost string, smtpPort int, smtpSocket, user, auth string) string {
	one := func(kind, element, host string, port int, socket string) string {
		return "<" + element + ` type="` + kind + `"><hostname>` + host + "</hostname><port>" + strconv.Itoa(port) + "</port><socketType>" + socket +
			"</socketType><username>" + user + "</username>" + auth + "</" + element + ">"
	}
	return `<?xml version="1.0" encoding="UTF-8"?><clientConfig version="1.1"><emailProvider id="x"><domain>x</domain>` +
		one("pop3", "incomingServer", imapHost, 995, "SSL") +
		one("imap", "incomingServer", imapHost, imapPort, imapSocket) + one("smtp", "outgoingServer", smtpHost, smtpPort, smtpSocket) +
		`</emailProvider><oAuth2><issuer>login.provider.example</issuer></oAuth2></clientConfig>`
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
