package servicetest

import (
	"testing"

	"earnest/escrow"
)

// Unlisted proves an address that has no offer.
func Unlisted(t testing.TB, h Harness, address escrow.Address) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	w.owner(address, 1)
}
