package agent

import "github.com/google/uuid"

// newID makes an operation id: a UUID version 7, which sorts by time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
