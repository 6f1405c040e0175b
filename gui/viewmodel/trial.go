package viewmodel

import (
	"context"
	"errors"
	"slices"
	"strings"

	"earnest/agentclient"
)

// trial is the live test of an account, step by step.
type trial struct {
	busy   bool
	tried  bool // the agent may have the account although it did not answer
	stop   context.CancelFunc
	halted bool              // before there was anything to stop
	states map[string]string // by step: trying, ok or failed
	fault  said              // of the step that failed
}

// The states of a step, as the agent's events say them; one that was not heard
// of waits.
const (
	stepWaiting = "waiting"
	stepTrying  = "trying"
	stepOK      = "ok"
	stepFailed  = "failed"
)

func setupSteps(change bool) []string {
	if change {
		return []string{agentclient.StepIMAP, agentclient.StepSMTP}
	}
	return []string{agentclient.StepKeyring, agentclient.StepIMAP, agentclient.StepSMTP,
		agentclient.StepEscrow, agentclient.StepKeys, agentclient.StepAddress}
}

// TrialStep is a line of the live test.
type TrialStep struct {
	Name     string
	NameTone Tone
	State    string // waiting, trying, ok or failed
	Word     string
	Tone     Tone
	Fault    string
	KeyFile  bool // in place of the keyring that is not there a file can be chosen
}

func (m *Model) trialSteps(f *form) []TrialStep {
	if f.trial.states == nil {
		return nil
	}
	var steps []TrialStep
	for _, id := range setupSteps(f.change) {
		step := TrialStep{State: f.trial.states[id], Tone: Muted, Name: m.stepName(f, id)}
		switch step.State {
		case stepTrying:
			step.Tone = Plain
		case stepOK:
			step.Tone = Good
		case stepFailed:
			step.Tone, step.Fault = Against, m.say.again(f.trial.fault)
		default:
			step.State, step.NameTone = stepWaiting, Muted
		}
		step.KeyFile = id == agentclient.StepKeyring && m.offersKeyFile(f)
		step.Word = m.say.T("start.state." + step.State)
		steps = append(steps, step)
	}
	return steps
}

func (m *Model) stepName(f *form, id string) string {
	host := map[string]string{agentclient.StepIMAP: f.trimmed(FieldIMAP), agentclient.StepSMTP: f.trimmed(FieldSMTP),
		agentclient.StepEscrow: f.trimmed(FieldEscrow)}[id]
	switch {
	case host != "":
		if !strings.Contains(host, "://") {
			host = "x://" + host
		}
		return m.say.T("start.step-at."+id, "Host", hostOf(host))
	case id == agentclient.StepAddress:
		return m.say.T("start.step-of.address", "Address", line(f.trimmed(FieldAddress)))
	}
	return m.say.T("start.step." + id)
}

// AddAccount hands the account to the agent, which tries it before it keeps it.
// Of one that is there already it hands over what is to change.
func (m *Model) AddAccount() {
	m.mu.Lock()
	f := m.setups.form()
	if f.trial.busy || f.login.asking || f.look.goingOn {
		m.mu.Unlock()
		return
	}
	f.err = nil
	if !f.change && complete(f.trimmed(FieldAddress)) && f.look.about != f.trimmed(FieldAddress) {
		f.look.goingOn = true // first what can be found out
		m.mu.Unlock()
		m.changed()
		m.lookUp(f, 0)
		return
	}
	if f.errs = f.check(); len(f.errs) > 0 {
		m.mu.Unlock()
		m.changed()
		return
	}
	if f.mustSignIn() {
		if v := m.signIn(f); !v.Waiting {
			m.beginLogin(f)
		}
		m.mu.Unlock()
		m.changed()
		return
	}
	req := f.request()
	f.trial = trial{busy: true, tried: true, states: map[string]string{}}
	if !f.change {
		m.setups.stage = SetupTrial
		m.setups.first = m.setups.first || len(m.status.Accounts) == 0
	}
	m.mu.Unlock()
	m.changed()
	m.do(func(ctx context.Context) { m.try(ctx, f, req) })
}

