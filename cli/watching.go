package cli

import (
	"context"
	"errors"

	"earnest/agentclient"
)

type doctorCmd struct{}

func (c *doctorCmd) Run(s *session) error {
	checks, err := s.agent.Doctor(s.ctx)
	failure, told := errors.AsType[*agentclient.Failure](err)
	switch {
	case told && failure.Code == agentclient.CodeNoAgent:
		// No agent is something that a doctor finds, not a reason to stay silent.
		checks = []agentclient.Check{{Name: "agent", Detail: failure.Happened, Remedy: failure.Do}}
	case err != nil:
		return err
	default:
		checks = append([]agentclient.Check{{Name: "agent", OK: true, Detail: "it answers"}}, checks...)
		failure = nil
	}
	unwell := 0
	for _, check := range checks {
		if !check.OK {
			unwell++
		}
	}
	if unwell > 0 && failure == nil {
		failure = &agentclient.Failure{Code: codeUnwell, Happened: "Something is wrong."}
	}
	if s.json {
		if err := s.printJSON(checks); err != nil {
			return err
		}
	} else {
		s.checks(checks, unwell)
	}
	if failure != nil {
		return &shown{failure}
	}
	return nil
}

func (s *session) checks(checks []agentclient.Check, unwell int) {
	rows := [][]string{}
	for _, check := range checks {
		mark := "ok"
		if !check.OK {
			mark = "WRONG"
		}
		rows = append(rows, []string{mark, line(check.Name), line(check.Detail)})
		if check.Remedy != "" && !check.OK {
			rows = append(rows, []string{"", "", "→ " + line(check.Remedy)})
		}
	}
	s.table(rows)
	if unwell == 0 {
		s.say("Nothing is wrong.\n")
	}
}

type eventsCmd struct {
	Count int `placeholder:"N" help:"End after N events."`
}

func (c *eventsCmd) Run(s *session) error {
	if c.Count < 0 {
		return agentclient.Failf(agentclient.CodeUsage, "--count takes a number of events from 1; without it the events go on.")
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	n, done := 0, false
	var broken error
	err := s.agent.Events(ctx, func(event agentclient.Event) {
		if done {
			return
		}
		n++
		if s.json {
			broken = s.printJSON(event)
		} else {
			s.say("%s  %-7s  %s  %s\n", event.Time.Local().Format("15:04:05"), line(event.Type), s.name(event.ID), line(event.State))
			broken = s.lost()
		}
		if n == c.Count || broken != nil {
			done = true
			stop()
		}
	})
	if done {
		return broken
	}
	return err
}

type agentCmd struct {
	AgentFlags
}

func (c *agentCmd) Run(s *session) error {
	if s.hooks.Agent == nil {
		return agentclient.Failf(agentclient.CodeUsage, "This program has no agent in it.")
	}
	return s.hooks.Agent(s.ctx, c.AgentFlags)
}

type demoCmd struct {
	DemoFlags
}

func (c *demoCmd) Run(s *session) error {
	if s.hooks.Demo == nil {
		return agentclient.Failf(agentclient.CodeUsage, "This program has no demonstration in it.")
	}
	c.DemoFlags.JSON = s.json
	return s.hooks.Demo(s.ctx, c.DemoFlags)
}
