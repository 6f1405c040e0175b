package agentclient

import (
	"context"
	"fmt"
	"log/slog"
	"net"
)

// Why the keys of an agent are not open, as [Status.Locked] says it. A locked
// agent watches no account and answers only what needs no keys.
const (
	LockedNoKeyring  = "no-keyring" // there is no keyring, and no key file was chosen yet
	LockedPassphrase = "passphrase" // the key file waits for its passphrase
)

// PassphraseLeast is how many characters a new passphrase of a key file has: who
// steals the file can try as many as Argon2id lets him, so it is more than what is
// asked of a password that a server guards. Three or four words have that.
const PassphraseLeast = 12

// FieldPassphrase is the field of a request that a refused passphrase is blamed on.
const FieldPassphrase = "passphrase"

// KeysAgent is what a client can ask about the place where the keys rest.
type KeysAgent interface {
	// ChooseKeyFile keeps the keys in a file under a new passphrase, where there is
	// no keyring. From then on every start asks for it.
	ChooseKeyFile(ctx context.Context, req Passphrase) (Status, error)
	// Unlock opens the key file that was chosen. A wrong passphrase is a failure
	// with [CodeLocked] and the field passphrase, and changes nothing.
	Unlock(ctx context.Context, req Passphrase) (Status, error)
}

// Passphrase opens a key file. It crosses the local socket and is kept nowhere.
type Passphrase struct {
	Passphrase string `json:"passphrase"`
}

// Format hides it from every verb of fmt.
func (Passphrase) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[secret]")) }

// LogValue hides it from slog.
func (Passphrase) LogValue() slog.Value { return slog.StringValue("[secret]") }

// FailLocked is what an agent that is locked for that reason refuses with.
func FailLocked(why string) *Failure {
	if why == LockedPassphrase {
		return Fail(CodeLocked)
	}
	return Fail(CodeNoKeyring).Saying(nil, Say("nothing.saved", "Nothing was saved."),
		Say("lock.no-keyring-do", "Start one such as GNOME Keyring or KWallet and try again, or keep the keys in a file with a passphrase (on the command line: earnest unlock --new)."))
}

// Refusing is an agent that answers every question with that failure.
func Refusing(failure *Failure) Agent {
	// What a dial fails with is what each question fails with.
	return NewDialer(func(context.Context) (net.Conn, error) { return nil, failure })
}

// ChooseKeyFile implements [Agent].
func (c *Client) ChooseKeyFile(ctx context.Context, req Passphrase) (Status, error) {
	return post[Status](ctx, c, "/v1/keyring/file", req)
}

// Unlock implements [Agent].
func (c *Client) Unlock(ctx context.Context, req Passphrase) (Status, error) {
	return post[Status](ctx, c, "/v1/keyring/unlock", req)
}
