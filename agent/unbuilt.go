package agent

import (
	"context"

	"earnest/agentclient"
)

func unbuilt() error { return agentclient.Failf(agentclient.CodeInternal, "This is not built yet.") }

func (a *Agent) LogLines(context.Context) ([]agentclient.LogLine, error) { return nil, nil }
func (a *Agent) Diagnostics(context.Context) (agentclient.Diagnostics, error) {
	return agentclient.Diagnostics{}, unbuilt()
}
