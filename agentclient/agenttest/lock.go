package agenttest

import (
	"context"
	"unicode/utf8"

	"earnest/agentclient"
)

// Lock locks the agent as [agentclient.Status.Locked] says, and tells it: what needs
// keys is refused until its key file is chosen or opened. With LockedPassphrase
// passphrase opens it.
func (a *Agent) Lock(why, passphrase string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status.Locked, a.passphrase = why, passphrase
	a.status.Keyring = map[string]string{agentclient.LockedPassphrase: "file", agentclient.LockedNoKeyring: "none"}[why]
	a.emit(agentclient.EventStatus, "", "")
}

// StartKeyring has a keyring start that the agent finds when it looks again.
func (a *Agent) StartKeyring() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keyring = true
}

// Passphrase is the one that the key file is under.
func (a *Agent) Passphrase() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.passphrase
}

// shut is the refusal of what needs keys while they are not open; the caller holds
// the lock.
func (a *Agent) shut(method string) error {
	switch method {
	case "Status", "Events", "Discover", "BeginLogin", "LogLines", "Doctor", "ChooseKeyFile", "Unlock":
		return nil
	case "AddAccount", "RecoverAccount":
		if a.status.Locked != agentclient.LockedNoKeyring || !a.keyring {
			break
		}
		a.open("os")
	}
	if a.status.Locked == "" {
		return nil
	}
	if method == "AddAccount" {
		a.emit(agentclient.EventSetup, agentclient.StepKeyring, "failed")
	}
	return agentclient.FailLocked(a.status.Locked)
}

func (a *Agent) open(keyring string) {
	a.status.Locked, a.status.Keyring = "", keyring
	a.emit(agentclient.EventStatus, "", "")
}

// ChooseKeyFile implements [agentclient.Agent].
func (a *Agent) ChooseKeyFile(ctx context.Context, req agentclient.Passphrase) (agentclient.Status, error) {
	if err := a.begin(ctx, "ChooseKeyFile"); err != nil {
		return agentclient.Status{}, err
	}
	defer a.mu.Unlock()
	if a.status.Locked != agentclient.LockedNoKeyring {
		return agentclient.Status{}, failure(agentclient.CodeState, "Your keys have their place already.")
	}
	if utf8.RuneCountInString(req.Passphrase) < agentclient.PassphraseLeast {
		return agentclient.Status{}, failure(agentclient.CodeUsage, "The passphrase is too short.").At(agentclient.FieldPassphrase)
	}
	a.passphrase = req.Passphrase
	a.open("file")
	return a.status, nil
}

// Unlock implements [agentclient.Agent].
func (a *Agent) Unlock(ctx context.Context, req agentclient.Passphrase) (agentclient.Status, error) {
	if err := a.begin(ctx, "Unlock"); err != nil {
		return agentclient.Status{}, err
	}
	defer a.mu.Unlock()
	if a.status.Locked != agentclient.LockedPassphrase {
		return agentclient.Status{}, failure(agentclient.CodeState, "The agent is not locked.")
	}
	if req.Passphrase != a.passphrase {
		return agentclient.Status{}, agentclient.Refuse(agentclient.CodeLocked, agentclient.Say("lock.wrong", "The passphrase does not open the key file."),
			agentclient.Say("lock.means", "The agent stays locked: no mail is opened, no money moves and nothing is lost."),
			agentclient.Say("lock.wrong-do", "Type it again; look at capital letters and at the language of the keyboard.")).At(agentclient.FieldPassphrase)
	}
	a.open("file")
	return a.status, nil
}
