// Package overlay builds programs from patched copies of their source, by
// `go build -overlay`. Tests use it to reach between two writes of a real
// program, and for controls: the program without one protection, against which
// the same test must fail. The product has no switch for either.
package overlay

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Patch changes one file of the module. With no Edits, Text is a whole new file.
type Patch struct {
	File  string // from the module's root
	Edits []Edit
	Text  string
}

// Edit replaces a piece of source that must be there exactly once: when the code
// moves on, the build says so instead of testing nothing.
type Edit struct{ Old, New string }

// Root finds the folder of go.mod above dir.
func Root(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return "", fmt.Errorf("no go.mod above %s", dir)
	}
}

// Write writes the patched copies into dir, and returns the file that -overlay
// takes.
func Write(root, dir string, patches []Patch) (string, error) {
	replace := map[string]string{}
	for i, patch := range patches {
		text, err := patch.apply(root)
		if err != nil {
			return "", err
		}
		copied := filepath.Join(dir, fmt.Sprintf("patch%d.go", i))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, filepath.FromSlash(patch.File))] = copied
	}
	table, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	return list, os.WriteFile(list, table, 0o600)
}

// Build compiles the packages, given from the module's root, into dir/bin with
// the patches in place, and returns that folder.
func Build(ctx context.Context, root, dir string, patches []Patch, packages ...string) (string, error) {
	list, err := Write(root, dir, patches)
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return "", err
	}
	args := []string{"build", "-buildvcs=false", "-overlay", list, "-o", bin + string(filepath.Separator)}
	for _, name := range packages {
		args = append(args, "./"+name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build with overlay: %w\n%s", err, out)
	}
	return bin, nil
}

// apply returns the file's text after the edits.
func (p Patch) apply(root string) (string, error) {
	if len(p.Edits) == 0 {
		return p.Text, nil
	}
	raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p.File)))
	if err != nil {
		return "", err
	}
	text := string(raw)
	for _, edit := range p.Edits {
		if n := strings.Count(text, edit.Old); n != 1 {
			return "", fmt.Errorf("%s has %d times %q, not once: the patch must follow the code", p.File, n, edit.Old)
		}
		text = strings.Replace(text, edit.Old, edit.New, 1)
	}
	return text, nil
}
