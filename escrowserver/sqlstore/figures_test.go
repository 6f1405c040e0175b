package sqlstore

import (
	"fmt"
	"testing"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// The operator is told whose pools are the lowest, sold out ones first, and of none
// that has enough.
func TestTheLowestPoolsAreNamed(t *testing.T) {
	for name, s := range map[string]*Store{"SQLite": openTest(t), "PostgreSQL": openPostgresTest(t, pgtest.For(t))} {
		t.Run(name, func(t *testing.T) {
			servicetest.Story(t, servicetest.NewHarness(t, s))
			exec := func(statement string, args ...any) {
				t.Helper()
				if _, err := testDB(t, s).ExecContext(t.Context(), s.engine.text(statement), args...); err != nil {
					t.Fatal(err)
				}
			}
			before, err := s.LowPools(t.Context(), 100)
			if err != nil || len(before) == 0 {
				t.Fatalf("of the story: %v, %v", before, err)
			}
			for i, free := range []int{escrow.PoolRefill - 1, 0, escrow.PoolRefill} {
				address := fmt.Sprintf("a%d@pool.example", i)
				exec(`INSERT INTO address (address, folded, typed, account, proven_at, renew_by)
					SELECT '` + address + `', '` + address + `', '` + address + `', account, 1, 1 FROM offer LIMIT 1`)
				exec(`INSERT INTO offer (address, account, jws, public, made) SELECT '` + address + `', account, jws, 1, 1 FROM offer LIMIT 1`)
				for n := range free {
					exec(fmt.Sprintf(`INSERT INTO one_time_key (address, fingerprint, certificate, batch)
						SELECT '%s', '%s %d', certificate, batch FROM one_time_key LIMIT 1`, address, address, n))
				}
			}
			low, err := s.LowPools(t.Context(), 100)
			if err != nil || len(low) != len(before)+2 {
				t.Fatalf("%v, %v", low, err)
			}
			if low[0] != (LowPool{"a1@pool.example", 0}) || low[len(low)-1] != (LowPool{"a0@pool.example", escrow.PoolRefill - 1}) {
				t.Errorf("the lowest first: %v", low)
			}
			if one, err := s.LowPools(t.Context(), 1); err != nil || len(one) != 1 || one[0] != low[0] {
				t.Errorf("the lowest one: %v, %v", one, err)
			}
			figures, err := s.Figures(t.Context(), now0)
			if err != nil || figures.LowPools != int64(len(low)) {
				t.Errorf("%d are counted, %d named: %v", figures.LowPools, len(low), err)
			}
		})
	}
}
