package servicetest

import (
	"context"
	"time"

	"earnest/escrowserver"
)

// slowTill is a provider that takes questions and does not answer.
type slowTill struct {
	*till
	asked chan struct{}
}

func (p slowTill) Session(ctx context.Context, _ string) (escrowserver.Session, error) {
	select {
	case p.asked <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return escrowserver.Session{}, ctx.Err()
}

// slowProvider: bonds end at their deadlines, however long the provider takes to
// answer.
func slowProvider(w *world) {
	ctx := context.Background()
	bond := w.owner("anna@sender.example", 500).buy(w.recipient("bob@recipient.example", 25, 1), 25)
	e := escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: escrowserver.Session{ID: "unknown", Paid: true}}
	w.ok(w.Store.Apply(ctx, []escrowserver.Op{escrowserver.KeepEvent{Now: w.Clock.Now(), Provider: "till", Event: e}})[0].Err)
	w.Clock.Move(40 * day)
	p := slowTill{&till{}, make(chan struct{}, 1)}
	server := w.restarted(func(c *escrowserver.Config) { c.Provider = p })
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- server.Run(running) }()
	<-p.asked
	ended := false
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && !ended; time.Sleep(10 * time.Millisecond) {
		b, err := w.Store.Bond(ctx, bond.id())
		w.ok(err)
		ended = b.State.Ended()
	}
	stop()
	w.ok(<-done)
	if !ended {
		w.Fatal("while the provider did not answer, no bond ended")
	}
}
