package agent_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

func (u unreliable) CancelPayout(ctx context.Context, id string) (escrow.Payout, error) {
	if err := u.cut(); err != nil {
		return escrow.Payout{}, err
	}
	return u.wrapped().CancelPayout(ctx, id)
}

// CancelPayout is lost on the way there.
func (l lostAnswers) CancelPayout(context.Context, string) (escrow.Payout, error) {
	return escrow.Payout{}, lost()
}

func failsWith(t *testing.T, err error, code, say string) {
	t.Helper()
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Code != code || failure.Say.Happened[0].ID != say || failure.Means == "" || failure.Do == "" {
		t.Errorf("got %v, want %s: %s", err, code, say)
	}
}

// TestAPayoutIsTakenBackUntilItIsPaid: the money is there again, the statement says
// who did it, and what is paid stays so.
func TestAPayoutIsTakenBackUntilItIsPaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	asked, err := p.PayOut(t.Context(), agentclient.PayOut{Amount: "2.00", To: "IBAN NL00"})
	must(t, err)
	w.has(p, "3.00", "2.00")
	for range 2 {
		back, err := p.CancelPayout(t.Context(), "", asked.ID)
		must(t, err)
		if back.ID != asked.ID || back.State != agentclient.PayoutCancelled || back.Note != "" || back.EndedAt.IsZero() {
			t.Fatalf("taken back: %+v", back)
		}
		w.has(p, "5.00", "0.00")
	}
	w.onlyPayout(p, agentclient.PayoutCancelled)
	moves, err := p.Movements(t.Context(), "")
	must(t, err)
	if moves[0].Kind != agentclient.MovePayoutCancelled || moves[0].Reason != "" {
		t.Errorf("the statement says %+v", moves[0])
	}
	_, err = p.CancelPayout(t.Context(), p.address, "no-such-payout")
	failsWith(t, err, agentclient.CodeNotFound, "payout.none")
	paid, err := p.PayOut(t.Context(), agentclient.PayOut{Amount: "1.00", To: "IBAN NL00"})
	must(t, err)
	w.pass(escrow.PayoutWait)
	queue, err := w.books.PayoutQueue(t.Context(), time.Time{}, 1)
	must(t, err)
	_, err = w.server.BeginPayout(t.Context(), queue[0].ID, "root", time.Time{})
	must(t, err)
	_, err = p.CancelPayout(t.Context(), "", paid.ID)
	failsWith(t, err, string(escrow.TooLate), "payout.paying")
	if list, err := p.Payouts(t.Context(), ""); err != nil || list[0].ID != paid.ID || list[0].State != agentclient.PayoutPaying {
		t.Errorf("while it is being paid: %+v, %v", list, err)
	}
	_, err = w.server.EndPayout(t.Context(), queue[0].ID, true, "transfer 1", "root")
	must(t, err)
	_, err = p.CancelPayout(t.Context(), "", paid.ID)
	failsWith(t, err, string(escrow.Ended), "payout.paid")
	w.has(p, "4.00", "0.00")
}

// TestAPayoutThatTheRecoveryKeyEndedSaysSo: nobody has refused it, and the agent says it
// in words that can be translated.
func TestAPayoutThatTheRecoveryKeyEndedSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	code := w.onPaper(p)
	asked, err := p.PayOut(t.Context(), agentclient.PayOut{Amount: "1.00", To: "IBAN NL00"})
	must(t, err)
	_, err = p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRotate, Recovery: code})
	must(t, err)
	said := func(note string, say agentclient.Said) {
		t.Helper()
		if len(say) != 1 || say[0].ID != "payout.by-recovery" || note != say.String() {
			t.Errorf("it is said %q, %+v", note, say)
		}
	}
	listed := w.onlyPayout(p, agentclient.PayoutRefused)
	said(listed.Note, listed.SayNote)
	moves, err := p.Movements(t.Context(), "")
	must(t, err)
	if moves[0].Kind != agentclient.MovePayoutRefused {
		t.Fatalf("the newest movement is %+v", moves[0])
	}
	said(moves[0].Reason, moves[0].SayReason)
	again, err := p.CancelPayout(t.Context(), "", asked.ID)
	must(t, err)
	said(again.Note, again.SayNote)
	w.has(p, "5.00", "0.00")
}

// TestAPayoutThatTheEscrowMayNotKnowIsTakenBack: it is held there, its answer was
// lost, and so is the cancel. It ends cancelled, also after a restart; what is
// asked for meanwhile is another one.
func TestAPayoutThatTheEscrowMayNotKnowIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	w.between(func(s escrow.Service) escrow.Service { return lostAnswers{s} })
	req := agentclient.PayOut{Amount: "2.00", To: "IBAN NL00"}
	unsure, err := p.PayOut(t.Context(), req)
	must(t, err)
	back, err := p.CancelPayout(t.Context(), "", unsure.ID)
	must(t, err)
	if back.State != agentclient.PayoutCancelling || back.SayError[0].ID != "paying.payout-cancelling" {
		t.Fatalf("taken back without an answer: %+v", back)
	}
	if listed := w.onlyPayout(p, agentclient.PayoutCancelling); listed.Error == "" {
		t.Errorf("on hold there, and listed: %+v", listed)
	}
	another, err := p.PayOut(t.Context(), req)
	must(t, err)
	if another.ID == unsure.ID {
		t.Fatal("what is asked for anew is what was taken back")
	}
	p.stop()
	w.start(p)
	w.between(nil)
	eventually(t, "one is taken back, the other on hold", func() bool {
		list, err := p.Payouts(t.Context(), "")
		must(t, err)
		states := map[string]string{}
		for _, one := range list {
			states[one.ID] = one.State
		}
		return len(list) == 2 && states[unsure.ID] == agentclient.PayoutCancelled && states[another.ID] == agentclient.PayoutAsked
	})
	w.has(p, "3.00", "2.00")
	eventually(t, "nothing is asked for again", func() bool {
		left := 0
		w.look(p, func(tx *store.Tx) (err error) { left, err = store.Count[store.Paying](tx); return err })
		return left == 0
	})
}

