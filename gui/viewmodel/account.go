package viewmodel

import (
	"context"
	"net/url"
	"strings"

	"earnest/agentclient"
)

// Field names a field of the account form.
type Field string

// The fields of the account form.
const (
	FieldAddress  Field = "address"
	FieldIMAP     Field = "imap"
	FieldSMTP     Field = "smtp"
	FieldUser     Field = "user"
	FieldPassword Field = "password"
	FieldEscrow   Field = "escrow"
)

// form is the account being set up.
type form struct {
	values map[Field]string
	errs   map[Field]string
	ca     []byte
	caName string
	err    string
	busy   bool
}

func newForm() form {
	return form{values: map[Field]string{}, errs: map[Field]string{}}
}

// Form is the page of the account.
type Form struct {
	Values map[Field]string
	Errors map[Field]string
	// Hints are likely values, shown pale in empty fields.
	Hints  map[Field]string
	CAName string // the file of further certificates to trust
	Error  string
	Busy   bool
	First  bool
}

// Form shows the account being set up.
func (m *Model) Form() Form {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &m.form
	v := Form{Values: map[Field]string{}, Errors: map[Field]string{}, Hints: map[Field]string{}, CAName: f.caName,
		Error: f.err, Busy: f.busy, First: m.loaded && len(m.status.Accounts) == 0}
	for field, value := range f.values {
		v.Values[field] = value
	}
	for field, fault := range f.errs {
		v.Errors[field] = fault
	}
	domain := "example.org"
	if _, d, ok := strings.Cut(strings.TrimSpace(f.values[FieldAddress]), "@"); ok && d != "" {
		domain = line(d)
	}
	v.Hints[FieldAddress] = "you@example.org"
	v.Hints[FieldIMAP] = "imaps://imap." + domain + ":993"
	v.Hints[FieldSMTP] = "smtps://smtp." + domain + ":465"
	v.Hints[FieldUser] = "often the address itself"
	v.Hints[FieldEscrow] = "https://escrow.example"
	return v
}

// SetField keeps what was typed into a field.
func (m *Model) SetField(field Field, value string) {
	m.mu.Lock()
	same := m.form.values[field] == value
	m.mu.Unlock()
	if same {
		return
	}
	m.update(func() {
		m.form.values[field] = value
		delete(m.form.errs, field)
		m.form.err = ""
	})
}

// SetCA keeps a file of further certificates to trust; nil removes it.
func (m *Model) SetCA(name string, pem []byte) {
	m.update(func() { m.form.caName, m.form.ca = line(name), pem })
}

// CAFailed says why a file of certificates could not be read.
func (m *Model) CAFailed(err error) {
	m.update(func() { m.form.err = "The file could not be read. " + m.say.failure(err) })
}

// AddAccount hands the account to the agent, which tries it before it keeps it.
func (m *Model) AddAccount() {
	m.mu.Lock()
	f := &m.form
	if f.busy {
		m.mu.Unlock()
		return
	}
	f.errs, f.err = f.check(), ""
	if len(f.errs) > 0 {
		m.mu.Unlock()
		m.changed()
		return
	}
	value := func(field Field) string { return strings.TrimSpace(f.values[field]) }
	req := agentclient.AddAccount{Address: value(FieldAddress), IMAP: value(FieldIMAP), SMTP: value(FieldSMTP),
		User: value(FieldUser), Password: f.values[FieldPassword], Escrow: value(FieldEscrow), CA: f.ca}
	if req.User == "" {
		req.User = req.Address
	}
	f.busy = true
	m.mu.Unlock()
	m.changed()
	m.do(func(ctx context.Context) { m.addAccount(ctx, req) })
}

func (m *Model) addAccount(ctx context.Context, req agentclient.AddAccount) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	account, err := m.agent.AddAccount(ctx, req)
	m.update(func() {
		m.form.busy = false
		if err != nil {
			m.form.blame(m.say, err)
			return
		}
		m.form = newForm() // and forgets the password
		m.status.Accounts = append(m.status.Accounts[:len(m.status.Accounts):len(m.status.Accounts)], account)
		m.loaded, m.page = true, PageWaiting
	})
	if err == nil {
		m.do(m.loadAll)
	}
}

// check finds every fault at once, field by field.
func (f *form) check() map[Field]string {
	errs := map[Field]string{}
	if !addressLike(strings.TrimSpace(f.values[FieldAddress])) {
		errs[FieldAddress] = "Type your mail address, such as you@example.org."
	}
	server := func(field Field, schemes string, example string) {
		u, err := url.Parse(strings.TrimSpace(f.values[field]))
		if err != nil || u.Hostname() == "" || !strings.Contains(schemes, " "+u.Scheme+" ") {
			errs[field] = "Type it like " + example
		}
	}
	server(FieldIMAP, " imaps imap ", "imaps://imap.example.org:993 (imap:// for STARTTLS)")
	server(FieldSMTP, " smtps smtp ", "smtps://smtp.example.org:465 (smtp:// for STARTTLS)")
	server(FieldEscrow, " https ", "https://escrow.example")
	if f.values[FieldPassword] == "" {
		errs[FieldPassword] = "Type the password of the mailbox."
	}
	return errs
}

// blame puts the agent's words beside the field that they are about.
func (f *form) blame(say speech, err error) {
	f.errs = map[Field]string{}
	words := say.failure(err)
	switch codeOf(err) {
	case agentclient.CodeLogin:
		f.errs[FieldPassword] = words
	case "unproven_address":
		f.errs[FieldAddress] = words
	case "unavailable":
		f.errs[FieldEscrow] = words
	default:
		f.err = words
	}
}

// AccountRow is an account on the page of settings.
type AccountRow struct {
	Address string
	Lines   []string
	Trouble bool
	Card    string
}

// Settings is the page of settings.
type Settings struct {
	Accounts []AccountRow
	Agent    string
}

// Settings shows the accounts and the agent.
func (m *Model) Settings() Settings {
	m.mu.Lock()
	defer m.mu.Unlock()
	var v Settings
	for _, a := range m.status.Accounts {
		words, bad := m.accountWords(a)
		row := AccountRow{Address: line(a.Address), Lines: words, Trouble: bad, Card: line(a.Card)}
		row.Lines = append(row.Lines, m.say.N("settings.pool", a.Pool))
		v.Accounts = append(v.Accounts, row)
	}
	if m.loaded {
		v.Agent = "Agent " + line(m.status.Version) + ", running since " + m.say.moment(m.status.Started) + ". " + keyringWords(m.status.Keyring)
	}
	return v
}

func keyringWords(kind string) string {
	switch kind {
	case "os":
		return "Keys rest in this computer's keyring."
	case "file":
		return "Keys rest in a file under your passphrase."
	case "memory":
		return "Keys are kept in memory only, and are gone when the agent ends."
	}
	return ""
}
