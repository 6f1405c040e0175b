package store

import "time"

// Draft is a mail that is being written. What was attached lies in its own
// record, so that listing the drafts does not unseal megabytes.
type Draft struct {
	ID      string
	Changed time.Time
	// Mail is JSON of the local API's form, attachments without data.
	Mail []byte
	// Ways is JSON of how each recipient is to be paid for; empty where nothing was
	// chosen.
	Ways []byte
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
