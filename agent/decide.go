package agent

import (
	"context"
	"errors"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// decisionPatience is how long a call waits for the escrow to take a decision
// before it answers that the decision is kept and goes out later.
const decisionPatience = 4 * time.Second

// Accept gives the money back and completes the connection.
func (a *Agent) Accept(ctx context.Context, id string, req agentclient.Accept) (agentclient.Mail, error) {
	if req.Free != agentclient.FreePolicy {
		if err := checkFree(req.Free); err != nil {
			return agentclient.Mail{}, err
		}
	}
	return a.decide(ctx, id, choice{verdict: escrow.Accept, free: req.Free})
}

// Reject forfeits the bond, once the time to undo it is over.
func (a *Agent) Reject(ctx context.Context, id string, req agentclient.Reject) (agentclient.Mail, error) {
	if err := checkReason(req.Reason); err != nil {
		return agentclient.Mail{}, err
	}
	return a.decide(ctx, id, choice{verdict: escrow.Reject, reason: req.Reason, block: req.Block})
}

// Undo takes back a reject that has not taken effect.
func (a *Agent) Undo(ctx context.Context, id string) (agentclient.Mail, error) {
	return a.decide(ctx, id, choice{verdict: escrow.Undo})
}

// choice is what a person decides about a mail.
type choice struct {
	verdict escrow.Verdict
	free    agentclient.Free
	reason  string // of a reject, for its owner alone: no part of what is signed
	block   bool   // with a reject
}

// decide stores the signed decision, has it sent, and waits a little for the
// escrow's answer.
func (a *Agent) decide(ctx context.Context, id string, chosen choice) (agentclient.Mail, error) {
	m, err := a.mailByID(ctx, id)
	if err != nil {
		return agentclient.Mail{}, err
	}
	acct := a.byID(m.Account)
	if acct == nil {
		return agentclient.Mail{}, noAccount()
	}
	if m.Connection != "" {
		if err := acct.decideFree(ctx, m, chosen); err != nil {
			return agentclient.Mail{}, err
		}
		m, err = a.mailByID(ctx, id)
		return a.viewMail(m), err
	}
	// Heard before the decision is stored, so that the answer is not missed.
	heard, stop := a.events.listen()
	defer stop()
	if err := acct.storeDecision(ctx, id, chosen); err != nil {
		return agentclient.Mail{}, err
	}
	wake(acct.wakeReports)
	deadline := time.After(decisionPatience)
	for {
		m, err = a.mailByID(ctx, id)
		if err != nil || !m.Queued {
			break
		}
		select {
		case <-heard:
			continue
		case <-deadline:
		case <-ctx.Done():
		}
		break
	}
	if err != nil {
		return agentclient.Mail{}, err
	}
	return a.viewMail(m), nil
}

// storeDecision signs the decision and stores it with the mail's new state, in
// one transaction: from then on no crash loses or doubles it.
func (a *account) storeDecision(ctx context.Context, id string, chosen choice) error {
	verdict := chosen.verdict
	err := a.Store.Update(ctx, string(verdict), func(tx *store.Tx) error {
		m, ok, err := store.Get[store.Mail](tx, id)
		if err != nil || !ok {
			return errors.Join(err, noMail(!ok))
		}
		bond, ok, err := store.Get[store.Bond](tx, store.BondID(a.id, m.Bond))
		if err != nil || !ok {
			return errors.Join(err, noMail(!ok))
		}
		if err := mayDecide(&m, bond, verdict, a.Now()); err != nil {
			return err
		}
		// The number grows and does not count: a final receipt must not tell its
		// reader that a reject was undone before.
		m.DecisionN = max(m.DecisionN+1, bond.DecisionN+1, a.Now().Unix())
		m.Queued, m.Unread, m.Error, m.Reason = true, false, nil, chosen.reason
		m.Granted = ""
		if verdict == escrow.Accept {
			if m.Granted, err = a.grant(tx, bond.Sender, chosen.free); err != nil {
				return err
			}
		}
		signed, err := a.signOf(bond.Quote, escrow.KindDecision, escrow.Decision{
			Bond: m.Bond, Quote: bond.Quote.Hash(), Verdict: verdict, N: m.DecisionN,
			Time: a.Now().UTC().Truncate(time.Millisecond), Free: m.Granted, Block: chosen.block,
		})
		if err != nil {
			return err
		}
		if err := store.Put(tx, m); err != nil {
			return err
		}
		return a.putReport(tx, store.Report{Bond: m.Bond, Mail: m.ID, Verdict: verdict, Signed: signed})
	})
	if err == nil {
		a.tell(agentclient.EventMail, id, string(verdict))
	}
	return err
}

// putReport queues what the escrow must hear after all that is queued before: the
// clock may have been set back since.
func (a *account) putReport(tx *store.Tx, report store.Report) error {
	queued, err := store.List[store.Report](tx, a.id)
	if err != nil {
		return err
	}
	report.ID, report.Account, report.Made = newID(), a.id, a.Now()
	report.Number = report.Made.UnixNano()
	if len(queued) > 0 {
		report.Number = max(report.Number, queued[len(queued)-1].Number+1)
	}
	return store.Put(tx, report)
}

// mayDecide moves the mail to the state that the verdict brings, or says why not.
func mayDecide(m *store.Mail, bond store.Bond, verdict escrow.Verdict, now time.Time) error {
	late := m.State == store.MailExpired
	switch {
	case verdict == escrow.Accept && (m.State == store.MailWaiting || late):
		m.State = store.MailAccepted
	case verdict == escrow.Reject && m.State == store.MailWaiting:
		m.State = store.MailRejecting
		m.EffectiveAt = now.Add(undoTime(bond))
	case verdict == escrow.Undo && m.State == store.MailRejecting:
		m.State, m.EffectiveAt = store.MailWaiting, time.Time{}
	case verdict == escrow.Accept && m.State == store.MailRejecting:
		return wrongState(agentclient.Say("decide.rejecting", "A reject of this mail is waiting to take effect."), agentclient.Say("decide.undo-first", "Undo it first, then accept."))
	case m.State == store.MailHeld:
		return wrongState(agentclient.Say("decide.held", "This mail waits for the escrow and is not opened yet."), agentclient.Say("decide.when-opened", "Decide when it is opened; its deadlines wait too."))
	case m.State == store.MailDamaged:
		return wrongState(agentclient.Say("decide.damaged", "This mail cannot be trusted and was not opened."), agentclient.Say("decide.do-nothing", "Do nothing: the bond goes back to its sender by itself."))
	case m.State == store.MailRejecting:
		return wrongState(agentclient.Say("decide.rejected-already", "This mail is being rejected already."), agentclient.Say("decide.undo-by", "Undo it if that was wrong: earnest undo"))
	case verdict == escrow.Undo:
		return wrongState(agentclient.Say("decide.no-undo", "There is no reject to undo: this mail is {State}.", "State", stateWord(m.State)), agentclient.Say("receipts.see", "See its receipts with: earnest receipts"))
	default:
		return wrongState(agentclient.Say("decide.final", "This mail is {State} already, and that is final.", "State", stateWord(m.State)), agentclient.Say("receipts.see", "See its receipts with: earnest receipts"))
	}
	return nil
}

func undoTime(bond store.Bond) time.Duration {
	var quote escrow.Quote
	if err := escrow.Peek(bond.Quote, &quote); err != nil {
		return escrow.DefaultTerms().Undo.Duration()
	}
	return quote.Terms.Undo.Duration()
}

func wrongState(happened, do agentclient.Said) error {
	return agentclient.Refuse(agentclient.CodeState, happened, agentclient.Say("nothing.changed-or-moved", "Nothing was changed, and no money moved."), do)
}

func noMail(missing bool) error {
	if !missing {
		return nil
	}
	return agentclient.Refuse(agentclient.CodeNotFound, agentclient.Say("mail.none", "There is no such mail here."),
		agentclient.Say("nothing.changed", "Nothing was changed."), agentclient.Say("mail.see", "See what there is with: earnest inbox"))
}

// sendReports sends what the escrow must hear, in the order in which it was
// made, and keeps each until it is answered.
func (a *account) sendReports(ctx context.Context) error {
	failed := 0
	for {
		pause := time.Minute
		err := a.sendAllReports(ctx)
		switch {
		case err == nil:
			failed = 0
		case ctx.Err() != nil:
			return nil
		default:
			failed++
			pause = soon(failed)
			if !errors.Is(err, escrow.Unavailable) {
				a.Log.Warn("a report waits for the escrow", "code", escrow.CodeOf(err))
			}
		}
		if !sleep(ctx, a.wakeReports, pause) {
			return nil
		}
	}
}

// soon is how long to wait before the escrow is asked again after so many
// failures: at first a second, at most half a minute.
func soon(failures int) time.Duration {
	return min(time.Second<<min(failures-1, 5), 30*time.Second)
}

func (a *account) sendAllReports(ctx context.Context) error {
	var reports []store.Report
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		reports, err = store.List[store.Report](tx, a.id)
		return err
	})
	if err != nil {
		return err
	}
	var failed error
	waits := map[escrow.BondID]bool{} // the reports of one bond keep their order
	for _, report := range reports {
		if waits[report.Bond] {
			continue
		}
		outcome, err := a.sendReport(ctx, report)
		if !retryLater(err) {
			err = a.settleReport(ctx, report, outcome, err)
		}
		if errors.Is(err, escrow.Unavailable) {
			return err // so would the others
		}
		if err != nil {
			waits[report.Bond], failed = true, err
		}
	}
	return failed
}

