package viewmodel

import (
	"context"
	"slices"
	"time"

	"earnest/agentclient"
)

// reload keeps one kind of data fresh: one request at a time, and a burst of
// events becomes one further request. So an old answer never hides a newer one.
type reload struct{ running, again bool }

type loads struct {
	status, inbox, sent, balances, price reload
	movements, limits, past, drafts      reload
	mail                                 reload
	mails                                map[string]bool // changed, and to be asked for
}

func (m *Model) reload(ctx context.Context, r *reload, fetch func(context.Context) error) {
	m.mu.Lock()
	if r.running {
		r.again = true
		m.mu.Unlock()
		return
	}
	r.running = true
	m.mu.Unlock()
	for {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		err := fetch(call)
		cancel()
		if m.waitsForKeys() && slices.Contains([]string{agentclient.CodeLocked, agentclient.CodeNoKeyring}, codeOf(err)) {
			err = nil // when the keys are open everything is asked for anew
		}
		if err != nil && ctx.Err() == nil {
			m.log.Warn("ask the agent", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(retryMost):
			}
		}
		m.mu.Lock()
		// A failed request is tried again while the agent is there; when it
		// comes back, everything is asked for anyway.
		if !r.again && (err == nil || m.link.state != linkUp) || ctx.Err() != nil {
			r.running, r.again = false, false
			m.mu.Unlock()
			return
		}
		r.again = false
		m.mu.Unlock()
	}
}

func (m *Model) loadAll(context.Context) {
	for _, load := range []func(context.Context){m.loadStatus, m.loadInbox, m.loadSent, m.loadDrafts, m.loadBalances, m.loadCards, m.moneyMoved, m.loadPrice, m.loadSettings, m.loadPeople} {
		m.do(load)
	}
}

func (m *Model) loadStatus(ctx context.Context) {
	m.reload(ctx, &m.loads.status, func(ctx context.Context) error {
		status, err := m.agent.Status(ctx)
		if err != nil {
			return err
		}
		again, opened := false, false
		m.update(func() {
			again = len(status.Accounts) > len(m.status.Accounts)
			opened = m.status.Locked != "" && status.Locked == ""
			m.status, m.loaded = status, true
			if opened {
				m.keysOpened()
			}
			m.setupHeard(status)
		})
		switch {
		case opened:
			m.do(m.loadAll)
		case again:
			m.do(m.loadPrice)
			m.do(m.loadBalances)
		}
		return nil
	})
}

func (m *Model) loadSent(ctx context.Context) {
	m.reload(ctx, &m.loads.sent, func(ctx context.Context) error {
		m.mu.Lock()
		m.out.newer = map[string]bool{}
		m.mu.Unlock()
		sent, err := m.agent.Sent(ctx)
		if err != nil {
			return err
		}
		m.update(func() { m.out.take(sent) })
		return nil
	})
}

func (m *Model) loadBalances(ctx context.Context) {
	m.reload(ctx, &m.loads.balances, func(ctx context.Context) error {
		balances, err := m.agent.Balances(ctx)
		if err != nil {
			m.update(func() { m.purse.loadErr = fails(err) })
			return m.unlessNoAccount(err)
		}
		m.update(func() { m.purse.balances, m.purse.loaded, m.purse.loadErr = balances, true, nil })
		return nil
	})
}

// unlessNoAccount: before the first account there is nothing to ask for, and
// no reason to ask again until there is one.
func (m *Model) unlessNoAccount(err error) error {
	switch codeOf(err) {
	case "no_account", "no_offer", "not_found":
		return nil
	}
	return err
}
