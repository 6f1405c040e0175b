package agentclient

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earnest/internal/localsock"
)

func TestHomeIsTheEnvironmentsElseTheUsersDataFolder(t *testing.T) {
	set := func(string) string { return "/somewhere/else" }
	if got := Home(set); got != filepath.FromSlash("/somewhere/else") && !strings.HasSuffix(got, `\somewhere\else`) {
		t.Errorf("home is %s", got)
	}
	relative := Home(func(string) string { return "here" })
	if !filepath.IsAbs(relative) || filepath.Base(relative) != "here" {
		t.Errorf("a relative home is %s", relative)
	}
	if got := Home(func(string) string { return "" }); !filepath.IsAbs(got) || filepath.Base(got) != "earnest" {
		t.Errorf("without one the home is %s", got)
	}
}

func TestSocketPathFitsEverySystem(t *testing.T) {
	if got := SocketPath("/h"); got != filepath.Join("/h", "agent.sock") {
		t.Errorf("of a short home: %s", got)
	}
	seen := map[string]bool{}
	for length := 80; length < 300; length++ {
		home := "/" + strings.Repeat("x", length)
		path := SocketPath(home)
		if len(path) > maxSocketPath || seen[path] || path != SocketPath(home) {
			t.Fatalf("home of %d bytes: %s", length, path)
		}
		seen[path] = true
	}
}

func TestNewReachesTheAgentOfItsHome(t *testing.T) {
	home, err := os.MkdirTemp("", "home")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home)
	code := func() (string, string) {
		client := New(home)
		defer client.Close()
		_, err := client.Status(context.Background())
		failure, _ := errors.AsType[*Failure](err)
		if failure == nil {
			return "", ""
		}
		return failure.Code, failure.Happened
	}
	if got, happened := code(); got != CodeNoAgent || happened != Fail(CodeNoAgent).Happened {
		t.Errorf("nobody listens: %s, %s", got, happened)
	}
	listener, err := localsock.Listen(SocketPath(home))
	if err != nil {
		t.Fatal(err)
	}
	hungUp := make(chan struct{})
	go func() {
		defer close(hungUp)
		if conn, err := listener.Accept(); err == nil {
			_ = conn.Close()
		}
	}()
	if got, happened := code(); got != CodeNoAgent || !strings.Contains(happened, "broke") {
		t.Errorf("an agent that hangs up: %s, %s", got, happened)
	}
	<-hungUp
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o777); err != nil {
		t.Fatal(err)
	}
	if got, happened := code(); got != CodeNoAgent || !strings.Contains(happened, "chmod 700") {
		t.Errorf("a folder open to others: %s, %s", got, happened)
	}
}

func TestMoneyIsShownWithItsUnit(t *testing.T) {
	for want, m := range map[string]Money{
		"€0.25":               {Amount: "0.25", Currency: "escrow.example", Unit: "EUR"},
		"$3.00":               {Amount: "3.00", Unit: "USD"},
		"£1.00":               {Amount: "1.00", Unit: "GBP"},
		"7 CHF":               {Amount: "7", Currency: "x", Unit: "CHF"},
		"0.25 escrow.example": {Amount: "0.25", Currency: "escrow.example"},
	} {
		if m.String() != want {
			t.Errorf("%+v is %q, want %q", m, m, want)
		}
	}
}
