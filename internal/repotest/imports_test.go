package repotest

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// adapters speak with the world outside; none knows another.
var adapters = []string{"escrowserver/sqlstore", "escrowserver/httpapi", "escrowserver/stripe", "escrowclient", "imapwatch", "smtppay",
	"smtpsubmit", "discover", "oauth", "lcp", "crypto/keyring", "crypto/openpgp"}

// inPure are the packages outside the standard library that pure rooms may use.
var inPure = map[string][]string{
	"ledger": nil, "payment": nil,
	"escrow": {module + "/ledger", module + "/payment", "golang.org/x/net/idna", "golang.org/x/text/unicode/norm"},
}

// notPure are parts of the standard library that have no place in pure rooms.
var notPure = []string{"database/sql", "net/http", "net", "log", "log/slog", "os", "os/exec", "net/smtp", "net/rpc", "plugin"}

// isRoot says whether a package may join concrete types.
func isRoot(dir string) bool {
	parts := strings.Split(dir, "/")
	return parts[0] == "cmd" && len(parts) == 3 && parts[2] == "app" || under(dir, "internal/sandbox", "test")
}

// importRules are the eight rules of docs/ARCHITECTURE.md on who may know whom
// (rule 5 is in packageRules).
func importRules() []rule {
	return []rule{
		{
			name: "1 pure rooms", check: pureRooms,
			reason: "ledger, payment and escrow say what money and bonds are. They can be trusted because nothing but " +
				"the standard library can change them, and tested because they touch nothing.",
			broken: []map[string]string{
				{"ledger/a.go": `package ledger; import _ "database/sql"`},
				{"payment/a.go": `package payment; import _ "earnest/ledger"`},
				{"escrow/a.go": `package escrow; import _ "log/slog"`},
				{"escrow/a.go": `package escrow; import _ "earnest/escrowserver"`},
				{"escrow/a.go": `package escrow; import _ "golang.org/x/net/html"`},
				{"escrow/wire/a.go": `package wire; import _ "earnest/agent"`},
			},
			fine: map[string]string{
				"escrow/a.go":      `package escrow; import (_ "errors"; _ "net/netip"; _ "earnest/ledger"; _ "golang.org/x/net/idna")`,
				"escrow/wire/a.go": `package wire; import (_ "earnest/escrow"; _ "net/http")`,
				"ledger/a_test.go": `package ledger; import _ "os"`,
			},
		},
		{
			name: "2 adapters are strangers", check: strangers,
			reason: "an adapter that knows another cannot be replaced or tested alone. Let agent or a composition root " +
				"carry the value across.",
			broken: []map[string]string{
				{"imapwatch/a.go": `package imapwatch; import _ "earnest/smtpsubmit"`},
				{"crypto/openpgp/a.go": `package openpgp; import _ "earnest/crypto/keyring"`},
				{"escrowclient/a.go": `package escrowclient; import _ "earnest/imapwatch"`},
				{"escrowserver/httpapi/a.go": `package httpapi; import _ "earnest/escrowserver/sqlstore"`},
				{"imapwatch/a.go": `package imapwatch; import _ "earnest/internal/x"`, "internal/x/a.go": `package x; import _ "earnest/smtppay"`},
			},
			fine: map[string]string{
				"crypto/openpgp/a.go":      `package openpgp; import (_ "earnest/crypto/secret"; _ "earnest/mail"; _ "earnest/escrow")`,
				"crypto/openpgp/a_test.go": `package openpgp; import _ "earnest/crypto/keyring"`,
				"crypto/keyring/sub/a.go":  `package sub; import _ "earnest/crypto/keyring"`,
			},
		},
		{
			name: "3 only composition roots join", check: joins,
			reason: "agent declares the small interfaces that it consumes; only cmd/*/app and internal/sandbox make and join " +
				"concrete parts, so that a person can read in one place what a program is made of.",
			broken: []map[string]string{
				{"agent/a.go": `package agent; import "earnest/imapwatch"; func f() { imapwatch.New() }`},
				{"agent/a.go": `package agent; import k "earnest/crypto/keyring"; func f() { k.OpenOS("", 0) }`},
				{"agent/a.go": `package agent; import _ "earnest/escrowserver"`},
				{"mail/a.go": `package mail; import _ "earnest/smtpsubmit"`},
			},
			fine: map[string]string{
				"agent/a.go":        `package agent; import "earnest/imapwatch"; type m interface { Want(imapwatch.Header) bool }`,
				"cmd/x/app/a.go":    `package app; import "earnest/imapwatch"; func f() { imapwatch.New() }`,
				"agent/a_test.go":   `package agent; import "earnest/imapwatch"; func g() { imapwatch.New() }`,
				"test/bench/x.go":   `package main; import "earnest/crypto/keyring"; func main() { keyring.OpenMemory() }`,
				"escrowserver/a.go": `package escrowserver; import _ "earnest/ledger"`,
			},
		},
		{
			name: "4 windows know the agent's client alone", check: windows,
			reason: "gui, plugin and the command line ask the agent over its socket. Whatever they need must be in agentclient, " +
				"so that every window shows the same truth.",
			broken: []map[string]string{
				{"gui/viewmodel/a.go": `package viewmodel; import _ "earnest/escrow"`},
				{"cli/a.go": `package cli; import _ "earnest/agent"`},
				{"plugin/host/a.go": `package host; import _ "earnest/mail"`},
				{"cli/a.go": `package cli; import _ "earnest/agentclient"`, "agentclient/a.go": `package agentclient; import _ "earnest/escrowclient"`},
				{"agentclient/a.go": `package agentclient; import _ "earnest/agent"`},
			},
			fine: map[string]string{
				"gui/pages/a.go":          `package pages; import (_ "earnest/gui/viewmodel"; _ "earnest/agentclient")`,
				"agentclient/a.go":        `package agentclient; import _ "earnest/internal/localsock"`,
				"cli/a_test.go":           `package cli; import _ "earnest/agent"`,
				"internal/localsock/a.go": `package localsock; import _ "net"`,
			},
		},
		{
			name: "4 Fyne stays in the window", check: fyne,
			reason: "every program but earnest-desktop is built with CGO_ENABLED=0 and runs without a display. The viewmodel " +
				"is plain Go, so that it can be tested without a window.",
			broken: []map[string]string{
				{"cli/a.go": `package cli; import _ "fyne.io/fyne/v2"`},
				{"gui/viewmodel/a.go": `package viewmodel; import _ "fyne.io/fyne/v2/widget"`},
				{"gui/pages/a.go": `package pages; import _ "fyne.io/fyne/v2/app"`},
				{"cmd/earnest/a.go": `package main; import _ "earnest/gui/pages"`},
				{"mail/a.go": `package mail; import "C"`},
			},
			fine: map[string]string{
				"gui/pages/a.go":               `package pages; import _ "fyne.io/fyne/v2"`,
				"cmd/earnest-desktop/a.go":     `package main; import (_ "fyne.io/fyne/v2/app"; _ "earnest/gui/pages")`,
				"cmd/earnest-desktop/app/a.go": `package app; import _ "fyne.io/fyne/v2/app"`,
				"test/bench/window/a.go":       `package main; import (_ "fyne.io/fyne/v2/app"; _ "earnest/gui/theme")`,
			},
		},
		{
			name: "6 private keys stay in crypto", check: reveals,
			reason: "private key bytes never leave crypto/*. Others hold a signer, a sealer or a decrypter, and pass secrets on shut.",
			broken: []map[string]string{
				{"agent/a.go": `package agent; func f(s interface{ Reveal() []byte }) { s.Reveal() }`},
				{"cmd/earnest/app/a.go": `package app; func f(s interface{ Reveal() []byte }) func() []byte { return s.Reveal }`},
			},
			fine: map[string]string{
				"crypto/openpgp/a.go": `package openpgp; func f(s interface{ Reveal() []byte }) { s.Reveal() }`,
				"agent/a_test.go":     `package agent; func f(s interface{ Reveal() []byte }) { s.Reveal() }`,
				"agent/a.go":          `package agent; func Reveal() {}`,
			},
		},
		{
			name: "7 the sandbox starts the programs", check: sandbox,
			reason: "the demonstration must show what users run: internal/sandbox starts the composition roots or the programs " +
				"themselves, and does not put the agent or the escrow together in a way of its own.",
			broken: []map[string]string{
				{"internal/sandbox/a.go": `package sandbox; import _ "earnest/agent"`},
				{"internal/sandbox/a.go": `package sandbox; import _ "earnest/escrowserver/sqlstore"`},
			},
			fine: map[string]string{
				"internal/sandbox/a.go": `package sandbox; import (_ "earnest/cmd/earnest/app"; _ "earnest/agentclient"; _ "earnest/crypto/openpgp")`,
			},
		},
		{
			name: "8 the auditor stands alone", check: auditor,
			reason: "test/auditor checks the escrow's receipts and totals from docs/protocol alone: with code of the escrow, or of " +
				"anybody else, it would make the same mistakes.",
			broken: []map[string]string{
				{"test/auditor/a.go": `package main; import _ "earnest/escrow"`},
				{"test/auditor/a.go": `package main; import _ "golang.org/x/crypto/ed25519"`},
			},
			fine: map[string]string{
				"test/auditor/a.go":      `package main; import _ "crypto/ed25519"`,
				"test/auditor/a_test.go": `package main; import _ "earnest/escrowserver"`,
			},
		},
	}
}

