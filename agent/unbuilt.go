package agent

import (
	"context"

	"earnest/agentclient"
)

func unbuilt() error { return agentclient.Failf(agentclient.CodeInternal, "This is not built yet.") }

func (a *Agent) Discover(context.Context, string) (agentclient.Servers, error) {
	return agentclient.Servers{}, unbuilt()
}
func (a *Agent) BeginLogin(context.Context, agentclient.BeginLogin) (agentclient.Login, error) {
	return agentclient.Login{}, unbuilt()
}
func (a *Agent) ChangeAccount(context.Context, agentclient.AddAccount) (agentclient.Account, error) {
	return agentclient.Account{}, unbuilt()
}
func (a *Agent) LogLines(context.Context) ([]agentclient.LogLine, error) { return nil, nil }
func (a *Agent) Diagnostics(context.Context) (agentclient.Diagnostics, error) {
	return agentclient.Diagnostics{}, unbuilt()
}
