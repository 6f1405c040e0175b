package agent

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/imapwatch"
	"earnest/smtpsubmit"
)

// Doctor tries everything that the agent needs and says what is wrong with it.
func (a *Agent) Doctor(ctx context.Context) ([]agentclient.Check, error) {
	checks := []agentclient.Check{check("keyring ("+a.Keyring.Kind()+")", a.Keyring.Check(ctx), "it keeps keys and passwords",
		"Start a keyring such as gnome-keyring, or run: earnest agent --keyring file")}
	for _, acct := range a.each() {
		checks = append(checks, acct.doctor(ctx)...)
	}
	if len(a.each()) == 0 {
		checks = append(checks, agentclient.Check{Name: "account", Detail: "none is set up", Remedy: "Run: earnest account add"})
	}
	return checks, nil
}

func (a *account) doctor(ctx context.Context) []agentclient.Check {
	settings := a.get()
	name := func(part string) string { return part + " of " + string(a.address) }
	c := a.signedInAs()
	imap := c.server(settings.IMAP, settings.User, settings.CA)
	checks := []agentclient.Check{
		check(name("mailbox"), c.explain("The mailbox", a.Outside.CheckMailbox(ctx, imap)), "it can be read", ""),
		check(name("submission"), c.explain("The server that sends your mail", a.Outside.CheckSubmission(ctx, a.submission())), "it takes mail", ""),
	}
	info, err := a.service.Info(ctx)
	checks = append(checks, check(name("escrow"), explain("The escrow", err), settings.Info.Name+" answers", ""))
	if err != nil {
		return checks
	}
	if info.ReceiptKey.ID() != settings.ReceiptKey.ID() {
		checks = append(checks, agentclient.Check{Name: name("receipt key"), Detail: "the escrow shows another key than the one pinned",
			Remedy: "Do not pay anything through it until its operator has explained it."})
	}
	if off := info.Time.Sub(a.Now()).Abs(); off > time.Minute {
		checks = append(checks, agentclient.Check{Name: "clock", Detail: fmt.Sprintf("it is %s off the escrow's", off.Round(time.Second)),
			Remedy: "Set the clock of this machine."})
	}
	checks = append(checks, agentclient.Check{Name: name("address"), OK: settings.Proven,
		Detail: either(settings.Proven, "the escrow has proof that it is yours", "the token mail has not come yet"),
		Remedy: either(settings.Proven, "", "Wait for it; look into Junk. It is asked for again every hour.")})
	if settings.Offer != "" {
		pool, err := a.service.Pool(ctx, a.address)
		checks = append(checks, check(name("pool"), err, fmt.Sprintf("%d one-time keys are for sale", pool.Free), "Top up: a pool needs a positive balance."))
		if err == nil && pool.Free == 0 {
			checks[len(checks)-1].OK = false
		}
	}
	return checks
}

func check(name string, err error, good, remedy string) agentclient.Check {
	if err == nil {
		return agentclient.Check{Name: name, OK: true, Detail: good}
	}
	c := agentclient.Check{Name: name, Detail: err.Error(), Remedy: remedy}
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok {
		c.Detail, c.Remedy = failure.Happened, failure.Do
	}
	return c
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// explain says in words what is wrong with a server. An error that the escrow
// itself answered with is passed on: it has words of its own.
func explain(what string, err error) error {
	if err == nil {
		return nil
	}
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok {
		return failure
	}
	failure := &agentclient.Failure{Means: "Nothing is lost: mails and decisions are kept, and it is tried again by itself."}
	var expired x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var network net.Error
	var dial *net.OpError
	switch {
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		failure.Code, failure.Happened = agentclient.CodeTLS, what+" shows a certificate that has expired or is not valid yet."
		failure.Do = "Tell its operator; check this machine's clock. Nothing was sent to it."
	case errors.As(err, &expired), errors.As(err, &unknown), errors.As(err, &host):
		failure.Code, failure.Happened = agentclient.CodeTLS, what+" shows a certificate that cannot be trusted: "+cause(err)+"."
		failure.Do = "If it is your own server, name its certificate with --ca FILE. Nothing was sent to it."
	case errors.Is(err, imapwatch.ErrLogin), errors.Is(err, smtpsubmit.ErrLogin):
		failure.Code, failure.Happened = agentclient.CodeLogin, what+" refused the user name or password."
		failure.Do = "Check both; some providers want a password made for apps."
	case escrow.CodeOf(err) != escrow.Internal && !errors.Is(err, escrow.Unavailable):
		return err
	case errors.As(err, &network), errors.As(err, &dial), errors.Is(err, escrow.Unavailable):
		failure.Code, failure.Happened = agentclient.CodeUnreachable, what+" does not answer."
		failure.Do = "Check the network and the server's name and port."
	default:
		failure.Code, failure.Happened = agentclient.CodeUnreachable, what+" cannot be used: "+err.Error()+"."
		failure.Do = "Check its address and port."
	}
	return failure
}

// cause is the innermost error, without the path that led to it.
func cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
