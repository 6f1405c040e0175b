// Package app is the composition root of earnest-desktop: it joins the window
// to the agent's socket.
package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"earnest/agentclient"
	"earnest/assets"
	"earnest/gui/pages"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/internal/localsock"
)

// ID names the window's own few preferences, such as light or dark.
const ID = "earnest.desktop"

const prefLook = "look"

// Config is what the window is started with.
type Config struct {
	Home    string       // of the agent
	Look    theme.Choice // empty: as kept from last time
	NoStart bool         // never start an agent
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
	fyneapp.SetMetadata(fyne.AppMetadata{ID: ID, Name: "Earnest", Migrations: map[string]bool{"fyneDo": true}})
	a := fyneapp.NewWithID(ID)
	a.SetIcon(fyne.NewStaticResource("earnest.png", assets.Icon()))
	look := cfg.Look
	if look == "" {
		look = theme.Choice(a.Preferences().StringWithFallback(prefLook, string(theme.System)))
	}
	a.Settings().SetTheme(theme.New(look))

	client := newClient(cfg.Home)
	defer client.Close()
	vm := viewmodel.Config{Agent: client, Log: cfg.Log}
	if !cfg.NoStart {
		vm.Start = starter{
			home: cfg.Home, socket: agentclient.SocketPath(cfg.Home),
			find: func() (string, error) { return findAgent(os.Executable, exec.LookPath) },
		}.start
	}
	model := viewmodel.New(vm)

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()

	window := a.NewWindow("Earnest")
	window.SetPadded(false)
	window.SetMaster()
	window.SetContent(pages.New(model, pages.Host{
		Window: window, Clipboard: a.Clipboard(), Post: fyne.Do, Look: look,
		SetLook: func(choice theme.Choice) {
			a.Preferences().SetString(prefLook, string(choice))
			a.Settings().SetTheme(theme.New(choice))
		},
	}).Content())
	window.Resize(fyne.NewSize(cfg.Width, cfg.Height))
	window.CenterOnScreen()
	window.Show()
	wg.Go(func() { model.Run(ctx) })
	stop := context.AfterFunc(ctx, func() { fyne.Do(a.Quit) })
	defer stop()
	a.Run()
	// The loop has ended: nobody would draw what is still posted.
	model.OnChange(nil)
	return nil
}

func newClient(home string) *agentclient.Client {
	socket := agentclient.SocketPath(home)
	return agentclient.NewDialer(func(ctx context.Context) (net.Conn, error) {
		return localsock.Dial(ctx, socket)
	})
}
