package app

import "io/fs"

// Windows keeps access in lists that inherit from the user's own folder, and a
// mode says nothing about them.

func ownedByUs(fs.FileInfo) bool { return true }

func openToOthers(fs.FileInfo) bool { return false }
