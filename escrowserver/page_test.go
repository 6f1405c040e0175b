package escrowserver

import (
	"context"
	"testing"

	"earnest/escrow"
)

// listed are an account's bonds, with certificates of one size.
type listed struct {
	Store
	n, size int
}

func (l listed) Bonds(_ context.Context, _ escrow.KeyID, after int64, limit int) (list []Change, err error) {
	for i := int(after) + 1; i <= l.n && len(list) < limit; i++ {
		list = append(list, Change{N: int64(i), Bond: escrow.Bond{Verification: make([]byte, l.size)}, Role: escrow.RoleRecipient})
	}
	return list, nil
}

// A page ends where its certificates are many bytes, and the next goes on from there.
func TestAPageOfBondsEndsByNumberOrByBytes(t *testing.T) {
	for _, c := range []struct{ n, size, page int }{
		{0, 1, 0}, {24, 1, 24}, {25, 1, 25}, {60, 1, 60}, {pageSize, 1, pageSize}, {pageSize + 1, 1, pageSize},
		{60, 60 << 10, pagePart}, {60, 30 << 10, 2 * pagePart}, {pagePart, 1 << 20, pagePart},
	} {
		v := view{s: &Server{cfg: Config{Store: listed{n: c.n, size: c.size}}}, id: "account"}
		all := 0
		for more := true; more; {
			page, err := v.page(t.Context(), int64(all))
			if err != nil {
				t.Fatal(err)
			}
			if all == 0 && len(page.Bonds) != c.page {
				t.Errorf("%+v: the first page has %d bonds", c, len(page.Bonds))
			}
			all += len(page.Bonds)
			if more = page.More; page.Cursor != int64(all) || more != (all < c.n) {
				t.Fatalf("%+v: after %d bonds the cursor is %d, more: %v", c, all, page.Cursor, more)
			}
		}
	}
}
