package localapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/escrow"
	"earnest/payment"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func clock() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }

// serve answers for the agent on a socket and returns how to dial it.
func serve(t *testing.T, agent agentclient.Agent) func(context.Context) (net.Conn, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, listener, agent, quiet()) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func(ctx context.Context) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", path)
	}
}

func connect(t *testing.T, agent agentclient.Agent) *agentclient.Client {
	client := agentclient.NewDialer(serve(t, agent))
	t.Cleanup(client.Close)
	return client
}

// Every method gives over the socket what it gives in process.
func TestClientGivesWhatTheAgentGives(t *testing.T) {
	ctx := context.Background()
	direct, served := agenttest.Scene(clock), agenttest.Scene(clock)
	client := connect(t, served)
	sent, _ := direct.Sent(ctx)
	for _, call := range []struct {
		name string
		do   func(agentclient.Agent) (any, error)
	}{
		{"Status", func(a agentclient.Agent) (any, error) { return a.Status(ctx) }},
		{"AddAccount", func(a agentclient.Agent) (any, error) {
			return a.AddAccount(ctx, agentclient.AddAccount{Address: "second@example.org", Password: "p", CA: []byte("pem")})
		}},
		{"Price", func(a agentclient.Agent) (any, error) { return a.Price(ctx, "author@example.net") }},
		{"Price own", func(a agentclient.Agent) (any, error) { return a.Price(ctx, "") }},
		{"SetPrice", func(a agentclient.Agent) (any, error) {
			return a.SetPrice(ctx, agentclient.SetPrice{Options: []string{"0.30"}})
		}},
		{"Balances", func(a agentclient.Agent) (any, error) { return a.Balances(ctx) }},
		{"TopUp", func(a agentclient.Agent) (any, error) { return a.TopUp(ctx, agentclient.Redeem{Voucher: "VOUCHER-5"}) }},
		{"Send", func(a agentclient.Agent) (any, error) {
			return a.Send(ctx, agentclient.Compose{To: []string{"author@example.net", "recipient@example.org"}, Subject: "żółw 🐢",
				Body: "x", Attachments: []agentclient.Attachment{{Name: "a", Data: bytes.Repeat([]byte{0xff}, 1<<20)}}})
		}},
		{"Sent", func(a agentclient.Agent) (any, error) { return a.Sent(ctx) }},
		{"SentByID", func(a agentclient.Agent) (any, error) { return a.SentByID(ctx, sent[0].ID) }},
		{"Withdraw", func(a agentclient.Agent) (any, error) {
			list, err := a.Sent(ctx)
			if err != nil {
				return nil, err
			}
			return a.Withdraw(ctx, list[0].ID)
		}},
		{"Buy", func(a agentclient.Agent) (any, error) {
			return a.Buy(ctx, agentclient.BuyKey{To: "author@example.net", Certificate: []byte("cert")})
		}},
		{"Inbox", func(a agentclient.Agent) (any, error) { return a.Inbox(ctx) }},
		{"Message", func(a agentclient.Agent) (any, error) { return a.Message(ctx, agenttest.SceneQuestion) }},
		{"Attachment", func(a agentclient.Agent) (any, error) { return a.Attachment(ctx, agenttest.SceneQuestion, 0) }},
		{"Accept", func(a agentclient.Agent) (any, error) {
			return a.Accept(ctx, agenttest.SceneTalk, agentclient.Accept{})
		}},
		{"Reject", func(a agentclient.Agent) (any, error) {
			return a.Reject(ctx, agenttest.SceneQuestion, agentclient.Reject{})
		}},
		{"Undo", func(a agentclient.Agent) (any, error) { return a.Undo(ctx, agenttest.SceneQuestion) }},
		{"Receipts", func(a agentclient.Agent) (any, error) { return a.Receipts(ctx, sent[0].Bond) }},
		{"Doctor", func(a agentclient.Agent) (any, error) { return a.Doctor(ctx) }},
		{"Accept a decided one", func(a agentclient.Agent) (any, error) {
			return a.Accept(ctx, agenttest.SceneRejected, agentclient.Accept{})
		}},
		{"no such mail", func(a agentclient.Agent) (any, error) { return a.Message(ctx, "none/../here") }},
		{"no such voucher", func(a agentclient.Agent) (any, error) { return a.TopUp(ctx, agentclient.Redeem{Voucher: ""}) }},
	} {
		want, wantErr := call.do(direct)
		got, gotErr := call.do(client)
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotErr, wantErr) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v, %v", call.name, got, gotErr, want, wantErr)
		}
	}
	if served.Password("second@example.org") != "p" {
		t.Error("the password did not arrive")
	}
}

