package viewmodel

import (
	"bytes"
	"context"
	"encoding/csv"
	"strings"
	"time"
	"unicode/utf8"

	"earnest/agentclient"
)

// StatementFile is the name that an exported statement is offered under.
func (m *Model) StatementFile() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.say.T("statement.file") + "-" + m.now().In(m.say.loc).Format(time.DateOnly) + ".csv"
}

// ExportStatement hands what the statement shows, all of its lines, to write as
// CSV, apart from the drawing.
func (m *Model) ExportStatement(write func(data []byte) error) {
	busy := false
	var moves []agentclient.Movement
	m.update(func() {
		s := &m.statement
		if busy = s.saving; busy {
			return
		}
		for _, l := range m.statementLines() {
			if !l.Day {
				moves = append(moves, s.moves[l.N])
			}
		}
		s.saving, s.saved, s.failed = true, nil, false
	})
	if busy {
		return
	}
	m.do(func(context.Context) {
		m.mu.Lock()
		say := m.say
		m.mu.Unlock()
		data, err := say.csv(moves)
		if err == nil {
			err = write(data)
		}
		m.update(func() {
			s := &m.statement
			s.saving, s.failed = false, err != nil
			s.saved = saysN("statement.saved", len(moves))
			if err != nil {
				s.saved = says("statement.not-saved", "Why", fails(err))
			}
		})
	})
}

// csv is the movements as RFC 4180 has it, in UTF-8. Times are ISO 8601 and amounts
// have a decimal point in every language, so that programs read them.
func (s speech) csv(moves []agentclient.Movement) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	var head []string
	for _, id := range []string{"time", "account", "escrow", "kind", "with", "subject", "amount", "currency", "available", "held", "bond", "ground", "reason"} {
		head = append(head, s.T("statement.column."+id))
	}
	rows := [][]string{head}
	for _, m := range moves {
		unit := m.Amount.Unit
		if unit == "" {
			unit = m.Amount.Currency
		}
		rows = append(rows, []string{m.Time.In(s.loc).Format(time.RFC3339), m.Account, m.Escrow, s.kindWords(m.Kind), m.With, m.Subject,
			number(sign(m.Kind), m.Amount), unit, number("", m.Available), number("", m.Held), m.Bond,
			s.groundWords(m.Ground), s.reasonWords(m)})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = cell(row[i])
		}
	}
	err := w.WriteAll(rows) // the window says what an error means
	return out.Bytes(), err
}

// number is an amount as it stands in a column of numbers; what is none, because
// an agent is not as it should be, is a text like any other.
func number(sign string, m agentclient.Money) string {
	if _, ok := amount(m.Amount); !ok {
		return m.Amount
	}
	if sign == "+" {
		sign = ""
	}
	return sign + m.Amount
}

// cell makes a text harmless that a spreadsheet would take for a formula: it comes
// from strangers. An apostrophe before it says that it is text. Numbers stay.
func cell(text string) string {
	text = line(strings.ToValidUTF8(text, string(utf8.RuneError)))
	if _, ok := amount(strings.TrimPrefix(text, "-")); ok && !strings.Contains(text, ",") {
		return text
	}
	if text != "" && strings.ContainsRune("=+-@|%＝＋－＠\t\r", []rune(text)[0]) {
		return "'" + text
	}
	return text
}
