package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/secret"
)

const (
	archive    = "archive"     // the key that seals the database
	firstStart = "agent.first" // there while the agent has not started yet
)

// openStore opens the database with the archive key, which is made at first start.
func openStore(ctx context.Context, config Config, ring *keyring.Ring) (*store.Store, error) {
	if ring.Kind() == keyring.KindMemory {
		return newMemoryStore(ctx, config.Home, ring)
	}
	path := filepath.Join(config.Home, "agent.db")
	// There from before the archive key is made until the database is: a first
	// start that is broken off in between is still the first the next time.
	first := filepath.Join(config.Home, firstStart)
	sealer, err := archiveKey(ctx, ring, path, first)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(first); errors.Is(err, fs.ErrNotExist) && !holdsAnything(path) {
		return nil, agentclient.Refuse(agentclient.CodeDamaged,
			agentclient.Say("store.gone", "What the agent remembers is gone: {Path} is missing or empty, and its key is still in the keyring.", "Path", path),
			agentclient.Say("store.gone-means", "The agent did not start. Without it no stored mail can be read and what was decided or paid is not known here; what the escrow holds is safe there."),
			storeRestore())
	}
	memory, err := store.Open(ctx, path, sealer)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, agentclient.Refuse(agentclient.CodeDamaged,
			agentclient.Say("store.shut", "What the agent remembers cannot be opened: {Path}: {Why}.", "Path", path, "Why", oneLine(err)),
			agentclient.Say("store.shut-means", "The agent did not start. What the escrow holds is safe there, and new mail waits in the mailbox."),
			storeRestore())
	}
	if err := os.Remove(first); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("end the first start: %w", err), memory.Close())
	}
	return memory, nil
}

func storeRestore() agentclient.Said {
	return agentclient.Say("store.restore", "Restore the file from a backup, or begin anew in another folder: EARNEST_HOME=FOLDER earnest agent")
}

// oneLine is the first of the joined errors, without the operation's own name.
func oneLine(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(first, "open store: ")
}

func archiveKey(ctx context.Context, ring *keyring.Ring, path, first string) (*secret.Sealer, error) {
	sealer, err := ring.Sealer(ctx, archive)
	if !errors.Is(err, keyring.ErrNotFound) {
		return sealer, err
	}
	if holdsAnything(path) {
		return nil, agentclient.Refuse(agentclient.CodeNoKeyring,
			agentclient.Say("store.no-key", "The key to your stored mail is not in this keyring."),
			agentclient.Say("store.sealed", "Nothing was opened or changed; what is stored stays sealed."),
			agentclient.Say("store.other-keyring", "Unlock or restore the keyring that was used before, or move {Path} away to begin anew.", "Path", path))
	}
	if err := os.WriteFile(first, nil, 0o600); err != nil {
		return nil, badHome("No file can be made beside " + path + ": " + cause(err) + ".")
	}
	return ring.NewSealer(ctx, archive)
}

// holdsAnything: the database has bytes. What its log has alone was never more
// than its making.
func holdsAnything(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

// newMemoryStore is a file of its own: what another keyring has sealed is never
// touched. Without its key what is left of an earlier run can never be read again.
func newMemoryStore(ctx context.Context, home string, ring *keyring.Ring) (*store.Store, error) {
	path := filepath.Join(home, "agent-memory.db")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("agent home: %w", err)
		}
	}
	sealer, err := ring.NewSealer(ctx, archive)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, path, sealer)
}
