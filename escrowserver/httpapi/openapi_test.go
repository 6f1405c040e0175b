package httpapi_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write docs/protocol/openapi.json anew")

// TestOpenAPIDocumentIsTheCommittedOne holds the document in the docs against
// the code. After a wanted change: go test ./escrowserver/httpapi -update
func TestOpenAPIDocumentIsTheCommittedOne(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "protocol", "openapi.json")
	got := newAPI(t, &fake{}, nil).OpenAPI()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code makes; see the change and run: go test ./escrowserver/httpapi -update", path)
	}
	for _, unwanted := range []string{"ErrorModel", "ErrorDetail", "$schema"} {
		if bytes.Contains(got, []byte(unwanted)) {
			t.Errorf("the document contains %s", unwanted)
		}
	}
}
