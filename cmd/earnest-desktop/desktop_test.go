package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"earnest/agentclient"
)

// session starts a session bus of the test's own and returns its address.
func session(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1", "--address=unix:tmpdir="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("no session bus: %v; install it with: scripts/install-deps test", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// dunst shows notifications, and chooses the action that holds the words in file.
func (s *stage) dunst(choice string) {
	s.t.Helper()
	dir := s.t.TempDir()
	menu := filepath.Join(dir, "menu")
	// It is given the actions, a line each, and prints the one that is chosen.
	if err := os.WriteFile(menu, []byte("#!/bin/sh\ngrep -F \""+choice+"\" | head -1\n"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	config := filepath.Join(dir, "dunstrc")
	if err := os.WriteFile(config, []byte("[global]\n  dmenu = "+menu+"\n  markup = full\n  font = Sans 10\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.screen.Run(exec.Command("dunst", "-conf", config), nil); err != nil {
		s.t.Fatalf("no dunst: %v; install it with: scripts/install-deps test", err)
	}
	s.until("the desktop can show notifications", func() bool {
		_, err := s.screen.Tool("dunstctl", "count", "displayed")
		return err == nil
	})
}

func (s *stage) displayed() int {
	out, err := s.screen.Tool("dunstctl", "count", "displayed")
	n, conv := strconv.Atoi(out)
	if err != nil || conv != nil {
		return -1
	}
	return n
}

func fromNina() agentclient.Message {
	return agentclient.Message{Text: "Good day.\n", Mail: agentclient.Mail{From: "new@example.net", Name: "Nina <b>New</b>", Subject: "A question", Unread: true}}
}

// TestANotificationIsAnswered decides a mail from the desktop's real
// notification, without touching the window.
func TestANotificationIsAnswered(t *testing.T) {
	for choice, state := range map[string]string{"Accept": "accepted", "Reject": "rejecting"} {
		t.Run(choice, func(t *testing.T) {
			s := newStageOn(t, scene(time.Now), session(t))
			s.dunst(choice)
			s.open("--theme", "light")
			id := s.agent.AddMail(fromNina())
			s.until("the desktop shows it", func() bool { return s.displayed() == 1 })
			if _, err := s.screen.Tool("dunstctl", "context"); err != nil {
				t.Fatal(err)
			}
			s.state(id, state)
			s.until("it is taken away", func() bool { return s.displayed() == 0 })
			s.quiet()
		})
	}
}

// TestASecondStartRaisesTheWindow: there is one window a home.
func TestASecondStartRaisesTheWindow(t *testing.T) {
	s := newStage(t, scene(time.Now))
	s.open("--theme", "light")
	if _, err := s.screen.Tool("xdotool", "windowminimize", s.window); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	second := exec.CommandContext(ctx, self)
	second.Env = append(s.screen.Env, runAsProgram+"=1")
	if out, err := second.CombinedOutput(); err != nil {
		t.Fatalf("the second start: %v: %s", err, out)
	}
	s.until("the window is seen again", func() bool {
		id, err := s.screen.Tool("xdotool", "search", "--onlyvisible", "--name", "^Earnest$")
		return err == nil && id == s.window
	})
}

// TestHiddenWithoutATrayIsShown: a window that nobody can find is worse than one
// that was not asked for.
func TestHiddenWithoutATrayIsShown(t *testing.T) {
	s := newStage(t, scene(time.Now))
	s.open("--hidden")
}
