package app

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
)

// In a backup, besides files that are named as in the data folder.
const (
	fileManifest = "backup.toml"
	fileDump     = "books.pgdump"
)

// backupVersion 2 tells what the backup holds; one of version 1 only has it.
const backupVersion = 2

// manifest is the first file of a backup.
type manifest struct {
	Version int       `toml:"version"`
	Escrow  string    `toml:"escrow"`
	Taken   time.Time `toml:"taken"`
	// Made and Epoch are notes of books in a database: its copy is without them, and
	// so nobody can serve from it before its keys are withdrawn.
	Made  string `toml:"made,omitempty"`
	Epoch int64  `toml:"epoch"`
	// Sealed is the note that the escrow signed what older programs wrote.
	Sealed string `toml:"sealed,omitempty"`
	// Files are all others in the backup, in order: a copy that was cut off, or is
	// damaged, is known before anything is restored.
	Files []packed `toml:"file"`
}

// packed is a file of a backup.
type packed struct {
	Name   string `toml:"name"`
	Size   int64  `toml:"size"`
	SHA256 string `toml:"sha256"`

	from string // where it is before
}

// Backup writes books, keys and configuration into one file that only its owner can
// read: whoever has it can sign as this escrow. The escrow goes on meanwhile.
func Backup(ctx context.Context, cfg Config, file string) error {
	cfg, err := cfg.complete()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%w: %s is there already; nothing was written", ErrCommand, file)
	}
	_, store, err := audited(ctx, cfg, "backup")
	if err != nil {
		return err
	}
	return store.ended(ctx, cfg, "backup", writeBackup(ctx, cfg, store.Store, file))
}

func writeBackup(ctx context.Context, cfg Config, store *sqlstore.Store, file string) error {
	scratch, err := os.MkdirTemp(filepath.Dir(file), ".backup-*")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	defer os.RemoveAll(scratch)
	about := manifest{Version: backupVersion, Escrow: cfg.Name, Taken: cfg.Now().UTC()}
	if about.Epoch, err = store.Epoch(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	books := filepath.Join(scratch, fileBooks)
	if cfg.Database == "" {
		err = store.Backup(ctx, books)
	} else {
		books = filepath.Join(scratch, fileDump)
		var errs [2]error
		about.Made, errs[0] = store.Note(ctx, noteMade)
		about.Sealed, errs[1] = store.Note(ctx, escrowserver.NoteSealed)
		if err = errors.Join(errs[:]...); err == nil {
			err = dump(ctx, cfg, books)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: backup: %w", ErrData, err)
	}
	whole := filepath.Join(scratch, "whole")
	if err := pack(cfg, about, books, whole); err != nil {
		return fmt.Errorf("%w: backup: %w", ErrData, err)
	}
	if err := errors.Join(os.Rename(whole, file), syncFolder(filepath.Dir(file))); err != nil {
		return fmt.Errorf("%w: backup: %w", ErrData, err)
	}
	return nil
}

// ownNames are the files of the data folder that go into a backup if they are there.
func ownNames() []string { return []string{fileReceipt, fileCert, fileKey, fileConfig, fileMade} }

// ownFiles are where those are.
func (c Config) ownFiles() []packed {
	var files []packed
	for _, name := range ownNames() {
		from := filepath.Join(c.DataDir, name)
		if name == fileConfig {
			from = c.File // it may be elsewhere
		}
		files = append(files, packed{Name: name, from: from})
	}
	return files
}

// pack puts all into one file.
func pack(cfg Config, about manifest, books, file string) (err error) {
	for _, from := range append(cfg.ownFiles(), packed{Name: filepath.Base(books), from: books}) {
		entry, err := from.measured()
		if errors.Is(err, os.ErrNotExist) && from.from != books {
			continue
		}
		if err != nil {
			return err
		}
		about.Files = append(about.Files, entry)
	}
	text, err := toml.Marshal(about)
	if err != nil {
		return err
	}
	to, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Sync(), to.Close()) }()
	archive := tar.NewWriter(to)
	add := func(name string, size int64, from io.Reader) error {
		if err := archive.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: about.Taken}); err != nil {
			return err
		}
		_, err := io.Copy(archive, from)
		return err
	}
	if err := add(fileManifest, int64(len(text)), bytes.NewReader(text)); err != nil {
		return err
	}
	for _, entry := range about.Files {
		from, err := os.Open(entry.from)
		if err != nil {
			return err
		}
		if err := errors.Join(add(entry.Name, entry.Size, from), from.Close()); err != nil {
			return fmt.Errorf("%s: %w", entry.from, err)
		}
	}
	return archive.Close()
}

// measured is the file with its size and hash.
func (p packed) measured() (packed, error) {
	f, err := os.Open(p.from)
	if err != nil {
		return p, err
	}
	defer f.Close()
	hash := sha256.New()
	p.Size, err = io.Copy(hash, f)
	p.SHA256 = fmt.Sprintf("%x", hash.Sum(nil))
	return p, err
}

// dump has PostgreSQL's own program copy the database, as of one moment, without
// what the books say of themselves, and without the memory for nonces: brought back, it
// would say that it remembers what came after the backup.
func dump(ctx context.Context, cfg Config, file string) error {
	return postgresProgram(ctx, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--exclude-table-data=note",
		"--no-unlogged-table-data", "--file="+file, "--dbname="+cfg.Database)
}

// postgresProgram runs one of PostgreSQL's own programs, which finds the password
// where this one does.
func postgresProgram(ctx context.Context, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return fmt.Errorf("this needs %s of PostgreSQL's client programs: install them (Debian: postgresql-client), or copy the database by PostgreSQL's own means, and the data folder with it", name)
	}
	command := exec.CommandContext(ctx, path, append(args, "--no-password")...)
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(said.String()))
	}
	return nil
}
