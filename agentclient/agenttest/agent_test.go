package agenttest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"earnest/agentclient"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)} }

func code(err error) string {
	var f *agentclient.Failure
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

func TestARejectCanBeUndoneUntilItTakesEffect(t *testing.T) {
	c := newClock()
	a := Scene(c.now)
	ctx := context.Background()
	m, err := a.Reject(ctx, SceneQuestion, agentclient.Reject{})
	if err != nil || m.State != "rejecting" || !m.EffectiveAt.Equal(c.at.Add(Undo)) {
		t.Fatalf("reject: %+v, %v", m, err)
	}
	if _, err := a.Accept(ctx, SceneQuestion, agentclient.Accept{}); code(err) != agentclient.CodeState {
		t.Fatalf("accept while rejecting: %v", err)
	}
	if m, err = a.Undo(ctx, SceneQuestion); err != nil || m.State != "waiting" {
		t.Fatalf("undo: %+v, %v", m, err)
	}
	if _, err := a.Reject(ctx, SceneQuestion, agentclient.Reject{}); err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(Undo)
	if _, err := a.Undo(ctx, SceneQuestion); code(err) != agentclient.CodeState {
		t.Fatalf("undo after it took effect: %v", err)
	}
}

func TestMoneyIsHeldThenRefundedOrForfeited(t *testing.T) {
	a := Scene(newClock().now)
	ctx := context.Background()
	want := func(available, held string) {
		t.Helper()
		b, err := a.Balances(ctx)
		if err != nil || b[0].Available.Amount != available || b[0].Held.Amount != held {
			t.Fatalf("balances %+v, %v; want %s and %s", b, err, available, held)
		}
	}
	want("4.75", "0.50")
	sent, err := a.Send(ctx, agentclient.Compose{To: []string{"author@example.net"}, Option: 2})
	if err != nil {
		t.Fatal(err)
	}
	want("3.75", "1.50")
	a.MoveSent(sent[0].ID, "accepted")
	want("4.75", "0.50")
	sent, err = a.Send(ctx, agentclient.Compose{To: []string{"author@example.net"}})
	if err != nil {
		t.Fatal(err)
	}
	a.MoveSent(sent[0].ID, "rejected")
	want("4.25", "0.50")
	if _, err := a.TopUp(ctx, agentclient.Redeem{Voucher: "VOUCHER-5"}); err != nil {
		t.Fatal(err)
	}
	want("9.25", "0.50")
	if _, err := a.TopUp(ctx, agentclient.Redeem{Voucher: "VOUCHER-5"}); code(err) != "bad_voucher" {
		t.Fatalf("the same voucher again: %v", err)
	}
	a.SetBalance("escrow.example", "EUR", "0.10", "0.00")
	_, err = a.Send(ctx, agentclient.Compose{To: []string{"author@example.net"}})
	if code(err) != "insufficient_funds" {
		t.Fatalf("without money: %v", err)
	}
}

func TestEventsAreToldInOrderAndFailuresInjected(t *testing.T) {
	a := Scene(newClock().now)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var got []string
	done := make(chan error, 1)
	heard := make(chan struct{}, 10)
	go func() {
		done <- a.Events(ctx, func(e agentclient.Event) {
			got = append(got, e.Type+" "+e.State)
			heard <- struct{}{}
		})
	}()
	<-heard
	if _, err := a.Accept(ctx, SceneTalk, agentclient.Accept{}); err != nil {
		t.Fatal(err)
	}
	<-heard
	<-heard
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if want := []string{"status ", "mail accepted", "people "}; !slices.Equal(got, want) {
		t.Fatalf("events %q, want %q", got, want)
	}
	injected := errors.New("injected")
	a.Fail("Inbox", injected)
	if _, err := a.Inbox(context.Background()); err != injected {
		t.Fatal(err)
	}
	a.Fail("Inbox", nil)
	release := a.Hold("Inbox")
	waiting := make(chan error)
	go func() { _, err := a.Inbox(context.Background()); waiting <- err }()
	select {
	case <-waiting:
		t.Fatal("a held call returned")
	case <-time.After(10 * time.Millisecond):
	}
	release()
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
}
