package agentclient

import "fmt"

// Codes lists the codes of failures that are not those of package escrow.
func Codes() []string {
	return []string{CodeUsage, CodeNotFound, CodeNoAgent, CodeNoAccount, CodeNoKeyring, CodeLogin, CodeTLS,
		CodeUnreachable, CodeTooLarge, CodeState, CodeDamaged, CodeLimit, CodeInternal}
}

// Fail is the failure of a code with the code's own words. The words of the
// escrow's codes are in package localapi.
func Fail(code string) *Failure {
	f := &Failure{Code: code}
	switch code {
	case CodeUsage:
		f.Happened, f.Means, f.Do = "That request makes no sense here.",
			"Nothing was done and no money moved.",
			"Check what was asked for, then ask again."
	case CodeNotFound:
		f.Happened, f.Means, f.Do = "There is no such mail, bond or account here.",
			"Nothing was changed and no money moved.",
			"Look in the list for the right one."
	case CodeNoAgent:
		f.Happened, f.Means, f.Do = "No agent is running here.",
			"Until one runs, no mail is watched and nothing is decided. Nothing is lost: money that is held comes back to its sender at the deadline, unless you reject before.",
			"Start it: earnest agent"
	case CodeNoAccount:
		f.Happened, f.Means, f.Do = "No mail account is set up yet.",
			"No mail is watched, and nothing can be sent or paid.",
			"Add one: earnest account add"
	case CodeNoKeyring:
		f.Happened, f.Means, f.Do = "There is no keyring to keep your keys in.",
			"Nothing was saved, nothing was sent and no money moved.",
			"Unlock or start one (GNOME Keyring, KWallet), or choose a file sealed by a passphrase: earnest agent --keyring file --passphrase-file FILE"
	case CodeLogin:
		f.Happened, f.Means, f.Do = "The mail server refused the user name or the password.",
			"No mail can be read or sent through it. Mails and money stay as they are.",
			"Check both; some providers want a password made for one program."
	case CodeTLS:
		f.Happened, f.Means, f.Do = "The server's certificate cannot be trusted.",
			"The connection was closed before anything was said: no password, no mail and no money went out.",
			"Check the server's name and this machine's clock. For a private certificate, name its authority with --ca FILE."
	case CodeUnreachable:
		f.Happened, f.Means, f.Do = "The mail server does not answer.",
			"Nothing is lost: a mail that is paid waits in the outbox, and new mail waits at the server.",
			"Check the network, and the server's name and port."
	case CodeTooLarge:
		f.Happened, f.Means, f.Do = "The mail is larger than can be sent.",
			"Nothing was sent and nothing was paid; your text is kept.",
			"Leave an attachment out or make it smaller, or write where it can be fetched."
	case CodeState:
		f.Happened, f.Means, f.Do = "The mail is not in a state that allows this.",
			"Nothing was changed and no money moved.",
			"Look at the mail's state in the list."
	case CodeDamaged:
		f.Happened, f.Means, f.Do = "This mail was changed on its way and cannot be trusted.",
			"It was not opened and nothing was decided; its money stays held and comes back to the sender at the deadline.",
			"Nothing need be done: the sender may send it again for the same money."
	case CodeLimit:
		f.Happened, f.Means, f.Do = "This is more than your own spending limit allows.",
			"Nothing was paid and nothing was sent; your text is kept.",
			"Wait until money has come back, or raise the limit."
	default:
		f.Happened, f.Means, f.Do = "The agent failed inside.",
			"What was paid or decided before is stored and is not lost.",
			"Try again. If it fails again, look into the agent's log."
	}
	return f
}

// TooMuch is [CodeTooLarge] of a request that is no mail: a voucher's code, a
// certificate or a price.
func TooMuch() *Failure {
	return &Failure{Code: CodeTooLarge, Happened: "That is more than the agent takes in one request.",
		Means: "Nothing was done and no money moved.",
		Do:    "Check what was given: a code, a certificate and a price are short."}
}

// Failf is the failure of a code that says in its own words what happened.
func Failf(code, format string, args ...any) *Failure {
	f := Fail(code)
	f.Happened = fmt.Sprintf(format, args...)
	return f
}
