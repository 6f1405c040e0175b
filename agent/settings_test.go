package agent_test

import (
	"errors"
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
)

func TestSettings_AreValidatedAndKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("anna", "")
	ctx := t.Context()
	if got, err := p.Settings(ctx); err != nil || got != (agentclient.Settings{Model: agentclient.ModelFull}) {
		t.Errorf("before anything was chosen: %+v, %v", got, err)
	}
	told := p.listen(t, agentclient.EventStatus)
	for i, good := range []agentclient.Settings{{Model: "automatic"}, {Model: "single", Currency: euro.Name}, {Model: "full", Currency: euro.Name}, {Model: "full"},
		{Model: "single", Currency: euro.Name}} {
		if got, err := p.SetSettings(ctx, good); err != nil || got != good {
			t.Errorf("%+v: %+v, %v", good, got, err)
		}
		eventually(t, "it is told", func() bool { return len(told()) >= i+2 }) // the stream begins with one
	}
	for field, bad := range map[string]agentclient.Settings{"model": {Model: "generous"}, "currency": {Model: "single"}} {
		_, err := p.SetSettings(ctx, bad)
		if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeUsage || failure.Field != field {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := p.SetSettings(ctx, agentclient.Settings{Model: "single", Currency: "bank.example"}); code(err) != agentclient.CodeUsage {
		t.Errorf("a currency of nobody: %v", err)
	}
	p.stop()
	w.start(p)
	if got, err := p.Settings(ctx); err != nil || got != (agentclient.Settings{Model: "single", Currency: euro.Name}) {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
}
