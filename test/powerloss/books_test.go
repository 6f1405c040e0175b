package powerloss

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	_ "modernc.org/sqlite"

	"earnest/escrow"
	"earnest/escrowserver"
)

// batch is operations that shared a commit, and what came of them.
type batch struct {
	ops     []escrowserver.Op
	results []escrowserver.Result
	after   state
}

// state is what the books are between two commits: all bytes of the database as
// SQLite reads them, and what people see of it.
type state struct {
	bytes [sha256.Size]byte
	seen  string
}

// books are the store of the escrow under load. Each batch waits at the gate, so
// that a seed decides what is in it, and is noted before and after.
type books struct {
	escrowserver.Store
	rec  *recorder
	gate chan struct{}
	look func(context.Context) (state, error)

	mu      sync.Mutex
	batches []batch
	fault   error
}

// Apply does the batch when the gate lets it through.
func (b *books) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	<-b.gate
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.batches)
	b.rec.mark(asked, n)
	results := b.Store.Apply(ctx, ops)
	b.rec.mark(answered, n) // from here its callers may know of it
	after, err := b.look(ctx)
	for _, r := range results {
		if code := escrow.CodeOf(r.Err); code == escrow.Internal || r.Surprise != nil {
			err = fmt.Errorf("an operation broke: %w, %w", r.Err, r.Surprise)
		}
	}
	if err != nil && b.fault == nil {
		b.fault = err
	}
	b.batches = append(b.batches, batch{slices.Clone(ops), results, after})
	return results
}

// looker reads the state of books past the store, or through it.
type looker struct {
	db       *sql.DB
	store    escrowserver.Store
	accounts *[]escrow.KeyID
	pools    *[]escrow.Address
}

// openRaw opens the file for reading all its pages as they are.
func openRaw(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func (l looker) state(ctx context.Context) (state, error) {
	sum, err := pages(ctx, l.db)
	if err != nil {
		return state{}, err
	}
	seen, err := l.seen(ctx)
	return state{sum, seen}, err
}

// pages is the sum of all pages of the database.
func pages(ctx context.Context, db *sql.DB) (sum [sha256.Size]byte, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return sum, err
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		raw, err := c.(interface{ Serialize() ([]byte, error) }).Serialize()
		if err != nil {
			return err
		}
		sum = sha256.Sum256(raw)
		return nil
	})
	return sum, err
}

// seen is what the store tells of accounts, keys for sale and bonds.
func (l looker) seen(ctx context.Context) (string, error) {
	var text strings.Builder
	for _, id := range *l.accounts {
		account, err := l.store.Account(ctx, id)
		if err != nil && escrow.CodeOf(err) != escrow.NotFound {
			return "", err
		}
		bonds, err := l.store.Bonds(ctx, id, 0, 10_000)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%s %v\n", id, account.Balances)
		for _, c := range bonds {
			fmt.Fprintf(&text, "  %s %s\n", c.Bond.ID, c.Bond.State)
		}
	}
	for _, address := range *l.pools {
		n, err := l.store.Pool(ctx, address)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%s %d\n", address, n)
	}
	return text.String(), nil
}
