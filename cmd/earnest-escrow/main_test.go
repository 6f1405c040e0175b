package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrowserver/sqlstore"
)

// TestCommandLine plays an operator's first day.
func TestCommandLine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	ctx, cancel := context.WithCancel(t.Context())
	read, written := io.Pipe()
	var log bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--name", "escrow.example",
			"--terms", "deliver=5s,decide=4s,undo=1s,final=9s"}, nil, written, &log)
		written.Close()
	}()
	line := make([]byte, 1024)
	n, err := read.Read(line)
	if err != nil || !strings.HasPrefix(string(line[:n]), "escrow ready at https://127.0.0.1:") {
		t.Fatalf("ready line %q, %v, log %s", line[:n], err, log.String())
	}
	for _, tt := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"voucher", "new", "--data", dir, "--currency", "EUR", "--amount", "5.00"}, 0, "EARN-"},
		{[]string{"voucher", "new", "--data", dir, "--currency", "USD", "--amount", "5.00"}, 2, ""},
		{[]string{"credit", "--data", dir, "--address", "nobody@nowhere.example", "--currency", "EUR", "--amount", "5.00", "--reason", "x"}, 1, ""},
		{[]string{"credit", "--data", dir, "--currency", "EUR", "--amount", "5.00", "--reason", "x"}, 2, ""},
		{[]string{"credit", "--data", dir, "--account", "none", "--currency", "EUR", "--amount", "100.01", "--reason", "x"}, 2, ""},
		{[]string{"credit", "--data", dir, "--account", "none", "--currency", "EUR", "--amount", "100.01", "--reason", "x", "--yes"}, 1, ""},
		{[]string{"voucher", "list", "--data", dir}, 0, "5.00 EUR  made "},
		{[]string{"voucher", "revoke", "--data", dir, "Vnone", "--why", "x"}, 1, ""},
		{[]string{"queue", "--data", dir}, 0, "Nothing waits."},
		{[]string{"payout", "begin", "--data", dir, "payout:none"}, 1, ""},
		{[]string{"payout", "begin", "--data", dir, "payout:none", "--was-paid"}, 2, ""},
		{[]string{"payout", "paid", "--data", dir, "payout:none", "--reference", "x"}, 1, ""},
		{[]string{"debt", "settle", "--data", dir, "stripe", "ch_1", "--note", "x"}, 1, ""},
		{[]string{"account", "take-stock", "--data", dir, "none"}, 1, ""},
		{[]string{"account", "take-stock", "--data", dir, "none", "--reason", "x"}, 1, ""},
		{[]string{"verify", "--data", dir}, 0, "The books are sound"},
		{[]string{"info", "--data", dir}, 0, "quote 10m0s, deliver 5s, decide 4s, undo 1s, final 9s"},
		{[]string{"status", "--data", dir}, 0, "voucher over 5.00"},
		{[]string{"info", "--data", dir, "--json"}, 0, `"name": "escrow.example"`},
		{[]string{"info", "--data", dir}, 0, strings.TrimSuffix(strings.Fields(string(line[:n]))[7], ",")}, // the fingerprint of the ready line
		{[]string{"export", "--data", dir, "--out", "-", "--month", "2026-11"}, 0, `{"line":"end","bonds":0,"receipts":0}`},
		{[]string{"export", "--data", dir, "--out", "-", "--month", "November"}, 2, ""},
		{[]string{"export", "--data", filepath.Join(dir, "none"), "--out", "-"}, 4, ""},
		{[]string{"export", "--data", dir, "--out", filepath.Join(dir, "none", "x")}, 2, ""},
		{[]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, 4, ""},
		{[]string{"serve", "--data", dir, "--name", "escow.example"}, 2, ""},
		{[]string{"verify", "--data", filepath.Join(dir, "none")}, 4, ""},
		{[]string{"serve", "--data", dir, "--currency", "x", "--terms", "y"}, 2, ""},
		{[]string{"serve"}, 2, ""},
		{[]string{"nonsense"}, 2, ""},
		{nil, 0, "Exit codes:"},
		{[]string{"verify", "--help"}, 0, "3  verify found faults in the books"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), tt.args, nil, &out, &errs); code != tt.code || !strings.Contains(out.String(), tt.out) {
			t.Errorf("%v: exit %d, out %s, errors %s", tt.args, code, out.String(), errs.String())
		}
		if (tt.code == 0) == strings.Contains(errs.String(), "earnest-escrow:") {
			t.Errorf("%v: errors %s", tt.args, errs.String())
		}
	}
	cancel()
	select {
	case code := <-done:
		if code != 0 {
			t.Errorf("serve ended with %d: %s", code, log.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("serve does not stop")
	}
	if _, err := os.Stat(filepath.Join(dir, "escrow.toml")); err != nil {
		t.Error(err)
	}
}

func TestExitCodesAreOneTable(t *testing.T) {
	seen := map[int]bool{}
	for _, e := range exits() {
		if seen[e.code] || e.meaning == "" {
			t.Errorf("exit %d", e.code)
		}
		seen[e.code] = true
		if e.err != nil && exitCode(e.err) != e.code {
			t.Errorf("%v gives %d", e.err, exitCode(e.err))
		}
	}
	if exitCode(context.Canceled) != 1 || exitCode(app.ErrFaults) != 3 {
		t.Error("exit codes moved")
	}
}

// TestFlagsThatFailedAreNotKept: a wrong name of a start on a port in use.
func TestFlagsThatFailedAreNotKept(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"serve", "--data", dir, "--listen", taken.Addr().String(), "--name", "escow.example"}, nil, &out, &errs); code != 5 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "escrow.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the settings of a start that failed are kept: %v", err)
	}
}

