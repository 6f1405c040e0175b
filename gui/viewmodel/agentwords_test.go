package viewmodel

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/gui/words"
)

// agentSources is where the agent says something to a person.
var agentSources = []string{"../../agent", "../../agent/localapi", "../../agentclient"}

// folded is a literal that may be put together of several.
func folded(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return s
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return folded(e.X) + folded(e.Y)
		}
	}
	return ""
}

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

// TestTheAgentsSentencesStandInItsSources: a sentence that the agent no longer
// says would be translated in vain, and the new one would stay English unseen.
func TestTheAgentsSentencesStandInItsSources(t *testing.T) {
	var all strings.Builder
	for _, dir := range agentSources {
		goFiles(t, dir, func(file *ast.File) {
			ast.Inspect(file, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if ok {
					if s := folded(e); s != "" {
						all.WriteString(s + "\n")
					}
				}
				return true
			})
		})
	}
	data, err := os.ReadFile("../words/agent.en.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	for id, text := range texts {
		if !strings.Contains(all.String(), text) {
			t.Errorf("%s: nobody says %q", id, text)
		}
	}
}

// TestEveryFailureIsSaidInGerman: the three sentences of each code, those of the
// agent and those of the escrow.
func TestEveryFailureIsSaidInGerman(t *testing.T) {
	german := speech{Words: words.In(words.German)}
	need := func(where, english string) {
		if english != "" && german.agent(english) == english {
			t.Errorf("%s: %q has no German", where, english)
		}
	}
	for _, code := range agentclient.Codes() {
		f := agentclient.Fail(code)
		for _, part := range []string{f.Happened, f.Means, f.Do} {
			if part == "" {
				t.Errorf("%s does not say all three things", code)
			}
			need(code, part)
		}
	}
	n := 0
	goFiles(t, "../../agent/localapi", func(file *ast.File) {
		ast.Inspect(file, func(node ast.Node) bool {
			lit, ok := node.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if name, ok := lit.Type.(*ast.Ident); ok && name.Name == "words" {
				n++
				for _, e := range lit.Elts {
					need("localapi", folded(e))
				}
			}
			return true
		})
	})
	if n < 20 {
		t.Errorf("only %d of the escrow's codes were found", n)
	}
}

func TestATextOfSeveralSentencesIsSaidSentenceBySentence(t *testing.T) {
	german := speech{Words: words.In(words.German)}
	got := german.agent("It is not encrypted as it should be: x. It was not opened and nothing was decided. Its sender may send it again under the same bond; else the bond goes back by itself.")
	want := "It is not encrypted as it should be: x. Sie wurde nicht geöffnet und nichts wurde entschieden. Ihr Absender darf sie mit demselben Einsatz noch einmal senden; sonst geht der Einsatz von selbst zurück."
	if got != want {
		t.Errorf("said %q", got)
	}
	for _, same := range []string{"", "Nobody knows this. Nor this", "a.b. c"} {
		if got := german.agent(same); got != same {
			t.Errorf("%q became %q", same, got)
		}
	}
	english := speech{Words: words.In(words.English)}
	if got := english.agent("The escrow does not answer. And more."); got != "The escrow does not answer. And more." {
		t.Errorf("in English: %q", got)
	}
}
