package agentclient

import "time"

// Left is how much time is left until a deadline, in the one unit that matters, as
// every client says it. What is a moment short of a whole unit is that unit: a
// deadline of 14 days begins as 14 days, not as 13. Less than a minute is none.
func Left(d time.Duration) (n int, unit time.Duration) {
	switch near := d + 30*time.Second; {
	case near >= 24*time.Hour:
		return int((d + time.Hour) / (24 * time.Hour)), 24 * time.Hour
	case near >= time.Hour:
		return int(near / time.Hour), time.Hour
	}
	return int(max(d, 0) / time.Minute), time.Minute
}
