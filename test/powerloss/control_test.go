package powerloss

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"earnest/test/overlay"
)

// Item 4, the control: the same test on a store with synchronous=NORMAL must lose
// an acknowledged operation, and damage nothing: that setting leaves out the sync
// of the commit alone.
func TestItem4_ControlWithNormalMustLose(t *testing.T) {
	root, err := overlay.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	list, err := overlay.Write(root, t.TempDir(), []overlay.Patch{{File: "escrowserver/sqlstore/sqlite.go", Edits: []overlay.Edit{
		{Old: `"_pragma=synchronous(FULL)"`, New: `"_pragma=synchronous(NORMAL)"`},
		{Old: `"synchronous": 2`, New: `"synchronous": 1`},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-buildvcs=false", "-count=1", "-v", "-overlay", list,
		"-run", "^TestItem4_PowerLoss$", "./test/powerloss")
	cmd.Dir, cmd.Env = root, append(cmd.Environ(), "EARNEST_SOAK=brief", "EARNEST_SEED=")
	out, err := cmd.CombinedOutput()
	text := string(out)
	line := regexp.MustCompile(`soak: .*acknowledged operations lost after (\d+); otherwise wrong after (\d+)`).FindStringSubmatch(text)
	if err == nil || line == nil || strings.Contains(text, "panic:") {
		t.Fatalf("with synchronous=NORMAL the test does not fail as it must: %v\n%s", err, text)
	}
	t.Logf("with synchronous=NORMAL: %s", line[0])
	if lost, err := strconv.Atoi(line[1]); err != nil || lost == 0 || line[2] != "0" {
		t.Errorf("with synchronous=NORMAL something must be lost, and nothing damaged: the test does not see it\n%s", text)
	}
}
