package app

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/payment"
)

// Notes that books in a database keep of themselves; those in a folder have
// books.toml beside them.
const (
	// noteBegun: a first start has begun, noteMade: it was completed.
	noteBegun = "begun"
	noteMade  = "made"
)

// checkDatabase says what is wrong with a URL, and never shows it: it may hold a
// password.
func checkDatabase(database string) error {
	if database == "" {
		return nil
	}
	at, err := url.Parse(database)
	if err != nil || !sqlstore.IsPostgres(database) {
		return errors.New("database: it is a URL such as postgres://USER@HOST/NAME; leave it away for books on SQLite in the data folder")
	}
	if _, ok := at.User.Password(); ok || at.Query().Has("password") {
		return errors.New("database: the URL holds a password, which everybody on the machine could read; put it into a file that PGPASSFILE or passfile= in the URL names, or into PGPASSWORD")
	}
	return nil
}

// booksName is what people know the books by.
func (c Config) booksName() string {
	if c.Database == "" {
		return filepath.Join(c.DataDir, fileBooks)
	}
	at, err := url.Parse(c.Database)
	if err != nil {
		return "the database"
	}
	return "the database " + at.Host + at.Path
}

// noOtherBooks refuses a folder with books of its own beside a database: one of the
// two would be forgotten.
func noOtherBooks(cfg Config) error {
	if books := filepath.Join(cfg.DataDir, fileBooks); exists(books) {
		return fmt.Errorf("%w: %s holds books, and the configuration names a database; move them there with 'earnest-escrow move', or leave the database away",
			ErrData, books)
	}
	return nil
}

// madeIn reads what the database says of its books; nil if no first start of them
// was completed.
func madeIn(ctx context.Context, store *sqlstore.Store) (*made, error) {
	text, err := store.Note(ctx, noteMade)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	if text == "" {
		return nil, nil
	}
	m, ok := parseMade([]byte(text))
	if !ok {
		return nil, fmt.Errorf("%w: what the database says of its books is damaged or of a newer program; restore the database from a backup", ErrData)
	}
	return m, nil
}

// beginDatabase opens the books in the database and makes what is missing at the
// first start: the key, and last the note that says that all are there.
func beginDatabase(ctx context.Context, cfg Config) (_ *escrowserver.Server, _ *sqlstore.Store, err error) {
	store, err := sqlstore.Open(ctx, cfg.Database)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, store.Close())
		}
	}()
	m, err := madeIn(ctx, store)
	if err != nil {
		return nil, nil, err
	}
	if m == nil {
		if err := begin(ctx, cfg, store); err != nil {
			return nil, nil, err
		}
	}
	server, err := serverOn(ctx, cfg, m, store, true)
	if err != nil {
		return nil, nil, err
	}
	return server, store, m.keepIn(ctx, store, server.ReceiptKey(), cfg.Currencies)
}

// begin refuses a database without books if the folder had some: empty ones would
// look sound, and everybody's money would be gone.
func begin(ctx context.Context, cfg Config, store *sqlstore.Store) error {
	begun, err := store.Note(ctx, noteBegun)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	if key := filepath.Join(cfg.DataDir, fileReceipt); begun == "" && exists(key) {
		return fmt.Errorf("%w: %s is there, but the database holds no books: name the right database, or restore it from a backup; if this escrow never held anything, delete %s and start again",
			ErrData, key, key)
	}
	_, err = remember(ctx, store, escrowserver.Remember{Key: noteBegun, Text: cfg.Now().UTC().Format("2006-01-02"), Once: true})
	return err
}

// keepIn notes in the database what its books count in and whose they are. Of two
// first starts at once one is told to use the other's key.
func (m *made) keepIn(ctx context.Context, store *sqlstore.Store, key ed25519.PublicKey, currencies []payment.Currency) error {
	next := m.with(currencies)
	next.ReceiptKey = escrow.PublicKey(key).ID()
	text, err := next.text()
	if err != nil {
		return err
	}
	kept, err := remember(ctx, store, escrowserver.Remember{Key: noteMade, Text: string(text), Once: m == nil})
	if err != nil {
		return err
	}
	if other, ok := parseMade([]byte(kept)); !ok || other.ReceiptKey != next.ReceiptKey {
		return fmt.Errorf("%w: another process made these books at the same time, with a key of its own; copy receipt.key, tls.crt and tls.key from its folder", ErrData)
	}
	return nil
}

// checkKey refuses to sign for books that were signed with another key.
func (m *made) checkKey(signer crypto.Signer, file string) error {
	public, ok := signer.Public().(ed25519.PublicKey)
	if m == nil || m.ReceiptKey == "" || ok && escrow.PublicKey(public).ID() == m.ReceiptKey {
		return nil
	}
	return fmt.Errorf("%w: receipt key: %s is not the one that these books were made with; copy receipt.key from the folder of another process of this escrow, or restore it from a backup", ErrData, file)
}

func remember(ctx context.Context, store *sqlstore.Store, op escrowserver.Remember) (string, error) {
	result := store.Apply(ctx, []escrowserver.Op{op})[0]
	if result.Err != nil {
		return "", fmt.Errorf("%w: %w", ErrData, result.Err)
	}
	text, _ := result.Value.(string) // as Remember promises
	return text, nil
}

// openDatabase opens books that a serving escrow made, and makes nothing.
func openDatabase(ctx context.Context, cfg Config, open opener) (*made, *sqlstore.Store, error) {
	if err := noOtherBooks(cfg); err != nil {
		return nil, nil, err
	}
	store, err := open(ctx, cfg.Database)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	m, err := madeIn(ctx, store)
	if err == nil && m == nil {
		err = fmt.Errorf("%w: there are no books in the database; 'earnest-escrow serve' makes them", ErrData)
	}
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return m, store, nil
}
