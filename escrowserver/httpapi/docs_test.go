package httpapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/payment"
)

// TestHTTPDocument holds docs/protocol/http.md against the code: its tables are
// the code's, and its example is a request that the API takes, with its answer.
// After a wanted change: go test ./escrowserver/httpapi -update
func TestHTTPDocument(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "protocol", "http.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	if *update {
		doc = put(t, doc, "request", "```http\n"+exampleRequest(t)+"```\n")
	}
	request := part(t, doc, "request")
	have, need := payment.Amount(475), payment.Amount(500)
	for name, made := range map[string]string{
		"response":   answerTo(t, request, &fake{}),
		"problem":    answerTo(t, request, &fake{err: &escrow.Error{Code: escrow.InsufficientFunds, Detail: "you have 4.75 and need 5.00", Have: &have, Need: &need}}),
		"operations": operationsTable(t),
		"errors":     errorsTable(),
	} {
		if *update {
			doc = put(t, doc, name, made)
		}
		if written := part(t, doc, name); written != made {
			t.Errorf("%s in %s is\n%s\nthe code makes\n%s", name, path, written, made)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func marks(name string) (string, string) {
	return "<!-- made by a test: " + name + " -->\n", "<!-- end -->\n"
}

func part(t *testing.T, doc, name string) string {
	t.Helper()
	begin, end := marks(name)
	_, rest, ok := strings.Cut(doc, begin)
	inside, _, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("the document has no part %s", name)
	}
	return inside
}

func put(t *testing.T, doc, name, text string) string {
	t.Helper()
	begin, end := marks(name)
	return strings.Replace(doc, begin+part(t, doc, name)+end, begin+text+end, 1)
}

// exampleRequest is a request as it goes over the wire.
func exampleRequest(t *testing.T) string {
	t.Helper()
	body := `{"id":"0193503c-5b6e-7d2a-9f3e-6f1f6f0f2d11","voucher":"EARN-0000-0000-0000-0000-0000-0000-0000"}`
	r := httptest.NewRequest("POST", "/v1/topups", nil)
	r.Host = "escrow.example"
	signer, err := wire.NewSigner(account(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := signer.Sign(r, []byte(body), now()); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "POST /v1/topups HTTP/1.1\nHost: escrow.example\n")
	for _, name := range []string{"Content-Type", "Content-Digest", "Signature-Input", "Signature"} {
		fmt.Fprintf(&b, "%s: %s\n", name, r.Header.Get(name))
	}
	fmt.Fprintf(&b, "Content-Length: %d\n\n%s\n", len(body), body)
	return b.String()
}

// answerTo is the API's answer to the request in the document.
func answerTo(t *testing.T, block string, f *fake) string {
	t.Helper()
	text := strings.TrimSuffix(strings.TrimPrefix(block, "```http\n"), "```\n")
	head, body, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body)))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	newAPI(t, f, nil).Handler().ServeHTTP(w, r)
	if len(f.calls) == 0 {
		t.Fatalf("the request in the document is refused: %s", w.Body)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, bytes.TrimSpace(w.Body.Bytes()), "", "  "); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("```http\nHTTP/1.1 %d %s\nContent-Type: %s\nCache-Control: %s\n\n%s\n```\n",
		w.Code, http.StatusText(w.Code), w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"), pretty.String())
}

func errorsTable() string {
	var b strings.Builder
	b.WriteString("| code | status | what it means |\n|---|---|---|\n")
	for _, row := range wire.Table() {
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", string(row.Code), row.Status, row.Title)
	}
	b.WriteString("\nThe `type` of a problem is `urn:earnest:error:` and its code.\n")
	return b.String()
}

func operationsTable(t *testing.T) string {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Summary  string
			Security []map[string][]string
		}
	}
	if err := json.Unmarshal(newAPI(t, &fake{}, nil).OpenAPI(), &document); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for path, methods := range document.Paths {
		for method, op := range methods {
			access := map[int]string{0: "open", 1: "signed", 2: "signed or open"}[len(op.Security)]
			lines = append(lines, fmt.Sprintf("| `%s` | %s | %s | %s |\n", path, strings.ToUpper(method), access, op.Summary))
		}
	}
	slices.Sort(lines)
	return "| path | method | access | what it does |\n|---|---|---|---|\n" + strings.Join(lines, "")
}
