package sqlstore

import (
	"bufio"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// oldBooks are books that an older program made, whose steps the file's name lists:
// testdata/books-STEPS.sql.gz is SQLite's dump of them. Its first line tells what the
// older program answered at the end.
type oldBooks struct {
	steps, file string

	Now       time.Time      `json:"now"`
	Receipt   []byte         `json:"receipt"` // seeds of keys, here and below
	Purchases []oldPurchase  `json:"purchases"`
	Accounts  []oldStatement `json:"accounts"`
}

// oldPurchase is a bond, with the hash of what its buyer was answered.
type oldPurchase struct {
	Buyer  []byte        `json:"buyer"`
	ID     escrow.BondID `json:"id"`
	State  escrow.State  `json:"state"`
	Answer string        `json:"answer"`
}

// oldStatement is what an account was told of its money and its bonds. Programs of
// the first four steps told no movements.
type oldStatement struct {
	Key       []byte              `json:"key"`
	Balances  map[string][2]int64 `json:"balances"`
	Movements []escrow.Movement   `json:"movements"`
	Bonds     []oldPlace          `json:"bonds"`
}

// oldPlace is a bond in an account's list; the last of a page has its cursor.
type oldPlace struct {
	ID     escrow.BondID `json:"id"`
	Cursor int64         `json:"cursor"`
	State  escrow.State  `json:"state"`
	Role   escrow.Role   `json:"role"`
}

// allOldBooks reads the dumps into files of SQLite.
func allOldBooks(t *testing.T) map[string]*oldBooks {
	t.Helper()
	dumps, err := filepath.Glob("testdata/books-*.sql.gz")
	if err != nil || len(dumps) < 14 {
		t.Fatalf("%d old books, %v", len(dumps), err)
	}
	all := map[string]*oldBooks{}
	for _, dump := range dumps {
		old := readOldBooks(t, dump)
		old.steps = strings.TrimSuffix(strings.TrimPrefix(dump, "testdata/books-"), ".sql.gz")
		all[old.steps] = old
	}
	return all
}

func readOldBooks(t *testing.T, dump string) *oldBooks {
	t.Helper()
	f, err := os.Open(dump)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text := bufio.NewReader(packed)
	first, err := text.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	old := &oldBooks{file: filepath.Join(t.TempDir(), "old.db")}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(first, "-- ")), old); err != nil {
		t.Fatal(err)
	}
	e := openSQLite(old.file)
	if _, err := e.write.ExecContext(t.Context(), string(rest)); err != nil {
		t.Fatalf("%s: %v", dump, err)
	}
	if err := e.close(); err != nil {
		t.Fatal(err)
	}
	return old
}

