package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"earnest/agentclient"
	"earnest/cmd/earnest-desktop/app"
	"earnest/gui/theme"
)

// childVariable makes the program one of the two windows, which are named so.
const (
	childVariable = "EARNEST_BENCH_WINDOW"
	childWindow   = "Earnest"
	childEmpty    = "Empty"
)

func runChild(kind string) int {
	go obey(os.Stdin)
	if kind == childEmpty {
		a := fyneapp.NewWithID("earnest.bench.empty")
		w := a.NewWindow(childEmpty)
		w.Resize(fyne.NewSize(1280, 800))
		w.ShowAndRun()
		return 0
	}
	err := app.Run(context.Background(), app.Config{Home: agentclient.Home(os.Getenv), Look: theme.Light, NoStart: true, Width: 1280, Height: 800,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		fmt.Fprintln(os.Stderr, "window:", err)
		return 1
	}
	return 0
}

// obey measures frames while it is told to: the drawing goroutine takes a job
// only between two frames, so how long one waits is how long a frame took.
func obey(orders io.Reader) {
	var longest, frames atomic.Int64
	var told atomic.Bool
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		switch lines.Text() {
		case "measure":
			go func() {
				for !told.Load() {
					began := time.Now()
					fyne.DoAndWait(func() {})
					took := int64(time.Since(began))
					if took > longest.Load() {
						longest.Store(took)
					}
					frames.Add(1)
					time.Sleep(2 * time.Millisecond)
				}
			}()
		case "tell":
			told.Store(true)
			fmt.Println(longest.Load(), frames.Load())
		}
	}
}
