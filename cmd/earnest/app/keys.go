package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"earnest/agent"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
)

// keys opens the place of the keys and the database that is sealed under them: at
// the start, or later, when a person has said how.
//
// Which place was chosen is told by the key file alone: where it is, the keys are
// in it, and nothing else is asked for them, whatever keyring there may be.
type keys struct {
	Config
	memory *store.Store // the open database
}

func (k *keys) keyFile() string  { return filepath.Join(k.Home, "keys.sealed") }
func (k *keys) database() string { return filepath.Join(k.Home, "agent.db") }

func (k *keys) close() {
	if k.memory != nil {
		k.memory.Close()
		k.memory = nil
	}
}

// atStart opens the place that the flags name, or that was chosen before; else it
// says why the agent is locked. A flag is taken at its word: what it names is opened
// or the agent ends.
func (k *keys) atStart(ctx context.Context) (opened agent.Opened, locked string, err error) {
	switch k.Keyring {
	case "":
		return k.asChosen(ctx)
	case "os":
		opened, err = k.open(ctx, keyring.OpenOS(k.Home, keyringPatience))
	case "file":
		opened, err = k.openFile(ctx)
	case "memory":
		opened, err = k.open(ctx, keyring.OpenMemory())
	default:
		err = &agentclient.Failure{Code: agentclient.CodeUsage,
			Happened: "There is no keyring called " + k.Keyring + ".", Means: "The agent did not start.",
			Do: "Choose os, file or memory."}
	}
	return opened, "", err
}

func (k *keys) asChosen(ctx context.Context) (opened agent.Opened, locked string, err error) {
	switch there, err := exists(k.keyFile()); {
	case err != nil:
		return opened, "", badHome("The key file " + k.keyFile() + " cannot be looked for: " + cause(err) + ".")
	case there && k.Passphrase != nil:
		opened, err = k.openFile(ctx)
		return opened, "", err
	case there:
		// One that cannot be used is refused before anybody is asked for its passphrase.
		if _, err := keyring.OpenFile(k.keyFile(), forgotten); err != nil {
			return opened, "", err
		}
		k.Log.Warn("the agent is locked: it waits for the passphrase of the key file, in the window or by: earnest unlock")
		return opened, agentclient.LockedPassphrase, nil
	}
	opened, err = k.open(ctx, keyring.OpenOS(k.Home, keyringPatience))
	if !errors.Is(err, keyring.ErrNoKeyring) && !errors.Is(err, keyring.ErrTimeout) {
		return opened, "", err
	}
	if _, lost := exists(k.database()); holdsAnything(k.database()) || lost != nil {
		// Its key is in the keyring that is away: a key file would not open it.
		failure := keyringFailure(err)
		failure.Do = "Start or unlock the keyring that was used before, then start the agent again: earnest agent"
		return opened, "", failure
	}
	k.Log.Warn("there is no keyring: the agent waits until there is one and an account is added, or a key file is chosen, in the window or by: earnest unlock --new", "err", err)
	return opened, agentclient.LockedNoKeyring, nil
}

func (k *keys) openFile(ctx context.Context) (agent.Opened, error) {
	if k.Passphrase == nil {
		return agent.Opened{}, &agentclient.Failure{Code: agentclient.CodeUsage,
			Happened: "The key file needs a passphrase.", Means: "The agent did not start.",
			Do: "Name a file that holds it, readable by you alone: --passphrase-file FILE. To be asked for it, choose the file with earnest unlock --new, and leave --keyring out."}
	}
	ring, err := keyring.OpenFile(k.keyFile(), k.Passphrase)
	if err != nil {
		return agent.Opened{}, err
	}
	return k.open(ctx, ring)
}

func (k *keys) open(ctx context.Context, ring *keyring.Ring) (agent.Opened, error) {
	k.close() // of a try that went no further
	memory, err := openStore(ctx, k.Config, ring)
	if err != nil {
		return agent.Opened{}, err
	}
	k.memory = memory
	return agent.Opened{Store: memory, Keyring: ring, OpenPGP: openpgp.NewKeys(ring, k.Now)}, nil
}

// Find implements [agent.Keys].
func (k *keys) Find(ctx context.Context) (agent.Opened, error) {
	if there, err := exists(k.keyFile()); there || err != nil {
		return agent.Opened{}, fileThere()
	}
	opened, err := k.open(ctx, keyring.OpenOS(k.Home, keyringPatience))
	if errors.Is(err, keyring.ErrTimeout) {
		return opened, agentclient.Fail(agentclient.CodeNoKeyring).Saying(
			agentclient.Say("lock.silent", "The keyring did not answer in time: it may be waiting for its password."),
			agentclient.Say("nothing.saved", "Nothing was saved."), nil)
	}
	return opened, err
}

