package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/internal/pgtest"
)

// elsewhere is an escrow whose configuration is not in its folder.
func elsewhere(t *testing.T) (cfg app.Config, file string) {
	t.Helper()
	cfg = made(t, nil)
	file = write(t, "version = 1\nname = 'escrow.example'\n  database=\"\"\nlisten = '127.0.0.1:0'\n[[currency]]\nname = 'escrow.example'\nscale = 2\nunit = 'EUR'\n")
	settings, err := app.ReadSettings(cfg.DataDir, file)
	if err != nil {
		t.Fatal(err)
	}
	if cfg, err = settings.Config(cfg.DataDir); err != nil {
		t.Fatal(err)
	}
	return cfg, file
}

// TestANamedConfigurationIsBackedUp, and the restored folder goes by it.
func TestANamedConfigurationIsBackedUp(t *testing.T) {
	cfg, _ := elsewhere(t)
	file := filepath.Join(t.TempDir(), "backup.tar")
	if err := app.Backup(t.Context(), cfg, file); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	if _, err := app.Restore(t.Context(), app.Config{DataDir: dir}, file); err != nil {
		t.Fatal(err)
	}
	settings, err := app.ReadSettings(dir, "")
	if err != nil || settings.Name != "escrow.example" {
		t.Errorf("the restored folder has the settings %+v, %v", settings, err)
	}
	cfg.CertFile, cfg.KeyFile, cfg.RelayPasswordFile = "/etc/c.pem", "/etc/k.pem", "/etc/relay"
	if names := cfg.Elsewhere(); !slices.Equal(names, []string{"/etc/c.pem", "/etc/k.pem", "/etc/relay"}) {
		t.Errorf("said to be missing: %v", names)
	}
}

// TestAMoveWritesIntoTheNamedConfiguration, and who starts without it is told where
// the books went, and nothing about deleting a key.
func TestAMoveWritesIntoTheNamedConfiguration(t *testing.T) {
	cluster := pgtest.For(t)
	cfg, file := elsewhere(t)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	url := database(t, cluster)
	moved, err := app.Move(t.Context(), cfg, url)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t, cfg.DataDir) {
		if strings.Contains(name, ".moved") != slices.Contains(moved.Kept, filepath.Join(cfg.DataDir, name)) || name == "escrow.toml" {
			t.Errorf("%s is in the folder, kept are %v", name, moved.Kept)
		}
	}
	settings, err := app.ReadSettings(cfg.DataDir, file)
	if err != nil || settings.Database != url || settings.Name != "escrow.example" {
		t.Errorf("%+v, %v", settings, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	// As after a kill before the configuration was written.
	err = refused(t, cfg)
	if !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "escrow.db.moved") || strings.Contains(err.Error(), "receipt.key") {
		t.Errorf("without the database: %v", err)
	}
	if _, err := app.Move(t.Context(), cfg, url); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "escrow.db.moved") {
		t.Errorf("again: %v", err)
	}
}
