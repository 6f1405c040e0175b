package viewmodel

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

const (
	maxName   = 120 // bytes of a file's name
	mostTries = 1000
)

// errFolder says that it is the folder that cannot be used.
var errFolder = errors.New("the folder cannot be used")

// fileFailure says why a file was not written.
func (s speech) fileFailure(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return s.T("file.why.permission")
	case errors.Is(err, syscall.ENOSPC):
		return s.T("file.why.full")
	case errors.Is(err, errFolder), errors.Is(err, fs.ErrNotExist):
		return s.T("file.why.folder")
	}
	return s.failure(err)
}

// FileName makes the name that a stranger gave to a file harmless on every
// system: no folders, no hidden file, no device, no letters that turn or hide
// others, and no longer than what file systems take.
func FileName(name, instead string) string {
	name = filepath.Base(strings.ReplaceAll(name, "\\", "/"))
	if name == "/" {
		return instead
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case neutralRune(r, false) == utf8.RuneError:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case strings.ContainsRune(`<>:"|?*/`, r):
			return '_'
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimLeft(strings.Join(strings.Fields(name), " "), ". "), ". ")
	base, ext := splitName(name)
	for len(ext) > 20 || len(base)+len(ext) > maxName {
		if len(ext) > 20 {
			base, ext = name, ""
		}
		_, size := utf8.DecodeLastRuneInString(base)
		if base = base[:len(base)-size]; len(base) == 0 {
			break
		}
	}
	name = base + ext
	if name == "" {
		return instead
	}
	devices := []string{"con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
		"lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9"}
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	if slices.Contains(devices, strings.TrimSpace(stem)) {
		return "_" + name
	}
	return name
}

func splitName(name string) (base, ext string) {
	ext = filepath.Ext(name)
	return strings.TrimSuffix(name, ext), ext
}

// download writes a new file into a folder. A name that is taken gets a number;
// nothing is ever written over. What fails or is cancelled leaves nothing behind.
func download(dir, name string, write func(io.Writer) error) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", errors.Join(errFolder, err)
	}
	base, ext := splitName(name)
	var path string
	var file *os.File
	for n := 1; file == nil; n++ {
		path = filepath.Join(dir, numbered(base, ext, n))
		// Empty under its name, to hold it; the content comes in one step at the end.
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		switch {
		case err == nil:
			file = f
		case !errors.Is(err, fs.ErrExist) || n == mostTries:
			return "", err
		}
	}
	if err := file.Close(); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	if err := fill(dir, path, write); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

func fill(dir, path string, write func(io.Writer) error) (err error) {
	part, err := os.CreateTemp(dir, ".earnest-*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part.Name()))
		}
	}()
	if err := write(part); err != nil {
		return errors.Join(err, part.Close())
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

// Downloads is the folder where the system keeps what was downloaded.
func Downloads() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return os.TempDir()
	}
	config, err := os.UserConfigDir()
	if err == nil {
		data, _ := os.ReadFile(filepath.Join(config, "user-dirs.dirs"))
		for l := range strings.Lines(string(data)) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(l), "XDG_DOWNLOAD_DIR="); ok {
				dir := strings.ReplaceAll(strings.Trim(value, `"`), "$HOME", home)
				if filepath.IsAbs(dir) {
					return dir
				}
			}
		}
	}
	return filepath.Join(home, "Downloads")
}
