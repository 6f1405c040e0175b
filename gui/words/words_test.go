package words

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// texts reads every text of a language: its forms by id.
func texts(t *testing.T, l Language) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	names, err := fs.Glob(files, "*."+string(l)+".json")
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", l, names, err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "agent.") {
			continue // what the agent says: its English is in its sources, and gui/viewmodel tests it
		}
		data, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file map[string]json.RawMessage
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for id, raw := range file {
			if all[id] != nil {
				t.Errorf("%s: %s is there twice", name, id)
			}
			forms := map[string]string{}
			if json.Unmarshal(raw, &forms) != nil {
				var one string
				if err := json.Unmarshal(raw, &one); err != nil {
					t.Errorf("%s: %s: %v", name, id, err)
				}
				forms = map[string]string{"": one}
			}
			all[id] = forms
		}
	}
	return all
}

// said is what the window's code asks for: ids, and beginnings of ids.
func said(t *testing.T) (ids map[string]string, prefixes map[string]string, literals map[string]bool) {
	t.Helper()
	ids, prefixes, literals = map[string]string{}, map[string]string{}, map[string]bool{}
	for _, dir := range []string{"../../gui", "../../cmd/earnest-desktop"} {
		err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if text, ok := literal(n); ok {
					literals[text] = true
				}
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 {
					return true
				}
				name := ""
				switch f := call.Fun.(type) {
				case *ast.SelectorExpr:
					name = f.Sel.Name
				case *ast.Ident:
					name = f.Name
				}
				if !slices.Contains([]string{"T", "N", "t", "n", "says", "saysN"}, name) {
					return true
				}
				at := set.Position(call.Pos()).String()
				if id, ok := literal(call.Args[0]); ok {
					ids[id] = at
				} else if sum, ok := call.Args[0].(*ast.BinaryExpr); ok {
					if begin, ok := literal(sum.X); ok && strings.HasSuffix(begin, ".") {
						prefixes[begin] = at
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return ids, prefixes, literals
}

func literal(n ast.Node) (string, bool) {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

func TestNoTextIsMissingOrUnused(t *testing.T) {
	ids, prefixes, literals := said(t)
	english := texts(t, English)
	for id, at := range ids {
		if english[id] == nil {
			t.Errorf("%s: there is no text %q", at, id)
		}
	}
	for prefix, at := range prefixes {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(english)), func(id string) bool { return strings.HasPrefix(id, prefix) }) {
			t.Errorf("%s: there is no text that begins with %q", at, prefix)
		}
	}
	for id := range english {
		used := literals[id]
		for prefix := range prefixes {
			used = used || strings.HasPrefix(id, prefix)
		}
		if !used {
			t.Errorf("nobody says %q", id)
		}
	}
}

var placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)

// TestEveryLanguageSaysTheSame: the same ids, with the same things put into them.
func TestEveryLanguageSaysTheSame(t *testing.T) {
	english := texts(t, English)
	put := func(forms map[string]string) []string {
		found := map[string]bool{}
		for form, text := range forms {
			if strings.TrimSpace(text) == "" {
				t.Errorf("an empty text: %v", forms)
			}
			if form != "" && form != "one" && form != "other" {
				t.Errorf("no such plural form: %q", form)
			}
			for _, p := range placeholder.FindAllString(text, -1) {
				if form != "one" || p != "{{.N}}" {
					found[p] = true
				}
			}
		}
		return slices.Sorted(maps.Keys(found))
	}
	for l := range Languages() {
		other := texts(t, l)
		for id, forms := range english {
			if other[id] == nil {
				t.Errorf("%s does not say %q", l, id)
				continue
			}
			if !slices.Equal(put(forms), put(other[id])) || (len(forms) > 1) != (len(other[id]) > 1) {
				t.Errorf("%s: %q is put together otherwise: %v, %v", l, id, forms, other[id])
			}
		}
		for id := range other {
			if english[id] == nil {
				t.Errorf("only %s says %q", l, id)
			}
		}
	}
}

func TestWordsOfALanguage(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for l, want := range map[Language][]string{
		English: {"1 day", "2 days", "Sat 28 Nov", "28 Nov 2027"},
		German:  {"1 Tag", "2 Tage", "Sa 28. Nov.", "28. Nov. 2027"},
		"xx":    {"1 day", "2 days", "Sat 28 Nov", "28 Nov 2027"},
	} {
		w := In(l)
		got := []string{w.N("time.days", 1), w.N("time.days", 2), w.Date(now.AddDate(0, 0, 6), now), w.Date(now.AddDate(1, 0, 6), now)}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", l, got)
		}
	}
	for locale, want := range map[string]Language{"de_AT.UTF-8": German, "de": German, "en_US.UTF-8": English, "C": English, "fr_FR": English, "": English} {
		if got := Of(locale); got != want {
			t.Errorf("%q is %s", locale, got)
		}
	}
}
