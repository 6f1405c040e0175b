package viewmodel

// Form is the page of the account that is set up or changed.
type Form struct {
	Stage  SetupStage
	First  bool   // there is no other page yet
	Change string // the account that is changed; empty for a new one
	Values map[Field]string
	Errors map[Field]string
	// Hints are likely values, shown pale in empty fields.
	Hints map[Field]string
	// Found is what was found out about the address, in one line.
	Found     string
	FoundTone Tone
	// Elsewhere says that the servers, which get the password, are in another domain.
	Elsewhere string
	SignIn    SignIn
	Password  bool   // the password is asked for
	Where     string // it will be kept
	Hint      string // why the password, where the provider would rather have a login
	Manual    bool   // the servers' fields are shown
	CanHide   bool   // and could do without
	AskEscrow bool
	Escrow    string // the escrow that was found, in one line
	CAName    string // the file of further certificates to trust
	Error     string
	Busy      bool
	Button    string
	Steps     []TrialStep
	Price     SetupPriceView
	Card      Card
}

// Form shows the account being set up or changed.
func (m *Model) Form() Form {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, f := &m.setups, m.setups.form()
	v := Form{Stage: s.stage, First: m.first(), Values: map[Field]string{}, Errors: map[Field]string{},
		Hints: f.hints(m.say), CAName: f.caName, Error: m.say.again(f.err), Busy: f.trial.busy || f.look.goingOn || f.login.asking,
		SignIn: m.signIn(f), Steps: m.trialSteps(f), Manual: f.manualShown(), CanHide: f.manual && (f.change || f.look.found.IMAP != "")}
	if f.change {
		v.Change, v.Stage = line(s.changed), SetupForm
		if f.trial.busy {
			v.Stage = SetupTrial
		}
	} else if s.stage == SetupKeys && !m.choosesKeyFile() {
		v.Stage = SetupForm // the keys have a place now
	} else if (s.stage == SetupPrice || s.stage == SetupCard) && m.loaded && !m.has(s.made) {
		v.Stage = SetupForm // the account is gone
	}
	for _, field := range []Field{FieldAddress, FieldPassword, FieldUser, FieldIMAP, FieldSMTP, FieldEscrow} {
		v.Values[field] = f.value(field)
		if fault := f.errs[field]; fault != nil {
			v.Errors[field] = m.say.again(fault)
		}
	}
	v.Found, v.FoundTone = f.foundWords(m.say)
	v.Elsewhere = f.elsewhereWords(m.say)
	v.Password = !v.SignIn.Show
	switch m.status.Keyring {
	case "file", "memory", "none":
		v.Where = m.say.T("start.password.where." + m.status.Keyring)
	default:
		v.Where = m.say.T("start.password.where")
	}
	if found := f.look.found; found.Provider != "" && !found.ProviderReady && found.ProviderHint != "" {
		v.Hint = line(m.say.agent(found.SayHint, found.ProviderHint))
	}
	m.formEscrow(f, &v)
	v.Button = m.formButton(f, v)
	switch v.Stage {
	case SetupPrice:
		v.Price = m.setupPrice()
	case SetupCard:
		v.Card = m.cardOf(s.made)
	}
	return v
}

// formEscrow: an escrow that the domain names is said, not asked for, unless it
// is to be typed or was wrong.
func (m *Model) formEscrow(f *form, v *Form) {
	if f.change {
		return
	}
	typed := f.escrowTyped()
	found := f.look.found.Escrow
	v.AskEscrow = typed || f.errs[FieldEscrow] != nil || f.manual || f.look.answered() && found == ""
	if found != "" && !v.AskEscrow {
		v.Escrow = m.say.T("start.escrow.found", "Escrow", hostAndPort(found))
	}
}

func (m *Model) formButton(f *form, v Form) string {
	switch {
	case f.look.goingOn:
		return m.say.T("start.button.looking")
	case f.trial.busy:
		return m.say.T("start.button.trying")
	case f.mustSignIn():
		return v.SignIn.Button
	case f.trial.states != nil:
		return m.say.T("start.button.again")
	case f.change:
		return m.say.T("start.button.change")
	}
	return m.say.T("start.button.try")
}

func (f *form) hints(say speech) map[Field]string {
	domain := "example.org"
	if d := domainOf(f.trimmed(FieldAddress)); d != "" {
		domain = line(d)
	}
	hints := map[Field]string{FieldAddress: "name@example.org", FieldIMAP: "imaps://imap." + domain + ":993",
		FieldSMTP: "smtps://smtp." + domain + ":465", FieldUser: say.T("start.hint.user"), FieldEscrow: "https://escrow.example"}
	if f.change {
		hints[FieldPassword], hints[FieldUser] = say.T("start.hint.unchanged"), say.T("start.hint.unchanged")
		hints[FieldIMAP], hints[FieldSMTP] = say.T("start.hint.unchanged"), say.T("start.hint.unchanged")
	}
	return hints
}
