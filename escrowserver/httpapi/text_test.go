package httpapi_test

import (
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/httpapi"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/internal/pgtest"
)

// TestTextThatNoDatabaseTakesIsRefused: NUL and what is no UTF-8 is refused in every
// path, query, body and signed payload of every operation, on either database.
func TestTextThatNoDatabaseTakesIsRefused(t *testing.T) {
	for name, where := range map[string]func(*testing.T) string{
		"SQLite": func(t *testing.T) string { return filepath.Join(t.TempDir(), "books.db") },
		"PostgreSQL": func(t *testing.T) string {
			url, err := pgtest.For(t).NewDatabase(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return url
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := sqlstore.Open(t.Context(), where(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { store.Close() })
			texts := textTest{T: t, h: realAPI(t, store)}
			texts.run()
			if texts.asked < 150 {
				t.Errorf("only %d requests were made", texts.asked)
			}
		})
	}
}

// realAPI is the API of an escrow that keeps real books.
func realAPI(t *testing.T, store escrowserver.Store) http.Handler {
	t.Helper()
	h := servicetest.NewHarness(t, store)
	api, err := httpapi.New(httpapi.Config{As: h.Server.As, Known: h.Server.HasAccount, Hosts: []string{"escrow.example"}, Now: now,
		Log: slog.New(slog.DiscardHandler), PerAccount: httpapi.Rate{PerSecond: -1}, PerRemote: httpapi.Rate{PerSecond: -1}})
	if err != nil {
		t.Fatal(err)
	}
	return api.Handler()
}

type textTest struct {
	*testing.T
	h     http.Handler
	asked int
}

// badTexts as they stand in JSON, and in a path.
func badTexts() map[string]string {
	return map[string]string{`a\u0000b`: "%00", "a\xffb": "%ff%fe", "\xc0\x80": "a%C0%80"}
}

const bad = "@@BAD@@"

type openAPI struct {
	Paths map[string]map[string]struct {
		Parameters  []struct{ Name, In string }
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Format     string
	Enum       []any
	Properties map[string]schema
	Items      *schema
}

func (t *textTest) run() {
	key := account(1)
	t.ask("POST", "/v1/account", jsonText(t.T, escrow.OpenAccount{Key: escrow.PublicKey(key.Public().(ed25519.PublicKey))}), http.StatusOK)
	var doc openAPI
	if err := json.Unmarshal(ask(t.T, t.h, 0, "GET", "/openapi.json", nil).Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for path, operations := range doc.Paths {
		for method, op := range operations {
			method = strings.ToUpper(method)
			plain := strings.NewReplacer("{id}", "id-of-something", "{address}", "anna@sender.example").Replace(path)
			var bodies []string
			if of, ok := op.RequestBody.Content["application/json"]; ok {
				bodies = variants(t.T, doc.example("", of.Schema))
			} else {
				bodies = []string{""}
			}
			for text, inPath := range badTexts() {
				for _, body := range bodies {
					if strings.Contains(body, bad) {
						t.ask(method, plain, strings.ReplaceAll(body, bad, text), http.StatusBadRequest)
					}
				}
				if plain != path {
					t.ask(method, strings.NewReplacer("{id}", inPath, "{address}", inPath).Replace(path), bodies[0], http.StatusNotFound)
				}
				t.ask(method, plain+"?after="+inPath, bodies[0], http.StatusUnprocessableEntity)
			}
			for name := range doc.Components.Schemas[strings.TrimPrefix(op.RequestBody.Content["application/json"].Schema.Ref, "#/components/schemas/")].Properties {
				t.signedPayloads(method, plain, name, doc.example("", op.RequestBody.Content["application/json"].Schema))
			}
		}
	}
}

// refused: what else is asked for, such as a bond that is not, may be found out first.
const refused = 0

func (t *textTest) ask(method, target, body string, want int) {
	t.asked++
	w := ask(t.T, t.h, 1, method, target, body)
	if want == refused && w.Code >= 400 && w.Code < 500 {
		return
	}
	if w.Code != want {
		t.Errorf("%s %s with %.300q: %d %s", method, target, body, w.Code, w.Body)
	}
}

// signedPayloads asks with what the account's key has signed in that field.
func (t *textTest) signedPayloads(method, target, field string, body any) {
	key := account(1)
	id := escrow.KeyIDOf(key.Public().(ed25519.PublicKey))
	kinds := map[string]map[escrow.Kind]any{
		"order":     {escrow.KindOrder: escrow.Order{ID: "order", Account: id, Action: escrow.ActionCancel, Change: "change", Address: "a@b.example", Time: now()}},
		"offer":     {escrow.KindOffer: escrow.Offer{Address: "a@b.example", Beneficiary: "company", Identity: escrow.PublicKey(key.Public().(ed25519.PublicKey)), Made: now()}},
		"batch":     {escrow.KindKeys: escrow.KeyBatch{ID: "batch", Address: "a@b.example", Keys: []escrow.KeyBrief{{Fingerprint: "ab", Hash: "cd"}}, Made: now()}},
		"quote":     {escrow.KindQuote: escrow.Quote{ID: "quote", Offer: "x.y.z", Sender: "a@b.example", Recipient: "c@d.example"}},
		"decision":  {escrow.KindDecision: escrow.Decision{Bond: "bond", Quote: "quote", Verdict: escrow.Accept, N: 1, Time: now()}},
		"statement": {escrow.KindStatement: escrow.Statement{Bond: "bond", Quote: "quote", Time: now()}},
	}
	for kind, payload := range kinds[field] {
		var tree any
		if err := json.Unmarshal([]byte(jsonText(t.T, payload)), &tree); err != nil {
			t.Fatal(err)
		}
		for _, variant := range variants(t.T, tree) {
			for text := range badTexts() {
				signed, err := escrow.Sign(key, kind, verbatim(strings.ReplaceAll(variant, bad, text)))
				if err != nil {
					t.Fatal(err)
				}
				whole := body.(map[string]any)
				whole[field] = string(signed)
				t.ask(method, target, jsonText(t.T, whole), refused)
			}
		}
	}
}

// verbatim is JSON that is signed as it is.
type verbatim string

func (v verbatim) MarshalJSON() ([]byte, error) { return []byte(v), nil }

// example is something that the schema allows.
func (d openAPI) example(name string, s schema) any {
	if s.Ref != "" {
		return d.example(name, d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")])
	}
	kind, _ := s.Type.(string)
	if several, ok := s.Type.([]any); ok {
		kind, _ = several[0].(string)
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case kind == "object":
		all := map[string]any{}
		for name, of := range s.Properties {
			all[name] = d.example(name, of)
		}
		return all
	case kind == "array":
		return []any{d.example(name, *s.Items)}
	case kind == "integer":
		return 1
	case kind == "boolean":
		return true
	}
	return "AAAA-bbbb-cccc"
}

// variants are the tree with one text after the other replaced by bad.
func variants(t *testing.T, tree any) (texts []string) {
	t.Helper()
	var walk func(any, func(any))
	walk = func(node any, set func(any)) {
		switch node := node.(type) {
		case map[string]any:
			for name, of := range node {
				walk(of, func(v any) { node[name] = v })
			}
		case []any:
			for i, of := range node {
				walk(of, func(v any) { node[i] = v })
			}
		case string:
			set(bad)
			texts = append(texts, jsonText(t, tree))
			set(node)
		}
	}
	walk(tree, func(any) {})
	if len(texts) == 0 {
		texts = []string{jsonText(t, tree)}
	}
	return texts
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
