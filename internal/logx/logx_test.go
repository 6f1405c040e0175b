package logx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLevels(t *testing.T) {
	for name, want := range map[string]slog.Level{"": slog.LevelInfo, "debug": slog.LevelDebug, "INFO": slog.LevelInfo,
		"warn": slog.LevelWarn, "warning": slog.LevelWarn, "Error": slog.LevelError} {
		if got, err := ParseLevel(name); err != nil || got != want {
			t.Errorf("%q: %v, %v", name, got, err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil || !strings.Contains(err.Error(), "debug, info, warn or error") {
		t.Errorf("got %v", err)
	}
}

func TestMachinesGetJSON(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	log := New(in, slog.LevelInfo)
	log.Debug("hidden")
	log.Info("mail arrived", "bond", "b1")
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(out)
	var line struct {
		Msg, Level, Bond string
		Time             time.Time
	}
	if err := json.Unmarshal(text, &line); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if line.Msg != "mail arrived" || line.Level != "INFO" || line.Bond != "b1" || line.Time.Location() != time.UTC {
		t.Errorf("got %+v", line)
	}
}

func TestPersonsGetText(t *testing.T) {
	for _, plain := range []bool{true, false} {
		var out bytes.Buffer
		slog.New(text(&out, slog.LevelInfo, plain)).Info("mail arrived", "bond", "b1")
		if !strings.Contains(out.String(), "mail arrived") || strings.Contains(out.String(), "{") {
			t.Errorf("got %s", out.String())
		}
		if coloured := strings.Contains(out.String(), "\x1b["); coloured == plain {
			t.Errorf("plain %v: got %q", plain, out.String())
		}
	}
}

func TestAddressesAreHashed(t *testing.T) {
	home := t.TempDir()
	h, err := LoadHasher(home)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadHasher(home)
	if err != nil {
		t.Fatal(err)
	}
	other, err := LoadHasher(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const address = "anna@example.org"
	var out bytes.Buffer
	slog.New(JSON(&out, slog.LevelInfo)).Info("looked up", "address", h.Address(address), "hasher", h)
	fmt.Fprintf(&out, "%v %+v %#v %s", h, h, h, h)
	for _, trace := range []string{"anna", "example", fmt.Sprintf("%x", h.key), strings.Trim(fmt.Sprint(h.key), "[]")} {
		if strings.Contains(out.String(), trace) {
			t.Errorf("the log shows %q: %s", trace, out.String())
		}
	}
	if got := h.Address(" Anna@Example.ORG"); !got.Equal(again.Address(address)) {
		t.Errorf("one address has two names: %v, %v", got, again.Address(address))
	}
	if h.Address(address).Equal(h.Address("ben@example.org")) || h.Address(address).Equal(other.Address(address)) {
		t.Error("two addresses, or two installations, share a name")
	}
	if got := (Hasher{}).Address(address).String(); got != "address" {
		t.Errorf("the zero hasher says %q", got)
	}
	if info, err := os.Stat(filepath.Join(home, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestOneKeyAnInstallation(t *testing.T) {
	home := t.TempDir()
	var all sync.WaitGroup
	names := make([]string, 8)
	for i := range names {
		all.Go(func() {
			h, err := LoadHasher(home)
			if err != nil {
				t.Error(err)
			}
			names[i] = h.Address("a@b").String()
		})
	}
	all.Wait()
	for _, name := range names {
		if name != names[0] {
			t.Errorf("names differ: %v", names)
		}
	}
	if files, _ := os.ReadDir(home); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
	if err := os.WriteFile(filepath.Join(home, keyFile), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadHasher(home); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("a damaged key: %v", err)
	}
}