// Choose implements [agent.Keys].
func (k *keys) Choose(ctx context.Context, passphrase []byte) (agent.Opened, error) {
	if there, err := exists(k.keyFile()); there || err != nil {
		return agent.Opened{}, fileThere()
	}
	ring, err := keyring.OpenFile(k.keyFile(), once(passphrase))
	if err == nil {
		err = ring.Check(ctx) // which makes it
	}
	var opened agent.Opened
	if err == nil {
		opened, err = k.open(ctx, ring)
	}
	if err == nil {
		return opened, nil
	}
	means := agentclient.Say("lock.made-shut", "The file stays, and opens by that passphrase.")
	if !holdsAnything(k.database()) { // nothing is sealed under it
		means = agentclient.Say("nothing.saved", "Nothing was saved.")
		err = errors.Join(err, k.removeFirst())
	}
	k.Log.Error("a key file could not be made", "err", err)
	do := agentclient.Say("lock.make-room", "See that there is room and that you may write in the agent's home folder, then try again.")
	if failure, told := errors.AsType[*agentclient.Failure](err); told {
		return opened, failure.Saying(nil, means, do)
	}
	return opened, agentclient.Refuse(agentclient.CodeInternal,
		agentclient.Say("lock.not-made", "The key file could not be made: {Why}.", "Why", oneLine(err)), means, do)
}

// removeFirst removes what a first start has made that went no further, so that the
// next is a first one again.
func (k *keys) removeFirst() error {
	var errs []error
	for _, path := range []string{k.database() + "-wal", k.database() + "-shm", k.database(), filepath.Join(k.Home, firstStart), k.keyFile()} {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func fileThere() error {
	return agentclient.Refuse(agentclient.CodeState, agentclient.Say("lock.file-there", "There is a key file already."),
		agentclient.Say("nothing.changed", "Nothing was changed."), agentclient.Say("lock.start-anew", "Start the agent anew: it then asks for the passphrase of that file."))
}

// Unlock implements [agent.Keys].
func (k *keys) Unlock(ctx context.Context, passphrase []byte) (agent.Opened, error) {
	// A file that went away must not be made anew here, under whatever was typed.
	if there, err := exists(k.keyFile()); !there || err != nil {
		return agent.Opened{}, stillLocked(agentclient.Say("lock.file-gone", "The key file is gone."),
			agentclient.Say("lock.restore", "Restore it from a backup: keys.sealed in the agent's home folder."))
	}
	ring, err := keyring.OpenFile(k.keyFile(), once(passphrase))
	var opened agent.Opened
	if err == nil {
		opened, err = k.open(ctx, ring)
	}
	failure, told := errors.AsType[*agentclient.Failure](err)
	switch {
	case told:
		return opened, failure.Saying(nil, lockedMeans(), nil)
	case err == nil:
		return opened, nil
	case errors.Is(err, keyring.ErrPassphrase), errors.Is(err, keyring.ErrEmptyPassphrase):
		return opened, stillLocked(agentclient.Say("lock.wrong", "The passphrase does not open the key file."),
			agentclient.Say("lock.wrong-do", "Type it again; look at capital letters and at the language of the keyboard.")).At(agentclient.FieldPassphrase)
	case errors.Is(err, keyring.ErrFileDamaged), errors.Is(err, keyring.ErrDamaged):
		return opened, stillLocked(agentclient.Say("lock.damaged", "The key file is damaged; it was not touched."),
			agentclient.Say("lock.restore", "Restore it from a backup: keys.sealed in the agent's home folder."))
	}
	k.Log.Error("the key file cannot be opened", "err", err)
	return opened, stillLocked(agentclient.Say("lock.unreadable", "The key file cannot be opened: {Why}.", "Why", oneLine(err)),
		agentclient.Say("lock.try-again", "Put that right, then try again."))
}

func stillLocked(happened, do agentclient.Said) *agentclient.Failure {
	return agentclient.Refuse(agentclient.CodeLocked, happened, lockedMeans(), do)
}

func lockedMeans() agentclient.Said {
	return agentclient.Say("lock.means", "The agent stays locked: no mail is opened, no money moves and nothing is lost.")
}

// once gives a passphrase away one time, and holds it no longer.
func once(passphrase []byte) keyring.PassphraseFunc {
	return func(ctx context.Context) ([]byte, error) {
		given := passphrase
		passphrase = nil
		if given == nil {
			return forgotten(ctx)
		}
		return given, nil
	}
}

// forgotten is what the ring is told that asks again: its file was changed from
// outside.
func forgotten(context.Context) ([]byte, error) {
	return nil, errors.New("the key file is not the one that was opened, and its passphrase is not kept; start the agent anew")
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
