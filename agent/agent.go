// Package agent is what happens to a paid mail, from arrival to decision, and to
// a mail that is sent with a bond, from the price to the refund.
//
// It watches the mailboxes of its accounts, keeps its copy of their bonds in
// step with the escrow, opens what was paid for, and carries out what a person
// decides. [Agent] implements the local API's [agentclient.Agent].
//
// Whatever the agent promises is stored before it is tried: an operation that a
// crash interrupts is tried again under the same id when the agent starts.
package agent

import (
	"context"
	"crypto"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/imapwatch"
	"earnest/internal/logx"
)

// Keyring is where private keys and passwords rest.
type Keyring interface {
	Kind() string
	Check(ctx context.Context) error
	NewSigner(ctx context.Context, name string) (crypto.Signer, error)
	Signer(ctx context.Context, name string) (crypto.Signer, error)
	PutPassword(ctx context.Context, name, password string) error
	Password(ctx context.Context, name string) (string, error)
	Delete(ctx context.Context, name string) error
}

// OpenPGP makes one-time keys, seals and opens mails. Private halves stay in the
// keyring under the names given.
type OpenPGP interface {
	Generate(ctx context.Context, name, userID string) (openpgp.Certificate, error)
	Seal(ctx context.Context, req openpgp.SealRequest) ([]byte, error)
	Open(ctx context.Context, sealed openpgp.Sealed, name string, verification openpgp.Certificate) (openpgp.Opened, error)
}

// Server says how to reach a server of an account.
type Server struct {
	URL      string
	User     string
	CA       []byte // further certificates to trust, PEM
	Password func(context.Context) (string, error)
	// Token, if set, is asked for OAuth 2.0 access in place of the password.
	// refused is one that the server did not take.
	Token func(ctx context.Context, refused string) (string, error)
}

// Mailbox watches one account's mail until the context ends.
type Mailbox interface {
	Run(ctx context.Context) error
}

// Outside is the world that the agent reaches: servers of mail and escrows.
type Outside interface {
	Escrow(url string, ca []byte, signer crypto.Signer) (escrow.Service, error)
	CheckMailbox(ctx context.Context, server Server) error
	Mailbox(server Server, handler imapwatch.Handler, memory imapwatch.Memory, state func(imapwatch.State)) (Mailbox, error)
	CheckSubmission(ctx context.Context, server Server) error
	Submit(ctx context.Context, server Server, from, to string, raw []byte) error
}

// Config is what an agent is made of.
type Config struct {
	Store   *store.Store
	Keyring Keyring
	OpenPGP OpenPGP
	Outside Outside
	// Finder and SignIn find servers and sign in to providers; without them that
	// is left to the person.
	Finder Finder
	SignIn SignIn
	// Names answers questions to the DNS; without it exclusive addresses answer
	// nobody. Optional.
	Names Names
	// DefaultEscrow is the escrow of accounts that name none. Optional.
	DefaultEscrow string

	Now func() time.Time
	Log *slog.Logger
	// Recent are the last lines of the log; nil where none are kept.
	Recent  func() []logx.Line
	Version string
}

// Agent runs the accounts and answers the local API.
type Agent struct {
	Config
	events  events
	inbox   store.Cache[store.Mail]
	logins  logins
	started time.Time

	adding   sync.Mutex // one account is set up at a time
	mu       sync.Mutex
	accounts []*account
	group    *errgroup.Group
	running  context.Context // of Run; nil before
}

// New makes an agent with the accounts that its store remembers.
func New(ctx context.Context, config Config) (*Agent, error) {
	a := &Agent{Config: config, started: config.Now()}
	if err := a.remember(ctx); err != nil {
		return nil, fmt.Errorf("start agent: %w", err)
	}
	return a, nil
}

