package viewmodel

import (
	"maps"
	"slices"
	"strings"

	"earnest/agentclient"
)

// Field names a field of the account form.
type Field string

// The fields of the account form, by their names in the agent's API.
const (
	FieldAddress  Field = "address"
	FieldPassword Field = "password"
	FieldUser     Field = "user"
	FieldIMAP     Field = "imap"
	FieldSMTP     Field = "smtp"
	FieldEscrow   Field = "escrow"
)

// SetupStage is a page of setting up an account.
type SetupStage string

// The pages, in their order.
const (
	SetupForm  SetupStage = "form"  // address and password, or what is to change
	SetupKeys  SetupStage = "keys"  // a passphrase, where there is no keyring
	SetupTrial SetupStage = "trial" // the agent tries it, step by step
	SetupPrice SetupStage = "price"
	SetupCard  SetupStage = "card"
)

// setups are the account forms under way: that of a new account, and one for
// each account whose password or servers are being changed.
type setups struct {
	stage   SetupStage // of the new account
	first   bool       // there was no account when it began
	made    string     // the new account's address, from SetupPrice on
	changed string     // the account whose form is shown; empty for a new one
	forms   map[string]*form
	price   setupPrice
	resumed bool
	done    said // what was last changed in an account, for the settings
}

// form is the account being set up or changed.
type form struct {
	change   bool
	signedIn string           // the provider that the account signs in with
	values   map[Field]string // what was typed; what is not there is what was found
	errs     map[Field]said
	ca       []byte
	caName   string
	err      said
	manual   bool             // the servers are shown to be typed
	aside    map[Field]string // servers typed before what was found was taken after all
	look     lookup
	login    login
	trial    trial
}

func newForm(change bool) *form {
	return &form{change: change, values: map[Field]string{}, errs: map[Field]said{}}
}

func newSetups() setups {
	return setups{stage: SetupForm, forms: map[string]*form{"": newForm(false)}}
}

func (s *setups) form() *form { return s.forms[s.changed] }

// forget takes away the form of an account that was changed or removed, with its
// password, and tells whether it was the one shown.
func (s *setups) forget(address string) (shown bool) {
	maps.DeleteFunc(s.forms, func(changed string, _ *form) bool { return changed != "" && strings.EqualFold(changed, address) })
	if shown = strings.EqualFold(s.changed, address); shown {
		s.changed = ""
	}
	return shown
}

// settingUp tells that the first account has been made and its price or card is
// still open, so the window goes on there.
func (m *Model) settingUp() bool {
	s := &m.setups
	return s.first && (s.stage == SetupPrice || s.stage == SetupCard) && m.has(s.made)
}

func (m *Model) has(address string) bool {
	return slices.ContainsFunc(m.status.Accounts, func(a agentclient.Account) bool { return strings.EqualFold(a.Address, address) })
}

// value is what a field holds: what was typed, else what was found out.
func (f *form) value(field Field) string {
	if typed, ok := f.values[field]; ok {
		return typed
	}
	if f.change {
		return "" // what is empty stays as it is
	}
	switch found := f.look.found; field {
	case FieldIMAP:
		return found.IMAP
	case FieldSMTP:
		return found.SMTP
	case FieldUser:
		return found.User
	case FieldEscrow:
		return found.Escrow
	}
	return ""
}

func (f *form) trimmed(field Field) string { return strings.TrimSpace(f.value(field)) }

// SetField keeps what was typed into a field. Once the typing of an address
// rests, its servers are looked up.
func (m *Model) SetField(field Field, value string) {
	m.mu.Lock()
	f := m.setups.form()
	same := f.value(field) == value
	m.mu.Unlock()
	if same {
		return
	}
	m.update(func() {
		f.values[field] = value
		delete(f.errs, field)
		f.err = nil
		if field == FieldAddress {
			f.addressChanged()
		}
	})
	if field == FieldAddress {
		m.lookUp(f, lookRest)
	}
}

// SetManual shows the fields of the servers, or takes what was found after all.
// What was typed there comes back with the fields.
func (m *Model) SetManual(on bool) {
	m.update(func() {
		f := m.setups.form()
		if f.manual == on {
			return
		}
		f.manual = on
		if on {
			maps.Copy(f.values, f.aside)
			f.aside = nil
			return
		}
		f.aside = map[Field]string{}
		for _, field := range []Field{FieldIMAP, FieldSMTP, FieldUser, FieldEscrow} {
			typed, ok := f.values[field]
			if ok && (field != FieldEscrow || f.look.found.Escrow != "") {
				f.aside[field] = typed
				delete(f.values, field)
			}
			delete(f.errs, field)
		}
	})
}

