package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/widget"

	"earnest/agentclient"
	"earnest/cmd/earnest-desktop/app"
	"earnest/gui/theme"
)

// childVariable makes the program one of the two windows, which are named so.
const (
	childVariable = "EARNEST_BENCH_WINDOW"
	childWindow   = "Earnest"
	childEmpty    = "Empty"
	childList     = "List" // Fyne's own list with as many lines of one text
)

func runChild(kind string) int {
	go obey(os.Stdin)
	if kind != childWindow {
		w := fyneapp.NewWithID("earnest.bench." + kind).NewWindow(kind)
		if kind == childList {
			w.SetContent(widget.NewList(func() int { return 10_000 }, func() fyne.CanvasObject { return widget.NewLabel("") },
				func(i widget.ListItemID, o fyne.CanvasObject) {
					o.(*widget.Label).SetText(fmt.Sprintf("Line %d of a list", i))
				}))
		}
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
// only between two frames, so how long one waits is how long a frame took. It
// tells the longest, the median and their number.
func obey(orders io.Reader) {
	var mu sync.Mutex
	var frames []time.Duration
	told := false
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		switch lines.Text() {
		case "measure":
			go func() {
				for {
					began := time.Now()
					fyne.DoAndWait(func() {})
					mu.Lock()
					frames = append(frames, time.Since(began))
					end := told
					mu.Unlock()
					if end {
						return
					}
					time.Sleep(2 * time.Millisecond)
				}
			}()
		case "tell":
			mu.Lock()
			told = true
			slices.Sort(frames)
			fmt.Println(int64(frames[len(frames)-1]), int64(frames[len(frames)/2]), len(frames))
			mu.Unlock()
		}
	}
}
