package localapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

func TestEventsComeAsTheyHappen(t *testing.T) {
	agent := agenttest.Scene(clock)
	client := connect(t, agent)
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	heard := make(chan agentclient.Event, 10)
	done := make(chan error, 1)
	go func() { done <- client.Events(ctx, func(e agentclient.Event) { heard <- e }) }()
	if first := <-heard; first.Type != agentclient.EventStatus {
		t.Fatalf("the first event is %+v", first)
	}
	if _, err := client.Accept(ctx, agenttest.SceneTalk, agentclient.Accept{}); err != nil {
		t.Fatal(err)
	}
	want := agentclient.Event{Type: agentclient.EventMail, ID: agenttest.SceneTalk, State: "accepted", Time: clock()}
	if got := <-heard; got != want {
		t.Fatalf("heard %+v, want %+v", got, want)
	}
	agent.CutEvents()
	if failure, ok := errors.AsType[*agentclient.Failure](<-done); !ok || failure.Code != agentclient.CodeNoAgent {
		t.Fatalf("after the agent ended the stream: %v", failure)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- client.Events(ctx, func(e agentclient.Event) { heard <- e }) }()
	<-heard
	cancel()
	if err := <-done; err != context.Canceled {
		t.Fatalf("after the client left: %v", err)
	}
	for agent.Listeners() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// A reader that does not read costs the agent nothing: it is cut off, and
// others hear everything meanwhile.
func TestASlowReaderIsCutOff(t *testing.T) {
	agent := agenttest.Scene(clock)
	a := newAPI(agent, quiet())
	a.backlog, a.patience = 8, 50*time.Millisecond
	server := httptest.NewServer(a.handler())
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /v1/events HTTP/1.1\r\nHost: %s\r\n\r\n", agentclient.Host)
	first := bufio.NewReader(conn)
	if line, err := first.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q, %v", line, err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for agent.Listeners() == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	// More than the sockets' buffers hold, by far.
	filler := strings.Repeat("x", 60<<10)
	for range 1000 {
		agent.Emit(agentclient.Event{Type: agentclient.EventMail, ID: filler})
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Fatalf("telling events waited %v for a reader", took)
	}
	for agent.Listeners() > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the slow reader is still listened to")
		}
		time.Sleep(time.Millisecond)
	}
	// What is left of the stream ends in the midst of it, not with a last chunk.
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(first)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	}
	if strings.HasSuffix(string(rest), "0\r\n\r\n") {
		t.Error("the stream was ended as if it were complete")
	}
}

func TestAQuietStreamHasAHeartbeat(t *testing.T) {
	a := newAPI(agenttest.Scene(clock), quiet())
	a.heartbeat = 10 * time.Millisecond
	server := httptest.NewServer(a.handler())
	defer server.Close()
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = agentclient.Host
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "application/x-ndjson" {
		t.Errorf("the stream is %s", kind)
	}
	lines, empty := bufio.NewScanner(resp.Body), 0
	for empty < 5 && lines.Scan() {
		if lines.Text() == "" {
			empty++
		}
	}
	if empty < 5 {
		t.Errorf("%d heartbeats, then %v", empty, lines.Err())
	}
}

// Stopping breaks the streams off, lets a request in progress end, and returns.
func TestServeStopsWithoutLosingARequest(t *testing.T) {
	agent := agenttest.Scene(clock)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, listener, agent, quiet()) }()
	client := agentclient.NewDialer(func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", listener.Addr().String())
	})
	defer client.Close()
	stream := make(chan error, 1)
	heard := make(chan struct{}, 10)
	go func() {
		stream <- client.Events(context.Background(), func(agentclient.Event) { heard <- struct{}{} })
	}()
	<-heard
	release := agent.Hold("Accept")
	accepted := make(chan error, 1)
	go func() {
		_, err := client.Accept(context.Background(), agenttest.SceneTalk, agentclient.Accept{})
		accepted <- err
	}()
	for calls := agent.Calls(); calls[len(calls)-1] != "Accept"; calls = agent.Calls() {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-stream; err == nil {
		t.Error("the stream ended without an error")
	}
	release()
	if err := <-accepted; err != nil {
		t.Errorf("the request in progress: %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