// retryLater reports an error that says nothing about the request itself.
func retryLater(err error) bool {
	switch escrow.CodeOf(err) {
	case escrow.Unavailable, escrow.Internal, escrow.Limited, escrow.ClockSkew, escrow.Replayed, escrow.Unauthorized:
		return true
	}
	return false
}

func (a *account) sendReport(ctx context.Context, report store.Report) (escrow.Outcome, error) {
	switch {
	case report.Verdict != "":
		return a.service.Decide(ctx, report.Bond, report.Verdict, report.Signed)
	case report.Event == escrow.EventRead:
		return a.service.Read(ctx, report.Bond, report.Signed)
	}
	// What is said must be true first: the private key is gone before the escrow
	// hears that it is.
	if err := a.destroyKey(ctx, report.Bond); err != nil {
		return escrow.Outcome{}, err
	}
	return a.service.Destroyed(ctx, report.Bond, report.Signed)
}

func (a *account) destroyKey(ctx context.Context, bond escrow.BondID) error {
	var key store.Key
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		b, _, err := store.Get[store.Bond](tx, store.BondID(a.id, bond))
		if err != nil {
			return err
		}
		key, _, err = store.Get[store.Key](tx, b.KeyFingerprint)
		return err
	})
	if err != nil || key.Name == "" {
		return err
	}
	return a.Keyring.Delete(ctx, key.Name)
}

