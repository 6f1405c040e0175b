package app_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/internal/pgtest"
	"earnest/test/soak"
)

// kept is an escrow whose books are served in this process, and backed up and restored
// by the operator's commands.
type kept struct {
	*sqlstore.Store
	t       *testing.T
	cfg     app.Config
	cluster *pgtest.Cluster // nil on SQLite
}

// onBothEngines makes one on each.
func onBothEngines(t *testing.T, run func(*testing.T, *kept)) {
	cluster := pgtest.For(t)
	for name, on := range map[string]*pgtest.Cluster{"SQLite": nil, "PostgreSQL": cluster} {
		t.Run(name, func(t *testing.T) {
			k := &kept{t: t, cfg: app.Config{DataDir: t.TempDir(), Name: "escrow.example", Why: "a test"}, cluster: on}
			if on != nil {
				k.cfg.Database = database(t, on)
			}
			_, stop := start(t, k.cfg)
			stop()
			k.open()
			defer func() { _ = k.Close() }()
			run(t, k)
		})
	}
}

func (c *kept) open() {
	c.t.Helper()
	var err error
	if c.Store, err = sqlstore.OpenMade(c.t.Context(), booksOf(c.cfg)); err != nil {
		c.t.Fatal(err)
	}
}

func booksOf(cfg app.Config) string {
	if cfg.Database != "" {
		return cfg.Database
	}
	return filepath.Join(cfg.DataDir, "escrow.db")
}

// harness is the escrow of the folder's key.
func (c *kept) harness() servicetest.Harness {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.cfg.DataDir, "receipt.key"))
	if err != nil {
		c.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		c.t.Fatal(err)
	}
	clock := servicetest.NewClock()
	clock.Move(time.Since(clock.Now()))
	return servicetest.HarnessOn(c.t, c.Store, clock, key.(ed25519.PrivateKey))
}

func (c *kept) backup() (file string) {
	c.t.Helper()
	file = filepath.Join(c.t.TempDir(), "backup.tar")
	if err := app.Backup(c.t.Context(), c.cfg, file); err != nil {
		c.t.Fatal(err)
	}
	return file
}

// restored is the escrow that a backup brings back, beside this one. Restore verifies
// the books.
func (c *kept) restored(file string) app.Config {
	c.t.Helper()
	to := c.cfg
	to.DataDir = filepath.Join(c.t.TempDir(), "new")
	if c.cluster != nil {
		to.Database = database(c.t, c.cluster)
	}
	if done, err := app.Restore(c.t.Context(), to, file); err != nil {
		c.t.Fatalf("%+v, %v", done, err)
	}
	return to
}

// Backup has the escrow go on from this moment when it is restored.
func (c *kept) Backup() (restore func() escrowserver.Store) {
	file := c.backup()
	return func() escrowserver.Store {
		if err := c.Close(); err != nil {
			c.t.Fatal(err)
		}
		c.cfg = c.restored(file)
		c.open()
		return c.Store
	}
}

// A backup that is taken while others write is sound, and has all that was answered
// before it began.
func TestABackupUnderLoadHasAllThatWasAnswered(t *testing.T) {
	onBothEngines(t, func(t *testing.T, k *kept) {
		answered, stop := servicetest.Writers(t, k.harness(), 4)
		meanwhile, times := 0, soak.Times(2, 20)
		for range times {
			before := answered()
			file := k.backup()
			meanwhile += len(answered()) - len(before)
			copied, err := sqlstore.OpenToRead(t.Context(), booksOf(k.restored(file)))
			if err != nil {
				t.Fatal(err)
			}
			for _, bond := range before {
				if _, err := copied.Bond(t.Context(), bond); err != nil {
					t.Errorf("bond %s was answered before the backup began: %v", bond, err)
				}
			}
			if err := copied.Close(); err != nil {
				t.Error(err)
			}
		}
		stop()
		if meanwhile == 0 {
			t.Error("nobody wrote while the books were copied")
		}
		if report, err := app.Verify(t.Context(), k.cfg); err != nil {
			t.Errorf("%+v, %v", report, err)
		}
		soak.Result(t, "%d backups and restores, %d purchases answered while they were taken", times, meanwhile)
	})
}

// TestItem6_ByTheOperatorsCommands: no key is sold again after a restore as operators
// make it.
func TestItem6_ByTheOperatorsCommands(t *testing.T) {
	onBothEngines(t, func(t *testing.T, k *kept) {
		seed, times := soak.Seed(t), soak.Times(3, 30)
		sold, again := servicetest.Restores(t, k.harness(), k.Backup, soak.Random(seed, 1), times)
		if again > 0 || sold == 0 {
			t.Errorf("%d of %d keys were sold again", again, sold)
		}
		soak.Result(t, "%d restores, %d keys sold, %d of them again", times, sold, again)
	})
}
