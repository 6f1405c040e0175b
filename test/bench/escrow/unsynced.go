package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"earnest/test/overlay"
)

// unsyncedCommand makes this program the one that buys on books that are not synced.
const unsyncedCommand = "unsynced"

// buyOn makes books in a file, and on each line of its input, which is a number, buys
// so often and prints how many a second. Its arguments are the file and the plan.
func buyOn(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) != 5 {
		return errors.New("it takes a file and the four numbers of a plan")
	}
	var n [4]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i+1]); err != nil {
			return err
		}
	}
	w, err := settle(ctx, args[0], plan{senders: n[0], recipients: n[1], keys: n[2], payees: n[3]})
	if err != nil {
		return err
	}
	defer w.store.Close()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		buys, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		ops, err := w.buys(buys)
		if err != nil {
			return err
		}
		rate, err := run(ctx, w.store, clients, ops)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, rate)
	}
	return nil
}

// unsynced is a turn of purchases on books with synchronous=OFF, which the store opens
// in no other way than from a patched source.
func (b *bench) unsynced(ctx context.Context) (t turn, stop func() error, err error) {
	root, err := overlay.Root(".")
	if err != nil {
		return t, nil, err
	}
	bin, err := overlay.Build(ctx, root, b.dir, []overlay.Patch{{File: "escrowserver/sqlstore/sqlite.go", Edits: []overlay.Edit{
		{Old: `"_pragma=synchronous(FULL)"`, New: `"_pragma=synchronous(OFF)"`},
		{Old: `"synchronous": 2`, New: `"synchronous": 0`},
	}}}, "test/bench/escrow")
	if err != nil {
		return t, nil, err
	}
	p := b.plan(1, 1)
	args := []string{unsyncedCommand, filepath.Join(b.dir, "unsynced.db")}
	for _, n := range []int{p.senders, p.recipients, p.keys, p.payees} {
		args = append(args, strconv.Itoa(n))
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "escrow"), args...)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return t, nil, err
	}
	answers := bufio.NewReader(out)
	return turn{"unsynced", func(context.Context) (float64, error) {
		if _, err := fmt.Fprintln(in, b.buys); err != nil {
			return 0, err
		}
		line, err := answers.ReadString('\n')
		if err != nil {
			return 0, err
		}
		return strconv.ParseFloat(strings.TrimSpace(line), 64)
	}}, func() error { return errors.Join(in.Close(), cmd.Wait()) }, cmd.Start()
}
