package cli

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"earnest/agentclient"
)

func TestWhatIsPrintedCannotSteerATerminal(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "Grüße, 東京, שלום, 👩‍🚀", "Grüße, 東京, שלום, 👩‍🚀"},
		{"lines and tabs stay", "a\tb\nc\r\nd", "a\tb\nc\nd"},
		{"escape sequence", "\x1b[31mred\x1b[0m", "�[31mred�[0m"},
		{"one-character CSI", "a\u009b2Jb", "a�2Jb"},
		{"title", "\x1b]0;x\a", "�]0;x�"},
		{"carriage return, backspace, delete", "pay\rnow\b\x7f", "pay�now��"},
		{"right-to-left override", "evil\u202etxt.exe\u202c", "evil�txt.exe�"},
		{"isolates", "\u2066a\u2069", "�a�"},
		{"line separators", "a\u2028b\u2029c", "a�b�c"},
		{"invisible", "pay\u200bpal\ufeff\u00ad\U000e0041\u200f", "paypal"},
		{"blank letter", "a\u3164b", "ab"},
		{"broken UTF-8", "a\xffb", "a�b"},
	} {
		if got := safe(test.in); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got := line("a\nb\tc\r\nd"); got != "a b c d" {
		t.Errorf("line: %q", got)
	}
}

func FuzzPrinted(f *testing.F) {
	f.Add("a\x1b[31m\u202e\u009b\xff\U000e0041")
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range safe(text) {
			if hidden(r) && r != '\n' && r != '\t' {
				t.Fatalf("%q leaves %U", text, r)
			}
		}
		var out bytes.Buffer
		s := &session{streams: Streams{Out: &out}}
		if err := s.printJSON(text); err != nil {
			t.Fatal(err)
		}
		for _, r := range out.String() {
			if hidden(r) && r != '\n' {
				t.Fatalf("JSON of %q leaves %U", text, r)
			}
		}
		var back, want string
		plain, _ := json.Marshal(text)
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != want {
			t.Fatalf("JSON of %q came back as %q, %v", want, back, err)
		}
	})
}

func TestTablesAlignWhateverTheScript(t *testing.T) {
	var out bytes.Buffer
	s := &session{streams: Streams{Out: &out}}
	s.table([][]string{{"A", "B", "C"}, {"東京", "€0.25", "x"}, {"e\u0301", "€10.00", "y"}}, 1)
	want := "A          B  C\n東京   €0.25  x\ne\u0301     €10.00  y\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if got := cut("東京東京", 6); got != "東京…" {
		t.Errorf("cut: %q", got)
	}
}

func TestFilesOfStrangersStayInTheFolder(t *testing.T) {
	for given, want := range map[string]string{
		"draft.pdf":                  "draft.pdf",
		"../../etc/passwd":           "passwd",
		`C:\Windows\system32\a.dll`:  "a.dll",
		"/":                          "attachment-3",
		"..":                         "attachment-3",
		"":                           "attachment-3",
		".bashrc":                    "bashrc",
		"con.txt":                    "attachment-3",
		"LPT1":                       "attachment-3",
		"a\u202egnp.exe\x00":         "a_gnp.exe_",
		"stream.txt:hidden":          "stream.txt_hidden",
		"für Anna.txt":               "für Anna.txt",
		string(make([]byte, 300)):    "attachment-3",
		"trailing. . ":               "trailing",
		"COMPUTER.txt":               "COMPUTER.txt",
		"a/b\\c/.hidden-in-a-folder": "hidden-in-a-folder",
	} {
		if got := fileName(given, 2); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}

func TestIDsAreShownAsShortAsTheyCanBe(t *testing.T) {
	got := shorten([]string{"0193aaaa-0001", "0193aaaa-0002", "ffff"})
	for i, want := range []string{"0193aaaa-0001", "0193aaaa-0002", "ffff"} {
		if got[i] != want {
			t.Errorf("id %d is shown as %s", i, got[i])
		}
	}
	if got := shorten([]string{"aaaaaaaaaaaa", "bbbbbbbbbbbb"}); got[0] != "aaaaaaaa" {
		t.Errorf("ids are shown as %q", got)
	}
	for _, test := range []struct{ typed, want, code string }{
		{"ab", "abcd", ""}, {"AB", "abcd", ""}, {"abcd", "abcd", ""}, {"abcde", "abcde", ""},
		{"x", "", agentclient.CodeUsage}, {"", "", agentclient.CodeNotFound}, {"q", "", agentclient.CodeNotFound},
	} {
		ids := []string{"abcd", "xy", "xz"}
		if test.typed == "abcde" {
			ids = append(ids, "abcde", "abcdef")
		}
		got, err := resolve(test.typed, ids)
		failure, _ := err.(*agentclient.Failure)
		if got != test.want || (failure == nil) != (test.code == "") || failure != nil && failure.Code != test.code {
			t.Errorf("%q: %q, %v", test.typed, got, err)
		}
	}
}

// An id that is a hash may begin with a dash, and is no flag for that.
func TestAnIDThatBeginsWithADash(t *testing.T) {
	id := "--" + strings.Repeat("aB_-0", 8) + "z"
	args := undash([]string{"read", id, "--json", "-y", "--", id})
	if want := []string{"read", id[2:], "--json", "-y", "--", id}; !slices.Equal(args, want) {
		t.Errorf("%q, want %q", args, want)
	}
	ids := []string{id, "aB_-1234567", "AB_-9999999"}
	for _, typed := range []string{id, id[2:], "aB_-0a"} {
		if got, err := resolve(typed, ids); err != nil || got != id {
			t.Errorf("%s is %s, %v", typed, got, err)
		}
	}
	if got, err := resolve("AB", ids); err != nil || got != "AB_-9999999" {
		t.Errorf("capitals: %s, %v", got, err)
	}
	if got := shorten(ids); got[0] != "aB_-0aB_" {
		t.Errorf("shown as %q", got)
	}
}

func TestTimesAreSaidAsInTheWindow(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	s := &session{streams: Streams{Now: func() time.Time { return now }}}
	for d, want := range map[time.Duration]string{
		0: "just now", -30 * time.Second: "just now", -90 * time.Second: "a minute ago",
		9*time.Minute + 58*time.Second: "in 9 minutes", 58 * time.Second: "in 0:58 minutes",
		47 * time.Hour: "in 2 days", 36 * time.Hour: "in 1 day", 7*24*time.Hour - 1: "in 7 days", 14*24*time.Hour - time.Hour: "in 14 days", -3 * time.Hour: "3 hours ago",
	} {
		if got := s.away(now.Add(d)); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	if got := s.moment(time.Time{}); got != "" {
		t.Errorf("no time is %q", got)
	}
}
