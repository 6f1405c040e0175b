package discover

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// maxFile is far above what an autoconfig file has.
const maxFile = 64 << 10

// clientConfig is the form of config-v1.1.xml, as Thunderbird documents it.
type clientConfig struct {
	XMLName  xml.Name `xml:"clientConfig"`
	Provider struct {
		Incoming []server `xml:"incomingServer"`
		Outgoing []server `xml:"outgoingServer"`
	} `xml:"emailProvider"`
	OAuth struct {
		Issuer string `xml:"issuer"`
	} `xml:"oAuth2"`
}

type server struct {
	Type           string   `xml:"type,attr"`
	Host           string   `xml:"hostname"`
	Port           string   `xml:"port"`
	Socket         string   `xml:"socketType"`
	User           string   `xml:"username"`
	Authentication []string `xml:"authentication"`
}

// autoconfig asks both places of a domain; the first of the list is the better.
func (f *Finder) autoconfig(ctx context.Context, domain, address string) (Found, error) {
	places := []string{
		"https://autoconfig." + domain + "/mail/config-v1.1.xml",
		"https://" + domain + "/.well-known/autoconfig/mail/config-v1.1.xml",
	}
	ctx, stop := context.WithTimeout(ctx, f.cfg.Patience)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer stop()
	var answers []<-chan answer[Found]
	for _, place := range places {
		answers = append(answers, start(ctx, &asked, func(ctx context.Context) (Found, error) {
			text, err := f.fetch(ctx, place)
			if err != nil {
				return Found{}, err
			}
			return readConfig(text, address)
		}))
	}
	found, _, err := first(answers)
	return found, err
}

func (f *Finder) fetch(ctx context.Context, place string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, fmt.Errorf("autoconfig: %w", err)
	}
	req.Header.Set("User-Agent", "Earnest")
	resp, err := f.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("autoconfig: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("autoconfig: answered %d", resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("autoconfig: %w", err)
	}
	if len(text) > maxFile {
		return nil, errors.New("autoconfig: the file is too large")
	}
	return text, nil
}

// onlySecure follows a few redirects, and none that leaves TLS.
func onlySecure(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != "https" {
		return errors.New("autoconfig: sent on to a place without TLS")
	}
	if len(via) > 3 {
		return errors.New("autoconfig: sent on too often")
	}
	req.Header.Del("Referer")
	return nil
}

// readConfig reads a file, which a stranger may have written.
func readConfig(text []byte, address string) (Found, error) {
	if bytes.Contains(text, []byte("<!DOCTYPE")) || bytes.Contains(text, []byte("<!ENTITY")) {
		return Found{}, errors.New("autoconfig: the file defines entities")
	}
	var config clientConfig
	if err := xml.Unmarshal(text, &config); err != nil {
		return Found{}, fmt.Errorf("autoconfig: %w", err)
	}
	in, imap, err := choose(config.Provider.Incoming, "imap", address)
	if err != nil {
		return Found{}, err
	}
	_, smtp, err := choose(config.Provider.Outgoing, "smtp", address)
	if err != nil {
		return Found{}, err
	}
	found := Found{IMAP: imap, SMTP: smtp, User: fill(in.User, address)}
	if strings.ContainsFunc(found.User, func(r rune) bool { return r < ' ' || r == 0x7f }) || len(found.User) > 320 {
		return Found{}, errors.New("autoconfig: the user's name is malformed")
	}
	if len(in.Authentication) > 0 && strings.TrimSpace(in.Authentication[0]) == "OAuth2" {
		found.OAuth = true
		if issuer, err := hostName(strings.TrimSpace(config.OAuth.Issuer)); err == nil {
			found.Issuer = issuer
		}
	}
	return found, nil
}

// choose takes the first server with TLS: the file has them in order of
// preference.
func choose(list []server, kind, address string) (server, string, error) {
	plain := false
	for _, s := range list {
		if s.Type != kind {
			continue
		}
		scheme := ""
		switch strings.ToUpper(strings.TrimSpace(s.Socket)) {
		case "SSL":
			scheme = kind + "s"
		case "STARTTLS":
			scheme = kind
		default:
			plain = true
			continue
		}
		host, err := hostName(fill(strings.TrimSpace(s.Host), address))
		if err != nil {
			continue
		}
		port, err := strconv.ParseUint(strings.TrimSpace(s.Port), 10, 16)
		if err != nil || port == 0 {
			continue
		}
		return s, scheme + "://" + net.JoinHostPort(host, strconv.FormatUint(port, 10)), nil
	}
	if plain {
		return server{}, "", fmt.Errorf("autoconfig: %s without TLS is refused", kind)
	}
	return server{}, "", fmt.Errorf("autoconfig: it names no %s server", kind)
}

// fill puts the address in where the file asks for it.
func fill(text, address string) string {
	at := strings.LastIndexByte(address, '@')
	return strings.NewReplacer("%EMAILADDRESS%", address, "%EMAILLOCALPART%", address[:at], "%EMAILDOMAIN%", address[at+1:]).
		Replace(strings.TrimSpace(text))
}
