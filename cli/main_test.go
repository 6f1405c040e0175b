package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"earnest/agent/localapi"
	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/escrow"
	"earnest/internal/localsock"
	"earnest/payment"
)

// sunday is when the scripts play.
func sunday() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }

// TestMain makes "earnest" a command of the scripts: the real command line, its
// clock apart, against an agent in memory behind the real local API.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"earnest": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			streams := Std()
			streams.Now = sunday
			if os.Getenv("TERMINAL") != "" {
				streams.Interactive = true
				streams.Password = func(prompt string) (string, error) {
					fmt.Fprint(os.Stderr, prompt)
					return readLine(os.Stdin)
				}
			}
			os.Exit(Main(ctx, os.Args[1:], streams, os.Getenv, Hooks{
				Version: "1.2.3",
				Agent: func(_ context.Context, f AgentFlags) error {
					fmt.Printf("agent %s %s %s\n", f.Keyring, f.PassphraseFile, f.LogLevel)
					return nil
				},
				Demo: func(_ context.Context, f DemoFlags) error {
					fmt.Printf("demo once=%v json=%v nowindow=%v\n", f.Once, f.JSON, f.NoWindow)
					return nil
				},
			}))
		},
	})
}

// world is one script's agent.
type world struct {
	mu    sync.Mutex
	at    time.Time
	agent *agenttest.Agent
	stop  func()
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

type worldKey struct{}

// TestScripts reads as the manual: one file of testdata for each thing that a
// person does.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:               setUp,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"agent": tellAgent, "mode": checkMode},
	})
}

func setUp(env *testscript.Env) error {
	home, err := os.MkdirTemp("", "earnest")
	if err != nil {
		return err
	}
	env.Setenv("EARNEST_HOME", home)
	env.Setenv("TZ", "UTC")
	w := &world{at: sunday(), stop: func() {}}
	w.agent = agenttest.Scene(w.now)
	env.Values[worldKey{}] = w
	env.Defer(func() {
		w.stop()
		_ = os.RemoveAll(home)
	})
	return w.start(home)
}

func (w *world) start(home string) error {
	listener, err := localsock.Listen(agentclient.SocketPath(home))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = localapi.Serve(ctx, listener, w.agent, slog.New(slog.DiscardHandler))
	}()
	w.stop = func() { cancel(); <-done }
	return nil
}