func pureRooms(t *tree) (faults []string) {
	for dir, allowed := range inPure {
		for _, name := range t.imported(dir) {
			if !slices.Contains(allowed, name) && (!isStd(name) || slices.Contains(notPure, name)) {
				faults = append(faults, fmt.Sprintf("%s imports %s", dir, name))
			}
		}
	}
	for _, name := range t.own("escrow/wire") {
		if !under(name, "escrow", "payment", "ledger") {
			faults = append(faults, "escrow/wire imports "+name)
		}
	}
	return faults
}

// adapterOf returns the adapter that a folder is, or is a part of.
func adapterOf(dir string) string {
	for _, a := range adapters {
		if under(dir, a) {
			return a
		}
	}
	return ""
}

func strangers(t *tree) (faults []string) {
	for _, dir := range t.dirs() {
		mine := adapterOf(dir)
		if mine == "" {
			continue
		}
		for other, way := range t.reached(dir) {
			if theirs := adapterOf(other); theirs != "" && theirs != mine {
				faults = append(faults, "one adapter reaches another: "+way)
			}
		}
	}
	return faults
}

// joining matches the functions by which concrete parts are made.
var joining = regexp.MustCompile(`^(New|Open|Dial|Listen|Start|Run|Serve|Watch|Connect|Load)`)

