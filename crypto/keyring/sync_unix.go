//go:build !windows

package keyring

import (
	"errors"
	"os"
)

// syncDir makes a rename or link in the folder survive a power loss.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
