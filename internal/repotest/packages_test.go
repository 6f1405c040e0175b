package repotest

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

// namesToAvoid say nothing of what is inside.
var namesToAvoid = []string{"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "shared", "base"}

// frameworks put programs together behind the reader's back.
var frameworks = []string{"github.com/google/wire", "go.uber.org/dig", "go.uber.org/fx", "github.com/samber/do", "github.com/sarulabs/di"}

// drivers may be imported blank: database/sql has no other door.
var drivers = []string{"modernc.org/sqlite", "github.com/jackc/pgx/v5/stdlib", "embed"}

// packageRules are rule 5 of docs/ARCHITECTURE.md, and what is said of a
// package as a whole.
func packageRules() []rule {
	return []rule{
		{
			name: "one doc comment a package", check: docComments,
			reason: "a reader wants to know in one place what a package is for; two places disagree sooner or later.",
			broken: []map[string]string{
				{"mail/a.go": "package mail"},
				{"mail/a.go": "// Package mail reads.\npackage mail", "mail/b.go": "// Package mail writes.\npackage mail"},
				{"mail/a.go": "// Reads mail.\npackage mail"},
				{"cmd/x/main.go": "package main"},
			},
			fine: map[string]string{
				"mail/a.go": "// Package mail reads.\npackage mail", "mail/b.go": "package mail", "mail/c.go": "//go:build linux\n\npackage mail",
				"cmd/x/main.go": "// Program x does it.\npackage main",
			},
		},
		{
			name: "5 names that say something", check: packageNames,
			reason: "a package called util or common has no reason to refuse anything, and grows without end.",
			broken: []map[string]string{{"agent/util/a.go": "package util"}, {"a/a.go": "package helpers"}, {"manager/a.go": "package x"}},
			fine:   map[string]string{"utility/a.go": "package utility"},
		},
		{
			name: "5 nothing happens by import", check: initFunctions,
			reason: "what init does cannot be tested, ordered or left out; and a framework that joins parts hides who knows whom.",
			broken: []map[string]string{
				{"a/a.go": "package a\nfunc init() {}"},
				{"a/a.go": `package a; import _ "image/png"`},
				{"a/a.go": `package a; import "go.uber.org/fx"`},
			},
			fine: map[string]string{"a/a.go": "package a\nimport _ \"modernc.org/sqlite\"\ntype t int\nfunc (t) init() {}"},
		},
		{
			name: "5 no mutable package variables", check: packageVariables,
			reason: "a variable of a package is shared by all tests and all agents of a process. Pass the value, or make it a " +
				"constant; errors, compiled patterns, embedded files and tables that nothing writes to may stay.",
			broken: []map[string]string{
				{"a/a.go": "package a\nvar count int"},
				{"a/a.go": "package a\nvar cache = map[string]int{}\nfunc f() { cache[\"x\"] = 1 }"},
				{"a/a.go": "package a\nvar n = 1\nfunc f() { n++ }"},
				{"a/a.go": "package a\nvar now = f()\nfunc g() { now = nil }"},
				{"a/a.go": "package a\nvar list = []int{1}", "a/b.go": "package a\nfunc f() { list = append(list, 2) }"},
				{"a/a.go": "package a\nimport \"sync\"\nvar mu sync.Mutex"},
				{"a/a.go": "package a\nimport \"sync\"\nvar once = &sync.Once{}"},
				{"a/a.go": "package a\nvar Hook = func() {}"},
				{"a/a.go": "package a\nvar table = map[string]int{}\nfunc f() { delete(table, \"x\") }"},
				{"a/a.go": "package a\nvar x = struct{n int}{1}\nfunc f() *int { return &x.n }"},
			},
			fine: map[string]string{"a/a.go": `package a
import ("errors"; "regexp"; "embed"; "io")
//go:embed x
var files embed.FS
var _ io.Reader = (*r)(nil)
var ErrX = errors.New("x")
var pattern = regexp.MustCompile("x")
var table = map[string]int{"x": 1}
func f() int { table := map[string]int{}; table["x"] = 2; return table["x"] }
func g() int { return table["x"] }
`},
		},
	}
}

func docComments(t *tree) (faults []string) {
	for dir, files := range t.packages() {
		var docs []string
		for _, s := range files {
			if s.syntax.Doc == nil {
				continue
			}
			docs = append(docs, s.path)
			name := s.syntax.Name.Name
			if name != "main" && !strings.HasPrefix(s.syntax.Doc.Text(), "Package "+name+" ") {
				faults = append(faults, fmt.Sprintf("%s: the doc comment does not begin with \"Package %s\"", s.path, name))
			}
		}
		if len(docs) != 1 {
			faults = append(faults, fmt.Sprintf("package %s has %d doc comments: %v", dir, len(docs), docs))
		}
	}
	return faults
}

func packageNames(t *tree) (faults []string) {
	for dir, files := range t.packages() {
		for _, name := range []string{path.Base(dir), files[0].syntax.Name.Name} {
			if slices.Contains(namesToAvoid, name) {
				faults = append(faults, fmt.Sprintf("package %s is called %s", dir, name))
			}
		}
	}
	return faults
}

func initFunctions(t *tree) (faults []string) {
	for _, s := range t.sources {
		if s.test {
			continue
		}
		for _, decl := range s.syntax.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				faults = append(faults, s.at(f)+": func init")
			}
		}
		for _, spec := range s.syntax.Imports {
			name := strings.Trim(spec.Path.Value, `"`)
			if spec.Name != nil && spec.Name.Name == "_" && !slices.Contains(drivers, name) {
				faults = append(faults, s.at(spec)+": imports "+name+" for its side effects")
			}
			if under(name, frameworks...) {
				faults = append(faults, s.at(spec)+": imports the framework "+name)
			}
		}
	}
	return faults
}

