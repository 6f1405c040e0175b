package viewmodel

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/gui/words"
)

// agentSources is where the agent says something to a person.
var agentSources = []string{"../../agent", "../../agent/localapi", "../../agentclient", "../../cmd/earnest/app"}

func goFiles(t *testing.T, dir string, each func(*ast.File)) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", dir, names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		each(file)
	}
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// sentences are all that the agent can say: English texts by id.
func sentences(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range append([]string{"../../agentclient/agenttest"}, agentSources...) {
		goFiles(t, dir, func(file *ast.File) {
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || called(call) != "Say" {
					return true
				}
				id, ok := literal(call.Args[0])
				text, written := literal(call.Args[1])
				if !ok || !written || id == "" || text == "" {
					t.Errorf("%s: a sentence whose id and text are not written out", file.Name.Name)
					return true
				}
				if before, twice := all[id]; twice && before != text {
					t.Errorf("%s says both %q and %q", id, before, text)
				}
				all[id] = text
				var names []string
				for i := 2; i < len(call.Args); i += 2 {
					name, _ := literal(call.Args[i])
					names = append(names, name)
				}
				for _, hole := range holes(text, `\{(\w+)\}`) {
					if !slices.Contains(names, hole) {
						t.Errorf("%s: nothing is put in for {%s}", id, hole)
					}
				}
				return true
			})
		})
	}
	return all
}

func holes(text, pattern string) (names []string) {
	for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestEverySentenceOfTheAgentIsSaidInGerman: each has its text, with the same put
// into it, and the file has no other.
func TestEverySentenceOfTheAgentIsSaidInGerman(t *testing.T) {
	data, err := os.ReadFile("../words/agent.de.json")
	if err != nil {
		t.Fatal(err)
	}
	var german map[string]string
	if err := json.Unmarshal(data, &german); err != nil {
		t.Fatal(err)
	}
	english := sentences(t)
	if len(english) < 400 {
		t.Errorf("only %d sentences were found", len(english))
	}
	for id, text := range english {
		said, ok := german["agent."+id]
		if !ok {
			t.Errorf("%s: %q has no German", id, text)
		} else if want, got := holes(text, `\{(\w+)\}`), holes(said, `\{\{\.(\w+)\}\}`); !slices.Equal(want, got) {
			t.Errorf("%s: %q is put into it in English, %q in German", id, want, got)
		}
	}
	for id := range german {
		if english[strings.TrimPrefix(id, "agent.")] == "" {
			t.Errorf("nobody says %s", id)
		}
	}
}

// TestTheAgentSaysNothingWithoutAnID: what it tells in English is what its phrases
// say, and they are made by Say, or are another's words.
func TestTheAgentSaysNothingWithoutAnID(t *testing.T) {
	told := []string{"Happened", "Means", "Do", "Error", "Detail", "Remedy", "MailboxError", "EscrowError", "ProviderHint", "Checks"}
	plain := func(e ast.Expr) bool { // text that is not made of phrases
		switch e := e.(type) {
		case *ast.BasicLit, *ast.BinaryExpr:
			return true
		case *ast.CallExpr:
			return slices.Contains([]string{"Sprintf", "Error", "Sprint"}, called(e))
		}
		return false
	}
	for _, dir := range agentSources[:2] {
		goFiles(t, dir, func(file *ast.File) {
			at := func(what string) { t.Errorf("%s: %s is said without an id", file.Name.Name, what) }
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					if kind := selected(n.Type); kind == "Failure" || kind == "Phrase" {
						at(kind)
					}
				case *ast.CallExpr:
					if name := called(n); name == "Failf" || name == "Verbatim" && plain(n.Args[0]) && called0(n.Args[0]) != "Error" {
						at(name)
					}
				case *ast.KeyValueExpr:
					if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(told, key.Name) && plain(n.Value) {
						at(key.Name)
					}
				case *ast.AssignStmt:
					for i, to := range n.Lhs {
						if i < len(n.Rhs) && slices.Contains(told, selected(to)) && plain(n.Rhs[i]) && !empty(n.Rhs[i]) {
							at(selected(to))
						}
					}
				}
				return true
			})
		})
	}
}

func called0(e ast.Expr) string {
	if call, ok := e.(*ast.CallExpr); ok {
		return called(call)
	}
	return ""
}

func empty(e ast.Expr) bool {
	text, ok := literal(e)
	return ok && text == ""
}

func TestValuesInTheAgentsSentencesAreWrittenAsTheWindowDoes(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	in := func(l words.Language) speech { return speech{words.In(l), func() time.Time { return now }, time.UTC} }
	cost := agentclient.Money{Amount: "0.90", Currency: "escrow.example", Unit: "EUR"}
	server := agentclient.Say("what.mailbox-at", "The mailbox at {Host}", "Host", "imap.example.org:993")
	nothing := agentclient.Refuse("quote_expired", agentclient.Say("send.other-price", "Writing to {To} costs {Cost} now, which is not what you agreed to.", "To", "a@b.example", "Cost", cost), nil, nil)
	for _, test := range []struct {
		said            agentclient.Said
		english, german string
	}{
		{nothing.Said(), "Writing to a@b.example costs €0.90 now, which is not what you agreed to.", "An a@b.example zu schreiben kostet jetzt 0,90\u00a0€; dem haben Sie nicht zugestimmt."},
		{agentclient.Say("send.unpaid", "Nothing was paid and nothing was sent: {Why}.", "Why", nothing.Say.Happened),
			"Nothing was paid and nothing was sent: Writing to a@b.example costs €0.90 now, which is not what you agreed to.",
			"Nichts wurde bezahlt und nichts gesendet: An a@b.example zu schreiben kostet jetzt 0,90\u00a0€; dem haben Sie nicht zugestimmt."},
		{agentclient.Say("escrow.clock-skew-at", "The clock says {Time}.", "Time", now.AddDate(0, 0, 6)), "The clock says Sat 28 Nov 10:00.", "Die Uhr dieses Rechners weicht um mehr als 5 Minuten von der der Treuhand ab; die zeigt Sa 28. Nov. 10:00."},
		{agentclient.Say("escrow.limited-until", "Try again in {Span}.", "Span", 48*time.Hour), "Try again in 2 days.", "Versuchen Sie es wieder nach: 2 Tage."},
		{agentclient.Say("escrow.limited-until", "Try again in {Span}.", "Span", time.Second), "Try again in 1 second.", "Versuchen Sie es wieder nach: 1 Sekunde."},
		{agentclient.Say("server.silent", "{What} does not answer.", "What", server), "The mailbox at imap.example.org:993 does not answer.", "Das Postfach bei imap.example.org:993 antwortet nicht."},
		{agentclient.Say("of-a-newer-agent", "{Cost} {Braces}", "Cost", cost, "Braces", "{Cost}"), "€0.90 {Cost}", "0,90\u00a0€ {Cost}"},
		{agentclient.Verbatim("550 {What} no"), "550 {What} no", "550 {What} no"},
		{nil, "as it was said", "as it was said"},
	} {
		if got := in(words.English).agent(test.said, "as it was said"); got != test.english {
			t.Errorf("in English: %q", got)
		}
		if got := in(words.German).agent(test.said, "as it was said"); got != test.german {
			t.Errorf("in German: %q", got)
		}
	}
}
