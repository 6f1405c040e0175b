package sqlstore

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every operation that escrowserver declares has a plan.
func TestEveryOperationHasAPlan(t *testing.T) {
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	plans, err := os.ReadFile("plan.go")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`(?m)^func \((?:\w+ )?(\w+)\) Name\(\) string`)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range name.FindAllSubmatch(source, -1) {
			found++
			if !strings.Contains(string(plans), "case escrowserver."+string(op[1])+":") {
				t.Errorf("%s has no plan", op[1])
			}
		}
	}
	if found < 30 {
		t.Errorf("found %d operations: the test looks at the wrong place", found)
	}
}