// SetCA keeps a file of further certificates to trust; nil removes it.
func (m *Model) SetCA(name string, pem []byte) {
	m.update(func() {
		f := m.setups.form()
		f.caName, f.ca, f.err = line(name), pem, nil
	})
}

// CAFailed says why a file of certificates could not be read.
func (m *Model) CAFailed(err error) {
	m.update(func() { m.setups.form().err = says("start.ca.failed", "Why", fails(err)) })
}

// NewAccount turns to the form of a further account, where it was left.
func (m *Model) NewAccount() {
	m.update(func() { m.setups.changed = "" })
	m.Show(PageAccount)
}

// ChangeAccount turns to the form that gives an account another password,
// another login or other servers.
func (m *Model) ChangeAccount(address string) {
	var f *form
	m.update(func() {
		s := &m.setups
		if f = s.forms[address]; f == nil {
			f = newForm(true)
			f.values[FieldAddress] = address
			for _, a := range m.status.Accounts {
				if strings.EqualFold(a.Address, address) {
					f.signedIn = a.Provider
				}
			}
			s.forms[address] = f
		}
		s.changed, s.done = address, nil
	})
	m.Show(PageAccount)
	m.lookUp(f, 0)
}

// LeaveSetup goes back from the form to the settings; what was typed is kept.
// Without an account there is nowhere to go.
func (m *Model) LeaveSetup() {
	m.mu.Lock()
	bare, trying := m.first(), m.setups.form().trial.busy
	m.mu.Unlock()
	if !bare && !trying {
		m.Show(PageSettings)
	}
}

// check finds every fault at once, field by field.
func (f *form) check() map[Field]said {
	errs := map[Field]said{}
	if !addressLike(f.trimmed(FieldAddress)) || strings.ContainsAny(f.trimmed(FieldAddress), " \t,;<>\"") {
		errs[FieldAddress] = says("start.fault.address")
	}
	servers := f.trimmed(FieldIMAP) != "" || f.trimmed(FieldSMTP) != "" || f.trimmed(FieldUser) != ""
	if f.value(FieldPassword) == "" && !f.signsIn() && !(f.change && servers && f.typedServers()) {
		errs[FieldPassword] = says("start.fault.password")
		if f.change {
			errs[FieldPassword] = says("start.fault.nothing-new")
		}
	}
	for field, mailServer := range map[Field]serverKind{FieldIMAP: imapServer, FieldSMTP: smtpServer} {
		typed := f.trimmed(field)
		if f.change && typed == "" {
			continue
		}
		if _, ok := mailServer.url(typed); !ok {
			errs[field] = says("start.fault." + string(field))
		}
	}
	if f.change {
		return errs
	}
	switch escrow := f.trimmed(FieldEscrow); {
	case escrow == "":
		errs[FieldEscrow] = says("start.fault.no-escrow")
	case strings.HasPrefix(strings.ToLower(escrow), "http://"):
		errs[FieldEscrow] = says("start.fault.escrow-plain")
	default:
		if _, ok := escrowServer.url(escrow); !ok {
			errs[FieldEscrow] = says("start.fault.escrow")
		}
	}
	return errs
}

func (f *form) typedServers() bool {
	for _, field := range []Field{FieldIMAP, FieldSMTP, FieldUser} {
		if strings.TrimSpace(f.values[field]) != "" {
			return true
		}
	}
	return f.ca != nil
}

// blame puts the agent's words beside the field that they are about.
func (f *form) blame(err error) {
	field, words := Field(fieldOf(err)), fails(err)
	switch code := codeOf(err); {
	case field != "":
	case code == agentclient.CodeLogin:
		field = FieldPassword
	case code == "unproven_address":
		field = FieldAddress
	case code == "unavailable":
		field = FieldEscrow
	}
	switch field {
	case "login":
		field = FieldPassword
	case FieldAddress, FieldPassword, FieldEscrow:
	case FieldUser, FieldIMAP, FieldSMTP:
		f.manual = true
	default:
		f.err = words
		return
	}
	f.errs[field] = words
}

// manualShown: the servers' fields are shown where they were asked for, where
// nothing was found, and where one of them is wrong.
func (f *form) manualShown() bool { return f.manual || f.mustType() }

func (f *form) mustType() bool {
	if len(f.errs[FieldIMAP])+len(f.errs[FieldSMTP])+len(f.errs[FieldUser]) > 0 {
		return true
	}
	return !f.change && f.look.answered() && f.look.found.IMAP == "" && f.look.found.SMTP == ""
}