// tellAgent is the scripts' command "agent": what happens on the other side.
func tellAgent(ts *testscript.TestScript, neg bool, args []string) {
	w := ts.Value(worldKey{}).(*world)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: agent stop|empty|later|fail|rich|poor|offer|mail|person|free|sent|id|listeners|away|forge|sick|lock|password ...")
	}
	switch rest := args[1:]; args[0] {
	case "stop": // it does not run
		w.stop()
		w.stop = func() {}
	case "empty": // it has no account and no mails
		w.stop()
		w.agent = agenttest.New(w.now)
		ts.Check(w.start(ts.Getenv("EARNEST_HOME")))
	case "later": // time passes for it
		d, err := time.ParseDuration(rest[0])
		ts.Check(err)
		w.mu.Lock()
		w.at = w.at.Add(d)
		w.mu.Unlock()
		w.agent.Tick()
	case "fail": // METHOD CODE: the escrow fails a call so
		w.agent.Fail(rest[0], escrow.Errorf(escrow.Code(rest[1]), ""))
	case "rich": // AVAILABLE: so much is there
		w.agent.SetBalance("escrow.example", "EUR", rest[0], "0.00")
	case "poor": // METHOD HAVE NEED: the escrow refuses for want of money
		have, err := strconv.Atoi(rest[1])
		ts.Check(err)
		need, err := strconv.Atoi(rest[2])
		ts.Check(err)
		a, b := payment.Amount(have), payment.Amount(need)
		w.agent.Fail(rest[0], &escrow.Error{Code: escrow.InsufficientFunds, Have: &a, Need: &b})
	case "offer": // ADDRESS OPTION...
		w.agent.SetOffer(rest[0], rest[1:]...)
	case "mail": // ID SUBJECT TEXT: a mail comes in; \u escapes are read
		w.mail(ts, rest[0], rest[1], rest[2])
	case "person": // ADDRESS FREE FREETHERE: somebody is connected
		w.agent.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: rest[0]}, Name: "Ada", Why: agentclient.WhyPaid,
			Free: agentclient.Free(rest[1]), FreeThere: agentclient.Free(rest[2])})
	case "free": // ID STATE SUBJECT TEXT: a mail comes in over a connection
		w.agent.AddMail(agentclient.Message{Text: rest[3], Mail: agentclient.Mail{ID: rest[0], State: rest[1], From: "ada@example.org", Subject: rest[2], Free: true}})
	case "sent": // SUBJECT STATE: the sent mail of that subject goes on
		for _, m := range must(w.agent.Sent(context.Background()))(ts) {
			if m.Subject == rest[0] {
				w.agent.MoveSent(m.ID, rest[1])
			}
		}
	case "id": // SUBJECT VARIABLE: the id of the sent mail of that subject
		for _, m := range must(w.agent.Sent(context.Background()))(ts) {
			if m.Subject == rest[0] {
				ts.Setenv(rest[1], m.ID)
			}
		}
	case "draft": // SUBJECT VARIABLE: the id of the draft of that subject
		for _, d := range must(w.agent.Drafts(context.Background()))(ts) {
			if d.Mail.Subject == rest[0] {
				ts.Setenv(rest[1], d.ID)
			}
		}
	case "logged": // TEXT: the agent has logged that; \u escapes are read
		text, err := strconv.Unquote(`"` + rest[0] + `"`)
		ts.Check(err)
		w.agent.SetLog(agentclient.LogLine{Time: w.now(), Level: "WARN", Text: text})
	case "listeners": // N: wait until so many listen to the events
		n, err := strconv.Atoi(rest[0])
		ts.Check(err)
		for deadline := time.Now().Add(10 * time.Second); w.agent.Listeners() != n; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				ts.Fatalf("%d listen", w.agent.Listeners())
			}
		}
	case "away": // the escrow does not answer
		w.agent.SetStatus(func(s *agentclient.Status) { s.Accounts[0].EscrowUp = false })
	case "forge": // ID FAULT: the receipts of that mail's bond do not verify
		m := must(w.agent.Message(context.Background(), rest[0]))(ts)
		r := must(w.agent.Receipts(context.Background(), m.Bond))(ts)
		r.Verified, r.Fault = false, rest[1]
		w.agent.SetReceipts(r)
	case "sick": // NAME DETAIL REMEDY: the doctor finds that
		w.agent.SetChecks(agentclient.Check{Name: rest[0], Detail: rest[1], Remedy: rest[2]})
	case "servers": // DOMAIN IMAP SMTP [PROVIDER]: that is what is found for it
		found := agentclient.Servers{IMAP: rest[1], SMTP: rest[2], Source: "srv"}
		if !strings.Contains(rest[1], rest[0]) {
			found.Elsewhere, found.Escrow = "hoster.example", "https://escrow.hoster.example"
		}
		if len(rest) > 3 {
			found.Provider, found.ProviderReady = rest[3], true
		}
		w.agent.SetServers(rest[0], found)
	case "signs": // in: the sign-in that was begun ends well
		for deadline := time.Now().Add(10 * time.Second); len(w.agent.Logins()) == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				ts.Fatalf("nobody signs in")
			}
		}
		w.agent.EndLogin(w.agent.Logins()[0], true)
	case "lock": // WHY [PASSPHRASE]: its keys are not open
		w.agent.Lock(rest[0], strings.Join(rest[1:], ""))
	case "password": // ADDRESS PASSWORD: that is what it was given
		if got := w.agent.Password(rest[0]); got != rest[1] {
			ts.Fatalf("the password is %q", got)
		}
	default:
		ts.Fatalf("agent: what is %s?", args[0])
	}
}

func (w *world) mail(ts *testscript.TestScript, id, subject, text string) {
	for _, s := range []*string{&subject, &text} {
		read, err := strconv.Unquote(`"` + *s + `"`)
		ts.Check(err)
		*s = read
	}
	w.agent.AddMail(agentclient.Message{Text: text, Mail: agentclient.Mail{ID: id, From: "x@example.com", Name: subject, Subject: subject},
		Attachments: []agentclient.Attachment{{Name: subject, Type: "text/plain", Data: []byte("data\n")}}})
}

func must[T any](value T, err error) func(*testscript.TestScript) T {
	return func(ts *testscript.TestScript) T {
		ts.Check(err)
		return value
	}
}

// checkMode is the scripts' command "mode": the permissions of a file.
func checkMode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(filepath.FromSlash(args[1])))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); (got == args[0]) == neg {
		ts.Fatalf("%s has mode %s", strings.Join(args[1:], " "), got)
	}
}
