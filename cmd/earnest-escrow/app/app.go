// Package app joins the parts of an escrow server: books on SQLite or PostgreSQL, the HTTP
// API over TLS, the sweeper, and token mails through a relay. [Run] is what the
// program, the sandbox and tests start.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"earnest/crypto/openpgp"
	"earnest/escrowserver"
	"earnest/escrowserver/httpapi"
	"earnest/escrowserver/sqlstore"
	"earnest/internal/logx"
	"earnest/internal/trace"
)

// What can be wrong, for the exit code.
var (
	// ErrConfig: flags or configuration are wrong.
	ErrConfig = errors.New("the configuration is wrong")
	// ErrCommand: what a command was told is wrong; it is an [ErrConfig], too.
	ErrCommand error = commandError("the command line is wrong")
	// ErrData: the data folder is missing, in use or unreadable.
	ErrData = errors.New("the data folder cannot be used")
	// ErrListen: nothing can be served at that address.
	ErrListen = errors.New("cannot listen")
	// ErrFaults: verify found faults.
	ErrFaults = errors.New("the books have faults")
)

type commandError string

func (e commandError) Error() string { return string(e) }

// Is makes one exit code of both.
func (e commandError) Is(target error) bool { return target == ErrConfig }

// Files in the data folder.
const (
	fileBooks   = "escrow.db"
	fileConfig  = "escrow.toml"
	fileReceipt = "receipt.key"
	fileCert    = "tls.crt"
	fileKey     = "tls.key"
)

// Ready says where a running escrow is.
type Ready struct {
	// URL is where it answers; the port is the real one if 0 was asked for.
	URL string
	// Fingerprint is SHA-256 of the certificate in hexadecimal, and CertFile the
	// file that holds it; both are empty without TLS.
	Fingerprint, CertFile string
	DataDir               string
	// Metrics is the URL for Prometheus, if it is asked for.
	Metrics string
}

// String is the line that the program prints.
func (r Ready) String() string {
	certificate := "no TLS"
	if r.Fingerprint != "" {
		certificate = fmt.Sprintf("certificate %s, SHA-256 %s", r.CertFile, r.Fingerprint)
	}
	metrics := ""
	if r.Metrics != "" {
		metrics = ", metrics at " + r.Metrics
	}
	return fmt.Sprintf("escrow ready at %s, %s, data in %s%s", r.URL, certificate, r.DataDir, metrics)
}

// Run serves until ctx ends, then finishes what is under way.
func Run(ctx context.Context, cfg Config) error {
	cfg, err := cfg.complete()
	if err != nil {
		return err
	}
	cfg.measured = newMetrics(cfg)
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	unlock, err := serveAlone(cfg)
	if err != nil {
		return err
	}
	defer unlock()
	letMove, err := withOthers(ctx, cfg)
	if err != nil {
		return err
	}
	defer letMove()

	m, first, err := readFolder(cfg)
	if err != nil {
		return err
	}
	// Before anything is made: what a start that fails leaves behind, the next would go by.
	at, err := listen(cfg)
	if err != nil {
		return err
	}
	defer at.close()
	if err := makeCertificate(cfg, first); err != nil {
		return err
	}
	secure, err := serverTLS(cfg)
	if err != nil {
		return err
	}
	server, store, err := cfg.makeBooks(ctx, m)
	if err != nil {
		return err
	}
	defer func() {
		if err := store.Close(); err != nil {
			cfg.Log.Error("books not closed", "error", err)
		}
	}()
	return serve(ctx, cfg, at, server, store, secure)
}

// listeners are what the escrow answers at; metrics is nil if nobody asks for them.
type listeners struct{ api, metrics net.Listener }

func listen(cfg Config) (at listeners, err error) {
	if at.api, err = net.Listen("tcp", cfg.Listen); err != nil {
		return at, fmt.Errorf("%w at %s: %w", ErrListen, cfg.Listen, err)
	}
	if cfg.Metrics == "" {
		return at, nil
	}
	if at.metrics, err = net.Listen("tcp", cfg.Metrics); err != nil {
		at.close()
		return at, fmt.Errorf("%w at %s: %w", ErrListen, cfg.Metrics, err)
	}
	return at, nil
}

// close is done again where a server has closed them: that changes nothing.
func (l listeners) close() {
	_ = l.api.Close()
	if l.metrics != nil {
		_ = l.metrics.Close()
	}
}

// readFolder looks at what the folder holds before anything is made in it. First
// says that no start of it was completed.
func readFolder(cfg Config) (m *made, first bool, err error) {
	if cfg.Database != "" {
		return nil, !exists(filepath.Join(cfg.DataDir, fileReceipt)), noOtherBooks(cfg)
	}
	if m, err = readMade(cfg.DataDir); err != nil {
		return nil, false, err
	}
	return m, m == nil && !exists(filepath.Join(cfg.DataDir, fileBooks)), checkFiles(cfg.DataDir, m)
}

func (c Config) makeBooks(ctx context.Context, m *made) (*escrowserver.Server, *sqlstore.Store, error) {
	if c.Database != "" {
		return beginDatabase(ctx, c)
	}
	return makeFile(ctx, c, m)
}

// makeFile opens the books of a serving escrow and makes what is missing at the
// first start: books, key, and last the file that says that all are there.
func makeFile(ctx context.Context, cfg Config, m *made) (*escrowserver.Server, *sqlstore.Store, error) {
	books := filepath.Join(cfg.DataDir, fileBooks)
	if err := ownersOnly(books); err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.Open(ctx, books)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	server, err := serverOn(ctx, cfg, m, store, true)
	if err == nil {
		err = errors.Join(syncBooks(cfg.DataDir), m.keep(cfg.DataDir, cfg.Currencies))
	}
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return server, store, nil
}

