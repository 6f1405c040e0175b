package escrowserver

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"earnest/escrow"
)

// Remember keeps a text that the books say of themselves. It gives the text that
// is kept then: with Once, the one that was there before.
type Remember struct {
	Key, Text string
	Once      bool
}

// Audit writes down what an operator did.
type Audit struct {
	Now            time.Time
	Who, What, Why string
}

// NewEpoch withdraws all unsold keys: books that were restored cannot know which of
// them were sold since. Fingerprints stay, so that none comes back. It gives how many
// keys it withdrew.
type NewEpoch struct{ Epoch int64 }

// Names of the operator's operations.
func (Remember) Name() string { return "remember" }
func (Audit) Name() string    { return "audit" }
func (NewEpoch) Name() string { return "epoch" }

// NoteEpoch is the note that holds the pools' epoch.
const NoteEpoch = "epoch"

// ParseEpoch reads the note: without one, the books were never restored.
func ParseEpoch(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	epoch, err := strconv.ParseInt(text, 10, 64)
	if err != nil || epoch <= 0 {
		return 0, fmt.Errorf("the epoch of the pools is %q, which is none", text)
	}
	return epoch, nil
}

// StaleKeys refuses keys that were made for the books before a restore: some of
// them may have been sold in the time that was lost.
func StaleKeys() error {
	return escrow.Errorf(escrow.Conflict, "these keys were made before the escrow was restored from a backup and may have been sold since; nothing was added; make new ones")
}

// AuditLine is a row of the operator's log.
type AuditLine struct {
	N    int64     `json:"n"`
	Who  string    `json:"who"`
	What string    `json:"what"`
	Why  string    `json:"why,omitempty"`
	Made time.Time `json:"made"`
	Hash string    `json:"-"`
}

// HashAfter is the hash of the row that comes after one with that hash.
func (l AuditLine) HashAfter(before string) (string, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("audit row %d: %w", l.N, err)
	}
	return escrow.Hash(append([]byte(before+"\x00"), text...)), nil
}
