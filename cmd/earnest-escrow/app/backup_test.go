package app_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/internal/pgtest"
)

// A backup is taken while the escrow serves, and brings back money and identity;
// what came after it is gone, and the pools have a new epoch.
func TestABackupBringsTheEscrowBack(t *testing.T) {
	cluster := pgtest.For(t)
	for name, url := range map[string]string{"SQLite": "", "PostgreSQL": database(t, cluster)} {
		t.Run(name, func(t *testing.T) {
			cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example", Database: url, Why: "a test"}
			ready, stop := start(t, cfg)
			c := client(t, ready, nil)
			paid(t, c, cfg)
			if _, err := c.AskPayout(t.Context(), escrow.PayoutRequest{ID: "payout-of-test", Currency: "escrow.example", Amount: 100, To: "IBAN"}); err != nil {
				t.Fatal(err)
			}
			if q, _, err := app.ReadQueue(t.Context(), cfg); err != nil || !q.Restored.IsZero() {
				t.Errorf("restored at %v, %v", q.Restored, err)
			}
			file := filepath.Join(t.TempDir(), "backup.tar")
			if err := app.Backup(t.Context(), cfg, file); err != nil {
				t.Fatal(err)
			}
			if err := app.Backup(t.Context(), cfg, file); !errors.Is(err, app.ErrConfig) {
				t.Errorf("a backup that is there: %v", err)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the backup is %v, %v", info, err)
			}
			before, err := c.Info(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			stop()

			to := app.Config{DataDir: filepath.Join(t.TempDir(), "new"), Why: "the disk broke"}
			if url != "" {
				if _, err := app.Restore(t.Context(), to, file); !errors.Is(err, app.ErrConfig) {
					t.Errorf("without a database: %v", err)
				}
				to.Database = url
				if _, err := app.Restore(t.Context(), to, file); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "already") {
					t.Errorf("into books that are there: %v", err)
				}
				to.Database = database(t, cluster)
			}
			done, err := app.Restore(t.Context(), to, file)
			if err != nil {
				t.Fatalf("%+v, %v", done, err)
			}
			if _, err := app.Restore(t.Context(), to, file); !errors.Is(err, app.ErrData) {
				t.Errorf("into a folder with books: %v", err)
			}
			if url != "" {
				remembersNothing(t, to.Database)
			}
			cfg.DataDir, cfg.Database = to.DataDir, to.Database
			again, stop := start(t, cfg)
			c = client(t, again, nil)
			after, err := c.Info(t.Context())
			if err != nil || after.ReceiptKey.ID() != before.ReceiptKey.ID() || again.Fingerprint != ready.Fingerprint {
				t.Errorf("another identity: %+v, %v", after, err)
			}
			account, err := c.Account(t.Context())
			if err != nil || len(account.Balances) != 1 || account.Balances[0].Available != 400 {
				t.Errorf("after the restore: %+v, %v", account, err)
			}
			q, _, err := app.ReadQueue(t.Context(), cfg)
			if err != nil || len(q.Payouts) != 1 || !q.Payouts[0].AskedAt.Before(q.Restored) {
				t.Fatalf("a payout from before the restore: %+v, %v", q, err)
			}
			later := cfg
			later.Now = func() time.Time { return time.Now().Add(escrow.PayoutWait) }
			if _, _, err := app.BeginPayout(t.Context(), later, q.Payouts[0].ID, true); err != nil {
				t.Errorf("it was paid in the time that was lost: %v", err)
			}
			if _, err := app.EndPayout(t.Context(), later, q.Payouts[0].ID, true, "as before"); err != nil {
				t.Error(err)
			}
			c.Close()
			stop()
			if report, err := app.Verify(t.Context(), cfg); err != nil || !strings.Contains(strings.Join(report.Lines, "\n"), "8 rows of the operator's log") {
				t.Errorf("%q, %v", report, err)
			}
		})
	}
}

// remembersNothing demands that a request from before the restore is refused by its time.
func remembersNothing(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var since, nonces, began int
	if err := conn.QueryRow(t.Context(), `SELECT (SELECT COUNT(*) FROM nonce_since), (SELECT COUNT(*) FROM nonce), (SELECT COUNT(*) FROM nonce_ahead)`).
		Scan(&since, &nonces, &began); err != nil || since != 0 || nonces != 0 || began == 0 {
		t.Errorf("the restored books remember %d nonces since %d times, begun %d, %v", nonces, since, began, err)
	}
}

// What is no whole backup brings nothing back, and leaves nothing behind.
func TestADamagedBackupIsRefused(t *testing.T) {
	cfg := made(t, func(c *escrowclient.Client, cfg app.Config) { paid(t, c, cfg) })
	file := filepath.Join(t.TempDir(), "backup.tar")
	if err := app.Backup(t.Context(), cfg, file); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"empty": {}, "cut": whole[:len(whole)*2/3], "another file's": bytes.Replace(whole, []byte("receipt.key"), []byte("receipt.kex"), 1),
		"cut before the books": whole[:entry(t, whole, "escrow.db")], "a wrong bit in a certificate": flip(whole, entry(t, whole, "tls.crt")+512+100),
		"books": bytes.ReplaceAll(whole, []byte("SQLite format 3"), []byte("SQLite format 9")),
	} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if _, err := app.Restore(t.Context(), app.Config{DataDir: dir}, file); !errors.Is(err, app.ErrData) {
			t.Errorf("%s: %v", name, err)
		}
		if left := files(t, dir); len(left) > 2 { // the locks
			t.Errorf("%s: left %v", name, left)
		}
	}
}

// entry is where the file begins in the archive.
func entry(t *testing.T, archive []byte, name string) int {
	t.Helper()
	at := bytes.Index(archive, append([]byte(name), make([]byte, 100-len(name))...)) // as a header has it
	if at < 0 || at%512 != 0 {
		t.Fatalf("%s is at %d", name, at)
	}
	return at
}

func flip(text []byte, at int) []byte {
	text = bytes.Clone(text)
	text[at] ^= 1
	return text
}
