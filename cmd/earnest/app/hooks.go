package app

import (
	"bytes"
	"context"
	"io"
	"os"
	"runtime/debug"

	"earnest/agentclient"
	"earnest/cli"
	"earnest/crypto/keyring"
	"earnest/internal/logx"
	"earnest/internal/ownfile"
)

// Hooks are the verbs of the command line that are more than a question to the
// agent: running it, and the demo.
func Hooks(env func(string) string) cli.Hooks {
	version := buildVersion()
	return cli.Hooks{
		Version: version,
		Agent: func(ctx context.Context, flags cli.AgentFlags) error {
			level, err := logx.ParseLevel(flags.LogLevel)
			if err != nil {
				return err
			}
			log := logx.New(os.Stderr, level)
			return Run(ctx, Config{
				Home: agentclient.Home(env), Keyring: flags.Keyring, Passphrase: passphrase(flags.PassphraseFile),
				NoDiscovery: flags.NoDiscovery || env("EARNEST_NO_DISCOVERY") != "", DNS: env("EARNEST_DNS"), Escrow: env("EARNEST_ESCROW"),
				Version: version, Log: log,
				Ready: func() { log.Info("the agent answers", "home", agentclient.Home(env)) },
			})
		},
		Demo: demo,
	}
}

// passphrase reads the passphrase of the key file. A headless machine names a
// file that its own means protect.
func passphrase(file string) keyring.PassphraseFunc {
	if file == "" {
		return nil
	}
	return func(ctx context.Context) ([]byte, error) {
		// A pipe may wait for its other end: an interrupt shall not.
		type outcome struct {
			text []byte
			err  error
		}
		done := make(chan outcome, 1)
		go func() {
			text, err := readPassphrase(file)
			done <- outcome{text, err}
		}()
		select {
		case o := <-done:
			return o.text, o.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func readPassphrase(file string) ([]byte, error) {
	refuse := func(happened, do string) error {
		return &agentclient.Failure{Code: agentclient.CodeUsage, Happened: happened,
			Means: "The agent did not start, and the keyring file was not opened.", Do: do}
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, refuse("The passphrase file "+file+" cannot be read: "+cause(err)+".", "Name another: --passphrase-file FILE")
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err == nil && ownfile.OthersMayRead(info) {
		return nil, refuse("Other users of this machine may read the passphrase file "+file+".", "Make it private: chmod 600 "+file)
	}
	text, err := io.ReadAll(io.LimitReader(opened, maxPassphrase))
	if err != nil {
		return nil, refuse("The passphrase file "+file+" cannot be read: "+cause(err)+".", "Name another: --passphrase-file FILE")
	}
	return bytes.TrimRight(text, "\r\n"), nil
}

// maxPassphrase is far above what a person writes.
const maxPassphrase = 64 << 10

func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}
