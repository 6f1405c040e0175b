package viewmodel

import (
	"strings"
	"time"

	"earnest/agentclient"
)

// agent says what the agent said, in the window's language; what it has no text for
// stays as the agent said it: better in English than not at all. An agent that is
// older than phrases has said it in English alone.
func (s speech) agent(said agentclient.Said, english string) string {
	if len(said) == 0 {
		return english
	}
	var parts []string
	for _, p := range said {
		parts = append(parts, s.phrase(p))
	}
	return strings.Join(parts, " ")
}

func (s speech) phrase(p agentclient.Phrase) string {
	if p.ID == "" {
		return p.Fill(s.put)
	}
	var pairs []any
	for name, value := range p.Values {
		pairs = append(pairs, name, s.put(value))
	}
	if text, ok := s.Agent(p.ID, pairs...); ok {
		return text
	}
	return p.Fill(s.put)
}

// put writes a value into a phrase, as this language does.
func (s speech) put(v agentclient.Value) string {
	switch {
	case v.Money != nil:
		return s.money(*v.Money)
	case v.Time != nil:
		return s.moment(*v.Time)
	case v.Seconds != nil && *v.Seconds < int64(2*time.Minute/time.Second):
		return s.N("time.seconds", int(*v.Seconds))
	case v.Seconds != nil:
		return s.span(*v.Seconds)
	case v.Number != nil:
		return s.decimal(v.String())
	case v.Said != nil:
		return strings.TrimSuffix(s.agent(v.Said, ""), ".")
	}
	return v.Text
}
