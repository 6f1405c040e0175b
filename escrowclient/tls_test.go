package escrowclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowclient"
)

// certificate is a self-signed one for 127.0.0.1, or for another host.
func certificate(t *testing.T, host string, from, until time.Time) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host},
		NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf
}

func TestCertificates(t *testing.T) {
	day := 24 * time.Hour
	at := time.Now()
	good, goodLeaf := certificate(t, "127.0.0.1", at.Add(-day), at.Add(day))
	old, oldLeaf := certificate(t, "127.0.0.1", at.Add(-3*day), at.Add(-day))
	other, otherLeaf := certificate(t, "other.example", at.Add(-day), at.Add(day))
	pin := func(c *x509.Certificate) string {
		sum := sha256.Sum256(c.Raw)
		return strings.ToUpper(hex.EncodeToString(sum[:1])) + ":" + hex.EncodeToString(sum[1:])
	}
	roots := func(c *x509.Certificate) *x509.CertPool {
		pool := x509.NewCertPool()
		pool.AddCert(c)
		return pool
	}
	isExpired := func(err error) bool {
		e, ok := errors.AsType[x509.CertificateInvalidError](err)
		return ok && e.Reason == x509.Expired && strings.Contains(err.Error(), "certificate has expired")
	}
	for _, tt := range []struct {
		name  string
		shown tls.Certificate
		pin   string
		roots *x509.CertPool
		want  func(error) bool
	}{
		{"pinned", good, pin(goodLeaf), nil, nil},
		{"pinned, another name", other, pin(otherLeaf), nil, nil},
		{"known authority", good, "", roots(goodLeaf), nil},
		{"another than pinned", good, pin(otherLeaf), nil, func(err error) bool { return errors.Is(err, escrowclient.ErrFingerprint) }},
		{"expired, pinned", old, pin(oldLeaf), nil, isExpired},
		{"expired, known authority", old, "", roots(oldLeaf), isExpired},
		{"unknown authority", good, "", x509.NewCertPool(), func(err error) bool {
			_, ok := errors.AsType[x509.UnknownAuthorityError](err)
			return ok
		}},
		{"another name", other, "", roots(otherLeaf), func(err error) bool {
			_, ok := errors.AsType[x509.HostnameError](err)
			return ok
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			requests := 0
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests++
				reply(w, info())
			}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{tt.shown}}
			s.StartTLS()
			defer s.Close()
			_, err := client(t, s.URL, func(cfg *escrowclient.Config) { cfg.Fingerprint, cfg.Roots = tt.pin, tt.roots }).Info(t.Context())
			if tt.want == nil {
				if err != nil || requests != 1 {
					t.Errorf("%v after %d requests", err, requests)
				}
				return
			}
			if !errors.Is(err, escrow.Unavailable) || !tt.want(err) || requests != 0 {
				t.Errorf("%v (%T), %d requests", err, err, requests)
			}
		})
	}
	if _, err := escrowclient.New(escrowclient.Config{BaseURL: "https://x.example", Signer: account(1), Fingerprint: "abc"}); err == nil {
		t.Error("a malformed fingerprint is taken")
	}
}
