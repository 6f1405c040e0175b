package sqlstore

import (
	"testing"
	"time"

	"earnest/escrowserver"
)

// operatorDamages are in what the operator did.
func operatorDamages() map[string]string {
	return map[string]string{
		"an operator's deed changed":     `UPDATE audit SET why = 'nothing' WHERE n = 1`,
		"an operator's deed lost":        `DELETE FROM audit WHERE n = 1`,
		"an operator's deed moved":       `UPDATE audit SET made_at = made_at + 1 WHERE n = 2`,
		"the pools of another epoch":     `INSERT INTO note (name, text) VALUES ('epoch', '5')`,
		"the pools of no readable epoch": `INSERT INTO note (name, text) VALUES ('epoch', 'x')`,
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
