//go:build unix

package app

import (
	"io/fs"
	"os"
	"syscall"
)

func ownedByUs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == uint32(os.Geteuid())
}

// openToOthers: others may put files into the folder.
func openToOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }
