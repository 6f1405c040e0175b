// Command pictures makes the pictures of the manual and the README: the real
// programs in a sandbox, the real window on a screen of its own.
//
//	make pictures
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"earnest/internal/sandbox"
	"earnest/internal/screen"
)

func main() {
	programs := flag.String("programs", "bin", "the `folder` with the programs (make build)")
	out := flag.String("out", "docs/pictures", "where the pictures go")
	only := flag.String("only", "", "names of pictures, with commas between; all where empty")
	flag.Parse()
	if err := run(*programs, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(programs, out, only string) (err error) {
	if programs, err = filepath.Abs(programs); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "epic")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Println("A sandbox is filled with mail and money.")
	ctx := context.Background()
	system, err := sandbox.Start(ctx, sandbox.Options{Dir: filepath.Join(dir, "s"), Programs: programs, Terms: sandbox.LongTerms})
	defer func() { err = errors.Join(err, system.Stop()) }()
	if err != nil {
		return err
	}
	f := fixture{System: system}
	if err := f.fill(ctx); err != nil {
		return err
	}
	wanted := strings.Split(only, ",")
	for _, shot := range shots() {
		if only != "" && !slices.Contains(wanted, shot.name) {
			continue
		}
		if err := f.take(shot, programs, dir, filepath.Join(out, shot.name+".png")); err != nil {
			return fmt.Errorf("%s: %w", shot.name, err)
		}
		fmt.Println(filepath.Join(out, shot.name+".png"))
	}
	return nil
}

// take opens a window, does what the picture needs, and takes it.
func (f *fixture) take(s shot, programs, dir, path string) error {
	x, err := os.MkdirTemp(dir, "x")
	if err != nil {
		return err
	}
	home := f.Recipient.Home
	if s.newcomer {
		p, err := f.newcomer(x)
		if err != nil {
			return err
		}
		defer f.StopAgent(p)
		home = p.Home
	}
	env := []string{"EARNEST_HOME=" + home, "LC_ALL=" + s.locale}
	if s.scale != "" {
		env = append(env, "FYNE_SCALE="+s.scale)
	}
	display, err := screen.Start(screen.Options{Home: x, Width: 1400, Height: 1000, Env: env})
	defer display.Stop()
	if err != nil {
		return err
	}
	args := []string{"--no-start", "--theme", s.theme, "--size", s.size}
	if s.page != "" {
		args = append(args, "--page", s.page)
	}
	said := &strings.Builder{}
	if _, err := display.Run(exec.Command(filepath.Join(programs, "earnest-desktop"), args...), said); err != nil {
		return err
	}
	window, err := display.Window("^Earnest$")
	if err != nil {
		return fmt.Errorf("%w; it said: %s", err, said)
	}
	time.Sleep(1200 * time.Millisecond) // it asks the agent and draws
	for _, do := range s.acts {
		if text, typed := strings.CutPrefix(do, "type "); typed {
			err = display.Type(text)
		} else {
			err = display.Key(do)
		}
		if err != nil {
			return err
		}
		time.Sleep(250 * time.Millisecond)
	}
	time.Sleep(700 * time.Millisecond)
	return display.Picture(window, path)
}
