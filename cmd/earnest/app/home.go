package app

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"earnest/agentclient"
)

// prepareHome makes the home where there is none, and refuses one in which
// another user could change files, before anything is written into it.
func prepareHome(home string) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return badHome("The home folder " + home + " cannot be made: " + cause(err) + ".")
	}
	info, err := os.Stat(home)
	if err != nil {
		return badHome("The home folder " + home + " cannot be used: " + cause(err) + ".")
	}
	if !ownedByUs(info) {
		return badHome("The home folder " + home + " belongs to another user of this machine.")
	}
	if openToOthers(info) {
		failure := badHome("Other users of this machine may change files in the home folder " + home + ".")
		failure.Do = "Set EARNEST_HOME to a folder of your own; if this is one, make it private first: chmod 700"
		return failure
	}
	return nil
}

func badHome(happened string) *agentclient.Failure {
	return &agentclient.Failure{Code: agentclient.CodeUsage, Happened: happened,
		Means: "The agent did not start, and nothing was written there.",
		Do:    "Set EARNEST_HOME to a folder of your own."}
}

// cause is the end of a chain of errors of the file system, in words.
func cause(err error) string {
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return "a part of its path is a file"
	case errors.Is(err, fs.ErrNotExist):
		return "there is none"
	case errors.Is(err, fs.ErrPermission):
		return "that is not allowed"
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
