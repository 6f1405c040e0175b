package repotest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"path"
	"regexp"
	"strings"
)

// The patterns are put together so that this file does not hold them itself.
var (
	machinePath = regexp.MustCompile(`(^|[^\w.~/-])/(` + strings.Join([]string{"work", "root"}, "|") + `)(/|\b)`)
	unfinished  = regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "XX" + "X"}, "|") + `)\b`)
)

// textRules are about what is written in the files.
func textRules() []rule {
	return []rule{
		{
			name: "no paths of one machine", check: machinePaths,
			reason: "the sources are built on machines that look different from the one where they were written.",
			broken: []map[string]string{
				{"scripts/x": "cp a /" + "work/b"}, {"a/a.go": "package a\nconst p = \"/" + "root/x\""}, {"README.md": "see `/" + "work`"},
			},
			fine: map[string]string{"README.md": "https://example.org/work/x ./root/x and/or /workshop network/root"},
		},
		{
			name: "no test is left out", check: skips,
			reason: "a test that is skipped proves nothing and looks as if it did. What a test needs, scripts/install-deps installs; " +
				"without it the test fails and says so.",
			broken: []map[string]string{
				{"a/a_test.go": "package a\nfunc TestX(t *testing.T) { t.Skip() }"},
				{"a/a_test.go": "package a\nfunc TestX(t *testing.T) { t.SkipNow() }"},
				{"a/a_test.go": "package a\nfunc TestX(tt *testing.T) { if testing.Short() { return } }"},
				{"a/a.go": "package a\nfunc Check(t testing.TB) { t.Skipf(\"x\") }"},
			},
			fine: map[string]string{"a/a_test.go": "package a\nfunc TestX(t *testing.T) { fs.SkipDir() }"},
		},
		{
			name: "nothing unfinished", check: unfinishedWork,
			reason: "what is left to do belongs to the list of issues, where somebody finds it.",
			broken: []map[string]string{{"a/a.go": "package a // TO" + "DO: all"}, {"scripts/x": "# FIX" + "ME"}},
			fine:   map[string]string{"a/a.go": "package a // todo lists are a thing"},
		},
		{
			name: "formatted", check: formatted,
			reason: "one form for all, so that a change shows only what changed: make fmt.",
			broken: []map[string]string{{"a/a.go": "package a\nfunc  f() {}"}},
			fine:   map[string]string{"a/a.go": "package a\n\nfunc f() {}\n"},
		},
	}
}

// lines lists the lines of text files that a pattern matches.
func lines(t *tree, pattern *regexp.Regexp, extensions ...string) (found []string) {
	for name, text := range t.texts {
		if len(extensions) > 0 && !strings.Contains(strings.Join(extensions, " ")+" ", path.Ext(name)+" ") || !pattern.Match(text) {
			continue
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if pattern.Match(line) {
				found = append(found, fmt.Sprintf("%s:%d: %s", name, i+1, bytes.TrimSpace(line)))
			}
		}
	}
	return found
}

func machinePaths(t *tree) []string { return lines(t, machinePath) }

func unfinishedWork(t *tree) []string { return lines(t, unfinished, ".go", ".sh", ".sql", "") }

func skips(t *tree) (faults []string) {
	for _, s := range t.sources {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
				switch sel.Sel.Name {
				case "Skip", "Skipf", "SkipNow":
					faults = append(faults, s.at(call)+": calls "+sel.Sel.Name)
				case "Short":
					if id, ok := sel.X.(*ast.Ident); ok && id.Name == "testing" {
						faults = append(faults, s.at(call)+": calls testing.Short")
					}
				}
			}
			return true
		})
	}
	return faults
}

func formatted(t *tree) (faults []string) {
	for _, s := range t.sources {
		if want, err := format.Source(s.text); err != nil || !bytes.Equal(want, s.text) {
			faults = append(faults, s.path+": not formatted")
		}
	}
	return faults
}
