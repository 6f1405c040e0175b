package repotest

import (
	"bytes"
	"fmt"
	"go/ast"
	"strings"
)

const (
	maxFile     = 500 // lines
	maxFunction = 70  // lines
	// withinPercent of all functions keep to maxFunction.
	withinPercent = 97
)

// sizeRules keep things small enough to be read at once.
func sizeRules() []rule {
	long := "package a\nfunc f() {\n" + strings.Repeat("\t_ = 1\n", maxFunction) + "}\n"
	short := "package a\n" + strings.Repeat("func g() {}\n", 40)
	return []rule{
		{
			name: "files within 500 lines", check: longFiles,
			reason: "a longer file holds two things; give the second a file and a name of its own.",
			broken: []map[string]string{{"a/a.go": "package a\n" + strings.Repeat("\n", maxFile)}},
			fine:   map[string]string{"a/a.go": "package a\n" + strings.Repeat("\n", maxFile-1)},
		},
		{
			name: "functions within 70 lines", check: longFunctions,
			reason: fmt.Sprintf("%d%% of the functions fit on a screen; a longer one does several things that deserve names.", withinPercent),
			broken: []map[string]string{{"a/a.go": long}, {"a/a.go": long, "a/b.go": "package a\n" + strings.Repeat("func g() {}\n", 30)}},
			fine:   map[string]string{"a/a.go": long, "a/b.go": short},
		},
	}
}

// generated files are as long as they are.
func generated(s *source) bool { return ast.IsGenerated(s.syntax) }

func longFiles(t *tree) (faults []string) {
	for _, s := range t.sources {
		if n := bytes.Count(s.text, []byte("\n")); n > maxFile && !generated(s) {
			faults = append(faults, fmt.Sprintf("%s has %d lines", s.path, n))
		}
	}
	return faults
}

func longFunctions(t *tree) (faults []string) {
	all := 0
	var long []string
	for _, s := range t.sources {
		if generated(s) {
			continue
		}
		for _, decl := range s.syntax.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			all++
			if n := s.files.Position(f.End()).Line - s.files.Position(f.Pos()).Line + 1; n > maxFunction {
				long = append(long, fmt.Sprintf("%s: %s has %d lines", s.at(f), f.Name.Name, n))
			}
		}
	}
	if len(long)*100 > all*(100-withinPercent) {
		faults = append(faults, fmt.Sprintf("%d of %d functions are longer than %d lines:\n\t%s", len(long), all, maxFunction, strings.Join(long, "\n\t")))
	}
	return faults
}
