// Command imapscan measures the first scan of a big mailbox: our watcher beside
// a bare client that only searches and fetches what it found, and beside one
// that fetches the header fields of every mail and then what it wants, in one
// run, taking turns, on the same Dovecot. Each scan is a process of its own, so that its peak memory
// is its own.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"earnest/internal/mailtest"
)

// The kinds of scan.
const (
	watcher     = "watcher"
	bareSearch  = "bare search"
	bareHeaders = "bare headers"
)

// task is what a child process is told.
type task struct {
	Scan string
	Addr string
	CA   []byte
	// Last is the UID of the last mail.
	Last uint32
}

// result is what it answers.
type result struct {
	Seconds float64
	// PeakKiB is the most memory that the process ever had.
	PeakKiB int64
	Found   int
}

func main() {
	mails := flag.Int("mails", 50_000, "mails in the mailbox")
	hits := flag.Int("encrypted", 100, "encrypted ones among them")
	rounds := flag.Int("rounds", 7, "scans of each kind")
	child := flag.Bool("child", false, "do one scan, told on standard input")
	flag.Parse()
	var err error
	if *child {
		err = scan(context.Background(), os.Stdin, os.Stdout)
	} else {
		err = mailtest.InProgram(func(t mailtest.T) error { return run(t, *mails, *hits, *rounds, os.Stdout) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench imapscan:", err)
		os.Exit(1)
	}
}

func run(t mailtest.T, mails, hits, rounds int, out io.Writer) error {
	d := mailtest.StartDovecot(t, "bob")
	if err := d.Fill("bob", mails, func(i int) []byte { return mail(i, mails/hits) }); err != nil {
		return err
	}
	do := func(kind string) (result, error) {
		return inChild(task{Scan: kind, Addr: d.IMAPAddr, CA: d.CAPEM(), Last: uint32(mails)})
	}
	cold, err := do(watcher)
	if err != nil {
		return err
	}
	// Dovecot learns header fields as they are asked for: let it learn all first.
	for _, kind := range []string{bareSearch, bareHeaders} {
		if _, err := do(kind); err != nil {
			return err
		}
	}
	seconds := make(map[string][]float64)
	var peak int64
	for range rounds {
		for _, kind := range []string{bareSearch, watcher, bareHeaders} {
			r, err := do(kind)
			if err != nil {
				return err
			}
			if r.Found != (mails+mails/hits-1)/(mails/hits) {
				return fmt.Errorf("%s found %d mails of %d", kind, r.Found, hits)
			}
			seconds[kind] = append(seconds[kind], r.Seconds)
			if kind == watcher {
				peak = max(peak, r.PeakKiB)
			}
		}
	}
	ours, search, headers := median(seconds[watcher]), median(seconds[bareSearch]), median(seconds[bareHeaders])
	fmt.Fprintf(out, "first scan of %d mails, %d encrypted (medians of %d):\n", mails, hits, rounds)
	fmt.Fprintf(out, "  watcher %.3f s; bare client by UID SEARCH %.3f s, by header fetch %.3f s\n", ours, search, headers)
	fmt.Fprintf(out, "  ratio to the bare search %.2f (goal 1.50), to the bare header fetch %.2f\n", ours/search, ours/headers)
	fmt.Fprintf(out, "  peak memory %.1f MB (goal 64); the very first scan, nothing indexed: %.1f s\n", float64(peak)/1024, cold.Seconds)
	return nil
}

// mail is the i-th; each every-th is encrypted.
func mail(i, every int) []byte {
	head := fmt.Sprintf("From: Person %d <p%d@example.net>\r\nTo: bob@example.org\r\nSubject: mail number %d\r\n"+
		"Message-ID: <m%d@example.net>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n", i%997, i%997, i, i)
	text := bytes.Repeat([]byte("A line of ordinary text in an ordinary mail.\r\n"), 20)
	if i%every != 0 {
		return append([]byte(head+"Content-Type: text/plain; charset=utf-8\r\n\r\n"), text...)
	}
	return append([]byte(head+"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n"+
		"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n"),
		append(text, "--b--\r\n"...)...)
}

// inChild does one scan in a process of its own.
func inChild(j task) (result, error) {
	told, err := json.Marshal(j)
	if err != nil {
		return result{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	command := exec.Command(filepath.Clean(self), "-child")
	command.Stdin, command.Stderr = bytes.NewReader(told), os.Stderr
	said, err := command.Output()
	if err != nil {
		return result{}, fmt.Errorf("%s: %w", j.Scan, err)
	}
	var r result
	return r, json.Unmarshal(said, &r)
}

// scan is the child's side.
func scan(ctx context.Context, in io.Reader, out io.Writer) error {
	var j task
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(j.CA) {
		return errors.New("the authority is not a certificate")
	}
	secure := &tls.Config{RootCAs: pool}
	began := time.Now()
	var found int
	var err error
	switch j.Scan {
	case watcher:
		found, err = scanByWatcher(ctx, j, secure)
	case bareSearch:
		found, err = scanBySearch(j, secure)
	case bareHeaders:
		found, err = scanByHeaders(j, secure)
	default:
		err = fmt.Errorf("unknown scan %q", j.Scan)
	}
	if err != nil {
		return err
	}
	took := time.Since(began)
	peak, err := peakMemory()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result{Seconds: took.Seconds(), PeakKiB: peak, Found: found})
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
