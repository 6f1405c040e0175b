package faults

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earnest/test/overlay"
)

// bypasses lists where a package writes to its database other than by exec.go,
// apart from the functions that make the tables, and from the files that exec.go
// hands its writes to.
func bypasses(dir string, makeTables ...string) (found []string, writes int, err error) {
	// What nonces.go remembers is no part of the books.
	behind := []string{"exec.go", "sqlite.go", "postgres.go", "nonces.go", "peers.go", "backup.go", "to_postgres.go"}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, 0, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(behind, filepath.Base(name)) {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			return nil, 0, err
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || slices.Contains(makeTables, fn.Name.Name) {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				called := ""
				switch f := call.Fun.(type) {
				case *ast.SelectorExpr:
					called = f.Sel.Name
				case *ast.Ident:
					called = f.Name
				}
				switch called {
				case "exec", "execReturning":
					writes++
				case "Exec", "ExecContext", "Commit":
					found = append(found, files.Position(call.Pos()).String())
				case "Query", "QueryContext", "QueryRow", "QueryRowContext":
					if changes(call) {
						found = append(found, files.Position(call.Pos()).String())
					}
				}
				return true
			})
		}
	}
	return found, writes, nil
}

// changes reports a query that changes something while it answers.
func changes(call *ast.CallExpr) (yes bool) {
	ast.Inspect(call, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			for _, verb := range []string{"INSERT ", "UPDATE ", "DELETE "} {
				yes = yes || strings.Contains(strings.ToUpper(text.Value), verb)
			}
		}
		return true
	})
	return yes
}

func TestEveryWritePassesAFaultPoint(t *testing.T) {
	root, err := overlay.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	for dir, makeTables := range map[string][]string{serverWrites: {"migrations", "adoptVersions"}, agentWrites: {"Open"}} {
		found, writes, err := bypasses(filepath.Join(root, dir), makeTables...)
		if err != nil || len(found) > 0 || writes == 0 {
			t.Errorf("%s: writes past exec.go: %v (%d writes through it, %v)", dir, found, writes, err)
		}
	}
	dir := t.TempDir()
	broken := "package a\nfunc f() { db.Exec(`x`); tx.Commit(); db.QueryRow(`DELETE FROM a RETURNING b`); db.QueryRow(`SELECT 1`) }\n"
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, _, err := bypasses(dir); err != nil || len(found) != 3 {
		t.Errorf("of three writes past exec.go these were seen: %v (%v)", found, err)
	}
}
