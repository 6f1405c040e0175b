package cli

import (
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
)

// Every failure that there is has one exit code, and every row of the table is used.
func TestEveryFailureHasOneExitCode(t *testing.T) {
	rows := map[string]int{}
	statuses := map[int]bool{}
	for _, row := range exits() {
		if statuses[row.status] || row.meaning == "" {
			t.Errorf("exit code %d is in the table twice, or says nothing", row.status)
		}
		statuses[row.status] = true
		for _, code := range row.codes {
			rows[code]++
		}
	}
	known := map[string]bool{codeUnwell: true}
	for _, code := range agentclient.Codes() {
		known[code] = true
	}
	for _, code := range escrow.Codes() {
		known[string(code)] = true
	}
	for code := range known {
		if rows[code] != 1 {
			t.Errorf("%s is in %d rows of the table", code, rows[code])
		}
	}
	for code := range rows {
		if !known[code] {
			t.Errorf("%s is in the table and nowhere else", code)
		}
	}
	if exitOf("anything else") != exitInternal || exitOf(agentclient.CodeNoAgent) != 3 {
		t.Error("codes and exit codes do not match")
	}
}
