package keyring

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	oskeyring "github.com/zalando/go-keyring"

	"earnest/crypto/secret"
)

const (
	service = "earnest"
	// idFile holds the id of the installation: random and not made of the
	// folder's path, so that a folder may be moved and keeps its keys.
	idFile  = "keyring-id"
	idBytes = 10
)

// OpenOS returns a ring in the keyring of the operating system. home is the
// folder of this installation; it must exist at the first call, which writes
// the installation's id there, so that several live side by side. No call takes
// longer than timeout, counted from when its turn comes.
func OpenOS(home string, timeout time.Duration) *Ring {
	return &Ring{kind: KindOS, store: &osStore{home: home}, gate: newGate(timeout)}
}

type osStore struct {
	home string
	id   string // read or made by the first call
}

func (o *osStore) set(_ context.Context, name, item string) error {
	user, err := o.user(name)
	if err != nil {
		return err
	}
	if err := oskeyring.Set(service, user, item); err != nil {
		return refuse(err)
	}
	// A dismissed prompt is no error to go-keyring. A key whose public half is
	// about to be sold must be there, so it is read back.
	got, err := oskeyring.Get(service, user)
	if err != nil {
		return refuse(fmt.Errorf("read back: %w", err))
	}
	if got != item {
		return fmt.Errorf("read back other text than was put: %w", ErrDamaged)
	}
	return nil
}

func (o *osStore) get(_ context.Context, name string) (string, error) {
	user, err := o.user(name)
	if err != nil {
		return "", err
	}
	item, err := oskeyring.Get(service, user)
	if errors.Is(err, oskeyring.ErrNotFound) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", refuse(err)
	}
	return item, nil
}

func (o *osStore) remove(_ context.Context, name string) error {
	user, err := o.user(name)
	if err != nil {
		return err
	}
	if err := oskeyring.Delete(service, user); err != nil && !errors.Is(err, oskeyring.ErrNotFound) {
		return refuse(err)
	}
	return nil
}

// user is the name under which the system's keyring knows an item.
func (o *osStore) user(name string) (string, error) {
	if err := sessionBus(); err != nil {
		return "", refuse(err)
	}
	if o.id == "" {
		id, err := installation(o.home)
		if err != nil {
			return "", err
		}
		o.id = id
	}
	return o.id + "/" + name, nil
}

func refuse(cause error) error {
	if errors.Is(cause, oskeyring.ErrSetDataTooBig) {
		return ErrTooLarge
	}
	return fmt.Errorf("%w (%w)", ErrNoKeyring, cause)
}

// sessionBus says whether there is a D-Bus session to ask. Without this check
// godbus would start a stray dbus-daemon by dbus-launch, without a keyring.
func sessionBus() error {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return nil
	}
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" && address != "autolaunch:" {
		return nil
	}
	runtimeDir := "/run/user/" + strconv.Itoa(os.Getuid()) // where godbus looks, whatever XDG_RUNTIME_DIR says
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join(runtimeDir, name)); err == nil {
			return nil
		}
	}
	return errors.New("no D-Bus session is running")
}

// installation reads the id of this installation, and makes it the first time.
func installation(home string) (string, error) {
	path := filepath.Join(home, idFile)
	id, err := readID(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	fresh := hex.EncodeToString(secret.NewKey().Reveal()[:idBytes])
	draft, err := os.CreateTemp(home, idFile+"-*") // 0600
	if err != nil {
		return "", fmt.Errorf("make the installation's keyring id: %w", err)
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.WriteString(fresh + "\n")
	err = errors.Join(err, draft.Sync(), draft.Close())
	if err == nil {
		// A link, since it fails where another process was first.
		if err = os.Link(draft.Name(), path); errors.Is(err, fs.ErrExist) {
			return readID(path)
		}
	}
	if err == nil {
		err = syncDir(home)
	}
	if err != nil {
		return "", fmt.Errorf("make the installation's keyring id: %w", err)
	}
	return fresh, nil
}

func readID(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the installation's keyring id: %w", err)
	}
	id := strings.TrimSpace(string(text))
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != idBytes {
		return "", fmt.Errorf("read the installation's keyring id: %s is damaged, so the keys in the keyring cannot "+
			"be named. Paid mail stays unopened. Restore that file from a backup", path)
	}
	return id, nil
}
