// Command earnest-desktop is the window: it shows the agent's mails and money,
// and starts an agent if none runs.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"earnest/agentclient"
	"earnest/cmd/earnest-desktop/app"
	"earnest/gui/theme"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, stderr io.Writer) int {
	cfg := app.Config{Log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	flags := flag.NewFlagSet("earnest-desktop", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.Home, "home", agentclient.Home(os.Getenv), "the agent's `folder` (EARNEST_HOME)")
	look := flags.String("theme", "", "light, dark or system, for this time; the choice in the window is kept")
	flags.BoolVar(&cfg.NoStart, "no-start", false, "do not start an agent if none runs")
	flags.StringVar((*string)(&cfg.Page), "page", "", "the `page` to show first: waiting, accepted, rejected, expired, sent, drafts, people, money, price, settings or write")
	flags.BoolVar(&cfg.Hidden, "hidden", false, "stay in the tray until called, where the desktop has one")
	flags.BoolVar(&cfg.Login, "login", false, "the system starts it: hidden if that was chosen in the settings")
	size := flags.String("size", "1280x800", "width and height of the window")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if _, err := fmt.Sscanf(*size, "%gx%g", &cfg.Width, &cfg.Height); err != nil || cfg.Width < 1 || cfg.Height < 1 {
		fmt.Fprintln(stderr, "earnest-desktop: --size is written like 1280x800")
		return 2
	}
	switch choice := theme.Choice(*look); choice {
	case "", theme.Light, theme.Dark, theme.System:
		cfg.Look = choice
	default:
		fmt.Fprintln(stderr, "earnest-desktop: --theme is light, dark or system")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := app.Run(ctx, cfg); err != nil {
		fmt.Fprintln(stderr, "earnest-desktop:", err)
		return 1
	}
	return 0
}
