package controls

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/test/overlay"
)

// switchName is the variable of the environment that names the protection that
// is off. Only the patched copies know it.
const switchName = "EARNEST_TEST_CONTROL"

// switches is a file that is added to each patched package.
const switches = `package PACKAGE

import (
	"fmt"
	"os"
	"time"
)

// controlNew makes another text each time.
func controlNew(name, text string) string {
	if controlOff(name) {
		return fmt.Sprint(time.Now().UnixNano())
	}
	return text
}

func controlOff(name string) bool { return os.Getenv("` + switchName + `") == name }

// controlText is one text without the protection and another with it.
func controlText(name, without, with string) string {
	if controlOff(name) {
		return without
	}
	return with
}

func controlSQL(name string) string {
	if controlOff(name) {
		return "1"
	}
	return "0"
}

func controlSeal(name string, plain, sealed []byte) []byte {
	if controlOff(name) {
		return plain
	}
	return sealed
}
`

// TestEachAttackHasItsControl runs the tests of the attacks once as they are, on
// the patched build with every protection in place, and once for each protection
// without it.
func TestEachAttackHasItsControl(t *testing.T) { holdAll(t, table()) }

func holdAll(t *testing.T, controls []control) {
	t.Helper()
	root, err := overlay.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	list, err := overlay.Write(root, dir, patches(t, root, controls))
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range packages(controls) {
		build(t, root, dir, list, pkg)
	}
	t.Run("protected", func(t *testing.T) {
		for _, pkg := range packages(controls) {
			if out, err := runTests(t.Context(), root, dir, pkg, testsOf(controls, pkg), ""); err != nil {
				t.Errorf("%s fails with every protection in place: %v\n%s", pkg, err, out)
			}
		}
	})
	results := make([]string, len(controls))
	t.Run("unprotected", func(t *testing.T) {
		var group sync.WaitGroup
		slots := make(chan struct{}, 4) // they wait more than they work
		for i, c := range controls {
			group.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				results[i] = c.mustFail(t, root, dir)
			})
		}
		group.Wait()
	})
	for i, c := range controls {
		t.Logf("%-50s %-66s %s", c.attack, "without: "+c.out, results[i])
	}
}

// mustFail runs the control's test without its protection.
func (c control) mustFail(t *testing.T, root, dir string) string {
	began := time.Now()
	out, err := runTests(t.Context(), root, dir, c.pkg, "^"+strings.ReplaceAll(c.run, "/", "$/^")+"$", c.name)
	name, _, _ := strings.Cut(c.run, "/")
	// A test that does not compile, is not there or dies of something else says
	// nothing about the protection.
	if failed := strings.Contains(out, "--- FAIL: "+name+" ") && !strings.Contains(out, "panic:"); err == nil || !failed {
		t.Errorf("without %q %s does not fail: %v\n%s", c.out, c.run, err, out)
		return "THE TEST DOES NOT SEE IT"
	}
	return fmt.Sprintf("failed as it must: %s (%.1fs)", c.run, time.Since(began).Seconds())
}

// patches gathers the edits by file. Each piece of source is looked for in its
// folder, and must be there once.
func patches(t *testing.T, root string, list []control) []overlay.Patch {
	t.Helper()
	byFile := map[string][]overlay.Edit{}
	for _, c := range list {
		for _, e := range c.edits {
			file := e.find(t, root)
			byFile[file] = append(byFile[file], overlay.Edit{Old: e.old, New: e.new})
		}
	}
	var all []overlay.Patch
	added := map[string]bool{}
	for file, edits := range byFile {
		all = append(all, overlay.Patch{File: file, Edits: edits})
		if folder := filepath.Dir(file); !added[folder] {
			added[folder] = true
			all = append(all, overlay.Patch{File: folder + "/controlswitches.go", Text: strings.Replace(switches, "PACKAGE", filepath.Base(folder), 1)})
		}
	}
	return all
}

func (e edit) find(t *testing.T, root string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(e.in), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") && strings.Contains(string(text), e.old) {
			found = append(found, e.in+"/"+filepath.Base(name))
		}
	}
	if len(found) != 1 {
		t.Fatalf("%q is in %d files of %s, not in one: the control must follow the code", e.old, len(found), e.in)
	}
	return found[0]
}

func packages(controls []control) (all []string) {
	for _, c := range controls {
		if !slices.Contains(all, c.pkg) {
			all = append(all, c.pkg)
		}
	}
	return all
}

// testsOf matches every test of the table in a package, whole. Those on PostgreSQL
// have a twin on SQLite in it, and need not show a second time that the patched build
// is sound: unpatched they run beside this.
func testsOf(controls []control, pkg string) string {
	var names []string
	for _, c := range controls {
		if name, _, _ := strings.Cut(c.run, "/"); c.pkg == pkg && !strings.HasSuffix(name, "_Postgres") && !slices.Contains(names, regexp.QuoteMeta(name)) {
			names = append(names, regexp.QuoteMeta(name))
		}
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

func program(dir, pkg string) string {
	return filepath.Join(dir, strings.ReplaceAll(pkg, "/", "-")+".test")
}

func build(t *testing.T, root, dir, list, pkg string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-buildvcs=false", "-overlay", list, "-c", "-o", program(dir, pkg), "./"+pkg)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s with overlay: %v\n%s", pkg, err, out)
	}
}

func runTests(ctx context.Context, root, dir, pkg, run, off string) (string, error) {
	cmd := exec.CommandContext(ctx, program(dir, pkg), "-test.run="+run, "-test.timeout=100s", "-test.v")
	cmd.Dir = filepath.Join(root, filepath.FromSlash(pkg))
	// What several servers do to each other by chance needs more of it; a run that sees
	// it ends there.
	length := "brief"
	if strings.Contains(run, "_Postgres") {
		length = ""
	}
	cmd.Env = append(os.Environ(), switchName+"="+off, "EARNEST_SOAK="+length)
	out, err := cmd.CombinedOutput()
	if err == nil && !strings.Contains(string(out), "--- PASS") {
		err = fmt.Errorf("no test ran")
	}
	return string(out), err
}
