package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/internal/tomlfile"
	"earnest/payment"
)

// fileMade says that the first start was completed, and what the books count in.
const fileMade = "books.toml"

const madeVersion = 1

const madeHead = "# Made by earnest-escrow: what the amounts in escrow.db mean. It belongs to that file.\n"

// made is what the folder says of its books.
type made struct {
	Version int `toml:"version"`
	// ReceiptKey is set in a database, which more than one folder may be of.
	ReceiptKey escrow.KeyID `toml:"receipt_key,omitempty"`
	Currencies []Currency   `toml:"currency"`
}

// readMade returns nil if no start of this folder was completed.
func readMade(dataDir string) (*made, error) {
	file := filepath.Join(dataDir, fileMade)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	m, ok := parseMade(text)
	if !ok {
		return nil, fmt.Errorf("%w: %s is empty, damaged or of a newer program: it says what the amounts in %s mean; restore both from the same backup",
			ErrData, file, fileBooks)
	}
	return m, nil
}

func parseMade(text []byte) (*made, bool) {
	var m made
	err := tomlfile.Decode(text, &m)
	return &m, err == nil && m.Version == madeVersion && len(m.Currencies) > 0
}

// keep notes what the books count in, new currencies too.
func (m *made) keep(dataDir string, currencies []payment.Currency) error {
	next := m.with(currencies)
	if m != nil && slices.Equal(m.Currencies, next.Currencies) {
		return nil
	}
	text, err := next.text()
	if err != nil {
		return err
	}
	return replace(filepath.Join(dataDir, fileMade), append([]byte(madeHead), text...), 0o600)
}

func (m made) text() ([]byte, error) {
	text, err := toml.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	return text, nil
}

// with adds the currencies to those that the books count in.
func (m *made) with(currencies []payment.Currency) made {
	next := made{Version: madeVersion}
	if m != nil {
		next.ReceiptKey, next.Currencies = m.ReceiptKey, slices.Clone(m.Currencies)
	}
	for _, currency := range currencies {
		i := slices.IndexFunc(next.Currencies, func(c Currency) bool { return c.Name == currency.Name })
		if i < 0 {
			next.Currencies = append(next.Currencies, Currency(currency))
		} else {
			next.Currencies[i].Unit = currency.Unit // only shown
		}
	}
	return next
}

// checkCurrencies refuses a configuration under which the amounts in the books
// would mean something else, or would belong to no currency. All faults are told
// at once.
func (m *made) checkCurrencies(ctx context.Context, cfg Config, store *sqlstore.Store) error {
	var faults []error
	missing := false
	if m != nil {
		for _, was := range m.Currencies {
			i := slices.IndexFunc(cfg.Currencies, func(c payment.Currency) bool { return c.Name == was.Name })
			if i < 0 {
				missing = true
			} else if now := cfg.Currencies[i].Scale; now != was.Scale {
				faults = append(faults, fmt.Errorf("currency %q has %d digits in the books and %d in the configuration: every amount would be worth something else; set its scale to %d again",
					was.Name, was.Scale, now, was.Scale))
			}
		}
	}
	if m == nil || missing {
		names, err := unnamed(ctx, cfg.Currencies, store)
		if err != nil {
			return err
		}
		if len(names) > 0 {
			faults = append(faults, fmt.Errorf("people have money in %s, which the configuration does not name: it would be out of reach; name it again as a [[currency]] in %s or with --currency (a currency without name has the escrow's)",
				strings.Join(names, ", "), fileConfig))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("%w: nothing was changed:\n%w", ErrConfig, err)
	}
	return nil
}

// unnamed are the currencies with balances that are not among those.
func unnamed(ctx context.Context, currencies []payment.Currency, store *sqlstore.Store) ([]string, error) {
	var names []string
	err := walkBalances(ctx, store, func(b escrowserver.BalanceLine) {
		named := slices.ContainsFunc(currencies, func(c payment.Currency) bool { return c.Name == b.Currency })
		if !named && (b.Balance.Available != 0 || b.Balance.Held != 0) && !slices.Contains(names, b.Currency) {
			names = append(names, b.Currency)
		}
	})
	return names, err
}

func walkBalances(ctx context.Context, store *sqlstore.Store, see func(escrowserver.BalanceLine)) error {
	err := store.Walk(ctx, escrowserver.Visitor{Balance: func(b escrowserver.BalanceLine) error {
		see(b)
		return nil
	}})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	return nil
}

// checkFiles refuses a folder that lost its books: empty ones in their place
// would look sound, and everybody's money would be gone.
func checkFiles(dataDir string, m *made) error {
	books, key := filepath.Join(dataDir, fileBooks), filepath.Join(dataDir, fileReceipt)
	if exists(books) {
		return nil
	}
	if moved := books + movedSuffix; exists(moved) {
		return fmt.Errorf("%w: the books of this folder were moved to PostgreSQL and kept as %s: name that database, as database = \"postgres://USER@HOST/NAME\" in the configuration or with --database; if the move was cut off and the database holds none, take %s away from the names of the files %s* and %s and serve from them again",
			ErrData, moved, movedSuffix, moved, filepath.Join(dataDir, fileMade+movedSuffix))
	}
	if m != nil {
		return fmt.Errorf("%w: the books %s are gone or empty, though this escrow had some; balances and bonds are only there; restore the whole folder from a backup; to begin anew without them, name another folder",
			ErrData, books)
	}
	if _, err := os.Lstat(key); err == nil {
		return fmt.Errorf("%w: %s is there without books: restore %s from a backup; if this escrow never held anything, delete %s and start again",
			ErrData, key, books, key)
	}
	return nil
}

// currencies are what the books count in.
func (m *made) currencies() []payment.Currency {
	var all []payment.Currency
	for _, c := range m.Currencies {
		all = append(all, payment.Currency(c))
	}
	return all
}
