package app

import (
	"bytes"
	"context"
	"os"
	"runtime/debug"

	"earnest/agentclient"
	"earnest/cli"
	"earnest/internal/logx"
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
				Version: version, Log: log,
				Ready: func() { log.Info("the agent is ready", "home", agentclient.Home(env), "keyring", flags.Keyring) },
			})
		},
		Demo: demo,
	}
}

// passphrase reads the passphrase of the key file. A headless machine names a
// file that its own means protect.
func passphrase(file string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		if file == "" {
			return nil, &agentclient.Failure{Code: agentclient.CodeUsage,
				Happened: "The key file needs a passphrase.", Means: "The agent did not start.",
				Do: "Name a file that holds it, readable by you alone: --passphrase-file FILE"}
		}
		text, err := os.ReadFile(file)
		return bytes.TrimRight(text, "\r\n"), err
	}
}

func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}
