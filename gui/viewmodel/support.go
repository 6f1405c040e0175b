package viewmodel

import (
	"context"
	"strings"

	"earnest/agentclient"
)

// support is what helps when something is wrong: the doctor, the log and a
// report for somebody who helps.
type support struct {
	checks answer[[]agentclient.Check]
	log    answer[[]agentclient.LogLine]
	report answer[agentclient.Diagnostics]
	level  string // the least that the log shows
	saved  said   // what became of the report
}

// answer is what was asked of the agent because the person wanted to see it.
type answer[T any] struct {
	busy bool
	here bool
	err  said
	got  T
}

// demand asks for something once at a time; what is there stays until then.
func demand[T any](m *Model, a *answer[T], ask func(context.Context) (T, error)) {
	m.mu.Lock()
	busy := a.busy
	a.busy, a.err = true, nil
	m.mu.Unlock()
	if busy {
		return
	}
	m.changed()
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, sendTimeout)
		defer cancel()
		got, err := ask(ctx)
		m.update(func() {
			a.busy = false
			if err != nil {
				a.err = fails(err)
				return
			}
			a.got, a.here = got, true
		})
	})
}

// CheckRow is a line of the doctor.
type CheckRow struct {
	Name, Text, Remedy string
	OK                 bool
}

// Doctor is the page of the checks.
type Doctor struct {
	Busy    bool
	Error   string
	Summary string
	Rows    []CheckRow
}

// Examine has the agent check everything.
func (m *Model) Examine() { demand(m, &m.support.checks, m.agent.Doctor) }

// Doctor shows the checks.
func (m *Model) Doctor() Doctor {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := &m.support.checks
	v := Doctor{Busy: a.busy, Error: m.say.again(a.err)}
	wrong := 0
	for _, c := range a.got {
		if !c.OK {
			wrong++
		}
		v.Rows = append(v.Rows, CheckRow{Name: m.checkName(c.Name), Text: line(m.say.agent(c.SayDetail, c.Detail)),
			Remedy: line(m.say.agent(c.SayRemedy, c.Remedy)), OK: c.OK})
	}
	switch {
	case !a.here:
	case wrong == 0:
		v.Summary = m.say.T("settings.doctor.well")
	default:
		v.Summary = m.say.N("settings.doctor.wrong", wrong)
	}
	return v
}

// checkName is what the doctor calls a check, in the window's language, with the
// own address that it is about.
func (m *Model) checkName(name string) string {
	part, address, of := strings.Cut(name, " of ")
	kind, _, _ := strings.Cut(part, " (")
	switch kind {
	case "account", "keyring", "mailbox", "submission", "escrow", "receipt key", "clock", "address", "pool":
		part = m.say.T("settings.check." + strings.ReplaceAll(kind, " ", "-"))
	default:
		return line(name)
	}
	if !of || len(m.status.Accounts) < 2 {
		return part
	}
	return part + " · " + line(address)
}

// levels are those of the log, the least first.
func levels() []string { return []string{"DEBUG", "INFO", "WARN", "ERROR"} }

func rank(level string) int {
	for i, l := range levels() {
		if strings.EqualFold(l, level) {
			return i
		}
	}
	return len(levels()) // one that nobody knows is always shown
}

// LogRow is a line of the log.
type LogRow struct {
	Time, Level, Text string
	Tone              Tone
}

// Log is the page of the log.
type Log struct {
	Busy   bool
	Error  string
	Levels []Choice
	Rows   []LogRow // the newest first
	Empty  string
}

// LoadLog asks for what the agent logged last.
func (m *Model) LoadLog() { demand(m, &m.support.log, m.agent.LogLines) }

// SetLogLevel shows only lines of this level and above.
func (m *Model) SetLogLevel(level string) {
	m.update(func() { m.support.level = level })
}

// Log shows the log.
func (m *Model) Log() Log {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := &m.support.log
	v := Log{Busy: a.busy, Error: m.say.again(a.err)}
	for _, l := range levels() {
		v.Levels = append(v.Levels, Choice{ID: l, Title: m.say.T("settings.log.level." + strings.ToLower(l)), Chosen: l == m.level()})
	}
	for i := len(a.got) - 1; i >= 0; i-- {
		l := a.got[i]
		if rank(l.Level) < rank(m.level()) {
			continue
		}
		row := LogRow{Time: l.Time.In(m.say.loc).Format("2006-01-02 15:04:05"), Level: line(l.Level), Text: line(l.Text), Tone: Muted}
		switch rank(l.Level) {
		case 2:
			row.Tone = Waits
		case 3:
			row.Tone = Against
		}
		v.Rows = append(v.Rows, row)
	}
	switch {
	case len(v.Rows) > 0 || !a.here:
	case len(a.got) == 0:
		v.Empty = m.say.T("settings.log.empty")
	default:
		v.Empty = m.say.T("settings.log.none")
	}
	return v
}

func (m *Model) level() string {
	if m.support.level == "" {
		return "INFO"
	}
	return m.support.level
}

// LogText is what the log page shows, to copy.
func (m *Model) LogText() string {
	v := m.Log()
	var b strings.Builder
	for i := len(v.Rows) - 1; i >= 0; i-- { // as the agent has it, the newest last
		b.WriteString(v.Rows[i].Time + " " + v.Rows[i].Level + " " + v.Rows[i].Text + "\n")
	}
	return b.String()
}

// Report is the page of the diagnostics.
type Report struct {
	Busy  bool
	Error string
	Text  string
	Saved string
}

// LoadReport asks for the report.
func (m *Model) LoadReport() {
	m.update(func() { m.support.saved = nil })
	demand(m, &m.support.report, m.agent.Diagnostics)
}

// Report shows the report before it goes anywhere.
func (m *Model) Report() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := &m.support.report
	shown, _ := text(a.got.Text, mostMore)
	return Report{Busy: a.busy, Error: m.say.again(a.err), Text: shown, Saved: m.say.again(m.support.saved)}
}

// ReportSaved says what became of saving the report under a name.
func (m *Model) ReportSaved(name string, err error) {
	m.update(func() {
		m.support.saved = says("settings.report.saved", "Name", line(name))
		if err != nil {
			m.support.saved = says("settings.report.not-saved", "Why", fails(err))
		}
	})
}

// Why says an error of the program around the window in words.
func (m *Model) Why(err error) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.say.failure(err)
}
