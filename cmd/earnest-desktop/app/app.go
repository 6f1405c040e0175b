// Package app is the composition root of earnest-desktop: it joins the window
// to the agent's socket.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime/debug"
	"sync"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"earnest/agentclient"
	"earnest/assets"
	"earnest/gui/desktop"
	"earnest/gui/pages"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/words"
	"earnest/internal/localsock"
)

// ID names the window's own few preferences, such as light or dark.
const ID = "earnest.desktop"

// collectAt is how much the memory may grow, in per cent, before it is tidied.
const collectAt = 40

// Config is what the window is started with.
type Config struct {
	Home    string         // of the agent
	Look    theme.Choice   // empty: as kept from last time
	NoStart bool           // never start an agent
	Page    viewmodel.Page // shown first; empty: what waits
	Hidden  bool           // stay in the tray until called, where there is one
	Login   bool           // started by the system: hidden if that was chosen
	Width   float32
	Height  float32
	Log     *slog.Logger
}

// Run shows the window until it is closed or ctx ends. It must be called on the
// main goroutine: the drawing is bound to it.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Home == "" {
		return errors.New("run the window: no home folder")
	}
	// A window stays open all day: less memory for a little more work.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	// A second window of the same agent would say everything twice.
	raise := newRaising()
	first, release, err := desktop.Single(ctx, agentclient.WindowSocketPath(cfg.Home), raise.ask)
	switch {
	case errors.Is(err, desktop.ErrSilent):
		cfg.Log.Warn("a window of this agent runs already and does not come forward; another one is opened beside it")
	case err != nil:
		return fmt.Errorf("run the window: %w", err)
	case !first:
		return nil
	}
	defer release()

	fyneapp.SetMetadata(fyne.AppMetadata{ID: ID, Name: "Earnest", Migrations: map[string]bool{"fyneDo": true}})
	a := fyneapp.NewWithID(ID)
	icon := fyne.NewStaticResource("earnest.png", assets.Icon())
	a.SetIcon(icon)
	prefs := newPrefs(a.Preferences())
	if cfg.Look == "" {
		cfg.Look = prefs.look()
	}
	if err := prefs.size(); err != nil {
		return fmt.Errorf("run the window: %w", err)
	}
	a.Settings().SetTheme(theme.New(cfg.Look))

	client := newClient(cfg.Home)
	defer client.Close()
	vm := viewmodel.Config{Agent: client, Log: cfg.Log, Language: prefs.spoken()}
	if !cfg.NoStart {
		vm.Start = starter{
			home: cfg.Home, socket: agentclient.SocketPath(cfg.Home),
			find: func() (string, error) { return findAgent(os.Executable, exec.LookPath) },
		}.start
	}
	model := viewmodel.New(vm)
	if cfg.Page != "" {
		model.Show(cfg.Page)
	}
	quit := quitting(release, func() { fyne.Do(a.Quit) }, func() { os.Exit(0) }, quitWithin)
	window := newWindow(a, model, prefs, cfg, quit)
	out := &outside{model: model, prefs: prefs, app: a, window: window, quit: quit}
	out.join(icon)
	defer out.notifier.Close()
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case done := <-raise.asked:
				out.raiseThen(func() { close(done) })
			}
		}
	})
	// Without a tray a hidden window could not be found again.
	if out.hidden = out.tray != nil && (cfg.Hidden || cfg.Login && prefs.StartHidden()); !out.hidden {
		window.Show()
	}
	wg.Go(func() { model.Run(ctx) })
	stop := context.AfterFunc(ctx, quit)
	a.Lifecycle().SetOnStarted(func() { raise.up.Store(true) })
	defer stop()
	a.Run()
	// The loop has ended: nobody would draw what is still posted.
	model.OnChange(nil)
	model.OnWatch(nil)
	model.OnNews(nil)
	return nil
}

// newWindow makes the window, and makes its content anew when the language
// changes.
func newWindow(a fyne.App, model *viewmodel.Model, prefs *prefs, cfg Config, quit func()) fyne.Window {
	window := a.NewWindow("Earnest")
	window.SetPadded(false)
	look := cfg.Look
	host := pages.Host{
		Window: window, Clipboard: a.Clipboard(), Post: fyne.Do, Prefs: prefs,
		SetLook: func(choice theme.Choice) {
			look = choice
			a.Preferences().SetString(prefLook, string(choice))
			a.Settings().SetTheme(theme.New(choice))
		},
		OpenURL: func(text string) error {
			page, err := url.Parse(text)
			if err != nil {
				return err
			}
			return a.OpenURL(page)
		},
	}
	var shell *pages.Shell
	build := func() {
		var place pages.Place
		if shell != nil {
			place = shell.Place()
		}
		host.Look = look
		shell = pages.New(model, host)
		window.SetContent(shell.Content())
		shell.Focus()
		shell.GoTo(place)
	}
	prefs.draw = sameSize(window, func() { a.Settings().SetTheme(theme.New(look)) })
	prefs.speak = func(l words.Language) {
		model.OnChange(nil) // of the old content
		model.Speak(l)
		build()
	}
	build()
	window.SetCloseIntercept(func() {
		if prefs.Tray() && desktop.HasTray() {
			window.Hide()
			return
		}
		quit()
	})
	window.Resize(fyne.NewSize(cfg.Width, cfg.Height))
	window.CenterOnScreen()
	return window
}

func newClient(home string) *agentclient.Client {
	socket := agentclient.SocketPath(home)
	return agentclient.NewDialer(func(ctx context.Context) (net.Conn, error) {
		return localsock.Dial(ctx, socket)
	})
}
