package store

import (
	"fmt"
	"time"
)

// Draft is a mail that is being written. What was attached lies in its own
// record, so that listing the drafts does not unseal megabytes.
type Draft struct {
	ID      string
	Changed time.Time
	// Mail is JSON of the local API's form, attachments without data.
	Mail []byte
}

func (d Draft) place() place { return place{"draft", d.ID, "", d.Changed.UnixNano()} }

// DraftData is what is attached to a draft, in the order of its attachments.
type DraftData struct {
	ID    string
	Files [][]byte
}

func (d DraftData) place() place { return place{"draftdata", d.ID, "", 0} }

// Settings is how the agent works for its owner; there is one record.
type Settings struct {
	Model    string
	Currency string
}

// SettingsID is the id of the one record of settings.
const SettingsID = "settings"

func (s Settings) place() place { return place{"settings", SettingsID, "", 0} }

// Has reports whether there is a record with the id, and unseals nothing.
func Has[R Record](tx *Tx, id string) (bool, error) {
	var zero R
	kind, n := zero.place().kind, 0
	err := tx.tx.QueryRow(`SELECT COUNT(*) FROM record WHERE kind = ? AND id = ?`, kind, id).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("%s: look for %s: %w", tx.label, kind, err)
	}
	return n > 0, nil
}
