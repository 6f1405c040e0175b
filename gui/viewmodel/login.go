package viewmodel

import (
	"context"
	"strings"
	"time"

	"earnest/agentclient"
)

// login is a sign-in at the provider, in the system's browser.
type login struct {
	asking  bool // for its URL
	id, url string
	expires time.Time
	ended   map[string]bool // by id: well or not; it may end before its URL is here
	shut    said            // why the browser did not open
	err     said
}

// SignIn is the part of the form that stands in the password's place where the
// provider wants a login in the browser.
type SignIn struct {
	Show    bool
	Button  string
	Waiting bool // the browser is open
	Done    bool
	Text    string // what is going on
	Fault   string
	URL     string // to open; it changes when a new login begins
	Shut    string // why it did not open; the person can copy the URL
}

// signsIn tells that the form takes a login for the password.
func (f *form) signsIn() bool { return f.provider() != "" }

// provider is whose login the form takes: the one that was found and can be used
// here, else the one that the account signs in with already.
func (f *form) provider() string {
	if found := f.look.found; found.Provider != "" && found.ProviderReady {
		return found.Provider
	}
	return f.signedIn
}

// mustSignIn tells that the next step is the provider's page.
func (f *form) mustSignIn() bool {
	return f.signsIn() && f.loginID() == "" && f.value(FieldPassword) == "" && !(f.change && f.typedServers())
}

// providerName is how people call a provider.
func providerName(id string) string {
	switch strings.ToLower(id) {
	case "google":
		return "Google"
	case "microsoft":
		return "Microsoft"
	}
	return line(id)
}

func (m *Model) signIn(f *form) SignIn {
	v := SignIn{Show: f.signsIn()}
	if !v.Show {
		return v
	}
	name, now := providerName(f.provider()), m.say.now()
	v.Button, v.Fault, v.Shut = m.say.T("start.login.button", "Name", name), m.say.again(f.login.err), m.say.again(f.login.shut)
	well, ended := f.login.ended[f.login.id]
	switch {
	case f.login.asking:
		v.Waiting, v.Text = true, m.say.T("start.login.asking")
	case f.login.id == "":
	case ended && well:
		v.Done, v.Text = true, m.say.T("start.login.done", "Name", name)
	case ended:
		v.Fault = m.say.T("start.login.failed", "Name", name)
	case !f.login.expires.IsZero() && now.After(f.login.expires):
		v.Fault = m.say.T("start.login.expired")
	default:
		v.Waiting, v.URL = true, f.login.url
		v.Text = m.say.T("start.login.waiting", "Name", name)
	}
	return v
}

// beginLogin asks the agent for the URL of the provider's page.
func (m *Model) beginLogin(f *form) {
	req := agentclient.BeginLogin{Address: f.trimmed(FieldAddress), Provider: f.provider()}
	seq := f.look.seq
	f.login = login{asking: true}
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		begun, err := m.agent.BeginLogin(ctx, req)
		goOn := false
		m.update(func() {
			if f.look.seq != seq || !f.login.asking {
				return // it was cancelled
			}
			f.login.asking = false
			if err != nil {
				f.login.err = fails(err)
				return
			}
			f.login.id, f.login.url, f.login.expires = begun.ID, begun.URL, begun.Expires
			goOn = f.login.ended[begun.ID]
		})
		if goOn {
			m.AddAccount()
		}
	})
}

// SignInNotOpened says that the browser could not be opened.
func (m *Model) SignInNotOpened(err error) {
	m.update(func() { m.setups.form().login.shut = says("start.login.shut", "Why", fails(err)) })
}

// CancelSignIn gives up a login that has begun.
func (m *Model) CancelSignIn() {
	m.update(func() { m.setups.form().login = login{} })
}

// loginEnded hears that a login has ended. One that ended well goes on with the
// account, since that is what it was for.
func (m *Model) loginEnded(id string, well bool) {
	goOn := false
	m.update(func() {
		for key, f := range m.setups.forms {
			if f.login.id != id && !f.login.asking {
				continue
			}
			if f.login.ended == nil {
				f.login.ended = map[string]bool{}
			}
			f.login.ended[id] = well
			goOn = goOn || well && f.login.id == id && key == m.setups.changed
		}
	})
	if goOn {
		m.AddAccount()
	}
}

// loginID is the login to hand to the agent; empty where none has ended well.
func (f *form) loginID() string {
	if f.signsIn() && f.login.ended[f.login.id] {
		return f.login.id
	}
	return ""
}
