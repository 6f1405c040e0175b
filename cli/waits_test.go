//go:build unix

package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// play runs the command line against an agent in memory.
func play(ctx context.Context, streams Streams, args ...string) int {
	streams.Now = sunday
	return Main(ctx, args, streams, func(string) string { return "" }, Hooks{
		Connect: func(string) agentclient.Agent { return agenttest.Scene(sunday) }})
}

// asked tells when something was written to it.
type asked struct{ told chan struct{} }

func (a asked) Write(data []byte) (int, error) {
	select {
	case a.told <- struct{}{}:
	default:
	}
	return len(data), nil
}

// The first interrupt ends a verb that waits for somebody who never answers.
func TestAnInterruptEndsWaitingForInput(t *testing.T) {
	text := writeFile(t, "Hello")
	pipe := t.TempDir() + "/pipe"
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	send := []string{"send", "--to", "author@example.net", "--subject", "S"}
	for name, args := range map[string][]string{
		"the question":      append(send[:5:5], "--body-file", text),
		"the text":          append(send[:5:5], "--body-file", "-"),
		"an attached pipe":  append(send[:5:5], "--body-file", text, "--attach", pipe),
		"the password":      {"account", "add", "a@b.example", "--imap", "imaps://b.example", "--smtp", "smtps://b.example", "--escrow", "https://b.example", "--password-stdin"},
		"text after a flag": append(send[:5:5], "--yes", "--body-file", "-"),
	} {
		t.Run(name, func(t *testing.T) {
			in, closer := io.Pipe() // nothing ever comes
			defer closer.Close()
			ctx, interrupt := context.WithCancel(context.Background())
			question := asked{make(chan struct{}, 1)}
			code := make(chan int, 1)
			go func() {
				code <- play(ctx, Streams{In: in, Out: io.Discard, Err: question, Interactive: true}, args...)
			}()
			if name == "the question" {
				<-question.told
			}
			interrupt()
			select {
			case got := <-code:
				if got != exitInterrupted {
					t.Errorf("exit %d", got)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("it still waits")
			}
		})
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	name := t.TempDir() + "/text"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// full takes some bytes, and then there is no room.
type full struct{ room int }

var errFull = errors.New("no space left on device")

func (f *full) Write(data []byte) (int, error) {
	if len(data) > f.room {
		return 0, errFull
	}
	f.room -= len(data)
	return len(data), nil
}

func TestLostOutputIsAFailure(t *testing.T) {
	for _, verb := range []string{"inbox", "inbox --json", "balance", "sent", "status", "receipts a1", "receipts a1 --json",
		"price set 0.30", "price show", "help", "help send", "help exit-codes", "--help", "--version", "read a1", "events", "doctor", "topup VOUCHER-5"} {
		for _, room := range []int{0, 20} {
			var said strings.Builder
			out := &full{room}
			code := play(context.Background(), Streams{In: strings.NewReader(""), Out: out, Err: &said}, strings.Fields(verb)...)
			if room == 20 && verb == "--version" {
				continue // it fits
			}
			if code != exitInternal || strings.Count(said.String(), "earnest:") != 1 ||
				!strings.Contains(said.String(), "The output could not be written: no space left on device.") {
				t.Errorf("%s with room for %d: exit %d, said %q", verb, room, code, said.String())
			}
		}
	}
}

// Nobody wants an id of a page's length back on the screen.
func TestAnAbsurdIDIsNotFound(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, args := range [][]string{{"receipts", long}, {"read", long}, {"accept", long}, {"sent", long}} {
		var said strings.Builder
		code := play(context.Background(), Streams{In: strings.NewReader(""), Out: io.Discard, Err: &said}, args...)
		if code != exitOf(agentclient.CodeNotFound) || said.Len() > 500 || !strings.Contains(said.String(), "There is no mail with an id of 100000 characters.") {
			t.Errorf("%s: exit %d, %d bytes said", args[0], code, said.Len())
		}
	}
}

// A decision needs 4 characters of an id; a program's whole id always does.
func TestMoneyIsNotMovedByOneLetter(t *testing.T) {
	id := "abcdefgh"
	for typed, refused := range map[string]bool{"a": true, "abc": true, "--abc": true, "abcd": false, id: false} {
		if err := meant(typed, id); (err != nil) != refused {
			t.Errorf("%s: %v", typed, err)
		}
	}
	if err := meant("x1", "x1"); err != nil {
		t.Errorf("a whole id: %v", err)
	}
	agent := agenttest.Scene(sunday)
	sent, err := agent.Sent(context.Background())
	if err != nil || len(sent) == 0 {
		t.Fatal(len(sent), err)
	}
	for _, typed := range []string{bare(sent[0].ID)[:3]} {
		var said strings.Builder
		code := play(context.Background(), Streams{Out: io.Discard, Err: &said}, "withdraw", typed)
		if code != exitOf(agentclient.CodeUsage) || !strings.Contains(said.String(), "too little") && !strings.Contains(said.String(), "Type more") {
			t.Errorf("withdraw %s: exit %d, %s", typed, code, said.String())
		}
	}
}

func TestWhatTheRecipientDidIsTimedByTheHour(t *testing.T) {
	s := &session{streams: Streams{Now: sunday}}
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.Local)
	for event, want := range map[string]string{
		"arrived": "Sun 22 Nov 09:00–10:00", "read": "Sun 22 Nov 09:00–10:00", "arrived_late": "Sun 22 Nov 09:00–10:00"} {
		if got := s.receiptTime(agentclient.Receipt{Event: event, Time: at}); got != want {
			t.Errorf("%s: %q", event, got)
		}
	}
	if got := s.receiptTime(agentclient.Receipt{Event: "paid", Time: at}); got != s.moment(at) {
		t.Errorf("paid: %q", got)
	}
}

// The reason why a mail was not opened stands once.
func TestAReasonIsSaidOnce(t *testing.T) {
	var out strings.Builder
	s := &session{streams: Streams{Out: &out, Now: sunday}}
	s.message(agentclient.Message{Mail: agentclient.Mail{State: "damaged", Error: "It was changed."}, Checks: []string{"It was changed."}})
	if strings.Count(out.String(), "It was changed.") != 1 {
		t.Errorf("said\n%s", out.String())
	}
}

func TestNoPriceIsNoList(t *testing.T) {
	var out strings.Builder
	s := &session{streams: Streams{Out: &out, Now: sunday}}
	if err := s.price(agentclient.Price{Address: "me@example.org"}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, "No price is set for me@example.org") || !strings.Contains(got, "earnest price set") || strings.Contains(got, "costs") {
		t.Errorf("said\n%s", got)
	}
}
