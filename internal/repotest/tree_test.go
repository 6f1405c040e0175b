package repotest

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "earnest"

// source is one Go file.
type source struct {
	path   string // from the root of the tree
	dir    string // of the package, "." for the root
	test   bool
	text   []byte
	syntax *ast.File
	files  *token.FileSet
}

// at says where a node is, for a message.
func (s *source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.files.Position(n.Pos()).Line)
}

// imports lists the import paths.
func (s *source) imports() []string {
	var all []string
	for _, spec := range s.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			all = append(all, name)
		}
	}
	return all
}

// named returns the name under which the file knows an import path, or "".
func (s *source) named(importPath string) string {
	for _, spec := range s.syntax.Imports {
		if spec.Path.Value != strconv.Quote(importPath) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// tree is all of the sources, and the texts beside them.
type tree struct {
	sources []*source
	texts   map[string][]byte // every text file, Go files too
}

// packages groups the files that are no tests by folder.
func (t *tree) packages() map[string][]*source {
	dirs := map[string][]*source{}
	for _, s := range t.sources {
		if !s.test {
			dirs[s.dir] = append(dirs[s.dir], s)
		}
	}
	return dirs
}

// dirs lists the folders of packages in order.
func (t *tree) dirs() []string { return slices.Sorted(maps.Keys(t.packages())) }

// imported lists what the files of a package import, tests apart: the module's
// own as folders ("agent"), others as they are.
func (t *tree) imported(dir string) []string {
	seen := map[string]bool{}
	for _, s := range t.packages()[dir] {
		for _, name := range s.imports() {
			seen[name] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// own lists the folders of the module that a package imports.
func (t *tree) own(dir string) []string {
	var all []string
	for _, name := range t.imported(dir) {
		if sub, ok := strings.CutPrefix(name, module+"/"); ok {
			all = append(all, sub)
		}
	}
	return all
}

// reached maps every folder of the module that dir depends on, however far, to
// the way there.
func (t *tree) reached(dir string) map[string]string {
	ways := map[string]string{dir: dir}
	queue := []string{dir}
	for len(queue) > 0 {
		here := queue[0]
		queue = queue[1:]
		for _, next := range t.own(here) {
			if _, seen := ways[next]; !seen {
				ways[next] = ways[here] + " → " + next
				queue = append(queue, next)
			}
		}
	}
	delete(ways, dir)
	return ways
}

// under says whether dir is one of these folders or lies in one.
func under(dir string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return dir == f || strings.HasPrefix(dir, f+"/") })
}

func isStd(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".") && first != module
}

// load reads a tree. Hidden folders, what is built and test data are left out.
func load(fsys fs.FS) (*tree, error) {
	t := &tree{texts: map[string][]byte{}}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") && base != ".ci" || base == "bin" || base == "dist" || base == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		return t.add(fsys, name)
	})
	slices.SortFunc(t.sources, func(a, b *source) int { return cmp.Compare(a.path, b.path) })
	return t, err
}

func (t *tree) add(fsys fs.FS, name string) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	if slices.Contains(text[:min(len(text), 8000)], 0) {
		return nil // binary
	}
	t.texts[name] = text
	if path.Ext(name) != ".go" || slices.Contains(strings.Split(name, "/"), "testdata") {
		return nil
	}
	files := token.NewFileSet()
	syntax, err := parser.ParseFile(files, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.sources = append(t.sources, &source{path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
		text: text, syntax: syntax, files: files})
	return nil
}

// rule is one thing that holds for the whole tree.
type rule struct {
	name   string
	reason string
	// check returns what breaks the rule, one line each.
	check func(*tree) []string
	// broken are trees that break it, file by file: the rule must catch each.
	broken []map[string]string
	// fine is a tree with things near the rule that it must let pass.
	fine map[string]string
}

func (r rule) run(t *testing.T, house *tree) {
	t.Run(r.name, func(t *testing.T) {
		for _, fault := range r.check(house) {
			t.Errorf("%s\n\tWhy: %s", fault, r.reason)
		}
		for i, files := range append(r.broken, r.fine) {
			faults := r.check(control(t, files))
			if i < len(r.broken) && len(faults) == 0 {
				t.Errorf("the rule does not catch control %d: %v", i, files)
			}
			if i == len(r.broken) && len(faults) > 0 {
				t.Errorf("the rule refuses what is fine: %v", faults)
			}
		}
		if len(r.broken) == 0 || len(r.fine) == 0 {
			t.Error("the rule has no control")
		}
	})
}

func control(t *testing.T, files map[string]string) *tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	made, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// house is the tree that this test is part of.
func house(t *testing.T) *tree {
	t.Helper()
	here, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(here.sources) < 20 || here.packages()["ledger"] == nil {
		t.Fatalf("this is not the house: %d Go files found", len(here.sources))
	}
	return here
}

func TestHouse(t *testing.T) {
	here := house(t)
	for _, rules := range [][]rule{importRules(), packageRules(), textRules(), sizeRules(), logRules(), schemaRules()} {
		for _, r := range rules {
			r.run(t, here)
		}
	}
}
