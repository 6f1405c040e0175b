package keyring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"

	"earnest/crypto/secret"
	"earnest/internal/ownfile"
)

// PassphraseFunc asks for the passphrase of a keyring file. The ring asks once,
// at the first call that needs it, and again after a wrong one.
type PassphraseFunc func(ctx context.Context) ([]byte, error)

// Errors of a keyring file.
var (
	ErrPassphrase = errors.New("the passphrase does not open the keyring file. Paid mail stays unopened in the " +
		"mailbox and no money moves. Try again with the right one")
	ErrEmptyPassphrase = errors.New("an empty passphrase protects nothing, so nothing was saved. Give one of several words")
	ErrFileDamaged     = errors.New("the keyring file is damaged and was not touched. Paid mail stays unopened in the " +
		"mailbox and no money moves. Restore the file from a backup")
	ErrFileOpen = errors.New("other users of this machine may read the keyring file. Make it private again (chmod 600)")
)

// lockPoll is how often a file lock that another process holds is tried again.
const lockPoll = 10 * time.Millisecond

// fileStore is one file that holds all items, sealed under a passphrase. Each
// change writes the whole file anew beside the old one and renames it, so that
// there is an intact file at every instant.
type fileStore struct {
	path       string
	passphrase PassphraseFunc
	cost       cost // of a file that is made

	lock   *flock.Flock
	header header         // of the file that sealer belongs to
	sealer *secret.Sealer // nil until the passphrase was given
	items  map[string]secret.Secret
	seen   os.FileInfo // the file that items were read from
}

// OpenFile returns a ring in a file that a passphrase seals: what a person
// chooses for a machine without a keyring. The file need not exist; its folder
// must. A file that is not a keyring file is refused here, a wrong passphrase
// at the first call ([ErrPassphrase]).
func OpenFile(path string, passphrase PassphraseFunc) (*Ring, error) {
	return openFile(path, passphrase, recommended)
}

func openFile(path string, passphrase PassphraseFunc, c cost) (*Ring, error) {
	f := &fileStore{path: path, passphrase: passphrase, cost: c,
		lock: flock.New(path+".lock", flock.SetPermissions(0o600))}
	if _, _, _, err := f.read(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the keyring file %s: %w", path, err)
	}
	return &Ring{kind: KindFile, store: f, gate: newGate(0)}, nil
}

func (f *fileStore) get(ctx context.Context, name string) (item string, err error) {
	err = f.locked(ctx, func() error {
		if err := f.load(ctx); err != nil {
			return err
		}
		s, ok := f.items[name]
		if !ok {
			return ErrNotFound
		}
		item = string(s.Reveal())
		return nil
	})
	return item, err
}

func (f *fileStore) set(ctx context.Context, name, item string) error {
	return f.change(ctx, func() bool {
		f.items[name] = secret.New([]byte(item))
		return true
	})
}

func (f *fileStore) remove(ctx context.Context, name string) error {
	return f.change(ctx, func() bool {
		_, there := f.items[name]
		delete(f.items, name)
		return there
	})
}

// change applies edit to the items and saves them if it says so.
func (f *fileStore) change(ctx context.Context, edit func() bool) error {
	return f.locked(ctx, func() error {
		if err := f.load(ctx); err != nil {
			return err
		}
		if !edit() {
			return nil
		}
		err := f.save(ctx)
		if err != nil {
			f.seen = nil // items differ from the file now: read it again
		}
		return err
	})
}

// locked runs do while no other process reads or writes the file.
func (f *fileStore) locked(ctx context.Context, do func() error) error {
	if _, err := f.lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("lock the keyring file: %w", err)
	}
	err := do()
	return errors.Join(err, f.lock.Unlock())
}

// load brings items in step with the file, which another process may have
// changed. No file is no items.
func (f *fileStore) load(ctx context.Context) error {
	info, head, body, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		f.seen, f.sealer, f.items = nil, nil, map[string]secret.Secret{}
		return nil
	}
	if err != nil {
		return err
	}
	if f.seen != nil && os.SameFile(f.seen, info) && f.seen.ModTime().Equal(info.ModTime()) && f.seen.Size() == info.Size() {
		return nil
	}
	if err := f.unlock(ctx, head); err != nil {
		return err
	}
	plain, err := head.open(f.sealer, body)
	if errors.Is(err, ErrPassphrase) {
		f.sealer = nil // ask again next time
	}
	if err != nil {
		return err
	}
	items, err := parseItems(plain)
	if err != nil {
		return err
	}
	f.items, f.seen = items, info
	return nil
}

// unlock makes the sealer for a file with this header.
func (f *fileStore) unlock(ctx context.Context, head header) error {
	if f.sealer != nil && f.header.line() == head.line() {
		return nil
	}
	phrase, err := f.passphrase(ctx)
	if err != nil {
		return fmt.Errorf("ask for the passphrase of the keyring file: %w", err)
	}
	if len(phrase) == 0 {
		return ErrEmptyPassphrase
	}
	f.sealer, err = head.sealer(phrase)
	f.header = head
	return err
}

// read returns the file's parts without opening them.
func (f *fileStore) read() (os.FileInfo, header, []byte, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, header{}, nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, header{}, nil, err
	}
	if ownfile.OthersMayRead(info) {
		return nil, header{}, nil, ErrFileOpen
	}
	var all bytes.Buffer
	if _, err := all.ReadFrom(file); err != nil {
		return nil, header{}, nil, err
	}
	head, body, err := parseFile(all.Bytes())
	return info, head, body, err
}

// save seals the items into a new file and puts it in the old one's place.
func (f *fileStore) save(ctx context.Context) error {
	if f.sealer == nil {
		if err := f.unlock(ctx, newHeader(f.cost)); err != nil {
			return err
		}
	}
	text := make(map[string]string, len(f.items))
	for name, item := range f.items {
		text[name] = string(item.Reveal())
	}
	plain, err := json.Marshal(text)
	if err != nil {
		return fmt.Errorf("write the keyring file: %w", err)
	}
	if err := replaceFile(f.path, f.header.seal(f.sealer, plain)); err != nil {
		return fmt.Errorf("write the keyring file: %w", err)
	}
	f.seen, err = os.Stat(f.path)
	return err
}

func parseItems(plain []byte) (map[string]secret.Secret, error) {
	var text map[string]string
	if err := json.Unmarshal(plain, &text); err != nil {
		return nil, ErrFileDamaged // err would show a part of an item
	}
	items := make(map[string]secret.Secret, len(text))
	for name, item := range text {
		items[name] = secret.New([]byte(item))
	}
	return items, nil
}
