package controls

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/test/overlay"
	"earnest/test/soak"
)

// mutant is a mistake that somebody could make in the ledger. The ledger's own
// tests must see each. The store's must, too, unless it has a second line against
// the mistake, which is then named.
type mutant struct {
	name, old, new string
	second         string
}

const (
	storesRows  = "rows have a CHECK, and end WHERE state = 'pending'"
	storesQuery = "asks for the money before it books"
	notAsked    = "never asks the ledger for that"
)

func mutants() []mutant {
	return []mutant{{
		"wrong sign: a hold adds to what can be spent",
		`Posting{from, currency, Available, -amount}, Posting{from, currency, Held, amount}`,
		`Posting{from, currency, Available, amount}, Posting{from, currency, Held, -amount}`, "",
	}, {
		"forgotten posting: an end takes and does not give",
		`, Posting{payee, t.Currency, Available, t.Amount}), nil`, `), nil`, "",
	}, {
		"available instead of held: an end takes what can be spent",
		`Posting{t.From, t.Currency, Held, -t.Amount}`, `Posting{t.From, t.Currency, Available, -t.Amount}`, "",
	}, {
		"void pays the payee", `t.end(Voided, t.From)`, `t.end(Voided, t.To)`, "",
	}, {
		"expire pays the payee", `t.end(Expired, t.From)`, `t.end(Expired, t.To)`, "",
	}, {
		"posted twice", `if t.State != Pending {`, `if t.State != Pending && !(t.State == Posted && state == Posted) {`, notAsked,
	}, {
		"expired after it was posted", `if t.State != Pending {`, `if t.State != Pending && !(t.State == Posted && state == Expired) {`, notAsked,
	}, {
		"overflow unchecked", `b > 0 && a > math.MaxInt64-b`, `b > math.MaxInt64 && a > math.MaxInt64-b`, notAsked,
	}, {
		"insufficient unchecked", `if sum < 0 && (p.Holder`, `if sum < math.MinInt64 && (p.Holder`, storesQuery,
	}, {
		"currency mixed up: one is made good with another", `if sum != 0 {`, `if total := sums["c"] + sums["d"]; sum != 0 && total != 0 {`, notAsked,
	}, {
		"holder swapped: a move takes from the payee",
		`Posting{from, currency, Available, -amount}, Posting{to, currency, Available, amount}`,
		`Posting{to, currency, Available, -amount}, Posting{from, currency, Available, amount}`, "",
	}, {
		"held by the payee", `Posting{from, currency, Held, amount}`, `Posting{to, currency, Held, amount}`, "",
	}, {
		"nothing and less than nothing is moved", `case t.Amount <= 0:`, `case t.Amount < math.MinInt64:`, notAsked,
	}, {
		"booked again after its end", `ok && (old.State != Pending || t.State == Pending)`, `ok && (old.State == "" || t.State == Pending)`, storesRows,
	}}
}

// TestLedgerMutantsAreKilled makes each mistake in a copy of the ledger, and runs
// the ledger's tests on it; in `make soak` the store's as well.
func TestLedgerMutantsAreKilled(t *testing.T) {
	root, err := overlay.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	all := mutants()
	lines, killed := make([]string, len(all)), make([]bool, len(all))
	var group sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i, m := range all {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			lines[i], killed[i] = m.hunt(t, root)
		})
	}
	group.Wait()
	dead := 0
	for i, m := range all {
		if killed[i] {
			dead++
		}
		t.Logf("%-60s %s", m.name, lines[i])
	}
	soak.Result(t, "%d of %d mutants killed", dead, len(all))
	if dead != len(all) {
		t.Errorf("%d mutants live", len(all)-dead)
	}
}

// hunt reports which tests killed the mutant, and whether those did that had to.
func (m mutant) hunt(t *testing.T, root string) (line string, killed bool) {
	dir := t.TempDir()
	file := edit{"ledger", m.old, m.new}.find(t, root)
	list, err := overlay.Write(root, dir, []overlay.Patch{{File: file, Edits: []overlay.Edit{{Old: m.old, New: m.new}}}})
	if err != nil {
		t.Error(err)
		return err.Error(), false
	}
	line, killed = m.run(t, root, dir, list, "ledger", ".")
	line = "ledger: " + line
	if !soak.Long() {
		return line, killed
	}
	seen, dead := m.run(t, root, dir, list, "escrowserver/sqlstore", "^(TestService|TestMachine)$")
	switch {
	case dead == (m.second == ""):
	case dead:
		t.Errorf("%s: the store's tests see it, though it is said that the store %s", m.name, m.second)
	default:
		killed = false
	}
	if m.second != "" {
		seen = m.second
	}
	return line + "; store: " + seen, killed
}

// run runs a package's tests on the mutant. A mutant dies of a test that fails,
// not of one that cannot be built.
func (m mutant) run(t *testing.T, root, dir, list, pkg, tests string) (string, bool) {
	build(t, root, dir, list, pkg)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(dir, pkg), "-test.run="+tests, "-test.v", "-rapid.nofailfile", "-rapid.shrinktime=0s")
	cmd.Dir, cmd.Env = filepath.Join(root, filepath.FromSlash(pkg)), append(os.Environ(), "EARNEST_SOAK=")
	out, err := cmd.CombinedOutput()
	var by []string
	for _, found := range regexp.MustCompile(`(?m)^--- FAIL: (\S+)`).FindAllStringSubmatch(string(out), -1) {
		by = append(by, found[1])
	}
	if err == nil {
		return "LIVES", false
	}
	if by == nil || strings.Contains(string(out), "panic:") {
		t.Errorf("%s dies of something else: %v\n%s", m.name, err, out)
		return "died of something else", false
	}
	return "killed by " + strings.Join(by, ", "), true
}
