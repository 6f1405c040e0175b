package agenttest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

// SetServers is what Discover finds for a domain.
func (a *Agent) SetServers(domain string, servers agentclient.Servers) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.servers[domain] = servers
}

// Added are the accounts that were added, as they were asked for.
func (a *Agent) Added() []agentclient.AddAccount {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]agentclient.AddAccount{}, a.added...)
}

// EndLogin ends a login that was begun, well or not, and tells it.
func (a *Agent) EndLogin(id string, well bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.logins[id] = well
	a.emit(agentclient.EventLogin, id, map[bool]string{true: "done", false: "failed"}[well])
}

// Logins are the ids of those that were begun, in no order.
func (a *Agent) Logins() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Keys(a.logins))
}

// SetLog replaces the log.
func (a *Agent) SetLog(lines ...agentclient.LogLine) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log = lines
}

// Discover implements [agentclient.Agent].
func (a *Agent) Discover(ctx context.Context, address string) (agentclient.Servers, error) {
	if err := a.begin(ctx, "Discover"); err != nil {
		return agentclient.Servers{}, err
	}
	defer a.mu.Unlock()
	_, domain, _ := strings.Cut(address, "@")
	servers, ok := a.servers[domain]
	if !ok {
		servers.Source = "none"
	}
	servers.Address, servers.User = address, address
	return servers, nil
}

// BeginLogin implements [agentclient.Agent].
func (a *Agent) BeginLogin(ctx context.Context, req agentclient.BeginLogin) (agentclient.Login, error) {
	if err := a.begin(ctx, "BeginLogin"); err != nil {
		return agentclient.Login{}, err
	}
	defer a.mu.Unlock()
	id := a.id("login")
	a.logins[id] = false
	return agentclient.Login{ID: id, URL: "https://login.example/" + req.Provider + "?id=" + id, Expires: a.now().Add(10 * time.Minute)}, nil
}

// ChangeAccount implements [agentclient.Agent].
func (a *Agent) ChangeAccount(ctx context.Context, req agentclient.AddAccount) (agentclient.Account, error) {
	if err := a.begin(ctx, "ChangeAccount"); err != nil {
		return agentclient.Account{}, err
	}
	defer a.mu.Unlock()
	for _, account := range a.status.Accounts {
		if strings.EqualFold(account.Address, req.Address) {
			if req.Password != "" {
				a.passwords[account.Address] = req.Password
			}
			a.emit(agentclient.EventStatus, "", "")
			return account, nil
		}
	}
	return agentclient.Account{}, failure(agentclient.CodeNoAccount, "There is no such account.")
}

// Settings implements [agentclient.Agent].
func (a *Agent) Settings(ctx context.Context) (agentclient.Settings, error) {
	if err := a.begin(ctx, "Settings"); err != nil {
		return agentclient.Settings{}, err
	}
	defer a.mu.Unlock()
	return a.settings, nil
}

// SetSettings implements [agentclient.Agent].
func (a *Agent) SetSettings(ctx context.Context, settings agentclient.Settings) (agentclient.Settings, error) {
	if err := a.begin(ctx, "SetSettings"); err != nil {
		return agentclient.Settings{}, err
	}
	defer a.mu.Unlock()
	a.settings = settings
	a.emit(agentclient.EventStatus, "", "")
	return settings, nil
}

// LogLines implements [agentclient.Agent].
func (a *Agent) LogLines(ctx context.Context) ([]agentclient.LogLine, error) {
	if err := a.begin(ctx, "LogLines"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return append([]agentclient.LogLine{}, a.log...), nil
}

// Diagnostics implements [agentclient.Agent].
func (a *Agent) Diagnostics(ctx context.Context) (agentclient.Diagnostics, error) {
	if err := a.begin(ctx, "Diagnostics"); err != nil {
		return agentclient.Diagnostics{}, err
	}
	defer a.mu.Unlock()
	return agentclient.Diagnostics{Text: "earnest test\naccounts: 1\n"}, nil
}
