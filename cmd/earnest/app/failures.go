package app

import (
	"context"
	"errors"

	"earnest/agentclient"
	"earnest/crypto/keyring"
)

// startFailure gives words to whatever keeps the agent from starting or ends it.
// An end that was asked for is none.
func startFailure(ctx context.Context, err error) error {
	_, told := errors.AsType[*agentclient.Failure](err)
	if err == nil || told || ctx.Err() != nil {
		return err
	}
	if failure := keyringFailure(err); failure != nil {
		return failure
	}
	return &agentclient.Failure{Code: agentclient.CodeInternal, Happened: "The agent cannot run: " + oneLine(err) + ".",
		Means: "No mail is watched. What was paid or decided before is stored and is not lost.",
		Do:    "Put that right, then start it again: earnest agent"}
}

// keyringFailure is what a keyring's error means to a person; nil for others.
func keyringFailure(err error) *agentclient.Failure {
	failure := agentclient.Fail(agentclient.CodeNoKeyring)
	failure.Say = nil // told on the command line, in English
	failure.Means = "The agent did not start. Paid mail stays unopened in the mailbox and no money moves."
	switch {
	case errors.Is(err, keyring.ErrTimeout):
		failure.Happened = "The keyring did not answer in time: it may be waiting for its password."
	case errors.Is(err, keyring.ErrNoKeyring):
		failure.Happened = "There is no keyring here that can keep your keys."
	case errors.Is(err, keyring.ErrPassphrase):
		failure.Happened, failure.Do = "The passphrase does not open the keyring file.", "Try again with the right one: --passphrase-file FILE"
	case errors.Is(err, keyring.ErrEmptyPassphrase):
		failure.Happened, failure.Do = "The passphrase is empty, and would protect nothing.", "Write one of several words into the file of --passphrase-file."
	case errors.Is(err, keyring.ErrFileDamaged), errors.Is(err, keyring.ErrDamaged):
		failure.Happened, failure.Do = "What the keyring holds is damaged; it was not touched.", "Restore the keyring from a backup, then start the agent again."
	case errors.Is(err, keyring.ErrFileOpen):
		failure.Happened, failure.Do = "Other users of this machine may read the keyring file.", "Make it private again: chmod 600 keys.sealed in the agent's home folder"
	default:
		return nil
	}
	return failure
}
