package app

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"earnest/internal/ownfile"
)

const pemKey = "PRIVATE KEY" // PKCS #8 (RFC 7468 section 10)

// receiptKey reads the key that signs quotes and receipts, or makes it at the
// first start. Whoever has it can forge receipts: the file is for its owner only.
func receiptKey(file string, first bool) (crypto.Signer, error) {
	key, err := readKey(file)
	if errors.Is(err, fs.ErrNotExist) && first {
		_, made, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make the receipt key: %w", err)
		}
		text, err := keyText(made)
		if err != nil {
			return nil, err
		}
		return made, writeNew(file, text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: receipt key: %w; restore %s from a backup: quotes and receipts of this escrow hold only with that key", ErrData, err, file)
	}
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		return nil, fmt.Errorf("%w: receipt key: %s is not Ed25519", ErrData, file)
	}
	return key, nil
}

func readKey(file string) (crypto.Signer, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if ownfile.OthersMayRead(info) {
		return nil, fmt.Errorf("%s can be read by others; run: chmod 600 %s", file, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemKey {
		return nil, fmt.Errorf("%s is empty or damaged: it holds no private key", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: its private key cannot be read", file)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s holds a key that cannot sign", file)
	}
	return signer, nil
}

func keyText(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}), nil
}

// transport is how the escrow shows who it is.
type transport struct {
	config      *tls.Config // nil without TLS
	fingerprint string
	file        string
}

// certificateFiles are where certificate and key are; own says that they are not
// this program's.
func certificateFiles(cfg Config) (cert, key string, own bool) {
	if cfg.CertFile != "" {
		return cfg.CertFile, cfg.KeyFile, true
	}
	return filepath.Join(cfg.DataDir, fileCert), filepath.Join(cfg.DataDir, fileKey), false
}

// serverTLS reads the certificate and its key. It makes nothing.
func serverTLS(cfg Config) (transport, error) {
	if cfg.NoTLS {
		return transport{}, nil
	}
	certFile, keyFile, own := certificateFiles(cfg)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		if own {
			return transport{}, fmt.Errorf("%w: tls: %s", ErrConfig, whichIsBad(certFile, keyFile, err))
		}
		return transport{}, fmt.Errorf("%w: tls: %s; restore both from a backup, or delete both and run 'earnest-escrow serve', which makes new ones: every agent must then be told the new certificate",
			ErrData, whichIsBad(certFile, keyFile, err))
	}
	if until := pair.Leaf.NotAfter; cfg.Now().AddDate(0, 0, 14).After(until) {
		cfg.Log.Warn("the certificate ends soon, or has ended; agents refuse to connect then", "until", until)
	}
	return transport{
		config:      &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		fingerprint: fingerprint(pair.Leaf), file: certFile,
	}, nil
}

// whichIsBad says which of the two files cannot be used.
func whichIsBad(certFile, keyFile string, err error) string {
	for _, file := range []string{certFile, keyFile} {
		text, err := os.ReadFile(file)
		if err != nil {
			return err.Error()
		}
		if block, _ := pem.Decode(text); block == nil {
			return file + " is empty or damaged"
		}
	}
	return fmt.Sprintf("%s and %s: %v", certFile, keyFile, err)
}

// fingerprint is SHA-256 of a certificate in hexadecimal.
func fingerprint(certificate *x509.Certificate) string {
	return fmt.Sprintf("%x", sha256.Sum256(certificate.Raw))
}

// certificateYears: agents pin the certificate, so changing it needs everybody.
const certificateYears = 10

// makeCertificate makes a self-signed certificate and its key if there are none.
// Agents take it by its fingerprint, or by its file as an authority. One without
// the other is left over from a first start that was cut off, and made anew; at
// a later start it is a loss, which nobody but the operator may decide about.
func makeCertificate(cfg Config, first bool) error {
	certFile, keyFile, own := certificateFiles(cfg)
	if cfg.NoTLS || own {
		return nil
	}
	_, certErr := os.Lstat(certFile)
	_, keyErr := os.Lstat(keyFile)
	lost := func(err error) bool { return errors.Is(err, fs.ErrNotExist) }
	if !lost(certErr) || !lost(keyErr) && !first {
		return nil // what is wrong with them is told when they are read
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the certificate: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fmt.Errorf("make the certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: cfg.Name},
		NotBefore: cfg.Now().Add(-time.Hour), NotAfter: cfg.Now().AddDate(certificateYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	listen, _, _ := net.SplitHostPort(cfg.Listen)
	for _, name := range append([]string{cfg.Name, listen}, cfg.Hosts...) {
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		if ip := net.ParseIP(name); ip != nil && !ip.IsUnspecified() {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if ip == nil && name != "" && name != "localhost" {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make the certificate: %w", err)
	}
	text, err := keyText(key)
	if err != nil {
		return err
	}
	// The key first: one without a certificate is known as left over.
	if err := replace(keyFile, text, 0o600); err != nil {
		return err
	}
	return writeNew(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}