// TestFlagsAgainstTheFileAreTold, and a name against it is refused.
func TestFlagsAgainstTheFileAreTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "escrow.toml"), []byte("version = 1\nname = 'escow.example'\nlisten = '127.0.0.1:1'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"serve", "--data", dir, "--name", "escrow.example"}, nil, &out, &errs); code != 2 || !strings.Contains(errs.String(), "escow.example") {
		t.Errorf("another name: exit %d: %s", code, errs.String())
	}
	errs.Reset()
	run(ctx, []string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--operator", "Me"}, nil, &out, &errs)
	if !strings.Contains(errs.String(), "flags win over the configuration in: operator, listen.") {
		t.Errorf("nothing is said: %s", errs.String())
	}
}

// TestALargeCreditIsAskedFor where a person sits at the terminal.
func TestALargeCreditIsAskedFor(t *testing.T) {
	args := []string{"credit", "--data", t.TempDir(), "--account", "none", "--currency", "EUR", "--amount", "5000", "--reason", "x"}
	for answer, want := range map[string]string{"no\n": "you did not say yes", "": "you did not say yes", "yes\n": "there are no books"} {
		var out, errs bytes.Buffer
		run(t.Context(), args, strings.NewReader(answer), &out, &errs)
		if !strings.Contains(errs.String(), "Credit 5000.00 EUR to none?") || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: %s", answer, errs.String())
		}
	}
}

// TestWhatCommandsSay is in the words of who asked.
func TestWhatCommandsSay(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	ready, written := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--name", "escrow.example"}, nil, written, io.Discard)
	}()
	if _, err := ready.Read(make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		<-done
	}()
	for _, tt := range []struct {
		args      []string
		has, hasn string
	}{
		{[]string{"voucher", "new", "--currency", "EUR", "--amount", "5"}, "A voucher over 5.00 EUR, V", "escrow.example"},
		{[]string{"voucher", "new", "--currency", "EUR", "--amount", "5.001"}, "the command line is wrong: amount", "configuration"},
		{[]string{"credit", "--account", "none", "--currency", "EUR", "--amount", "5", "--reason", "x"}, "there is no account none at this escrow", "open one first"},
		{[]string{"info"}, "its key-id", ""},
	} {
		var out, errs bytes.Buffer
		run(t.Context(), append(tt.args, "--data", dir), nil, &out, &errs)
		if text := out.String() + errs.String(); !strings.Contains(text, tt.has) || tt.hasn != "" && strings.Contains(text, tt.hasn) {
			t.Errorf("%v: %s", tt.args, text)
		}
	}
}

// The operator learns at this machine whose keys run out, but no more than fit.
func TestStatusNamesTheLowestPools(t *testing.T) {
	var out strings.Builder
	printStatus(&out, app.Status{Figures: sqlstore.Figures{Pools: 30, LowPools: 12},
		LowPools: []sqlstore.LowPool{{Address: "anna@mail.example", Free: 0}, {Address: "bob@mail.example", Free: 7}}})
	for _, want := range []string{"running low 12", "    0 keys left  anna@mail.example\n", "    7 keys left  bob@mail.example\n", "  and 10 more\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("not told: %q in %s", want, out.String())
		}
	}
}