// Every code that an agent fails with comes out of the client as it went in.
func TestFailuresSurviveTheTrip(t *testing.T) {
	agent := agenttest.Scene(clock)
	client := connect(t, agent)
	ctx := context.Background()
	for _, code := range agentclient.Codes() {
		want := agentclient.Fail(code)
		agent.Fail("Inbox", fmt.Errorf("inbox: %w", want))
		_, err := client.Inbox(ctx)
		if !reflect.DeepEqual(err, error(want)) {
			t.Errorf("%s came back as %#v", code, err)
		}
	}
	for _, code := range escrow.Codes() {
		agent.Fail("Inbox", fmt.Errorf("inbox: %w", escrow.Errorf(code, "detail")))
		_, err := client.Inbox(ctx)
		failure, ok := errors.AsType[*agentclient.Failure](err)
		if !ok || failure.Code != string(code) || failure.Means == "" || failure.Do == "" {
			t.Errorf("%s came back as %#v", code, err)
		}
	}
	have, need := payment.Amount(10), payment.Amount(25)
	agent.Fail("Send", &escrow.Error{Code: escrow.InsufficientFunds, Have: &have, Need: &need})
	_, err := client.Send(ctx, agentclient.Compose{To: []string{"author@example.net"}})
	if err == nil || !strings.HasPrefix(err.Error(), "This costs €0.25 and you have €0.10. ") {
		t.Errorf("without money: %v", err)
	}
	agent.Fail("Inbox", errors.New("open /home/someone/secret: no"))
	if _, err := client.Inbox(ctx); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("an inner error is told: %v", err)
	}
}

