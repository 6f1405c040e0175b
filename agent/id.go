package agent

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/google/uuid"
)

// newID makes an operation id: a UUID version 7, which sorts by time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// mailID names a mail by its bytes, so that a second copy is the same mail. It is
// hexadecimal, since people type it after a command.
func mailID(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}
