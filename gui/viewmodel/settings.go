package viewmodel

import (
	"context"

	"earnest/agentclient"
)

// preferences are how the agent works for its owner.
type preferences struct {
	settings agentclient.Settings
	limits   []agentclient.Limit
	loaded   bool
	saving   agentclient.Settings // what was chosen and is not answered yet
	busy     bool
	err      said
	load     reload
}

// Choice is one of several ways, with what it means.
type Choice struct {
	ID, Title, Text string
	Chosen          bool
}

// AccountRow is an account on the page of settings.
type AccountRow struct {
	Address  string
	Mailbox  string
	Escrow   string
	Pool     string
	Identity string
	Trouble  bool // of the mailbox: a new password or login may help
	Away     bool // the escrow does not answer
	Frozen   bool
	Card     Card
	Removal  Removal
}

// Settings is the page of settings.
type Settings struct {
	Loaded     bool
	Models     []Choice
	Currencies []Choice // of the single model
	NoCurrency bool     // there is no money to choose from
	Limits     []string // of the automatic model
	NoLimit    string   // what it means that there is none
	Saving     bool
	Error      string
	Accounts   []AccountRow
	Done       string // an account was changed
	Agent      string
}

// Settings shows how the agent works, and the accounts.
func (m *Model) Settings() Settings {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.prefs
	v := Settings{Loaded: p.loaded, Saving: p.busy, Error: m.say.again(p.err), Done: m.say.again(m.setups.done)}
	now := p.settings
	if p.busy {
		now = p.saving
	}
	for _, id := range []string{agentclient.ModelFull, agentclient.ModelSingle, agentclient.ModelAutomatic} {
		v.Models = append(v.Models, Choice{ID: id, Title: m.say.T("settings.model." + id), Text: m.say.T("settings.model-text." + id),
			Chosen: p.loaded && now.Model == id})
	}
	switch now.Model {
	case agentclient.ModelSingle:
		v.Currencies = m.currencies(now.Currency)
		v.NoCurrency = len(v.Currencies) == 0
	case agentclient.ModelAutomatic:
		v.Limits, v.NoLimit = m.limitWords()
	}
	for _, a := range m.status.Accounts {
		v.Accounts = append(v.Accounts, m.accountRow(a))
	}
	if m.loaded {
		v.Agent = m.say.T("settings.agent", "Version", line(m.status.Version), "Since", m.say.moment(m.status.Started))
		switch m.status.Keyring {
		case "os", "file", "memory":
			v.Agent += " " + m.say.T("settings.keyring."+m.status.Keyring)
		}
	}
	return v
}

func (m *Model) accountRow(a agentclient.Account) AccountRow {
	row := AccountRow{Address: line(a.Address), Identity: line(a.Identity), Card: m.cardOf(a.Address), Removal: m.removalOf(a),
		Pool: m.say.N("settings.pool", a.Pool), Trouble: a.Mailbox == "failing", Away: !a.EscrowUp}
	switch a.Mailbox {
	case "watching":
		row.Mailbox = m.say.T("settings.mailbox.watching")
	case "failing":
		row.Mailbox = m.say.T("settings.mailbox.failing", "Why", line(m.say.agent(a.SayMailbox, a.MailboxError)))
	default:
		row.Mailbox = m.say.T("settings.mailbox.connecting")
	}
	switch {
	case !a.EscrowUp && a.EscrowError != "":
		row.Escrow = m.say.T("settings.escrow.failing", "Escrow", line(a.Escrow), "Why", line(m.say.agent(a.SayEscrow, a.EscrowError)))
	case !a.EscrowUp:
		row.Escrow = m.say.T("settings.escrow.away", "Escrow", line(a.Escrow))
	case !a.Proven:
		row.Escrow = m.say.T("settings.escrow.proving", "Escrow", line(a.Escrow))
	case !a.FrozenAt.IsZero():
		row.Escrow, row.Frozen = m.say.T("safety.frozen", "Escrow", line(a.Escrow), "When", m.say.moment(a.FrozenAt)), true
	default:
		row.Escrow = m.say.T("settings.escrow.up", "Escrow", line(a.Escrow))
	}
	return row
}

