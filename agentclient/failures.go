package agentclient

import "fmt"

// Codes lists the codes of failures that are not those of package escrow.
func Codes() []string {
	return []string{CodeUsage, CodeNotFound, CodeNoAgent, CodeNoAccount, CodeNoKeyring, CodeLocked, CodeLogin, CodeTLS,
		CodeUnreachable, CodeTooLarge, CodeState, CodeDamaged, CodeLimit, CodeIdentity, CodeInternal}
}

// Fail is the failure of a code with the code's own words. The words of the
// escrow's codes are in package localapi.
func Fail(code string) *Failure {
	var happened, means, do Said
	switch code {
	case CodeUsage:
		happened = Say("fail.usage", "That request makes no sense here.")
		means = Say("fail.usage.means", "Nothing was done and no money moved.")
		do = Say("fail.usage.do", "Check what was asked for, then ask again.")
	case CodeNotFound:
		happened = Say("fail.not-found", "There is no such mail, bond or account here.")
		means = Say("fail.not-found.means", "Nothing was changed and no money moved.")
		do = Say("fail.not-found.do", "Look in the list for the right one.")
	case CodeNoAgent:
		happened = Say("fail.no-agent", "No agent is running here.")
		means = Say("fail.no-agent.means", "Until one runs, no mail is watched and nothing is decided. Nothing is lost: money that is held comes back to its sender at the deadline, unless you reject before.")
		do = Say("fail.no-agent.do", "Start it: earnest agent")
	case CodeNoAccount:
		happened = Say("fail.no-account", "No mail account is set up yet.")
		means = Say("fail.no-account.means", "No mail is watched, and nothing can be sent or paid.")
		do = Say("fail.no-account.do", "Add one: earnest account add")
	case CodeNoKeyring:
		happened = Say("fail.no-keyring", "There is no keyring to keep your keys in.")
		means = Say("fail.no-keyring.means", "Nothing was saved, nothing was sent and no money moved.")
		do = Say("fail.no-keyring.do", "Unlock or start one (GNOME Keyring, KWallet), or choose a file sealed by a passphrase: earnest agent --keyring file --passphrase-file FILE")
	case CodeLocked:
		happened = Say("fail.locked", "The agent is locked: the file with your keys waits for its passphrase.")
		means = Say("fail.locked.means", "Until then no mail is watched or opened and no money moves. Nothing is lost: new mail waits in the mailbox.")
		do = Say("fail.locked.do", "Type the passphrase in the window, or with: earnest unlock")
	case CodeLogin:
		happened = Say("fail.login", "The mail server refused the user name or the password.")
		means = Say("fail.login.means", "No mail can be read or sent through it. Mails and money stay as they are.")
		do = Say("fail.login.do", "Check both; some providers want a password made for one program.")
	case CodeTLS:
		happened = Say("fail.tls", "The server's certificate cannot be trusted.")
		means = Say("fail.tls.means", "The connection was closed before anything was said: no password, no mail and no money went out.")
		do = Say("fail.tls.do", "Check the server's name and this machine's clock. For a private certificate, name its authority with --ca FILE.")
	case CodeUnreachable:
		happened = Say("fail.unreachable", "The mail server does not answer.")
		means = Say("fail.unreachable.means", "Nothing is lost: a mail that is paid waits in the outbox, and new mail waits at the server.")
		do = Say("fail.unreachable.do", "Check the network, and the server's name and port.")
	case CodeTooLarge:
		happened = Say("fail.too-large", "The mail is larger than can be sent.")
		means = Say("fail.too-large.means", "Nothing was sent and nothing was paid; your text is kept.")
		do = Say("fail.too-large.do", "Leave an attachment out or make it smaller, or write where it can be fetched.")
	case CodeState:
		happened = Say("fail.state", "The mail is not in a state that allows this.")
		means = Say("fail.state.means", "Nothing was changed and no money moved.")
		do = Say("fail.state.do", "Look at the mail's state in the list.")
	case CodeDamaged:
		happened = Say("fail.damaged", "This mail was changed on its way and cannot be trusted.")
		means = Say("fail.damaged.means", "It was not opened and nothing was decided; its money stays held and comes back to the sender at the deadline.")
		do = Say("fail.damaged.do", "Nothing need be done: the sender may send it again for the same money.")
	case CodeLimit:
		happened = Say("fail.limit", "This is more than your own spending limit allows.")
		means = Say("fail.limit.means", "Nothing was paid and nothing was sent; your text is kept.")
		do = Say("fail.limit.do", "Wait until money has come back, or raise the limit.")
	case CodeIdentity:
		happened = Say("fail.identity", "The address has another fingerprint than the one known here.")
		means = Say("fail.identity.means", "Somebody may be taking its place. Nothing was paid or sent.")
		do = Say("fail.identity.do", "Ask the person, by another way, for the fingerprint on the card.")
	default:
		happened = Say("fail.internal", "The agent failed inside.")
		means = Say("fail.internal.means", "What was paid or decided before is stored and is not lost.")
		do = Say("fail.internal.do", "Try again. If it fails again, look into the agent's log.")
	}
	return Refuse(code, happened, means, do)
}

// TooMuch is [CodeTooLarge] of a request that is no mail: a voucher's code, a
// certificate or a price.
func TooMuch() *Failure {
	return Refuse(CodeTooLarge, Say("fail.too-much", "That is more than the agent takes in one request."),
		Say("fail.usage.means", "Nothing was done and no money moved."),
		Say("fail.too-much.do", "Check what was given: a code, a certificate and a price are short."))
}

// Failf is the failure of a code that says in its own words what happened, in
// English alone: for a client's own. The agent says it in phrases.
func Failf(code, format string, args ...any) *Failure {
	return Fail(code).Saying(Verbatim(fmt.Sprintf(format, args...)), nil, nil)
}