func joins(t *tree) (faults []string) {
	for _, dir := range t.dirs() {
		if isRoot(dir) || adapterOf(dir) != "" {
			continue
		}
		for _, name := range t.own(dir) {
			if adapterOf(name) != "" && dir != "agent" || under(name, "escrowserver") && !under(dir, "escrowserver") {
				faults = append(faults, fmt.Sprintf("%s imports %s and is no composition root", dir, name))
			}
		}
	}
	for _, s := range t.sources {
		if s.test || s.dir != "agent" {
			continue
		}
		for _, a := range adapters {
			faults = append(faults, made(s, a)...)
		}
	}
	return faults
}

// made lists where a file makes parts of an adapter, as opposed to naming its
// types and errors or having it read a text.
func made(s *source, adapter string) (faults []string) {
	name := s.named(module + "/" + adapter)
	if name == "" {
		return nil
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if fun, ok := call.Fun.(*ast.SelectorExpr); ok && joining.MatchString(fun.Sel.Name) {
			if pkg, ok := fun.X.(*ast.Ident); ok && pkg.Name == name {
				faults = append(faults, fmt.Sprintf("%s: calls %s.%s", s.at(call), name, fun.Sel.Name))
			}
		}
		return true
	})
	return faults
}

func windows(t *tree) (faults []string) {
	for _, dir := range t.dirs() {
		if !under(dir, "gui", "plugin", "cli", "agentclient") {
			continue
		}
		for other, way := range t.reached(dir) {
			if !under(other, "agentclient", "internal/localsock", "internal/logx") && !(under(other, "gui") && under(dir, "gui")) &&
				!(under(other, "plugin") && under(dir, "plugin")) && !(dir == "agentclient/agenttest" && other == "payment") {
				faults = append(faults, "a window reaches behind the agent's client: "+way)
			}
		}
	}
	return faults
}

func fyne(t *tree) (faults []string) {
	for _, dir := range t.dirs() {
		for _, name := range t.imported(dir) {
			// The window is measured beside an empty one.
			bench := under(dir, "test/bench/window")
			window := bench || under(dir, "gui", "cmd/earnest-desktop") && dir != "gui/viewmodel"
			driver := under(name, "fyne.io/fyne/v2/app")
			if name == "C" || strings.HasPrefix(name, "fyne.io/") && (!window || driver && !bench && !under(dir, "cmd/earnest-desktop")) {
				faults = append(faults, fmt.Sprintf("%s imports %s", dir, name))
			}
		}
		for _, name := range t.own(dir) {
			if under(name, "gui") && !under(dir, "gui", "cmd/earnest-desktop", "test/bench/window") {
				faults = append(faults, fmt.Sprintf("%s imports %s", dir, name))
			}
		}
	}
	return faults
}

func reveals(t *tree) (faults []string) {
	for _, s := range t.sources {
		if s.test || under(s.dir, "crypto", "test") { // benchmarks measure bare libraries beside ours
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Reveal" {
				faults = append(faults, s.at(sel)+": opens a secret")
			}
			return true
		})
	}
	return faults
}

func sandbox(t *tree) (faults []string) {
	for _, dir := range t.dirs() {
		if !under(dir, "internal/sandbox") {
			continue
		}
		for _, name := range t.own(dir) {
			if under(name, "agent", "escrowserver", "gui") {
				faults = append(faults, fmt.Sprintf("%s imports %s", dir, name))
			}
		}
	}
	return faults
}

func auditor(t *tree) (faults []string) {
	for _, name := range t.imported("test/auditor") {
		if !isStd(name) {
			faults = append(faults, "test/auditor imports "+name)
		}
	}
	return faults
}