// TestACancelThatNeverReachedTheEscrowIsTold: nothing is promised that is not known.
func TestACancelThatNeverReachedTheEscrowIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	asked, err := p.PayOut(t.Context(), agentclient.PayOut{Amount: "2.00", To: "IBAN NL00"})
	must(t, err)
	w.setDown(true)
	_, err = p.CancelPayout(t.Context(), "", asked.ID)
	failsWith(t, err, string(escrow.Unavailable), "payout.cancel-unsure")
	w.setDown(false)
	w.onlyPayout(p, agentclient.PayoutAsked)
}

// onTheirWay has what is asked for reach the escrow late, and counts it.
type onTheirWay struct {
	escrow.Service
	asked chan escrow.PayoutRequest
}

func (o onTheirWay) AskPayout(_ context.Context, req escrow.PayoutRequest) (escrow.Payout, error) {
	o.asked <- req
	return escrow.Payout{}, lost()
}

// onItsWay is a payout that was asked for and taken back before it has reached the
// escrow, with all that it was asked for until then.
func (w *world) onItsWay(p *person, amount string) (unsure agentclient.Payout, asked chan escrow.PayoutRequest) {
	w.t.Helper()
	asked = make(chan escrow.PayoutRequest, 1000)
	w.between(func(s escrow.Service) escrow.Service { return onTheirWay{s, asked} })
	unsure, err := p.PayOut(w.t.Context(), agentclient.PayOut{Amount: amount, To: "IBAN NL00"})
	must(w.t, err)
	back, err := p.CancelPayout(w.t.Context(), "", unsure.ID)
	must(w.t, err)
	if back.State != agentclient.PayoutCancelling || back.SayError[0].ID != "paying.payout-on-its-way" {
		w.t.Fatalf("taken back on its way: %+v", back)
	}
	return unsure, asked
}

// TestAPayoutThatIsTakenBackIsNotMadeByThat: nothing asks for it any more. It ends
// when no request for it counts any more, also after a restart, and not before.
func TestAPayoutThatIsTakenBackIsNotMadeByThat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	unsure, asked := w.onItsWay(p, "2.00")
	before := len(asked)
	w.between(nil)
	w.pass(11 * time.Minute)
	for range 2 {
		back, err := p.CancelPayout(t.Context(), "", unsure.ID)
		must(t, err)
		if back.State != agentclient.PayoutCancelling || !back.EndedAt.IsZero() {
			t.Fatalf("before nothing counts any more: %+v", back)
		}
		p.stop()
		w.start(p)
	}
	w.pass(12*time.Minute + time.Second)
	if ended := w.onlyPayout(p, agentclient.PayoutCancelled); ended.ID != unsure.ID || ended.EndedAt.IsZero() || ended.Error != "" {
		t.Errorf("when nothing counts any more: %+v", ended)
	}
	again, err := p.CancelPayout(t.Context(), "", unsure.ID)
	must(t, err)
	if again.State != agentclient.PayoutCancelled || len(asked) != before {
		t.Errorf("taken back once more: %+v, asked for %d times more", again, len(asked)-before)
	}
	if queue, err := w.books.PayoutQueue(t.Context(), time.Time{}, 10); err != nil || len(queue) != 0 {
		t.Errorf("the escrow has %+v, %v", queue, err)
	}
	w.has(p, "5.00", "0.00")
}

// TestAPayoutThatIsTakenBackAndComesLateIsCancelled: also where it comes when nobody
// waited for it any more.
func TestAPayoutThatIsTakenBackAndComesLateIsCancelled(t *testing.T) {
	t.Parallel()
	for name, ended := range map[string]bool{"while it is waited for": false, "after that": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, escrow.Terms{})
			p := w.join("owner", "5.00")
			_, asked := w.onItsWay(p, "2.00")
			w.between(nil)
			if ended {
				w.pass(13 * time.Minute)
				w.onlyPayout(p, agentclient.PayoutCancelled)
			}
			key := escrow.PublicKey(w.signer(p).Public().(ed25519.PublicKey))
			_, err := w.server.As(key).AskPayout(t.Context(), <-asked)
			must(t, err)
			if ended {
				p.stop()
				w.start(p)
			}
			eventually(t, "it is cancelled there", func() bool {
				queue, err := w.books.Payouts(t.Context(), key.ID(), 10)
				must(t, err)
				return len(queue) == 1 && queue[0].State == escrow.PayoutRefused && queue[0].Note == escrow.CancelledByOwner
			})
			w.onlyPayout(p, agentclient.PayoutCancelled)
			w.has(p, "5.00", "0.00")
		})
	}
}

// TestAPayoutThatWasNeverTakenNeedsNoCancel: it was refused while it was not known.
func TestAPayoutThatWasNeverTakenNeedsNoCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	w.setDown(true)
	unsure, err := p.PayOut(t.Context(), agentclient.PayOut{Amount: "6.00", To: "IBAN NL00"})
	must(t, err)
	w.setDown(false)
	w.onlyPayout(p, agentclient.PayoutFailed)
	again, err := p.CancelPayout(t.Context(), "", unsure.ID)
	must(t, err)
	if again.State != agentclient.PayoutFailed {
		t.Errorf("taken back: %+v", again)
	}
	w.has(p, "5.00", "0.00")
}
