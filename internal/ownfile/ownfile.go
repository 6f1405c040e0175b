// Package ownfile tells whether a file with a secret is its owner's alone.
package ownfile

import (
	"io/fs"
	"runtime"
)

// OthersMayRead tells whether other users of the machine may read the file. Pipes and
// terminals have an end that the mode says nothing about; and Windows keeps access in
// lists that inherit from the user's own folder, and not in the mode.
func OthersMayRead(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0
}
