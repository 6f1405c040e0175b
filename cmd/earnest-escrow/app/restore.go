package app

import (
	"archive/tar"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/internal/tomlfile"
)

// Restored says what a restore brought back.
type Restored struct {
	manifest
	// Withdrawn are the keys that were unsold in the backup.
	Withdrawn int64
	Report    escrowserver.Report
}

// Restore puts a backup into a folder without books, and into an empty database if
// one is named. All unsold keys are withdrawn before anybody can serve from it:
// which of them were sold after the backup nobody knows.
func Restore(ctx context.Context, cfg Config, file string) (Restored, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := checkDatabase(cfg.Database); err != nil || cfg.DataDir == "" {
		return Restored{}, errors.Join(fmt.Errorf("%w: restore into a folder, and a database if the backup is of one", ErrCommand), err)
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return Restored{}, fmt.Errorf("%w: %w", ErrData, err)
	}
	unlock, err := alone(ctx, cfg)
	if err != nil {
		return Restored{}, err
	}
	defer unlock()
	for _, name := range append(ownNames(), fileBooks) {
		if _, err := os.Lstat(filepath.Join(cfg.DataDir, name)); err == nil {
			return Restored{}, fmt.Errorf("%w: %s has a %s already; nothing was restored; name a new folder, or move the old one out of the way", ErrData, cfg.DataDir, name)
		}
	}
	scratch, err := os.MkdirTemp(cfg.DataDir, ".restore-*")
	if err != nil {
		return Restored{}, fmt.Errorf("%w: %w", ErrData, err)
	}
	defer os.RemoveAll(scratch)
	names, about, err := unpack(file, scratch)
	if err != nil {
		return Restored{}, fmt.Errorf("%w: %s cannot be restored: %w", ErrData, file, err)
	}
	done, err := bring(ctx, cfg, scratch, names, about)
	if err != nil {
		return done, err
	}
	// The books last: a folder without them is refused.
	for _, name := range names {
		if name != fileManifest && name != fileDump {
			if err := os.Rename(filepath.Join(scratch, name), filepath.Join(cfg.DataDir, name)); err != nil {
				return done, fmt.Errorf("%w: %w", ErrData, err)
			}
		}
	}
	if cfg.Database != "" {
		if err := nameDatabase(filepath.Join(cfg.DataDir, fileConfig), cfg.Database); err != nil {
			return done, err
		}
	}
	return done, syncBooks(cfg.DataDir)
}

// unpack writes the backup's files into the folder and tells their names in order.
func unpack(file, folder string) (names []string, about manifest, err error) {
	from, err := os.Open(file)
	if err != nil {
		return nil, about, err
	}
	defer from.Close()
	archive := tar.NewReader(from)
	known := append(ownNames(), fileManifest, fileBooks, fileDump)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, about, fmt.Errorf("it is damaged, or no backup: %w", err)
		}
		if !slices.Contains(known, header.Name) || slices.Contains(names, header.Name) {
			return nil, about, fmt.Errorf("it holds %q, which belongs to no backup", header.Name)
		}
		names = append(names, header.Name)
		mode := os.FileMode(0o600)
		if header.Name == fileCert {
			mode = 0o644
		}
		to, err := os.OpenFile(filepath.Join(folder, header.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return nil, about, err
		}
		_, err = io.Copy(to, archive)
		if err := errors.Join(err, to.Sync(), to.Close()); err != nil {
			return nil, about, fmt.Errorf("it is damaged: %s: %w", header.Name, err)
		}
	}
	about, err = readManifest(folder, names)
	return names, about, err
}

// readManifest holds what is there against what was packed.
func readManifest(folder string, names []string) (about manifest, err error) {
	text, err := os.ReadFile(filepath.Join(folder, fileManifest))
	if err == nil {
		err = tomlfile.Decode(text, &about)
	}
	if err != nil || about.Version < 1 || about.Version > backupVersion || !slices.Contains(names, fileReceipt) {
		return about, errors.Join(errors.New("it is no backup of an escrow, or of a newer program, or was cut off"), err)
	}
	if slices.Contains(names, fileBooks) == slices.Contains(names, fileDump) {
		return about, errors.New("it was cut off or is damaged: the books are not in it; take another copy or an older backup")
	}
	if about.Version == 1 {
		return about, nil
	}
	if len(about.Files)+1 != len(names) {
		return about, fmt.Errorf("it was cut off or is damaged: it holds %d files of %d; take another copy or an older backup", len(names), len(about.Files)+1)
	}
	for _, file := range about.Files {
		is, err := packed{Name: file.Name, from: filepath.Join(folder, file.Name)}.measured()
		if err != nil || is.Size != file.Size || is.SHA256 != file.SHA256 || !slices.Contains(names, file.Name) {
			return about, fmt.Errorf("it was cut off or is damaged: %s is not as it was packed; take another copy or an older backup", file.Name)
		}
	}
	return about, nil
}

// bring opens the copied books, withdraws their keys and verifies them.
func bring(ctx context.Context, cfg Config, scratch string, names []string, about manifest) (done Restored, err error) {
	done.manifest = about
	database := filepath.Join(scratch, fileBooks)
	switch dumped := slices.Contains(names, fileDump); {
	case dumped && cfg.Database == "":
		return done, fmt.Errorf("%w: the backup is of books on PostgreSQL: name an empty database with --database", ErrCommand)
	case !dumped && cfg.Database != "":
		return done, fmt.Errorf("%w: the backup is of books on SQLite: restore it into the folder, then 'earnest-escrow move' them", ErrCommand)
	case dumped:
		database = cfg.Database
		if err := empty(ctx, database); err != nil {
			return done, err
		}
		if err := postgresProgram(ctx, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
			"--dbname="+database, filepath.Join(scratch, fileDump)); err != nil {
			return done, fmt.Errorf("%w: %w", ErrData, err)
		}
	}
	store, err := sqlstore.OpenMade(ctx, database)
	if err != nil {
		return done, fmt.Errorf("%w: %w", ErrData, err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return withdraw(ctx, cfg, store, filepath.Join(scratch, fileReceipt), done)
}

// restoredRow begins the row of the operator's log that tells of a restore.
const restoredRow = "restore of the backup of "

// withdraw is what makes restored books safe to serve from.
func withdraw(ctx context.Context, cfg Config, store *sqlstore.Store, keyFile string, done Restored) (Restored, error) {
	epoch := max(cfg.Now().UnixMicro(), done.Epoch+1)
	result := store.Apply(ctx, []escrowserver.Op{escrowserver.NewEpoch{Epoch: epoch}})[0]
	if result.Err != nil {
		return done, fmt.Errorf("%w: %w", ErrData, result.Err)
	}
	done.Withdrawn, _ = result.Value.(int64) // as NewEpoch promises
	if err := audit(ctx, cfg, store, restoredRow+done.Taken.UTC().Format("2006-01-02T15:04:05Z")); err != nil {
		return done, err
	}
	signer, err := receiptKey(keyFile, false)
	if err != nil {
		return done, err
	}
	public, _ := signer.Public().(ed25519.PublicKey) // as receiptKey promises
	if err := seal(ctx, cfg, store, escrowserver.SealOf(signer), done.Sealed); err != nil {
		return done, err
	}
	if done.Report, err = escrowserver.Verify(ctx, store, public); err != nil {
		return done, fmt.Errorf("%w: %w", ErrData, err)
	}
	if n := len(done.Report.Faults); n > 0 {
		return done, fmt.Errorf("%w: %d of them in the backup; restore an older one", ErrFaults, n)
	}
	if done.Made != "" { // last: from now on the database can be served from
		_, err = remember(ctx, store, escrowserver.Remember{Key: noteMade, Text: done.Made})
	}
	return done, err
}

// seal brings back the note that rows were signed, or signs those of an older program.
func seal(ctx context.Context, cfg Config, store *sqlstore.Store, with escrowserver.Seal, note string) error {
	if note != "" {
		if _, err := remember(ctx, store, escrowserver.Remember{Key: escrowserver.NoteSealed, Text: note, Once: true}); err != nil {
			return err
		}
	}
	if result := store.Apply(ctx, []escrowserver.Op{escrowserver.SealRows{Now: cfg.Now(), Seal: with}})[0]; result.Err != nil {
		return fmt.Errorf("%w: %w", ErrData, result.Err)
	}
	return nil
}

// empty refuses a database with books: those would be mixed.
func empty(ctx context.Context, database string) error {
	store, err := sqlstore.OpenToRead(ctx, database)
	if err == nil {
		_ = store.Close() // it was read
		return fmt.Errorf("%w: the database holds books already; nothing was restored; make a new, empty one and name that", ErrData)
	}
	if strings.Contains(err.Error(), "failed to connect") {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	return nil
}
