package sqlstore

import (
	"testing"
	"time"

	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// operatorDamages are in what the operator did.
func operatorDamages() map[string]string {
	return map[string]string{
		"an operator's deed changed":      `UPDATE audit SET why = 'nothing' WHERE n = 1`,
		"the operator's log deleted":      `DELETE FROM audit`,
		"the operator's newest deed lost": `DELETE FROM audit WHERE n = 2`,
		"the log's anchor lost":           `DELETE FROM log_anchor`,
		"the log's anchor changed":        `UPDATE log_anchor SET signed = replace(signed, 'a', 'b')`,
		"an operator's deed lost":         `DELETE FROM audit WHERE n = 1`,
		"an operator's deed moved":        `UPDATE audit SET made_at = made_at + 1 WHERE n = 2`,
		"the pools of another epoch":      `INSERT INTO note (name, text) VALUES ('epoch', '5')`,
		"the pools of no readable epoch":  `INSERT INTO note (name, text) VALUES ('epoch', 'x')`,
	}
}

func logTwice(t *testing.T, s *Store) {
	t.Helper()
	for _, what := range []string{"voucher", "backup"} {
		apply(t, s, escrowserver.Audit{Now: time.Unix(1, 0), Who: "ann", What: what, Why: "a test"})
	}
}

func apply(t *testing.T, s *Store, op escrowserver.Op) any {
	t.Helper()
	result := s.Apply(t.Context(), []escrowserver.Op{op})[0]
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	return result.Value
}

// What is remembered once stays as it was first; else the newest counts.
func TestTheBooksRememberWhatTheySayOfThemselves(t *testing.T) {
	s := openTest(t)
	for _, tt := range []struct {
		text string
		once bool
		want string
	}{{"first", true, "first"}, {"second", true, "first"}, {"third", false, "third"}} {
		if got := apply(t, s, escrowserver.Remember{Key: "made", Text: tt.text, Once: tt.once}); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	if text, err := s.Note(t.Context(), "none"); err != nil || text != "" {
		t.Errorf("a note that is not there: %q, %v", text, err)
	}
}

// After a commit of which nobody knows whether it was done, an operation is done
// again: it finds itself done.
func TestOperatorsDeedsDoneAgainAreDoneOnce(t *testing.T) {
	s := openTest(t)
	h := servicetest.NewHarness(t, s)
	servicetest.Story(t, h)
	deed := escrowserver.Audit{Now: time.Unix(1, 0), Who: "ann", What: "voucher", Why: "a test"}
	later := deed
	later.Now = time.Unix(2, 0)
	var changes [2]int64
	for i := range changes {
		for _, op := range []escrowserver.Op{deed, later, escrowserver.NewEpoch{Epoch: 5}} {
			apply(t, s, op)
		}
		if err := s.reader().row(t.Context(), `SELECT SUM(change) FROM account`).Scan(&changes[i]); err != nil {
			t.Fatal(err)
		}
	}
	var rows int
	if err := s.reader().row(t.Context(), `SELECT COUNT(*) FROM audit`).Scan(&rows); err != nil || rows != 2 {
		t.Errorf("%d rows of two deeds, %v", rows, err)
	}
	if epoch, err := s.Epoch(t.Context()); err != nil || epoch != 5 || changes[0] != changes[1] {
		t.Errorf("epoch %d, changes count on from %d, then %d, %v", epoch, changes[0], changes[1], err)
	}
	if found := faults(t, s, h.Server.ReceiptKey()); len(found) > 0 {
		t.Errorf("faults: %q", found)
	}
}

// A new epoch empties the pools, leaves the books sound, and has what changes from
// then on come after all that agents may have seen in the time that was lost.
func TestANewEpochWithdrawsKeysAndCountsOn(t *testing.T) {
	for name, s := range map[string]*Store{"SQLite": openTest(t), "PostgreSQL": openPostgresTest(t, pgtest.For(t))} {
		t.Run(name, func(t *testing.T) {
			h := servicetest.NewHarness(t, s)
			servicetest.Story(t, h)
			withdrawn, _ := apply(t, s, escrowserver.NewEpoch{Epoch: 5}).(int64)
			var keys, least int64
			if err := s.reader().row(t.Context(), `SELECT (SELECT COUNT(*) FROM one_time_key), MIN(change) FROM account`).Scan(&keys, &least); err != nil {
				t.Fatal(err)
			}
			if withdrawn == 0 || keys != 0 || least < changesLost {
				t.Errorf("%d keys withdrawn, %d left, changes count from %d", withdrawn, keys, least)
			}
			if again, err := s.Epoch(t.Context()); err != nil || again != 5 {
				t.Errorf("epoch %d, %v", again, err)
			}
			apply(t, s, escrowserver.NewEpoch{Epoch: 2}) // by a clock that was set back
			if again, err := s.Epoch(t.Context()); err != nil || again != 6 {
				t.Errorf("the next epoch is %d, %v", again, err)
			}
			if found := faults(t, s, h.Server.ReceiptKey()); len(found) > 0 {
				t.Errorf("faults: %q", found)
			}
		})
	}
}
