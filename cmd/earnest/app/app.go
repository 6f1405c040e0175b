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
	"earnest/crypto/openpgp"
	"earnest/internal/localsock"
)

// Config says where the agent lives and where it keeps its keys.
type Config struct {
	// Home holds the database and, where the path is short enough, the socket.
	Home string
	// Keyring is os, file or memory.
	Keyring string
	// Passphrase opens the file; it is asked only with Keyring file.
	Passphrase func(context.Context) ([]byte, error)
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
	ring, err := openKeyring(config)
	if err != nil {
		return err
	}
	memory, err := openStore(ctx, config, ring)
	if err != nil {
		return err
	}
	defer memory.Close()
	finder, signIn, err := finding(config)
	if err != nil {
		return err
	}
	a, err := agent.New(ctx, agent.Config{
		Finder: finder, SignIn: signIn, Names: names(config), DefaultEscrow: config.Escrow,
		Store: memory, Keyring: ring, OpenPGP: openpgp.NewKeys(ring, config.Now),
		Outside: outside{config.Log, config.Now}, Now: config.Now, Log: config.Log, Recent: recent.Lines, Version: config.Version,
	})
	if err != nil {
		return err
	}
	return serve(ctx, config, a)
}

// serve runs the agent with its local API.
func serve(ctx context.Context, config Config, a *agent.Agent) error {
	listener, err := localsock.Listen(agentclient.SocketPath(config.Home))
	if err != nil {
		return fmt.Errorf("local API: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.Run(ctx) })
	group.Go(func() error { return localapi.Serve(ctx, listener, a, config.Log) })
	if config.Ready != nil {
		config.Ready()
	}
	return group.Wait()
}

func openKeyring(config Config) (*keyring.Ring, error) {
	switch config.Keyring {
	case "", "os":
		return keyring.OpenOS(config.Home, keyringPatience), nil
	case "file":
		return keyring.OpenFile(filepath.Join(config.Home, "keys.sealed"), config.Passphrase)
	case "memory":
		return keyring.OpenMemory(), nil
	}
	return nil, &agentclient.Failure{Code: agentclient.CodeUsage,
		Happened: "There is no keyring called " + config.Keyring + ".", Means: "The agent did not start.",
		Do: "Choose os, file or memory."}
}

// keyringPatience is how long a keyring may take: a person may have to unlock it.
const keyringPatience = 60 * time.Second
