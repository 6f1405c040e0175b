package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// writeNew writes a file that is not there yet: whole, or not at all, and on the
// disk before it returns. A receipt key that a power cut takes away, or half of
// one, would orphan its receipts.
func writeNew(file string, data []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%w: %s is there already", ErrData, file)
	}
	return replace(file, data, mode)
}

// replace writes the file as [writeNew] does, in the place of what was there.
func replace(file string, data []byte, mode fs.FileMode) error {
	if err := writeWhole(file, data, mode); err != nil {
		return fmt.Errorf("%w: write %s: %w", ErrData, file, err)
	}
	return nil
}

func writeWhole(file string, data []byte, mode fs.FileMode) error {
	folder := filepath.Dir(file)
	f, err := os.CreateTemp(folder, "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // once renamed it is not there any more
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder has the folder's names on the disk. Windows has no such call, and
// keeps its names in a journal.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// exists reports whether the file is there and holds something.
func exists(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Size() > 0
}
