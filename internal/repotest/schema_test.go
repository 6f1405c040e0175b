package repotest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"path"
	"strings"
)

// stepList is in each folder of a schema, in the form of sha256sum.
const stepList = "steps.sha256"

// schemaRules are about the steps by which stored data are brought up to date.
func schemaRules() []rule {
	const step = "CREATE TABLE a (b BIGINT);\n"
	listed := func(name, text string) string { return fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(text)), name) }
	return []rule{{
		name: "a step of a schema never changes", check: changedSteps,
		reason: "books that have taken a step never take the change, and are another kind of books from then on: write a new step. " +
			"A new one joins the list: sha256sum FILE >> " + stepList + ".",
		broken: []map[string]string{
			{"a/schema/001_a.sql": step},
			{"a/schema/001_a.sql": step + "\n", "a/schema/" + stepList: listed("001_a.sql", step)},
			{"a/schema/001_a.sql": step, "a/schema/" + stepList: listed("001_a.sql", step) + listed("002_b.sql", step)},
			{"a/schema/001_a.sql": step, "a/schema/001_b.sql": step, "a/schema/" + stepList: listed("001_a.sql", step) + listed("001_b.sql", step)},
		},
		fine: map[string]string{"a/schema/001_a.sql": step, "a/schema/" + stepList: listed("001_a.sql", step), "a/b.sql": step},
	}}
}

// changedSteps holds the steps against their list: those that were changed, taken
// away or not listed, and those with the number of another.
func changedSteps(t *tree) (faults []string) {
	numbers := map[string]string{}
	for name := range t.texts {
		dir, file := path.Split(name)
		switch {
		case path.Base(dir) != "schema":
		case path.Ext(file) == ".sql":
			number, _, _ := strings.Cut(name, "_")
			if other := numbers[number]; other != "" {
				faults = append(faults, fmt.Sprintf("%s has the number of %s", name, other))
			}
			numbers[number] = name
			if hash := fmt.Sprintf("%x", sha256.Sum256(t.texts[name])); !bytes.Contains(t.texts[dir+stepList], []byte(hash+"  "+file+"\n")) {
				faults = append(faults, fmt.Sprintf("%s was changed, or is not in %s", name, stepList))
			}
		case file == stepList:
			for line := range strings.Lines(string(t.texts[name])) {
				_, step, _ := strings.Cut(strings.TrimSpace(line), "  ")
				if _, there := t.texts[dir+step]; !there {
					faults = append(faults, fmt.Sprintf("%s is gone", dir+step))
				}
			}
		}
	}
	return faults
}
