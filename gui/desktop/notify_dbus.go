//go:build linux || freebsd || openbsd || netbsd

package desktop

import (
	"context"
	"html"
	"slices"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// The desktop's notification server (Desktop Notifications Specification 1.2).
const (
	notifyName = "org.freedesktop.Notifications"
	notifyPath = "/org/freedesktop/Notifications"
)

// callTimeout bounds a call to it: a server that hangs must not hang the window.
const callTimeout = 5 * time.Second

// answered notifications come from the desktop's own server, with buttons where
// it has them.
type bus struct {
	conn    *dbus.Conn
	server  dbus.BusObject
	buttons bool // the server shows actions
	markup  bool // the server reads the body as markup
	act     func(id string, action Action)

	mu    sync.Mutex
	shown map[uint32]string // number of the server: what it is about
	queue chan func()
}

// NewNotifier shows notifications through the desktop's server and calls act when
// one is answered. Where there is no server it falls back to show.
func NewNotifier(act func(id string, action Action), show func(title, body string)) Notifier {
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		return NewPlainNotifier(show)
	}
	b := &bus{conn: conn, server: conn.Object(notifyName, notifyPath), act: act, shown: map[uint32]string{}, queue: make(chan func(), 64)}
	var can []string
	if b.call("GetCapabilities").Store(&can) != nil {
		conn.Close()
		return NewPlainNotifier(show)
	}
	b.buttons, b.markup = slices.Contains(can, "actions"), slices.Contains(can, "body-markup")
	if err := conn.AddMatchSignal(dbus.WithMatchInterface(notifyName), dbus.WithMatchObjectPath(notifyPath)); err != nil {
		conn.Close()
		return NewPlainNotifier(show)
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	go b.listen(signals)
	go func() {
		for job := range b.queue {
			job()
		}
	}()
	return b
}

// call asks the server, and waits for a while.
func (b *bus) call(method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	return b.server.CallWithContext(ctx, notifyName+"."+method, 0, args...)
}

// later does it apart from the caller, in order; what cannot be shown any more
// because a hundred wait is not shown.
func (b *bus) later(job func()) {
	select {
	case b.queue <- job:
	default:
	}
}

func (b *bus) listen(signals <-chan *dbus.Signal) {
	for signal := range signals {
		if len(signal.Body) < 2 {
			continue
		}
		number, ok := signal.Body[0].(uint32)
		if !ok {
			continue
		}
		b.mu.Lock()
		id, ours := b.shown[number]
		if signal.Name == notifyName+".NotificationClosed" {
			delete(b.shown, number)
		}
		b.mu.Unlock()
		if action, ok := signal.Body[1].(string); ok && ours && signal.Name == notifyName+".ActionInvoked" {
			b.act(id, Action(action))
		}
	}
}

func (b *bus) number(id string) uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	for number, shown := range b.shown {
		if shown == id {
			return number
		}
	}
	return 0
}

// Notify implements [Notifier].
func (b *bus) Notify(n Notification) {
	b.later(func() {
		body := n.Body
		if b.markup { // who writes the mail must not write the markup
			body = html.EscapeString(body)
		}
		var actions []string
		if b.buttons {
			actions = append(actions, string(ActionOpen), n.Open)
			if n.Accept != "" {
				actions = append(actions, string(ActionAccept), n.Accept, string(ActionReject), n.Reject)
			}
		}
		hints := map[string]dbus.Variant{"category": dbus.MakeVariant("email.arrived"), "desktop-entry": dbus.MakeVariant("earnest")}
		var number uint32
		call := b.call("Notify", "Earnest", b.number(n.ID), "earnest", n.Title, body, actions, hints, int32(-1))
		if call.Store(&number) != nil {
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.shown[number] = n.ID
	})
}

// Withdraw implements [Notifier].
func (b *bus) Withdraw(id string) {
	b.later(func() {
		if number := b.number(id); number != 0 {
			b.call("CloseNotification", number)
		}
	})
}

// Close implements [Notifier].
func (b *bus) Close() { _ = b.conn.Close() }

// HasTray tells whether something shows the icons of programs.
func HasTray() bool {
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		return false
	}
	defer conn.Close()
	var has bool
	err = conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.kde.StatusNotifierWatcher").Store(&has)
	return err == nil && has
}
