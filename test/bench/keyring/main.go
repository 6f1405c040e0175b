//go:build unix

// Command keyring prints what it costs to keep one more key in a real GNOME
// keyring that holds 100, 1,000 and 5,000 of them already: the secret service
// writes all items anew at each change. It starts a keyring of its own. Filling
// it with 5,000 items takes a quarter of an hour for the same reason.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"earnest/crypto/keyring"
	"earnest/crypto/secret"
	"earnest/test/gnomekeyring"
)

const (
	keySize = 650 // a binary OpenPGP v4 secret key
	samples = 20
)

func main() {
	inside := flag.Bool("inside", false, "measure in the keyring of this session (the program calls itself so)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := again
	if *inside {
		run = measure
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "keyring bench:", err)
		os.Exit(1)
	}
}

// again runs this program beside a keyring of its own.
func again(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "earnest-bench-keyring-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd, err := gnomekeyring.Command(ctx, dir, self, "-inside")
	if err != nil {
		return err
	}
	cmd.Stdout = os.Stdout
	said, err := os.Create(dir + "/log") // the daemons talk much
	if err != nil {
		return err
	}
	cmd.Stderr = said
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}

// measure fills the keyring step by step, and at each step times Put, Get and
// Delete of one more item.
func measure(ctx context.Context) error {
	ring := keyring.OpenOS(os.Getenv("HOME"), time.Minute)
	key := secret.New(make([]byte, keySize))
	fmt.Println("items   put      get      delete   put beside 100 items")
	var first time.Duration
	filled := 0
	for _, items := range []int{100, 1000, 5000} {
		for ; filled < items; filled++ {
			if err := ring.Put(ctx, fmt.Sprintf("item %d", filled), key); err != nil {
				return err
			}
		}
		put, get, del, err := one(ctx, ring, key)
		if err != nil {
			return err
		}
		if first == 0 {
			first = put
		}
		fmt.Printf("%5d  %7s  %7s  %7s   %.1f\n", items, ms(put), ms(get), ms(del), put.Seconds()/first.Seconds())
	}
	return nil
}

// one returns the medians of some samples.
func one(ctx context.Context, ring *keyring.Ring, key secret.Secret) (put, get, del time.Duration, err error) {
	var puts, gets, deletes []time.Duration
	const name = "one more"
	for range samples {
		begin := time.Now()
		if err := ring.Put(ctx, name, key); err != nil {
			return 0, 0, 0, err
		}
		puts, begin = append(puts, time.Since(begin)), time.Now()
		if _, err := ring.Get(ctx, name); err != nil {
			return 0, 0, 0, err
		}
		gets, begin = append(gets, time.Since(begin)), time.Now()
		if err := ring.Delete(ctx, name); err != nil {
			return 0, 0, 0, err
		}
		deletes = append(deletes, time.Since(begin))
	}
	return median(puts), median(gets), median(deletes), nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }
