package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/payment"
)

// TestAuditorReadsWhatTheEscrowExports: the way of an operator and an auditor,
// from the folder of the books by a file to an exit code.
func TestAuditorReadsWhatTheEscrowExports(t *testing.T) {
	dir := t.TempDir()
	cfg := app.Config{DataDir: dir, Name: "escrow.example", Listen: "127.0.0.1:0",
		Currencies: []payment.Currency{{Name: "escrow.example", Scale: 2, Unit: "EUR"}, {Name: "points.example"}}}
	firstStart(t, cfg)
	text, err := os.ReadFile(filepath.Join(dir, "receipt.key"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signer := key.(ed25519.PrivateKey)
	w := townOn(t, rand.New(rand.NewPCG(3, 7)), filepath.Join(dir, "escrow.db"), signer, 5, 6)
	w.round(30)
	w.leaveOpen(5)

	cfg.Now = w.clock.Now
	file := filepath.Join(t.TempDir(), "export.jsonl")
	done, err := app.ExportFile(t.Context(), cfg, nil, file)
	if err != nil || done.Bonds != 35 {
		t.Fatalf("exported %+v, %v", done, err)
	}
	stat, err := os.Stat(file)
	if err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("the export names people and has mode %v, %v", stat.Mode(), err)
	}
	pinned := strict().EncodeToString(signer.Public().(ed25519.PublicKey))
	export, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := strict().EncodeToString(w.senders[0].key.Public().(ed25519.PublicKey))
	for _, tt := range []struct {
		name string
		args []string
		in   string
		code int
		out  string
	}{
		{"the file", []string{"-key", pinned, file}, "", 0, "Sound:"},
		{"the input", []string{"-key", pinned}, string(export), 0, "Sound:"},
		{"no key pinned", []string{file}, "", 0, "compare them with a pinned one"},
		{"another key pinned", []string{"-key", other, file}, "", 1, "FAULT: signature:"},
		{"cut off", []string{"-key", pinned}, string(export[:len(export)/2]), 1, "FAULT: count:"},
		{"another file", []string{"-key", pinned}, "nothing\n", 2, ""},
		{"no file", []string{"-key", pinned, filepath.Join(dir, "none")}, "", 2, ""},
		{"no key", []string{"-key", "x", file}, "", 2, ""},
	} {
		var out, errs bytes.Buffer
		if code := run(tt.args, strings.NewReader(tt.in), &out, &errs); code != tt.code || !strings.Contains(out.String(), tt.out) {
			t.Errorf("%s: exit %d, want %d; %s%s", tt.name, code, tt.code, out.String(), errs.String())
		}
	}
}

// firstStart has the escrow make its folder.
func firstStart(t *testing.T, cfg app.Config) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	cfg.Ready = func(app.Ready) { stop() }
	if err := app.Run(ctx, cfg); err != nil {
		t.Fatal(err)
	}
}
