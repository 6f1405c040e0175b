package cli

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"earnest/agentclient"
)

type unlockCmd struct {
	New            bool   `help:"Choose a passphrase, and keep the keys in a file under it: for a machine without a keyring."`
	PassphraseFile string `placeholder:"FILE" help:"Read the passphrase from FILE, which only you can read; - is standard input. Else it is asked for."`
}

func (c *unlockCmd) Run(s *session) error {
	status, err := s.agent.Status(s.ctx)
	if err != nil {
		return err
	}
	switch {
	case c.New && status.Locked != agentclient.LockedNoKeyring:
		failure := agentclient.Failf(agentclient.CodeState, "A key file can be chosen only where there is no keyring and none was chosen yet.")
		failure.Means, failure.Do = "Nothing was changed.", "See where your keys are: earnest status"
		return failure
	case status.Locked == "": // as a script wants it that runs at each log-in
		return c.done(s, status, "The agent is not locked.")
	case !c.New && status.Locked == agentclient.LockedNoKeyring:
		return agentclient.FailLocked(status.Locked)
	}
	phrase, err := c.passphrase(s)
	if err != nil {
		return err
	}
	if c.New {
		if status, err = s.agent.ChooseKeyFile(s.ctx, agentclient.Passphrase{Passphrase: phrase}); err != nil {
			return err
		}
		return c.done(s, status, "Your keys are kept in a file under this passphrase. Each start of the agent asks for it; if it is forgotten, the keys are lost, and the mails that wait with them.")
	}
	if status, err = s.agent.Unlock(s.ctx, agentclient.Passphrase{Passphrase: phrase}); err != nil {
		return err
	}
	return c.done(s, status, "Unlocked.")
}

func (c *unlockCmd) done(s *session, status agentclient.Status, words string) error {
	if s.json {
		return s.printJSON(status)
	}
	s.say("%s\n", words)
	return nil
}

// passphrase never comes from the arguments: others can read those. A new one is
// asked for twice, since nobody sees what is typed.
func (c *unlockCmd) passphrase(s *session) (string, error) {
	if c.PassphraseFile != "" {
		return c.read(s)
	}
	if !s.streams.Interactive || s.streams.Password == nil {
		failure := agentclient.Failf(agentclient.CodeUsage, "There is no terminal to ask for the passphrase.")
		failure.Do = "Name a file with it, or give it on standard input: --passphrase-file -"
		return "", failure
	}
	prompts := []string{"Passphrase of the key file: "}
	if c.New {
		prompts = []string{fmt.Sprintf("New passphrase, of at least %d characters: ", agentclient.PassphraseLeast), "The same again: "}
	}
	var typed []string
	for _, prompt := range prompts {
		phrase, err := s.streams.Password(prompt)
		if s.ctx.Err() != nil {
			return "", s.ctx.Err()
		}
		if err != nil {
			return "", fmt.Errorf("ask for the passphrase: %w", err)
		}
		typed = append(typed, phrase)
	}
	if typed[0] != typed[len(typed)-1] {
		failure := agentclient.Failf(agentclient.CodeUsage, "The two passphrases are not the same.")
		failure.Means, failure.Do = "Nothing was saved.", "Try again."
		return "", failure
	}
	return typed[0], nil
}

func (c *unlockCmd) read(s *session) (string, error) {
	if info, err := os.Stat(c.PassphraseFile); err == nil && runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		failure := agentclient.Failf(agentclient.CodeUsage, "Other users of this machine may read the passphrase file %s.", line(c.PassphraseFile))
		failure.Do = "Make it private: chmod 600 " + line(c.PassphraseFile)
		return "", failure
	}
	text, err := s.readFile(c.PassphraseFile, 4096)
	return strings.TrimRight(string(text), "\r\n"), err
}

// locked says what a locked agent waits for.
func (s *session) locked(why string) {
	if why == agentclient.LockedNoKeyring {
		s.say("There is no keyring to keep your keys in, so no account can be added.\n" +
			"Start one such as GNOME Keyring, or keep your keys in a file under a passphrase: earnest unlock --new\n")
		return
	}
	s.say("It is locked: the file with your keys waits for its passphrase. No mail is watched or opened and no money moves until then; nothing is lost.\n" +
		"Type it in the window, or with: earnest unlock\n")
}