// remember makes the accounts that the store remembers: all of them or none.
func (a *Agent) remember(ctx context.Context) error {
	var known []store.Account
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		known, err = store.List[store.Account](tx)
		return err
	})
	if err != nil {
		return err
	}
	var accounts []*account
	for _, settings := range known {
		acct, err := a.newAccount(ctx, settings)
		if err != nil {
			return err
		}
		accounts = append(accounts, acct)
	}
	a.accounts = accounts
	return nil
}

// Run runs every account until the context ends.
func (a *Agent) Run(stop context.Context) error {
	group, ctx := errgroup.WithContext(stop)
	a.mu.Lock()
	a.group, a.running = group, ctx
	for _, acct := range a.accounts {
		a.launch(acct)
	}
	a.mu.Unlock()
	group.Go(func() error { return a.emptyTrash(ctx) })
	group.Go(func() error { <-ctx.Done(); return nil })
	if err := group.Wait(); err != nil && stop.Err() == nil {
		return err
	}
	return nil
}

// start adds an account that was just made to the running ones.
func (a *Agent) start(acct *account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accounts = append(a.accounts, acct)
	if a.running != nil {
		a.launch(acct)
	}
}

// emptyTrash deletes keyring items of ended bonds, off the hot path.
func (a *Agent) emptyTrash(ctx context.Context) error {
	for wait(ctx, trashEvery) {
		var names []store.Trash
		err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
			names, err = store.List[store.Trash](tx)
			return err
		})
		for _, item := range names {
			if err = a.Keyring.Delete(ctx, item.Name); err != nil {
				break
			}
			err = a.Store.Update(ctx, "trash", func(tx *store.Tx) error {
				return store.Delete[store.Trash](tx, escrow.Hash([]byte(item.Name)))
			})
			if err != nil {
				break
			}
		}
		if err != nil && ctx.Err() == nil {
			a.Log.Warn("keys of ended bonds could not be deleted yet", "err", err)
		}
	}
	return nil
}

const trashEvery = 2 * time.Second

// wait pauses; false when the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// byAddress finds an account; an empty address means the only one.
func (a *Agent) byAddress(address string) (*account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if address == "" {
		switch len(a.accounts) {
		case 0:
			return nil, noAccount()
		case 1:
			return a.accounts[0], nil
		}
		return nil, agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("account.several", "There are several accounts."),
			agentclient.Say("nothing.done", "Nothing was done."), agentclient.Say("account.name-one", "Name the address to use."))
	}
	wanted, err := typedAddress(address)
	if err != nil {
		return nil, err
	}
	for _, acct := range a.accounts {
		if acct.address == wanted {
			return acct, nil
		}
	}
	return nil, noAccount()
}

// named finds the account of an address, or all where it is empty.
func (a *Agent) named(address string) ([]*account, error) {
	if address == "" {
		if all := a.each(); len(all) > 0 {
			return all, nil
		}
		return nil, noAccount()
	}
	acct, err := a.byAddress(address)
	return []*account{acct}, err
}

func (a *Agent) byID(id string) *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, acct := range a.accounts {
		if acct.id == id {
			return acct
		}
	}
	return nil
}

func (a *Agent) each() []*account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]*account(nil), a.accounts...)
}

// typedAddress reads an address that a person typed.
func typedAddress(typed string) (escrow.Address, error) {
	address, err := escrow.ParseAddress(typed)
	if err != nil {
		return "", agentclient.Refuse(agentclient.CodeUsage,
			agentclient.Say("address.unusable", "{Typed} is not an e-mail address that can be used.", "Typed", fmt.Sprintf("%.80q", typed)),
			agentclient.Say("nothing.sent-or-paid", "Nothing was sent and nothing was paid."),
			agentclient.Say("address.like", "Write it like someone@example.org, without a name around it."))
	}
	return address, nil
}

func noAccount() error {
	return agentclient.Refuse(agentclient.CodeNoAccount, agentclient.Say("account.none", "No such account is set up here."),
		agentclient.Say("account.none-means", "Nothing was done: nothing was sent and no money moved."),
		agentclient.Say("account.add", "Add one with: earnest account add"))
}
