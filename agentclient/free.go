package agentclient

import "strconv"

// Free says how many mails somebody may write without money: "always", or a
// count such as "3". It is counted by the agent of the one who reads them.
type Free string

// Values of [Free].
const (
	FreeAlways Free = "always"
	FreeNone   Free = "0"
	// FreePolicy leaves it to what the own price says.
	FreePolicy Free = ""
)

// MaxFree bounds a count of free mails; who wants more says always.
const MaxFree = 1_000_000

// FreeMails is a count of free mails.
func FreeMails(n int) Free { return Free(strconv.Itoa(n)) }

// Count reads a Free. It is not ok where f is neither a count nor always.
func (f Free) Count() (n int, always, ok bool) {
	if f == FreeAlways {
		return 0, true, true
	}
	n, err := strconv.Atoi(string(f))
	if err != nil || n < 0 || n > MaxFree || Free(strconv.Itoa(n)) != f {
		return 0, false, false
	}
	return n, false, true
}
