// Command earnest is the agent and its command line.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"earnest/cli"
	"earnest/cmd/earnest/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	code := cli.Main(ctx, os.Args[1:], cli.Std(), os.Getenv, app.Hooks(os.Getenv))
	stop()
	os.Exit(code)
}
