package viewmodel

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// serverKind is what a server is for. A person may type "imap.example.org": the
// scheme and the port that are meant by it are filled in.
type serverKind string

const (
	imapServer   serverKind = "imap"
	smtpServer   serverKind = "smtp"
	escrowServer serverKind = "escrow"
)

// schemes lists the schemes with their ports, the usual one first.
func (k serverKind) schemes() [][2]string {
	switch k {
	case imapServer:
		return [][2]string{{"imaps", "993"}, {"imap", "143"}}
	case smtpServer:
		return [][2]string{{"smtps", "465"}, {"smtp", "587"}, {"smtp", "25"}}
	}
	return [][2]string{{"https", "443"}}
}

// url is the server as the agent takes it.
func (k serverKind) url(typed string) (string, bool) {
	typed = strings.TrimSpace(typed)
	schemes := k.schemes()
	if !strings.Contains(typed, "://") {
		scheme := schemes[0][0]
		for _, s := range schemes {
			if strings.HasSuffix(typed, ":"+s[1]) {
				scheme = s[0]
				break
			}
		}
		typed = scheme + "://" + typed
	}
	u, err := url.Parse(typed)
	if err != nil || !hostLike(u.Hostname()) || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	port := ""
	for _, s := range schemes {
		if u.Scheme == s[0] {
			port = s[1]
			break
		}
	}
	switch {
	case port == "":
		return "", false
	case u.Port() == "" && k == escrowServer:
		return u.Scheme + "://" + u.Host, true
	case u.Port() != "":
		if n, err := strconv.Atoi(u.Port()); err != nil || n < 1 || n > 65535 {
			return "", false
		}
		port = u.Port()
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port), true
}

func hostLike(host string) bool {
	return host != "" && len(host) <= 253 && !strings.ContainsAny(host, " /\\@,;<>\"'") &&
		!strings.HasPrefix(host, ".") && !strings.Contains(host, "..")
}

// hostAndPort names the port too, where it is not the usual one: another port may
// be another's.
func hostAndPort(server string) string {
	if u, err := url.Parse(server); err == nil && u.Hostname() != "" && u.Port() != "" && u.Port() != "443" {
		return line(u.Host)
	}
	return hostOf(server)
}

// hostOf is the name in a server's URL, for a sentence.
func hostOf(server string) string {
	if u, err := url.Parse(server); err == nil && u.Hostname() != "" {
		return line(u.Hostname())
	}
	return line(server)
}
