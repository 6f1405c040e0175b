package viewmodel

import (
	"context"
	"unicode/utf8"

	"earnest/agentclient"
)

// The fields of a passphrase: of the key file, and a new one a second time.
const (
	FieldPhrase Field = agentclient.FieldPassphrase
	FieldAgain  Field = "again"
)

// keyFile is the passphrase being typed for the file with the keys: a new one on a
// machine without a keyring, or the one that opens it. It is forgotten once the
// agent has taken it.
type keyFile struct {
	values map[Field]string
	errs   map[Field]said
	err    said // that is of no field
	busy   bool
}

// KeyFile is the page on which a passphrase is typed.
type KeyFile struct {
	Values map[Field]string
	Errors map[Field]string
	Hint   string // of a new passphrase
	Error  string
	Busy   bool
	Button string
}

// locked: the key file waits for its passphrase, and there is nothing else to see.
func (m *Model) locked() bool {
	return m.loaded && m.status.Locked == agentclient.LockedPassphrase
}

// waitsForKeys: the agent answers little yet, or nobody knows whether it does.
func (m *Model) waitsForKeys() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.loaded || m.status.Locked != ""
}

// Locked tells that the agent waits for the passphrase of its key file.
func (m *Model) Locked() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.locked()
}

// KeyFile shows the passphrase being typed, to open the file or for a new one.
func (m *Model) KeyFile() KeyFile {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := &m.keyFile
	v := KeyFile{Values: map[Field]string{}, Errors: map[Field]string{}, Error: m.say.again(k.err), Busy: k.busy}
	for _, field := range []Field{FieldPhrase, FieldAgain} {
		v.Values[field] = k.values[field]
		if fault := k.errs[field]; fault != nil {
			v.Errors[field] = m.say.again(fault)
		}
	}
	switch {
	case m.locked() && k.busy:
		v.Button = m.say.T("unlock.busy")
	case m.locked():
		v.Button = m.say.T("unlock.button")
	case k.busy:
		v.Button = m.say.T("start.keys.busy")
	default:
		v.Button = m.say.T("start.keys.button")
	}
	v.Hint = m.say.T("start.keys.hint", "Least", agentclient.PassphraseLeast)
	return v
}

// SetPassphrase keeps what was typed into a field.
func (m *Model) SetPassphrase(field Field, text string) {
	m.mu.Lock()
	same := m.keyFile.values[field] == text
	m.mu.Unlock()
	if same {
		return
	}
	m.update(func() {
		k := &m.keyFile
		if k.values == nil {
			k.values = map[Field]string{}
		}
		k.values[field] = text
		delete(k.errs, field)
		k.err = nil
	})
}

// offersKeyFile: there is no keyring, and the set-up has failed for want of one.
func (m *Model) offersKeyFile(f *form) bool {
	return !f.change && m.status.Locked == agentclient.LockedNoKeyring && f.trial.states[agentclient.StepKeyring] == stepFailed
}

// choosesKeyFile: the page of a new passphrase is shown, also while the agent that
// has taken it has not answered yet.
func (m *Model) choosesKeyFile() bool {
	return m.setups.stage == SetupKeys && (m.keyFile.busy || m.status.Locked == agentclient.LockedNoKeyring)
}

// ChooseKeyFile turns to the page of a new passphrase. What was typed of the account
// is kept.
func (m *Model) ChooseKeyFile() {
	m.update(func() {
		if m.offersKeyFile(m.setups.form()) {
			m.setups.stage, m.keyFile = SetupKeys, keyFile{}
		}
	})
}

// LeaveKeyFile goes back to the account. The passphrase is forgotten.
func (m *Model) LeaveKeyFile() {
	m.update(func() {
		if m.setups.stage == SetupKeys && !m.keyFile.busy {
			m.setups.stage, m.keyFile = SetupForm, keyFile{}
		}
	})
}

// checkNew finds every fault of a new passphrase at once.
func (k *keyFile) checkNew() map[Field]said {
	errs := map[Field]said{}
	phrase, again := k.values[FieldPhrase], k.values[FieldAgain]
	switch n := utf8.RuneCountInString(phrase); {
	case n == 0:
		errs[FieldPhrase] = says("start.keys.fault.empty")
	case n < agentclient.PassphraseLeast:
		errs[FieldPhrase] = saysN("start.keys.fault.short", n, "Least", agentclient.PassphraseLeast)
	case again == "":
		errs[FieldAgain] = says("start.keys.fault.once")
	case again != phrase:
		errs[FieldAgain] = says("start.keys.fault.not-same")
	}
	return errs
}

// SaveKeyFile has the agent make the key file, and goes on with the set-up.
func (m *Model) SaveKeyFile() {
	m.mu.Lock()
	k := &m.keyFile
	if k.busy || !m.choosesKeyFile() {
		m.mu.Unlock()
		return
	}
	k.err, k.errs = nil, k.checkNew()
	k.busy = len(k.errs) == 0
	ask, phrase := k.busy, k.values[FieldPhrase]
	m.mu.Unlock()
	m.changed()
	if !ask {
		return
	}
	m.do(func(ctx context.Context) {
		if m.openKeys(ctx, m.agent.ChooseKeyFile, phrase) {
			m.update(func() { m.setups.stage = SetupForm })
			m.AddAccount()
		}
	})
}

// Unlock gives the agent the passphrase of its key file.
func (m *Model) Unlock() {
	m.mu.Lock()
	k := &m.keyFile
	if k.busy || !m.locked() {
		m.mu.Unlock()
		return
	}
	k.err, k.errs = nil, map[Field]said{}
	if k.values[FieldPhrase] == "" {
		k.errs[FieldPhrase] = says("unlock.fault.empty")
	}
	k.busy = len(k.errs) == 0
	ask, phrase := k.busy, k.values[FieldPhrase]
	m.mu.Unlock()
	m.changed()
	if ask {
		m.do(func(ctx context.Context) { m.openKeys(ctx, m.agent.Unlock, phrase) })
	}
}

// keysOpened forgets what was typed, where the keys were opened from elsewhere.
func (m *Model) keysOpened() {
	if m.keyFile.busy {
		return // by what was typed here
	}
	m.keyFile = keyFile{}
	if m.setups.stage == SetupKeys {
		m.setups.stage = SetupForm
	}
}

// openKeys hands a passphrase over. It takes the agent some tenths of a second, and a
// slow machine longer; the window waits for nothing meanwhile.
func (m *Model) openKeys(ctx context.Context, open func(context.Context, agentclient.Passphrase) (agentclient.Status, error), phrase string) bool {
	call, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	status, err := open(call, agentclient.Passphrase{Passphrase: phrase})
	m.update(func() {
		k := &m.keyFile
		if err == nil {
			m.status, m.keyFile = status, keyFile{}
			return
		}
		k.busy = false
		if m.status.Locked == "" { // it was opened all the same, or from elsewhere
			*k = keyFile{}
			return
		}
		if fieldOf(err) == agentclient.FieldPassphrase {
			k.errs[FieldPhrase] = fails(err)
		} else {
			k.err = fails(err)
		}
	})
	// Also after a failure: somebody else may have unlocked it.
	m.do(m.loadStatus)
	if err == nil {
		m.do(m.loadAll)
	}
	return err == nil
}
