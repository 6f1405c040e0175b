package agent

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/imapwatch"
	"earnest/smtpsubmit"
)

// Doctor tries everything that the agent needs and says what is wrong with it.
func (a *Agent) Doctor(ctx context.Context) ([]agentclient.Check, error) {
	checks := []agentclient.Check{check("keyring ("+a.Keyring.Kind()+")", a.Keyring.Check(ctx), agentclient.Say("doctor.keyring", "it keeps keys and passwords"),
		agentclient.Say("doctor.keyring-start", "Start a keyring such as gnome-keyring, or unlock it"))}
	for _, acct := range a.each() {
		checks = append(checks, acct.doctor(ctx)...)
	}
	if len(a.each()) == 0 {
		checks = append(checks, checked("account", false, agentclient.Say("doctor.none", "none is set up"), agentclient.Say("doctor.add", "Run: earnest account add")))
	}
	return checks, nil
}

func (a *account) doctor(ctx context.Context) []agentclient.Check {
	settings := a.get()
	name := func(part string) string { return part + " of " + string(a.address) }
	c := a.signedInAs()
	imap := c.server(settings.IMAP, settings.User, settings.CA)
	checks := []agentclient.Check{
		check(name("mailbox"), c.explain(theMailbox(), a.Outside.CheckMailbox(ctx, imap)), agentclient.Say("doctor.mailbox", "it can be read"), nil),
		check(name("submission"), c.explain(agentclient.Say("what.submission", "The server that sends your mail"), a.Outside.CheckSubmission(ctx, a.submission())), agentclient.Say("doctor.submission", "it takes mail"), nil),
	}
	info, err := a.service.Info(ctx)
	checks = append(checks, check(name("escrow"), explain(theEscrow(), err), agentclient.Say("doctor.escrow", "{Host} answers", "Host", settings.Info.Name), nil))
	if err != nil {
		return checks
	}
	if info.ReceiptKey.ID() != settings.ReceiptKey.ID() {
		checks = append(checks, checked(name("receipt key"), false, agentclient.Say("doctor.receipt-key", "the escrow shows another key than the one pinned"),
			agentclient.Say("doctor.do-not-pay", "Do not pay anything through it until its operator has explained it.")))
	}
	if off := info.Time.Sub(a.Now()).Abs(); off > time.Minute {
		checks = append(checks, checked("clock", false, agentclient.Say("doctor.clock", "it is {Span} off the escrow's", "Span", off.Round(time.Second)),
			agentclient.Say("doctor.set-clock", "Set the clock of this machine.")))
	}
	if settings.Proven {
		checks = append(checks, checked(name("address"), true, agentclient.Say("doctor.proven", "the escrow has proof that it is yours"), nil))
	} else {
		checks = append(checks, checked(name("address"), false, agentclient.Say("doctor.unproven", "the token mail has not come yet"),
			agentclient.Say("doctor.wait", "Wait for it; look into Junk. It is asked for again every hour.")))
	}
	if happened, do := a.mute(); happened != nil {
		checks = append(checks, checked(name("answers"), false, happened, do))
	} else if !settings.ExclusiveSince.IsZero() {
		checks = append(checks, checked(name("answers"), true, agentclient.Say("doctor.answers", "who writes unencrypted is answered"), nil))
	}
	if settings.Offer != "" {
		pool, err := a.service.Pool(ctx, a.address)
		checks = append(checks, check(name("pool"), err, agentclient.Say("doctor.pool", "{N} one-time keys are for sale", "N", pool.Free),
			agentclient.Say("doctor.top-up", "Top up: a pool needs a positive balance.")))
		if err == nil && pool.Free == 0 {
			checks[len(checks)-1].OK = false
		}
	}
	return checks
}

func check(name string, err error, good, remedy agentclient.Said) agentclient.Check {
	if err == nil {
		return checked(name, true, good, nil)
	}
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok && failure.Say != nil {
		return checked(name, false, failure.Say.Happened, failure.Say.Do)
	}
	return checked(name, false, agentclient.Verbatim(err.Error()), remedy)
}

func checked(name string, ok bool, detail, remedy agentclient.Said) agentclient.Check {
	return agentclient.Check{Name: name, OK: ok, Detail: detail.String(), Remedy: remedy.String(), SayDetail: detail, SayRemedy: remedy}
}

func theMailbox() agentclient.Said { return agentclient.Say("what.mailbox", "The mailbox") }

func theEscrow() agentclient.Said { return agentclient.Say("what.escrow", "The escrow") }

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// explain says in words what is wrong with a server. An error that the escrow
// itself answered with is passed on: it has words of its own.
func explain(what agentclient.Said, err error) error {
	if err == nil {
		return nil
	}
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok {
		return failure
	}
	var code string
	var happened, do agentclient.Said
	var expired x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var network net.Error
	var dial *net.OpError
	switch {
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		code, happened = agentclient.CodeTLS, agentclient.Say("server.expired", "{What} shows a certificate that has expired or is not valid yet.", "What", what)
		do = agentclient.Say("server.operator", "Tell its operator; check this machine's clock.").And(agentclient.Say("server.not-sent", "Nothing was sent to it."))
	case errors.As(err, &expired), errors.As(err, &unknown), errors.As(err, &host):
		code, happened = agentclient.CodeTLS, agentclient.Say("server.untrusted", "{What} shows a certificate that cannot be trusted: {Why}.", "What", what, "Why", cause(err))
		do = agentclient.Say("server.own-certificate", "If it is your own server, name its certificate with --ca FILE.").And(agentclient.Say("server.not-sent", "Nothing was sent to it."))
	case errors.Is(err, imapwatch.ErrLogin), errors.Is(err, smtpsubmit.ErrLogin):
		code, happened = agentclient.CodeLogin, agentclient.Say("server.refused", "{What} refused the user name or password.", "What", what)
		do = agentclient.Say("server.check-both", "Check both; some providers want a password made for apps.")
	case escrow.CodeOf(err) != escrow.Internal && !errors.Is(err, escrow.Unavailable):
		return err
	case errors.As(err, &network), errors.As(err, &dial), errors.Is(err, escrow.Unavailable):
		code, happened = agentclient.CodeUnreachable, agentclient.Say("server.silent", "{What} does not answer.", "What", what)
		do = agentclient.Say("server.check-network", "Check the network and the server's name and port.")
	default:
		code, happened = agentclient.CodeUnreachable, agentclient.Say("server.unusable", "{What} cannot be used: {Why}.", "What", what, "Why", err)
		do = agentclient.Say("server.check-address", "Check its address and port.")
	}
	return agentclient.Refuse(code, happened, agentclient.Say("server.nothing-lost", "Nothing is lost: mails and decisions are kept, and it is tried again by itself."), do)
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
