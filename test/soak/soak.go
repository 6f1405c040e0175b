// Package soak lets one test run short beside the others and long by `make soak`,
// with a seed that is printed and can be given back.
package soak

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The variables of the environment that scripts/soak sets.
const (
	longName = "EARNEST_SOAK"
	seedName = "EARNEST_SEED"
)

// Long reports whether the long runs are wanted.
func Long() bool { return os.Getenv(longName) == "1" }

// Times is how often something is done: long in `make soak`, short in the ordinary
// tests, and a tenth of that where a control only has to see a test fail.
func Times(short, long int) int {
	switch {
	case Long():
		return long
	case os.Getenv(longName) == "brief":
		return max(1, short/10)
	}
	return short
}

// Seed is the one from the environment, or a new one. Either way it is told, with
// how to run the test again from it.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64N(1 << 40)
	if text := os.Getenv(seedName); text != "" {
		given, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s is %q, which is no number", seedName, text)
		}
		seed = given
	}
	t.Logf("seed %d; again: %s=%d go test -run '^%s$'", seed, seedName, seed, t.Name())
	return seed
}

// Random is what a seed gives to one of many workers.
func Random(seed, worker uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, worker)) }

// Result tells what a run has shown, in one line that scripts/soak gathers.
func Result(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Logf("soak: %s: %s", t.Name(), fmt.Sprintf(format, args...))
}

// Machine runs a rapid state machine until it has taken that many steps; run calls
// step once for each. With -rapid.seed it runs that one check alone.
func Machine(t *testing.T, steps int, run func(rt *rapid.T, step func())) {
	t.Helper()
	seed, began, taken := Seed(t), time.Now(), 0
	check := func() { rapid.Check(t, func(rt *rapid.T) { run(rt, func() { taken++ }) }) }
	given := flag.Lookup("rapid.seed").Value.String()
	if given != "0" {
		check()
		return
	}
	defer set(t, "rapid.seed", given)
	defer set(t, "rapid.steps", flag.Lookup("rapid.steps").Value.String())
	set(t, "rapid.steps", "200")
	// Each check derives its runs from the seed; the next begins far off.
	for random := Random(seed, 0); taken < steps && !t.Failed(); {
		set(t, "rapid.seed", fmt.Sprint(1+random.Uint64()>>1))
		check()
	}
	Result(t, "%d steps in %.1f s", taken, time.Since(began).Seconds())
}

func set(t testing.TB, name, value string) {
	t.Helper()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
}
