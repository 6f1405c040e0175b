package faults

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite"

	"earnest/agentclient"
	"earnest/internal/sandbox"
)

// The processes, as their control files are named.
const (
	escrowProcess    = "escrow"
	recipientProcess = "recipient"
	senderProcess    = "sender"
)

// patience is how long anything may take until the system is at rest again.
const patience = 60 * time.Second

// rig is a sandbox whose processes are killed at armed writes and come back by
// themselves, as a supervisor would bring them back.
type rig struct {
	*sandbox.System
	faults string // control files
	books  *sql.DB
	issued int64 // money in vouchers, in cents
	mails  int   // sent with a bond so far
	freed  int   // sent free so far, each way
	// components is what people sign of their requests; nil is the profile.
	components []string

	stop     context.CancelFunc
	keepers  sync.WaitGroup
	mu       sync.Mutex
	surprise []error // processes that ended though nobody killed them
}

// newRig starts the programs in dir and gives both people an account, money and
// the recipient a price.
func newRig(ctx context.Context, programs, dir, terms string) (*rig, error) {
	r, err := bareRig(ctx, programs, dir, terms)
	if err != nil {
		return nil, err
	}
	r.issued = 500 + 500 + 9500
	err = r.Prepare(ctx)
	if err == nil {
		var voucher string
		if voucher, err = r.Voucher(ctx, "95.00"); err == nil {
			_, err = r.Sender.Agent.TopUp(ctx, agentclient.Redeem{Voucher: voucher})
		}
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// bareRig starts the programs; nobody has an account yet.
func bareRig(ctx context.Context, programs, dir, terms string) (r *rig, err error) {
	r = &rig{faults: filepath.Join(dir, "faults")}
	phrase := filepath.Join(dir, "passphrase")
	if err := errors.Join(os.MkdirAll(r.faults, 0o700), os.MkdirAll(filepath.Join(dir, "tmp"), 0o700),
		os.WriteFile(phrase, []byte("a phrase for tests\n"), 0o600)); err != nil {
		return nil, err
	}
	env := []string{"EARNEST_FAULTS=" + r.faults, "TMPDIR=" + filepath.Join(dir, "tmp")}
	r.System, err = sandbox.Start(ctx, sandbox.Options{
		Dir: filepath.Join(dir, "s"), Programs: programs, Terms: terms, Keyring: "file", PassphraseFile: phrase,
		Env: env, EscrowEnv: append([]string{"EARNEST_FAULTS_NAME=" + escrowProcess}, env...),
	})
	if err != nil {
		return nil, err
	}
	r.books, err = sql.Open("sqlite", "file:"+filepath.Join(r.EscrowDir(), "escrow.db")+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, errors.Join(err, r.System.Stop())
	}
	r.supervise(ctx)
	return r, nil
}

// supervise brings killed processes back until the rig is closed.
func (r *rig) supervise(ctx context.Context) {
	ctx, r.stop = context.WithCancel(ctx)
	r.keep(ctx, escrowProcess, r.EscrowEnded, func() error { return r.StartEscrow(ctx, r.Terms) })
	for name, person := range map[string]*sandbox.Person{recipientProcess: r.Recipient, senderProcess: r.Sender} {
		r.keep(ctx, name, func() <-chan struct{} { return r.AgentEnded(person) },
			func() error { return r.StartAgent(ctx, person) })
	}
}

func (r *rig) keep(ctx context.Context, name string, ended func() <-chan struct{}, start func() error) {
	killed := 0
	r.keepers.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-ended():
			}
			if ctx.Err() != nil {
				return
			}
			was := killed
			if killed = len(r.lines(name + ".killed")); killed == was {
				r.mu.Lock()
				r.surprise = append(r.surprise, fmt.Errorf("%s ended though nobody killed it", name))
				r.mu.Unlock()
				return
			}
			// An error here is a process killed again before it answered: the next
			// round sees it ended and starts it anew.
			_ = start()
		}
	})
}

// close stops everything and reports what ended by itself.
func (r *rig) close() error {
	r.stop()
	r.keepers.Wait()
	return errors.Join(errors.Join(r.surprise...), r.books.Close(), r.System.Stop())
}

func (r *rig) surprised() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.surprise...)
}

// lines reads a control file.
func (r *rig) lines(name string) []string {
	text, err := os.ReadFile(filepath.Join(r.faults, name))
	if err != nil || len(strings.TrimSpace(string(text))) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// arm has a process killed at these moments, each written "label#n moment".
func (r *rig) arm(process string, moments []string) error {
	draft := filepath.Join(r.faults, process+".arming")
	if err := os.WriteFile(draft, []byte(strings.Join(moments, "\n")), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, filepath.Join(r.faults, process+".armed"))
}

func (r *rig) armed() (left int) {
	for _, process := range []string{escrowProcess, recipientProcess, senderProcess} {
		left += len(r.lines(process + ".armed"))
	}
	return left
}

// errFinal says that waiting longer is no use.
var errFinal = errors.New("that is final")

// until asks again and again until the answer is yes. Errors are expected while
// a process is away; the last one is told if the answer never comes.
func (r *rig) until(ctx context.Context, what string, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for round := 0; ; round++ {
		yes, err := ask()
		if yes {
			return nil
		}
		if errors.Is(err, errFinal) {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err != nil {
			last = err
		}
		if err := r.surprised(); err != nil {
			return err
		}
		if round%5 == 4 {
			// Somebody looks at their balance: the agent notices that the escrow is back.
			_, _ = r.Sender.Agent.Balances(ctx)
			_, _ = r.Recipient.Agent.Balances(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s (last error: %w)", what, last)
		case <-time.After(60 * time.Millisecond):
		}
	}
}