func TestNoAgentSaysWhatToDo(t *testing.T) {
	client := agentclient.NewDialer(func(context.Context) (net.Conn, error) { return nil, errors.New("no such file") })
	_, err := client.Status(context.Background())
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeNoAgent || failure.Do == "" {
		t.Fatalf("no agent: %#v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := connect(t, agenttest.New(clock)).Status(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("a call given up: %v", err)
	}
}

func TestWhatTheAPIRefuses(t *testing.T) {
	agent := agenttest.Scene(clock)
	dial := serve(t, agent)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
	defer transport.CloseIdleConnections()
	const compose = `{"to":["author@example.net"],"subject":"s","body":"b"}`
	for _, test := range []struct {
		name, method, path, host, header, kind, body string
		status                                       int
	}{
		{"as the client asks", "GET", "/v1/status", "earnest.local", "", "", "", 200},
		{"posted as the client does", "POST", "/v1/sent", "earnest.local", "", "application/json", compose, 200},
		{"a page's request", "POST", "/v1/sent", "earnest.local", "Origin: https://evil.example", "application/json", compose, 403},
		{"a page's opaque request", "GET", "/v1/status", "earnest.local", "Origin: null", "", "", 403},
		{"a link", "GET", "/v1/status", "earnest.local", "Referer: https://evil.example/", "", "", 403},
		{"a navigation", "GET", "/v1/status", "earnest.local", "Sec-Fetch-Site: none", "", "", 403},
		{"an image", "GET", "/v1/status", "earnest.local", "Sec-Fetch-Dest: image", "", "", 403},
		{"a foreign name (DNS rebinding)", "GET", "/v1/status", "evil.example", "", "", "", 403},
		{"a number as name", "GET", "/v1/status", "127.0.0.1:8080", "", "", "", 403},
		{"localhost", "GET", "/v1/status", "localhost", "", "", "", 403},
		{"a form", "POST", "/v1/sent", "earnest.local", "", "text/plain", compose, 400},
		{"no content type", "POST", "/v1/mails/" + agenttest.SceneTalk + "/accept", "earnest.local", "", "", "{}", 400},
		{"a decision by GET", "GET", "/v1/mails/" + agenttest.SceneTalk + "/accept", "earnest.local", "", "", "", 404},
		{"an unknown field", "POST", "/v1/sent", "earnest.local", "", "application/json", `{"too":["a@b.example"]}`, 400},
		{"two values", "POST", "/v1/topup", "earnest.local", "", "application/json", `{"voucher":"VOUCHER-5"}{}`, 400},
		{"no JSON", "POST", "/v1/topup", "earnest.local", "", "application/json", `{"voucher":`, 400},
		{"too large a body", "POST", "/v1/topup", "earnest.local", "", "application/json", `{"voucher":"` + strings.Repeat("x", smallBody) + `"}`, 413},
		{"two slashes", "GET", "//x", "earnest.local", "", "", "", 404},
		{"two slashes within", "GET", "/v1//status", "earnest.local", "", "", "", 404},
		{"a way up", "GET", "/v1/mails/../status", "earnest.local", "", "", "", 404},
		{"a slash at the end", "GET", "/v1/status/", "earnest.local", "", "", "", 404},
		{"an unknown path", "GET", "/v2/status", "earnest.local", "", "", "", 404},
		{"a negative attachment", "GET", "/v1/mails/" + agenttest.SceneQuestion + "/attachments/-1", "earnest.local", "", "", "", 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			req, err := http.NewRequest(test.method, "http://"+test.host+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if name, value, ok := strings.Cut(test.header, ": "); ok {
				req.Header.Set(name, value)
			}
			if test.kind != "" {
				req.Header.Set("Content-Type", test.kind)
			}
			before := len(agent.Calls())
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != test.status {
				t.Fatalf("answered %d, want %d: %s %v", resp.StatusCode, test.status, body, err)
			}
			if test.status == 200 {
				return
			}
			var failure agentclient.Failure
			if err := json.Unmarshal(body, &failure); err != nil || failure.Code == "" || failure.Happened == "" || failure.Do == "" {
				t.Errorf("refused without words: %s", body)
			}
			if len(agent.Calls()) != before {
				t.Errorf("the agent was asked: %q", agent.Calls()[before:])
			}
		})
	}
}

// What is too large and no mail is not told that a text is kept.
func TestTooLargeSaysOfWhat(t *testing.T) {
	client := connect(t, agenttest.Scene(clock))
	_, err := client.TopUp(context.Background(), agentclient.Redeem{Voucher: strings.Repeat("x", smallBody)})
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Code != agentclient.CodeTooLarge || strings.Contains(failure.Error(), "mail") {
		t.Errorf("a voucher: %v", err)
	}
	_, err = client.TopUp(context.Background(), agentclient.Redeem{Voucher: strings.Repeat("x", agentclient.MaxCompose)})
	if failure, ok = errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeTooLarge || strings.Contains(failure.Error(), "mail") {
		t.Errorf("a huge voucher: %v", err)
	}
	_, err = client.Receipts(context.Background(), strings.Repeat("x", 100_000))
	if failure, ok = errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeUsage || failure.Means == "" {
		t.Errorf("a huge id: %v", err)
	}
}

func TestAMailOfFiftyMegabytesPassesAndALargerOneIsRefused(t *testing.T) {
	agent := agenttest.Scene(clock)
	client := connect(t, agent)
	for _, test := range []struct {
		size int
		code string
	}{{50 << 20, ""}, {61 << 20, agentclient.CodeTooLarge}} {
		_, err := client.Send(context.Background(), agentclient.Compose{
			To: []string{"author@example.net"}, Attachments: []agentclient.Attachment{{Name: "film", Data: make([]byte, test.size)}}})
		failure, _ := errors.AsType[*agentclient.Failure](err)
		if test.code == "" && err != nil || test.code != "" && (failure == nil || failure.Code != test.code) {
			t.Errorf("%d bytes: %v", test.size, err)
		}
	}
}