// currencies are those of the own money: what there is none of cannot be paid.
func (m *Model) currencies(chosen string) (list []Choice) {
	for _, b := range m.purse.balances {
		c := Choice{ID: b.Available.Currency, Title: line(b.Available.Currency), Chosen: b.Available.Currency == chosen}
		if b.Available.Unit != "" {
			c.Title = m.say.T("settings.currency", "Unit", line(b.Available.Unit), "Escrow", line(b.Escrow))
		}
		c.Text = m.say.T("settings.currency-text", "Available", m.say.money(b.Available))
		list = append(list, c)
	}
	return list
}

// limitWords say the limits, and what it means where there is none.
func (m *Model) limitWords() (list []string, none string) {
	open := true
	for _, l := range m.prefs.limits {
		money := func(amount string) string {
			return m.say.money(agentclient.Money{Amount: amount, Currency: l.Currency, Unit: l.Unit})
		}
		switch {
		case l.PerMail != "" && l.PerDay != "":
			list = append(list, m.say.T("settings.limit.both", "Mail", money(l.PerMail), "Day", money(l.PerDay)))
		case l.PerMail != "":
			list = append(list, m.say.T("settings.limit.mail", "Mail", money(l.PerMail)))
		case l.PerDay != "":
			list = append(list, m.say.T("settings.limit.day", "Day", money(l.PerDay)))
		default:
			continue
		}
		open = false
	}
	if open {
		none = m.say.T("settings.limit.none")
	}
	return list, none
}

// SetModel chooses how much of paying is seen. It is saved at once.
func (m *Model) SetModel(id string) {
	m.mu.Lock()
	wanted := m.prefs.wanted()
	wanted.Model = id
	if id == agentclient.ModelSingle && wanted.Currency == "" && len(m.purse.balances) > 0 {
		wanted.Currency = m.purse.balances[0].Available.Currency
	}
	m.mu.Unlock()
	m.saveSettings(wanted)
}

// SetCurrency chooses the currency of the single model.
func (m *Model) SetCurrency(id string) {
	m.mu.Lock()
	wanted := m.prefs.wanted()
	wanted.Currency = id
	m.mu.Unlock()
	m.saveSettings(wanted)
}

func (p *preferences) wanted() agentclient.Settings {
	if p.busy {
		return p.saving
	}
	return p.settings
}

func (m *Model) saveSettings(wanted agentclient.Settings) {
	m.mu.Lock()
	p := &m.prefs
	if !p.loaded || wanted == p.wanted() {
		m.mu.Unlock()
		return
	}
	under := p.busy
	p.saving, p.busy, p.err = wanted, true, nil
	m.mu.Unlock()
	m.changed()
	if !under {
		m.do(m.keepSettings)
	}
}

// keepSettings hands over what was chosen last, however often that changed
// while the agent was asked.
func (m *Model) keepSettings(ctx context.Context) {
	for again := true; again && ctx.Err() == nil; {
		m.mu.Lock()
		wanted := m.prefs.saving
		m.mu.Unlock()
		call, cancel := context.WithTimeout(ctx, callTimeout)
		kept, err := m.agent.SetSettings(call, wanted)
		cancel()
		m.update(func() {
			p := &m.prefs
			if err == nil {
				p.settings = kept
			}
			if again = p.saving != wanted; again {
				return
			}
			p.busy = false
			if err != nil {
				p.err = says("settings.not-saved", "Why", fails(err))
			}
		})
	}
}

func (m *Model) loadSettings(ctx context.Context) {
	m.reload(ctx, &m.prefs.load, func(ctx context.Context) error {
		settings, err := m.agent.Settings(ctx)
		if err != nil {
			return err
		}
		limits, err := m.agent.Limits(ctx)
		if err != nil {
			return m.unlessNoAccount(err)
		}
		m.update(func() { m.prefs.settings, m.prefs.limits, m.prefs.loaded = settings, limits, true })
		return nil
	})
}
