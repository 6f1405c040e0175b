// Package app is the composition root of the agent: it joins the parts, and a
// person can read here what the program is made of. The sandbox and the tests
// start the same.
package app

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"earnest/agent"
	"earnest/agent/localapi"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/internal/localsock"
)

// Config says where the agent lives and where it keeps its keys.
type Config struct {
	// Home holds the database and, where the path is short enough, the socket.
	Home string
	// Keyring is os, file or memory; empty is what was chosen before, else os.
	Keyring string
	// Passphrase opens the file; nil where none was named. It is asked only with a
	// file.
	Passphrase keyring.PassphraseFunc
	// NoDiscovery asks nobody for the servers of an address, but the files that
	// name them.
	NoDiscovery bool
	// DNS is the server that is asked, as host:port, whether a mail is from whom it
	// says; the system's where empty, and with NoDiscovery none.
	DNS string
	// Escrow is the escrow of accounts that name none. Optional.
	Escrow  string
	Version string
	Log     *slog.Logger
	Now     func() time.Time
	// Ready, if set, is called once the local API answers.
	Ready func()
}

// Run runs an agent until the context ends. What keeps it from that is an
// [*agentclient.Failure].
func Run(ctx context.Context, config Config) error {
	return startFailure(ctx, run(ctx, config))
}

func run(ctx context.Context, config Config) error {
	if config.Now == nil {
		config.Now = time.Now
	}
	if err := prepareHome(config.Home); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(config.Home, "agent.lock"))
	if ok, err := lock.TryLock(); err != nil {
		return badHome("No file can be made in the home folder " + config.Home + ": " + cause(err) + ".")
	} else if !ok {
		return &agentclient.Failure{Code: agentclient.CodeState,
			Happened: "Another agent is running on this home folder.", Means: "This one did nothing.",
			Do: "Use the running one, or set EARNEST_HOME to another folder."}
	}
	defer lock.Unlock()
	recent := keepLog(&config)
	finder, signIn, err := finding(config)
	if err != nil {
		return err
	}
	parts := agent.Config{
		Finder: finder, SignIn: signIn, Names: names(config), DefaultEscrow: config.Escrow,
		Outside: outside{config.Log, config.Now}, Now: config.Now, Log: config.Log, Recent: recent.Lines, Version: config.Version,
	}
	place := &keys{Config: config}
	defer place.close()
	opened, locked, err := place.atStart(ctx)
	if err != nil {
		return err
	}
	front := localapi.NewFront(config.Log)
	if locked != "" {
		waiting := agent.NewLocked(parts, place, locked, front.Turn)
		front.Turn(waiting)
		return serve(ctx, config, front, waiting)
	}
	parts.Store, parts.Keyring, parts.OpenPGP = opened.Store, opened.Keyring, opened.OpenPGP
	a, err := agent.New(ctx, parts)
	if err != nil {
		return err
	}
	front.Turn(a)
	return serve(ctx, config, front, a)
}

// serve runs the agent with its local API.
func serve(ctx context.Context, config Config, front *localapi.Front, a interface{ Run(context.Context) error }) error {
	listener, err := localsock.Listen(agentclient.SocketPath(config.Home))
	if err != nil {
		return fmt.Errorf("local API: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.Run(ctx) })
	group.Go(func() error { return front.Serve(ctx, listener) })
	if config.Ready != nil {
		config.Ready()
	}
	return group.Wait()
}

// keyringPatience is how long a keyring may take: a person may have to unlock it.
const keyringPatience = 60 * time.Second
