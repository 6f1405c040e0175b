package cli

import "testing"

// A subject is written by others: none is calculated by a spreadsheet.
func TestCellsAreNoFormulas(t *testing.T) {
	for in, want := range map[string]string{
		"A question": "A question", "": "", "4.75": "4.75", "a=b": "a=b", "'quoted'": "'quoted'",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "  =1": "'  =1", "\t=1": "'=1", "\r\n-1": "'-1",
		"＝1": "'＝1", "\u200b=1": "'=1", "\x1b=1": "\ufffd=1",
	} {
		if got := cell(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
