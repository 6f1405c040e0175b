//go:build unix

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/internal/localsock"
)

// runAsAgent makes the test's binary a program that listens like an agent.
const runAsAgent = "EARNEST_TEST_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(runAsAgent) == "" {
		os.Exit(m.Run())
	}
	home := agentclient.Home(os.Getenv)
	if err := os.WriteFile(filepath.Join(home, "agent.pid"), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		panic(err)
	}
	listener, err := localsock.Listen(agentclient.SocketPath(home))
	if err != nil {
		panic(err)
	}
	time.AfterFunc(time.Minute, func() { os.Exit(0) }) // should the test forget it
	for {
		conn, err := listener.Accept()
		if err != nil {
			os.Exit(1)
		}
		_ = conn.Close()
	}
}

// script writes a program that stands in for earnest.
func script(t *testing.T, text string) func() (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "earnest")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return func() (string, error) { return path, nil }
}

func newStarter(t *testing.T, find func() (string, error)) starter {
	t.Helper()
	home := t.TempDir()
	return starter{home: home, socket: agentclient.SocketPath(home), find: find}
}

func TestTheAgentIsStartedApartAndAnswers(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := newStarter(t, script(t, fmt.Sprintf(`test "$1" = agent || exit 3; %s=1 exec '%s'`, runAsAgent, self)))
	if err := s.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(s.home, "agent.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(data))
	if err != nil {
		t.Fatal(err)
	}
	group, err := syscall.Getpgid(pid)
	if killErr := syscall.Kill(pid, syscall.SIGTERM); killErr != nil {
		t.Fatal(killErr)
	}
	if err != nil || group != pid {
		t.Errorf("the agent is in process group %d (%v), so it ends with the window's terminal", group, err)
	}
}

func TestAnAgentThatEndsAtOnceSaysWhy(t *testing.T) {
	s := newStarter(t, script(t, `echo starting; echo "There is no keyring to keep your keys in." >&2; exit 1`))
	err := s.start(context.Background())
	if err == nil || !strings.Contains(err.Error(), "There is no keyring to keep your keys in.") {
		t.Errorf("said: %v", err)
	}
	said := "log line\nearnest: No keyring. A long tale. (dial: refused)\n         The agent did not start. Nothing was saved.\n         Start one.\n"
	if got := lastWords(said); got != "No keyring. Nothing was saved. Start one." {
		t.Errorf("last words: %q", got)
	}
	s = newStarter(t, script(t, `exit 0`))
	if err := s.start(context.Background()); err == nil || !strings.Contains(err.Error(), "gave no reason") {
		t.Errorf("said: %v", err)
	}
}

func TestAMissingAgentIsNamed(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "earnest-desktop")
	executable := func() (string, error) { return own, nil }
	none := func(string) (string, error) { return "", errors.New("not found") }
	if _, err := findAgent(executable, none); err == nil || !strings.Contains(err.Error(), "neither beside this window's program nor on PATH") {
		t.Errorf("said: %v", err)
	}
	onPath := func(string) (string, error) { return "/elsewhere/earnest", nil }
	if got, err := findAgent(executable, onPath); got != "/elsewhere/earnest" || err != nil {
		t.Errorf("found %q, %v", got, err)
	}
	beside := filepath.Join(dir, "earnest")
	if err := os.WriteFile(beside, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := findAgent(executable, onPath); got != beside || err != nil {
		t.Errorf("found %q, %v; the one beside the window is of its version", got, err)
	}
}
