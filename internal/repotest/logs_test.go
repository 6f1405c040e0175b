package repotest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// logRules are about what is logged.
func logRules() []rule {
	return []rule{
		{
			name: "log messages are literals", check: logMessages,
			reason: "a diagnostics report shows the messages of the log to strangers, and withholds the values beside them. A " +
				"message that is put together could have an address or a host in it: make it a value with a key.",
			broken: []map[string]string{
				{"agent/a.go": "package agent\nfunc f() { a.Log.Warn(\"of \" + who) }"},
				{"agent/a.go": "package agent\nfunc f() { log.Error(err.Error(), \"a\", 1) }"},
				{"agent/a.go": "package agent\nfunc f() { slog.Info(text) }"},
				{"agent/a.go": "package agent\nfunc f() { w.cfg.Log.InfoContext(ctx, text) }"},
			},
			fine: map[string]string{
				"agent/a.go": "package agent\nfunc f() { a.Log.Warn(\"it failed\", \"err\", err); log.Info(`x`); w.Log.ErrorContext(ctx, \"x\"); t.Error(err) }",
			},
		},
	}
}

func logMessages(t *tree) (faults []string) {
	for _, s := range t.sources {
		if s.test || under(s.dir, "test") {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			at := messageOf(call)
			if at < 0 || at >= len(call.Args) {
				return true
			}
			if literal, ok := call.Args[at].(*ast.BasicLit); !ok || literal.Kind != token.STRING {
				faults = append(faults, fmt.Sprintf("%s logs a message that is no literal", s.at(call)))
			}
			return true
		})
	}
	return faults
}

// messageOf is which argument of a call is the message of a log line; -1 if it
// logs nothing. A logger is whatever is called log, Log or slog.
func messageOf(call *ast.CallExpr) int {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return -1
	}
	name := ""
	switch on := method.X.(type) {
	case *ast.Ident:
		name = on.Name
	case *ast.SelectorExpr:
		name = on.Sel.Name
	}
	verb, withContext := strings.CutSuffix(method.Sel.Name, "Context")
	if !slices.Contains([]string{"log", "Log", "slog"}, name) || !slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, verb) {
		return -1
	}
	if withContext {
		return 1
	}
	return 0
}