// request is the form as the agent takes it. What is empty in a change stays.
func (f *form) request() agentclient.AddAccount {
	imap, _ := imapServer.url(f.value(FieldIMAP))
	smtp, _ := smtpServer.url(f.value(FieldSMTP))
	req := agentclient.AddAccount{Address: f.trimmed(FieldAddress), IMAP: imap, SMTP: smtp, User: f.trimmed(FieldUser),
		Password: f.value(FieldPassword), Login: f.loginID(), CA: f.ca}
	if f.change {
		return req
	}
	req.Escrow, _ = escrowServer.url(f.value(FieldEscrow))
	if req.User == "" {
		req.User = req.Address
	}
	return req
}

// StopTrial gives the test up; everything that was typed is kept.
func (m *Model) StopTrial() {
	m.mu.Lock()
	t := &m.setups.form().trial
	stop := t.stop
	t.halted = t.busy
	m.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (m *Model) try(ctx context.Context, f *form, req agentclient.AddAccount) {
	call, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	m.update(func() {
		if f.trial.stop = cancel; f.trial.halted {
			cancel()
		}
	})
	ask := m.agent.AddAccount
	if f.change {
		ask = m.agent.ChangeAccount
	}
	account, err := ask(call, req)
	m.update(func() {
		f.trial.busy, f.trial.stop = false, nil
		switch {
		case err != nil:
			m.tryFailed(f, err, errors.Is(call.Err(), context.Canceled))
		case f.change:
			m.setups.done = says("start.changed", "Address", line(f.trimmed(FieldAddress)))
			if m.setups.forget(req.Address) && m.page == PageAccount {
				m.page = PageSettings
			}
		default:
			m.made(account)
		}
	})
	if err == nil {
		m.do(m.loadAll)
	}
}

func (m *Model) tryFailed(f *form, err error, stopped bool) {
	if !f.change {
		m.setups.stage = SetupForm
	}
	if stopped {
		f.trial.states = nil
		f.err = says("start.stopped")
		return
	}
	f.errs = map[Field]said{}
	f.blame(err)
	f.trial.fault = fails(err)
	if failed := f.failedStep(err); failed != "" {
		f.trial.states[failed] = stepFailed
		if m.offersKeyFile(f) {
			f.err = nil // it is said beside the step, with what can be done
		}
	}
}

// failedStep is the step that the failure belongs to: the one that was tried
// last, else the one that the failure's field or code tells.
func (f *form) failedStep(err error) string {
	for _, state := range []string{stepFailed, stepTrying} {
		for _, id := range setupSteps(f.change) {
			if f.trial.states[id] == state {
				return id
			}
		}
	}
	switch Field(fieldOf(err)) {
	case FieldSMTP:
		return agentclient.StepSMTP
	case FieldEscrow:
		return agentclient.StepEscrow
	case FieldIMAP, FieldUser, FieldPassword:
		return agentclient.StepIMAP
	}
	switch codeOf(err) {
	case agentclient.CodeNoKeyring:
		return agentclient.StepKeyring
	case agentclient.CodeLogin:
		return agentclient.StepIMAP
	case "unavailable":
		return agentclient.StepEscrow
	case "unproven_address":
		return agentclient.StepAddress
	}
	return ""
}

// made goes on with the price of the new account, and forgets its password.
func (m *Model) made(account agentclient.Account) {
	s := &m.setups
	s.forms[""] = newForm(false)
	s.stage, s.made, s.price = SetupPrice, account.Address, setupPrice{text: suggestedPrice}
	if !m.has(account.Address) {
		m.status.Accounts = append(slices.Clip(m.status.Accounts), account)
	}
	m.loaded = true
	if s.first {
		m.page = PageAccount
	}
}

// setupHeard goes on where the answer to AddAccount was lost, but the account is
// there.
func (m *Model) setupHeard(status agentclient.Status) {
	s := &m.setups
	f := s.forms[""]
	if s.stage != SetupForm || !f.trial.tried || f.trial.busy {
		return
	}
	for _, a := range status.Accounts {
		if strings.EqualFold(a.Address, f.trimmed(FieldAddress)) {
			m.made(a)
		}
	}
}

// stepHeard hears how far the test is.
func (m *Model) stepHeard(step, state string) {
	m.update(func() {
		for _, f := range m.setups.forms {
			if f.trial.busy && slices.Contains(setupSteps(f.change), step) {
				f.trial.states[step] = state
			}
		}
	})
}
