package httpapi

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"earnest/escrow"
)

// Databases keep no NUL, and PostgreSQL nothing that is no UTF-8. This is where such
// text ends: in the path and the query here, in bodies when they are read, and in
// signed payloads with [escrow.Verify] and [escrow.Peek].

// plain refuses a path or a query that no name here can have.
func plain(r *http.Request) error {
	if !escrow.PlainText(r.URL.Path) {
		return escrow.Errorf(escrow.NotFound, "there is nothing of that name; nothing was done")
	}
	query, err := url.QueryUnescape(r.URL.RawQuery)
	if err != nil || !escrow.PlainText(query) {
		return escrow.Errorf(escrow.Invalid, "the request's query is malformed; nothing was done")
	}
	return nil
}

// plainFormats are huma's, but for bodies with such text.
func plainFormats() map[string]huma.Format {
	formats := map[string]huma.Format{}
	for name, format := range huma.DefaultFormats {
		read := format.Unmarshal
		format.Unmarshal = func(data []byte, into any) error {
			if !escrow.PlainJSON(data) {
				return errors.New("text with NUL, or no UTF-8")
			}
			return read(data, into)
		}
		formats[name] = format
	}
	return formats
}