// stepsOf are those that old books on SQLite have taken, however they counted them.
func stepsOf(t *testing.T, file string) (taken []int64) {
	t.Helper()
	e := readSQLite(file)
	defer e.close()
	q := sqlQuerier{e.read, e}
	rows, err := q.query(t.Context(), `SELECT version_id FROM schema_step WHERE version_id > 0 ORDER BY version_id`)
	if err != nil {
		rows, err = q.query(t.Context(), `SELECT version FROM schema_version ORDER BY version`)
	}
	if err := each(rows, err, func(scan func(...any) error) error {
		var version int64
		err := scan(&version)
		taken = append(taken, version)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return taken
}

// onPostgres are the same books in a database that has taken the same steps.
func (old *oldBooks) onPostgres(t *testing.T, cluster *pgtest.Cluster) (url string) {
	t.Helper()
	url = emptyDatabase(t, cluster)
	target, err := openPostgres(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer target.close()
	all, err := schemaSteps()
	if err != nil {
		t.Fatal(err)
	}
	taken := stepsOf(t, old.file)
	provider, err := target.schema(slices.DeleteFunc(all, func(s step) bool { return !slices.Contains(taken, s.version) }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	source := readSQLite(old.file)
	defer source.close()
	from := sqlQuerier{source.read, source}
	var first int64 // 1 where step 6 was as it was published at first, with another index
	if err := from.row(t.Context(), `SELECT COUNT(*) FROM sqlite_schema WHERE name = 'receipt_bond'`).Scan(&first); err != nil {
		t.Fatal(err)
	}
	if first > 0 {
		if _, err := target.pool.Exec(t.Context(), `DROP INDEX receipt_aside; CREATE INDEX receipt_bond ON receipt (bond, n)`); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := tablesOf(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	tables = slices.DeleteFunc(tables, func(t table) bool { return t.name == "schema_version" })
	if _, err := target.take(t.Context(), from, tables); err != nil {
		t.Fatal(err)
	}
	return url
}

func keyOf(seed []byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(seed) }

// reopened is the escrow of today on books that it opened, at the moment at which the
// older program left them.
func (old *oldBooks) reopened(t *testing.T, s *Store) servicetest.Harness {
	t.Helper()
	clock := servicetest.NewClock()
	clock.Move(old.Now.Sub(clock.Now()))
	return servicetest.HarnessOn(t, s, clock, keyOf(old.Receipt))
}

// TestBooksOfEarlierProgramsUpgrade from each set of steps that a program had: they
// are sound, tell their owners what they told before, and go on.
func TestBooksOfEarlierProgramsUpgrade(t *testing.T) {
	cluster := pgtest.For(t)
	schemas := madeSchemas(t, cluster)
	onOldBooks(t, cluster, func(t *testing.T, old *oldBooks, database string) {
		s := openAt(t, database)
		if made, upgraded := schemas[IsPostgres(database)], schemaOf(t, s); !slices.Equal(made, upgraded) {
			t.Fatalf("the schema of upgraded books is another than that of new ones:\n%s", difference(made, upgraded))
		}
		h := old.reopened(t, s)
		old.sound(t, s, h, "after the upgrade")
		for _, was := range old.Accounts {
			was.isToldAgain(t, h)
		}
		for _, p := range old.Purchases {
			p.isAnsweredAgain(t, s, h)
		}
		old.endsWhatIsDue(t, h)
		old.sound(t, s, h, "after all deadlines")
		servicetest.Sequel(t, h)
		old.sound(t, s, h, "after new bonds")
	})
}

// onOldBooks runs a test for all of them on both engines. Programs of the first four
// steps knew SQLite only.
func onOldBooks(t *testing.T, cluster *pgtest.Cluster, run func(t *testing.T, old *oldBooks, database string)) {
	for steps, old := range allOldBooks(t) {
		if len(stepsOf(t, old.file)) > 4 {
			t.Run("PostgreSQL/"+steps, func(t *testing.T) { run(t, old, old.onPostgres(t, cluster)) })
		}
		t.Run("SQLite/"+steps, func(t *testing.T) { run(t, old, old.file) })
	}
}

// sound demands books without faults. Those of the first 14 steps have one for good:
// their rows were signed before the operator's log was anchored, and afterwards nobody
// can tell that from an anchor that was taken away.
func (old *oldBooks) sound(t *testing.T, s *Store, h servicetest.Harness, when string) {
	t.Helper()
	found := faults(t, s, h.Server.ReceiptKey())
	if old.steps == "1-14" && len(found) == 1 && strings.Contains(found[0], "how long the operator's log was") {
		return
	}
	if len(found) > 0 {
		t.Fatalf("%s: %s", when, strings.Join(found, "\n"))
	}
}

// isToldAgain demands the same balances, the same statement, and the same list of
// bonds: an agent's cursor means what it meant.
func (was oldStatement) isToldAgain(t *testing.T, h servicetest.Harness) {
	t.Helper()
	service := h.As(keyOf(was.Key))
	account, err := service.Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range account.Balances {
		if got := [2]int64{int64(b.Available), int64(b.Held)}; got != was.Balances[b.Currency.Name] {
			t.Errorf("account %s has %v in %s, before %v", account.ID, got, b.Currency.Name, was.Balances[b.Currency.Name])
		}
	}
	page, err := service.Movements(t.Context(), 0, 0)
	if err != nil || page.More {
		t.Fatal(err, page.More)
	}
	for i, m := range page.Movements {
		if was.Movements == nil {
			break
		}
		if i < len(was.Movements) && was.Movements[i].Ground == "" {
			m.Ground = "" // the older program knew of none
		}
		if i >= len(was.Movements) || !reflect.DeepEqual(m, was.Movements[i]) {
			t.Errorf("account %s is told movement %+v, before %+v", account.ID, m, was.Movements[min(i, len(was.Movements)-1)])
		}
	}
	if was.Movements != nil && len(page.Movements) < len(was.Movements) {
		t.Errorf("account %s is told %d movements, before %d", account.ID, len(page.Movements), len(was.Movements))
	}
	var after int64
	for bonds := was.Bonds; len(bonds) > 0; {
		end := 1 + slices.IndexFunc(bonds, func(b oldPlace) bool { return b.Cursor > 0 })
		bonds, after = was.page(t, service, after, bonds, end)
	}
	if page, err := service.Bonds(t.Context(), after, 0); err != nil || len(page.Bonds) > 0 || page.Cursor != after {
		t.Errorf("after the cursor %d of account %s: %+v, %v", after, account.ID, page, err)
	}
}

func (was oldStatement) page(t *testing.T, service escrow.Service, after int64, bonds []oldPlace, end int) ([]oldPlace, int64) {
	t.Helper()
	page, err := service.Bonds(t.Context(), after, 0)
	if err != nil || len(page.Bonds) != end || page.Cursor != bonds[end-1].Cursor {
		t.Fatalf("after cursor %d: %d bonds to cursor %d, %v; before %+v", after, len(page.Bonds), page.Cursor, err, bonds)
	}
	for i, b := range page.Bonds {
		if was := bonds[i]; b.ID != was.ID || b.State != was.State || b.Role != was.Role {
			t.Errorf("bond %d after cursor %d is %s, %s as %s; before %+v", i, after, b.ID, b.State, b.Role, was)
		}
	}
	return bonds[end:], page.Cursor
}

// isAnsweredAgain asks for the same purchase once more, which has the same answer
// while the bond is young, and for another with its id.
func (p oldPurchase) isAnsweredAgain(t *testing.T, s *Store, h servicetest.Harness) {
	t.Helper()
	stored, err := s.Bond(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	buyer := h.As(keyOf(p.Buyer))
	request := escrow.BuyRequest{ID: p.ID, Quote: stored.Quote, Verification: stored.Verification, Reply: stored.Reply}
	got, err := buyer.Buy(t.Context(), request)
	switch young := h.Clock.Now().Before(stored.BoughtAt.Add(24 * time.Hour)); {
	case len(stored.Verification) == 0: // gone with the end of the bond, so the request cannot be made again
	case !young:
		if escrow.CodeOf(err) != escrow.Delivered {
			t.Errorf("the purchase of bond %s again: %v", p.ID, err)
		}
	case err != nil:
		t.Errorf("the purchase of bond %s again: %v", p.ID, err)
	default:
		sum := sha256.Sum256([]byte(string(got.Receipt) + "|" + base64.StdEncoding.EncodeToString(got.Certificate) + "|" + string(got.Batch)))
		if base64.RawURLEncoding.EncodeToString(sum[:]) != p.Answer || got.Bond.State != escrow.Held {
			t.Errorf("the purchase of bond %s again has another answer: %+v", p.ID, got)
		}
	}
	request.Reply = servicetest.NewCertificate(t).Binary
	if _, err := buyer.Buy(t.Context(), request); escrow.CodeOf(err) != escrow.Conflict {
		t.Errorf("another purchase with the id of bond %s: %v", p.ID, err)
	}
}

// endsWhatIsDue: the reject takes effect, and then what nobody decided is refunded.
func (old *oldBooks) endsWhatIsDue(t *testing.T, h servicetest.Harness) {
	t.Helper()
	stateOf := func(p oldPurchase) escrow.State {
		bond, err := h.As(keyOf(p.Buyer)).Bond(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		return bond.State
	}
	newest := old.Purchases[len(old.Purchases)-1] // rejecting, which its buyer is not told
	h.Clock.Move(10 * time.Minute)
	for _, want := range []map[escrow.State]escrow.State{
		{escrow.Held: escrow.Held, escrow.Arrived: escrow.Arrived},
		{escrow.Held: escrow.Expired, escrow.Arrived: escrow.Expired},
	} {
		if err := h.Server.SweepNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, p := range old.Purchases {
			end, open := want[p.State]
			switch {
			case p.ID == newest.ID:
				end = escrow.Rejected
			case !open:
				end = p.State
			}
			if got := stateOf(p); got != end {
				t.Errorf("bond %s was %s and is %s, want %s", p.ID, p.State, got, end)
			}
		}
		h.Clock.Move(31 * 24 * time.Hour)
	}
}