// settleReport stores the escrow's answer, a refusal included, and drops the report.
func (a *account) settleReport(ctx context.Context, report store.Report, outcome escrow.Outcome, refused error) error {
	err := a.Store.Update(ctx, "settle", func(tx *store.Tx) error {
		if err := store.Delete[store.Report](tx, report.ID); err != nil {
			return err
		}
		if refused == nil {
			var err error
			if outcome.Bond, err = a.putBond(tx, outcome.Bond); err != nil {
				return err
			}
		}
		if report.Mail == "" || report.Verdict == "" {
			return nil
		}
		return a.settleDecision(tx, report, outcome, refused)
	})
	if err != nil {
		return err
	}
	if report.Mail != "" {
		a.tell(agentclient.EventMail, report.Mail, "")
	}
	if report.Verdict == escrow.Accept && refused == nil {
		a.tell(agentclient.EventPeople, "", "")
	}
	if refused != nil {
		a.Log.Warn("the escrow refused a report", "code", escrow.CodeOf(refused), "bond", report.Bond)
		_, err := a.syncBonds(ctx, 0)
		if retryLater(err) {
			return nil // the list is followed anyway
		}
		return err
	}
	wake(a.wakeChains)
	return nil
}

func (a *account) settleDecision(tx *store.Tx, report store.Report, outcome escrow.Outcome, refused error) error {
	m, ok, err := store.Get[store.Mail](tx, report.Mail)
	if err != nil || !ok {
		return err
	}
	later, err := store.List[store.Report](tx, a.id)
	if err != nil {
		return err
	}
	m.Queued = false
	for _, other := range later {
		m.Queued = m.Queued || other.Mail == m.ID && other.Verdict != ""
	}
	if m.Queued {
		return store.Put(tx, m) // a newer decision of the same mail decides what is shown
	}
	view := outcome.Bond
	if refused != nil {
		bond, _, err := store.Get[store.Bond](tx, store.BondID(a.id, report.Bond))
		if err != nil {
			return err
		}
		view = bond.BondView
		m.Error = agentclient.Say("decide.refused", "The escrow did not take your decision ({Verdict}): {Why}.", "Verdict", verdictWord(report.Verdict), "Why", plain(refused)).And(
			agentclient.Say("decide.money-goes", "The money goes where its receipts say; see: earnest receipts"))
	}
	m.State, m.EffectiveAt = mailState(m, view), view.EffectiveAt
	if err := a.takeOverKey(tx, view); err != nil {
		return err
	}
	return store.Put(tx, m)
}