func packageVariables(t *tree) (faults []string) {
	for _, files := range t.packages() {
		written := writtenIn(files)
		for _, s := range files {
			for name, fault := range variables(s) {
				if fault == "" {
					fault = written[name.Name]
				}
				if fault != "" {
					faults = append(faults, fmt.Sprintf("%s: var %s: %s", s.at(name), name.Name, fault))
				}
			}
		}
	}
	return faults
}

// variables lists the package variables of a file, each with what is wrong
// with its declaration, or "".
func variables(s *source) map[*ast.Ident]string {
	all := map[*ast.Ident]string{}
	for _, decl := range s.syntax.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			v := spec.(*ast.ValueSpec)
			embedded := group.Doc != nil && strings.Contains(commentLines(group.Doc), "//go:embed") ||
				v.Doc != nil && strings.Contains(commentLines(v.Doc), "//go:embed")
			for i, name := range v.Names {
				if name.Name != "_" && !embedded {
					all[name] = declared(name.Name, v, i)
				}
			}
		}
	}
	return all
}

func commentLines(group *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range group.List {
		b.WriteString(c.Text + "\n")
	}
	return b.String()
}

// declared judges one variable by its declaration alone.
func declared(name string, v *ast.ValueSpec, i int) string {
	if len(v.Values) == 0 {
		return "has no value, so somebody will set it"
	}
	if strings.HasPrefix(name, "Err") || strings.HasPrefix(name, "err") {
		return ""
	}
	if mentions(v, "sync", "atomic") {
		return "is made for changing"
	}
	if ast.IsExported(name) && i < len(v.Values) {
		if call, ok := v.Values[i].(*ast.CallExpr); !ok || !mentions(call, "regexp") && !mentions(call, "errors") {
			return "can be set by every other package"
		}
	}
	return ""
}

// mentions says whether a package of that name is used in n.
func mentions(n ast.Node, packages ...string) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && slices.Contains(packages, id.Name) {
				found = true
			}
		}
		return true
	})
	return found
}

// writtenIn maps names of the package's scope to how they are written to.
func writtenIn(files []*source) map[string]string {
	written := map[string]string{}
	for _, s := range files {
		for _, decl := range s.syntax.Decls {
			local := declaredIn(decl)
			ast.Inspect(decl, func(n ast.Node) bool {
				for target, how := range targets(n) {
					if id := rootOf(target); id != nil && !local[id.Name] {
						written[id.Name] = how + " at " + s.at(id)
					}
				}
				return true
			})
		}
	}
	return written
}

// targets lists what a statement or expression writes to, or lets others write to.
func targets(n ast.Node) map[ast.Expr]string {
	all := map[ast.Expr]string{}
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			if n.Tok != token.DEFINE {
				all[left] = "is set"
			}
		}
	case *ast.IncDecStmt:
		all[n.X] = "is counted"
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			all[n.X] = "has its address taken"
		}
	case *ast.CallExpr:
		id, ok := n.Fun.(*ast.Ident)
		if ok && len(n.Args) > 0 && slices.Contains([]string{"delete", "clear", "copy"}, id.Name) {
			all[n.Args[0]] = "is changed"
		}
	}
	return all
}

// declaredIn lists the names that a function declares anywhere inside, its
// parameters too. A package variable of the same name is not seen there, which
// is the price of doing without the types.
func declaredIn(decl ast.Decl) map[string]bool {
	names := map[string]bool{}
	if _, ok := decl.(*ast.FuncDecl); !ok {
		return names
	}
	add := func(list ...*ast.Ident) {
		for _, id := range list {
			names[id.Name] = true
		}
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			add(n.Names...)
		case *ast.ValueSpec:
			add(n.Names...)
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if id, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
					add(id)
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					add(id)
				}
			}
		}
		return true
	})
	return names
}

// rootOf is x of x.a[i].b.
func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
