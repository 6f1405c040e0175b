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
	"runtime"
	"time"
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
		return made, writeKey(file, made)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: receipt key: %w", ErrData, err)
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
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others; run: chmod 600 %s", file, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemKey {
		return nil, fmt.Errorf("%s holds no private key", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s holds no readable private key", file)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s holds a key that cannot sign", file)
	}
	return signer, nil
}

func writeKey(file string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return writeNew(file, pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}), 0o600)
}

// writeNew writes a file that is not there yet, and has it on the disk before it
// returns: a receipt key that a power cut takes away would orphan its receipts.
func writeNew(file string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	return nil
}

// transport is how the escrow shows who it is.
type transport struct {
	config      *tls.Config // nil without TLS
	fingerprint string
	file        string
}

// serverTLS takes the certificate from files, or makes one at the first start.
func serverTLS(cfg Config) (transport, error) {
	if cfg.NoTLS {
		return transport{}, nil
	}
	certFile, keyFile := cfg.CertFile, cfg.KeyFile
	if certFile == "" {
		certFile, keyFile = filepath.Join(cfg.DataDir, fileCert), filepath.Join(cfg.DataDir, fileKey)
		if err := makeCertificate(cfg, certFile, keyFile); err != nil {
			return transport{}, err
		}
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return transport{}, fmt.Errorf("%w: tls: %w", ErrConfig, err)
	}
	if until := pair.Leaf.NotAfter; cfg.Now().AddDate(0, 0, 14).After(until) {
		cfg.Log.Warn("the certificate ends soon, or has ended; agents refuse to connect then", "until", until)
	}
	return transport{
		config:      &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		fingerprint: fingerprint(pair.Leaf), file: certFile,
	}, nil
}

// fingerprint is SHA-256 of a certificate in hexadecimal.
func fingerprint(certificate *x509.Certificate) string {
	return fmt.Sprintf("%x", sha256.Sum256(certificate.Raw))
}

// certificateLife: agents pin the certificate, so changing it needs everybody.
const certificateYears = 10

// makeCertificate makes a self-signed certificate unless there is one. Agents
// take it by its fingerprint, or by its file as an authority.
func makeCertificate(cfg Config, certFile, keyFile string) error {
	if _, err := os.Stat(certFile); err == nil {
		return nil
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
	// A key without a certificate is left over from a start that was cut off.
	if err := os.Remove(keyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	if err := writeKey(keyFile, key); err != nil {
		return err
	}
	return writeNew(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}
