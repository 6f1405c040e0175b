package app

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"earnest/agent"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/imapwatch"
	"earnest/smtpsubmit"
)

// outside reaches the real servers.
type outside struct {
	log *slog.Logger
	now func() time.Time
}

// Escrow speaks to an escrow in the name of the signer.
func (o outside) Escrow(url string, ca []byte, signer crypto.Signer) (escrow.Service, error) {
	config, err := trust(ca)
	if err != nil {
		return nil, err
	}
	return escrowclient.New(escrowclient.Config{BaseURL: url, Signer: signer, Roots: config.RootCAs, Now: o.now})
}

// CheckMailbox logs in once.
func (o outside) CheckMailbox(ctx context.Context, server agent.Server) error {
	config, err := o.imap(server, nil)
	if err != nil {
		return err
	}
	return imapwatch.Check(ctx, config)
}

// Mailbox watches one account's mail.
func (o outside) Mailbox(server agent.Server, handler imapwatch.Handler, memory imapwatch.Memory, state func(imapwatch.State)) (agent.Mailbox, error) {
	config, err := o.imap(server, state)
	if err != nil {
		return nil, err
	}
	return imapwatch.New(config, handler, memory), nil
}

func (o outside) imap(server agent.Server, state func(imapwatch.State)) (imapwatch.Config, error) {
	at, config, err := place(server, map[string]string{"imaps": "993", "imap": "143"})
	if err != nil {
		return imapwatch.Config{}, err
	}
	mode := imapwatch.Implicit
	if at.Scheme == "imap" {
		mode = imapwatch.StartTLS
	}
	return imapwatch.Config{Addr: at.Host, TLS: mode, TLSConfig: config, User: server.User,
		Password: server.Password, Token: server.Token, Log: o.log, OnState: state, Now: o.now}, nil
}

// CheckSubmission logs in once and sends nothing.
func (o outside) CheckSubmission(ctx context.Context, server agent.Server) error {
	config, err := o.smtp(server)
	if err != nil {
		return err
	}
	return smtpsubmit.Check(ctx, config)
}

// Submit hands one mail over.
func (o outside) Submit(ctx context.Context, server agent.Server, from, to string, raw []byte) error {
	config, err := o.smtp(server)
	if err != nil {
		return err
	}
	return smtpsubmit.Submit(ctx, config, smtpsubmit.Envelope{From: from, To: []string{to}}, raw)
}

func (o outside) smtp(server agent.Server) (smtpsubmit.Config, error) {
	at, config, err := place(server, map[string]string{"smtps": "465", "smtp": "587"})
	if err != nil {
		return smtpsubmit.Config{}, err
	}
	mode := smtpsubmit.Implicit
	if at.Scheme == "smtp" {
		mode = smtpsubmit.StartTLS
	}
	return smtpsubmit.Config{Addr: at.Host, TLS: mode, TLSConfig: config, User: server.User, Password: server.Password, Token: server.Token}, nil
}

// place reads a server's URL; the scheme says how TLS begins, and gives the port
// where none is named.
func place(server agent.Server, ports map[string]string) (*url.URL, *tls.Config, error) {
	at, err := url.Parse(server.URL)
	if err != nil || at.Host == "" || ports[at.Scheme] == "" {
		names := ""
		for scheme := range ports {
			names += " " + scheme + "://"
		}
		return nil, nil, agentclient.Refuse(agentclient.CodeUsage,
			agentclient.Say("setup.no-server", "{Typed} does not name a mail server.", "Typed", fmt.Sprintf("%q", server.URL)),
			agentclient.Say("nothing.saved", "Nothing was saved."),
			agentclient.Say("setup.server-like", "Write it as SCHEME://HOST:PORT with one of{Schemes}", "Schemes", names))
	}
	if at.Port() == "" {
		at.Host = net.JoinHostPort(at.Hostname(), ports[at.Scheme])
	}
	config, err := trust(server.CA)
	return at, config, err
}

// trust is the system's roots, and the further certificates that the account names.
func trust(ca []byte) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(ca) == 0 {
		return config, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(ca) {
		return nil, agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("setup.no-certificates", "The file of further certificates holds none."),
			agentclient.Say("nothing.saved", "Nothing was saved."), agentclient.Say("setup.pem", "Give --ca a PEM file.")).At("ca")
	}
	config.RootCAs = roots
	return config, nil
}
