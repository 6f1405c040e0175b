package cli

import (
	"time"

	"earnest/agentclient"
)

type settingsCmd struct {
	Model    string `enum:",full,single,automatic" default:"" placeholder:"M" help:"full: you choose how to pay; single: one currency is shown; automatic: mails within your limits are paid without a question."`
	Currency string `placeholder:"C" help:"The currency that the single model shows."`
}

func (c *settingsCmd) Run(s *session) error {
	settings, err := s.agent.Settings(s.ctx)
	if err != nil {
		return err
	}
	if c.Model != "" || c.Currency != "" {
		if c.Model != "" {
			settings.Model = c.Model
		}
		if c.Currency != "" {
			settings.Currency = c.Currency
		}
		if settings, err = s.agent.SetSettings(s.ctx, settings); err != nil {
			return err
		}
	}
	if s.json {
		return s.printJSON(settings)
	}
	s.say("model     %s\n", modelWords(settings.Model))
	if settings.Currency != "" {
		s.say("currency  %s\n", line(settings.Currency))
	}
	return nil
}

func modelWords(model string) string {
	switch model {
	case agentclient.ModelFull:
		return "full: you choose how to pay"
	case agentclient.ModelSingle:
		return "single: one currency is shown"
	case agentclient.ModelAutomatic:
		return "automatic: mails within your limits are paid without a question"
	}
	return line(model)
}

type logCmd struct{}

func (c *logCmd) Run(s *session) error {
	lines, err := s.agent.LogLines(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(lines)
	}
	for _, l := range lines {
		s.say("%s  %-5s  %s\n", l.Time.Local().Format(time.DateTime), line(l.Level), line(l.Text))
	}
	return nil
}

type diagnosticsCmd struct{}

func (c *diagnosticsCmd) Run(s *session) error {
	report, err := s.agent.Diagnostics(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(report)
	}
	s.say("%s", report.Text)
	return nil
}
