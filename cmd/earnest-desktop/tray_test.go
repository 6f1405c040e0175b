package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"earnest/agentclient"
)

// panel is a desktop's tray, as far as programs see it: the watcher of
// StatusNotifierItem, and somebody who reads and clicks the menu.
type panel struct {
	conn *dbus.Conn
	mu   sync.Mutex
	item string // who registered
}

// RegisterStatusNotifierItem is called by a program that takes a place.
func (p *panel) RegisterStatusNotifierItem(name string, sender dbus.Sender) *dbus.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.item = name; strings.HasPrefix(name, "/") {
		p.item = string(sender)
	}
	return nil
}

func newPanel(t *testing.T, address string) *panel {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p := &panel{conn: conn}
	if err := conn.Export(p, "/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName("org.kde.StatusNotifierWatcher", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *panel) registered() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.item
}

// menu is the lines of the tray's menu and their numbers.
func (p *panel) menu() (lines map[string]int32) {
	type node struct {
		ID         int32
		Properties map[string]dbus.Variant
		Children   []dbus.Variant
	}
	var revision uint32
	var root node
	item := p.conn.Object(p.registered(), "/StatusNotifierItem/menu")
	if err := item.Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root); err != nil {
		return nil
	}
	lines = map[string]int32{}
	for _, child := range root.Children {
		var n node
		if dbus.Store([]any{child.Value()}, &n) != nil {
			continue
		}
		if label, ok := n.Properties["label"].Value().(string); ok {
			lines[label] = n.ID
		}
	}
	return lines
}

// choose clicks on a line of the menu. One that is being replaced has none: whoever
// waits for what the line does chooses it again.
func (p *panel) choose(line string) {
	if id, ok := p.menu()[line]; ok {
		item := p.conn.Object(p.registered(), "/StatusNotifierItem/menu")
		_ = item.Call("com.canonical.dbusmenu.Event", 0, id, "clicked", dbus.MakeVariant(""), uint32(0)).Err
	}
}

// TestTheTrayTellsWhatWaitsAndOpensTheWindow starts hidden, on a desktop with a
// tray.
func TestTheTrayTellsWhatWaitsAndOpensTheWindow(t *testing.T) {
	bus := session(t)
	tray := newPanel(t, bus)
	s := newStageOn(t, scene(time.Now), bus)
	s.run("--hidden")
	s.until("the program takes its place in the tray", func() bool { return tray.registered() != "" })
	s.until("the menu tells the number", func() bool {
		_, told := tray.menu()["6 mails wait"]
		return told
	})
	if id, err := s.screen.Tool("xdotool", "search", "--onlyvisible", "--name", "^Earnest$"); err == nil && id != "" {
		t.Errorf("a hidden window is seen: %s", id)
	}
	s.until("the window is seen", func() bool {
		tray.choose("Open Earnest")
		id, err := s.screen.Tool("xdotool", "search", "--onlyvisible", "--name", "^Earnest$")
		return err == nil && id != ""
	})
	s.agent.AddMail(fromNina())
	s.until("the menu tells the new number", func() bool {
		_, told := tray.menu()["7 mails wait"]
		return told
	})
	s.until("the program has ended", func() bool {
		tray.choose("Quit")
		return strings.Contains(strings.Join(s.screen.Ended(), " "), "earnest-desktop")
	})
}

// TestALockedAgentBringsAHiddenWindowForward: after a log-in nobody would know what
// the agent waits for.
func TestALockedAgentBringsAHiddenWindowForward(t *testing.T) {
	bus := session(t)
	tray := newPanel(t, bus)
	agent := scene(time.Now)
	agent.Lock(agentclient.LockedPassphrase, "several words here")
	s := newStageOn(t, agent, bus)
	s.run("--hidden")
	s.until("the window is seen", func() bool {
		id, err := s.screen.Tool("xdotool", "search", "--onlyvisible", "--name", "^Earnest$")
		return err == nil && id != ""
	})
	s.until("the tray says why", func() bool {
		_, told := tray.menu()["Locked: the passphrase is missing"]
		return told
	})
	s.write("several words here")
	s.key("Return")
	s.until("the menu tells the number", func() bool {
		_, told := tray.menu()["6 mails wait"]
		return told
	})
}
