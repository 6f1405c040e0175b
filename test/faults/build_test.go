package faults

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"earnest/test/overlay"
)

//go:embed faultpoint.go.txt
var faultpoint string

const (
	serverWrites = "escrowserver/sqlstore"
	agentWrites  = "agent/store"
)

// serverPoints put a fault point before and after every write of the server.
// The wrappers come into a file of their own; exec.go keeps its bodies.
const serverPoints = `

func (t *tx) exec(ctx context.Context, label, query string, args ...any) (int64, error) {
	point := faultNext(t, label)
	faultHere(point, "before")
	n, err := t.plainExec(ctx, label, query, args...)
	faultHere(point, "after")
	return n, err
}

func (t *tx) commit(label string) error {
	if !faultWrote(t) {
		return t.plainCommit(label) // there is nothing to lose
	}
	point := faultNext(t, label)
	faultHere(point, "before")
	err := t.plainCommit(label)
	faultHere(point, "after")
	return err
}

// faultNotice is how long a change waits that acts with notice.
func faultNotice() time.Duration {
	text, _ := os.ReadFile(filepath.Join(os.Getenv("EARNEST_FAULTS"), "notice"))
	notice, err := time.ParseDuration(string(text))
	if err != nil {
		panic(err)
	}
	return notice
}
`

const agentPoints = `

func exec(tx *sql.Tx, label, query string, args ...any) error {
	point := faultNext(tx, label)
	faultHere(point, "before")
	err := plainExec(tx, label, query, args...)
	faultHere(point, "after")
	return err
}

func commit(tx *sql.Tx, label string) error {
	point := faultNext(tx, label+".commit")
	faultHere(point, "before")
	err := plainCommit(tx, label)
	faultHere(point, "after")
	return err
}
`

// faultPatches are the programs with a fault point at every write. The key file
// of the agents opens fast: what its passphrase costs is not tested here. Changes wait
// as long as a control file says, and what is asked each minute is asked each second.
func faultPatches() []overlay.Patch {
	added := func(name, points string, imported ...string) string {
		text := strings.Replace(faultpoint, "PACKAGE", name, 1)
		return strings.Replace(text, "import (\n", "import (\n\t\""+strings.Join(imported, "\"\n\t\"")+"\"\n", 1) + points
	}
	return []overlay.Patch{
		{File: serverWrites + "/exec.go", Edits: []overlay.Edit{
			{Old: "func (t *tx) exec(", New: "func (t *tx) plainExec("},
			{Old: "func (t *tx) commit(", New: "func (t *tx) plainCommit("},
		}},
		{File: serverWrites + "/faultpoint.go", Text: added("sqlstore", serverPoints, "context", "time")},
		{File: serverWrites + "/safety.go", Edits: []overlay.Edit{{Old: "op.Now.Add(escrow.ChangeNotice)", New: "op.Now.Add(faultNotice())"}}},
		{File: serverWrites + "/changes.go", Edits: []overlay.Edit{{Old: "op.Now.Add(escrow.RebindNotice)", New: "op.Now.Add(faultNotice())"}}},
		{File: "escrowserver/limits.go", Edits: []overlay.Edit{{Old: "ClaimPause = time.Hour", New: "ClaimPause = time.Millisecond"}}},
		{File: "agent/rotate.go", Edits: []overlay.Edit{{Old: "const keysEvery = time.Minute", New: "const keysEvery = time.Second"}}},
		{File: agentWrites + "/exec.go", Edits: []overlay.Edit{
			{Old: "func exec(", New: "func plainExec("},
			{Old: "func commit(", New: "func plainCommit("},
		}},
		{File: agentWrites + "/faultpoint.go", Text: added("store", agentPoints, "database/sql")},
		{File: "crypto/keyring/fileformat.go", Edits: []overlay.Edit{
			{Old: "cost{Time: 3, Memory: 64 * 1024, Threads: 4}", New: "cost{Time: 1, Memory: 64, Threads: 1}"},
		}},
	}
}

// built keeps what this test run has built.
type built struct {
	dir   string
	mu    sync.Mutex
	files map[string]string
}

var programs built

// build compiles both programs with fault points and the further patches, once
// a name.
func (b *built) build(t *testing.T, name string, more ...overlay.Patch) string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if bin, ok := b.files[name]; ok {
		return bin
	}
	dir := filepath.Join(b.dir, name)
	err := os.MkdirAll(dir, 0o700)
	var root, bin string
	if err == nil {
		root, err = overlay.Root(".")
	}
	if err == nil {
		bin, err = overlay.Build(context.Background(), root, dir, append(faultPatches(), more...), "cmd/earnest", "cmd/earnest-escrow")
	}
	if err != nil {
		t.Fatal(err)
	}
	b.files[name] = bin
	return bin
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "earnest-faults-")
	if err != nil {
		panic(err)
	}
	programs.dir, programs.files = dir, map[string]string{}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}
