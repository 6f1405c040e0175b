//go:build unix

package cli

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// sends notes what it is to send.
type sends struct {
	agentclient.Agent
	sent []agentclient.Compose
}

func (s *sends) Send(ctx context.Context, compose agentclient.Compose) ([]agentclient.Sent, error) {
	s.sent = append(s.sent, compose)
	return s.Agent.Send(ctx, compose)
}

// What a person said yes to is what the agent is held to; who was not asked agreed
// to nothing, and it is sent for what it costs.
func TestAYesIsToWhatWasShown(t *testing.T) {
	scene := agenttest.Scene(sunday)
	price, err := scene.Price(t.Context(), "author@example.net")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags  []string
		agreed []string
	}{{nil, []string{price.Options[0].Instruction}}, {[]string{"--yes"}, nil}} {
		agent := &sends{Agent: agenttest.Scene(sunday)}
		args := append([]string{"send", "--to", "author@example.net", "--subject", "S", "--body-file", writeFile(t, "Hello")}, c.flags...)
		code := Main(t.Context(), args, Streams{In: strings.NewReader("y\n"), Out: io.Discard, Err: io.Discard, Interactive: true, Now: sunday},
			func(string) string { return "" }, Hooks{Connect: func(string) agentclient.Agent { return agent }})
		if code != 0 || len(agent.sent) != 1 || !slices.Equal(agent.sent[0].Agreed, c.agreed) {
			t.Errorf("%v: exit %d, sent %+v", c.flags, code, agent.sent)
		}
	}
}