// syncBooks has the names of the books on the disk before the file that says so.
func syncBooks(dataDir string) error {
	if err := syncFolder(dataDir); err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	return nil
}

// opener is [sqlstore.OpenMade] or [sqlstore.OpenToRead].
type opener func(context.Context, string) (*sqlstore.Store, error)

// openBooks opens what a serving escrow made, with that opener, and makes nothing.
// Until the books are closed they are neither moved nor restored.
func openBooks(ctx context.Context, cfg Config, open opener) (_ *made, _ *openStore, err error) {
	unlock, err := withOthers(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	m, store, err := openHeld(ctx, cfg, open)
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return m, &openStore{store, unlock}, nil
}

func openHeld(ctx context.Context, cfg Config, open opener) (*made, *sqlstore.Store, error) {
	if cfg.Database != "" {
		return openDatabase(ctx, cfg, open)
	}
	m, err := readMade(cfg.DataDir)
	if err != nil {
		return nil, nil, err
	}
	if err := checkFiles(cfg.DataDir, m); err != nil {
		return nil, nil, err
	}
	books := filepath.Join(cfg.DataDir, fileBooks)
	if !exists(books) {
		return nil, nil, noBooks(cfg)
	}
	store, err := open(ctx, books)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	return m, store, nil
}

// serverOn makes the escrow on its books. Only the first start may make the
// receipt key: books without their key need the old one back, since receipts of
// a new one would not verify for anybody who pinned the old.
func serverOn(ctx context.Context, cfg Config, m *made, store *sqlstore.Store, serving bool) (*escrowserver.Server, error) {
	if err := m.checkCurrencies(ctx, cfg, store); err != nil {
		return nil, err
	}
	first := serving && m == nil
	if first {
		if err := walkBalances(ctx, store, func(escrowserver.BalanceLine) { first = false }); err != nil {
			return nil, err
		}
	}
	signer, err := receiptKey(filepath.Join(cfg.DataDir, fileReceipt), first)
	if err != nil {
		return nil, err
	}
	if err := m.checkKey(signer, filepath.Join(cfg.DataDir, fileReceipt)); err != nil {
		return nil, err
	}
	mailer, err := newMailer(cfg)
	if err != nil {
		return nil, err
	}
	welcome, err := cfg.welcome()
	if err != nil {
		return nil, err
	}
	hold, err := cfg.Card.hold()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	least, err := cfg.leastPayouts()
	if err != nil {
		return nil, err
	}
	var provider escrowserver.Provider
	if serving {
		if provider, err = cfg.provider(); err != nil {
			return nil, err
		}
	}
	server, err := escrowserver.New(escrowserver.Config{
		Provider: provider, CheckoutHold: hold, Welcome: welcome, LeastPayouts: least,
		Name: cfg.Name, Operator: cfg.Operator, LegalForm: cfg.LegalForm,
		Currencies: cfg.Currencies, Beneficiaries: cfg.Beneficiaries, Terms: cfg.Terms, TokenSender: cfg.TokenSender, Strangers: cfg.Strangers,
		ReceiptSigner: signer, Store: cfg.measured.books(store), Mailer: mailer,
		Certificates: openpgp.Certificates{Now: cfg.Now}, Now: cfg.Now, Log: cfg.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return server, nil
}

// ownersOnly makes the file for the books, readable by its owner only, if there
// is none: SQLite would let everybody read who may enter the folder.
func ownersOnly(books string) error {
	f, err := os.OpenFile(books, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	return f.Close()
}

// collectAt is the growth of memory, in percent, at which what is not used any more
// is collected.
const collectAt = 400

func serve(ctx context.Context, cfg Config, at listeners, server *escrowserver.Server, store *sqlstore.Store, secure transport) error {
	// It keeps little in memory and makes much to throw away: more memory for less work.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	port := at.api.Addr().(*net.TCPAddr).Port
	api, err := httpapi.New(httpapi.Config{
		As: server.As, Known: server.HasAccount, Hosts: cfg.authorities(port), Now: cfg.Now, Log: cfg.Log,
		Webhook:    server.Webhook,
		PerAccount: cfg.PerAccount, PerRemote: cfg.PerRemote, Proxied: cfg.NoTLS, Observe: cfg.measured.request, Trace: trace.New(cfg.Log, cfg.Trace), Nonces: sharedNonces(store),
		Health: func(ctx context.Context) error {
			_, err := store.NextDue(ctx)
			return err
		},
	})
	if err != nil {
		return err
	}
	metrics := cfg.measured.serve(cfg, at.metrics, server, store)
	if cfg.Keep != nil {
		if err := cfg.Keep(); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	if metrics != nil {
		group.Go(func() error { return metrics.run(ctx) })
	}
	group.Go(func() error { return server.KeepTotals(ctx) })
	group.Go(func() error { return server.Run(ctx) })
	group.Go(func() error { return api.Serve(ctx, at.api, secure.config) })
	if cfg.Relay == "" {
		cfg.Log.Warn("no mail relay is set, so nobody can prove an address here; see --smtp-relay")
	}
	if cfg.Ready != nil {
		cfg.Ready(Ready{URL: cfg.url(port, secure.config != nil), Fingerprint: secure.fingerprint,
			CertFile: secure.file, DataDir: cfg.DataDir, Metrics: metrics.url()})
	}
	return group.Wait()
}

// Logger is the program's log: to w, which is the terminal's error output. What
// the mail relay says of an address does not name it there.
func Logger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(logx.Hiding(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			a.Value = slog.StringValue(a.Value.Time().UTC().Format(time.RFC3339))
		}
		return a
	}}), logx.Hasher{}))
}
