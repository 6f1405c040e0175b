package wire_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/payment"
)

func TestTableHasEveryCodeOnce(t *testing.T) {
	var codes []escrow.Code
	for _, row := range wire.Table() {
		codes = append(codes, row.Code)
		if row.Title == "" || http.StatusText(row.Status) == "" || row.Status < 400 {
			t.Errorf("%s: title %q, status %d", row.Code, row.Title, row.Status)
		}
	}
	if want := escrow.Codes(); !slices.Equal(codes, want) {
		t.Errorf("table has %v, the codes are %v", codes, want)
	}
}

// travel sends err as the server would and reads it as the client does.
func travel(t *testing.T, err error) (*escrow.Error, *http.Response) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := wire.ProblemOf(err).WriteTo(w); err != nil {
		t.Fatal(err)
	}
	resp := w.Result()
	return wire.ReadProblem(resp.StatusCode, resp.Header.Get("Content-Type"), w.Body.Bytes()), resp
}

func TestErrorsSurviveTheTrip(t *testing.T) {
	have, need := payment.Amount(3), payment.Amount(25)
	for _, row := range wire.Table() {
		sent := &escrow.Error{Code: row.Code, Detail: "what happened", Have: &have, Need: &need,
			Time: time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC), RetryAfter: 90 * time.Second}
		if row.Code == escrow.Internal {
			sent = internal() // tells nothing else, see below
		}
		got, resp := travel(t, fmt.Errorf("buy: %w", sent))
		if !reflect.DeepEqual(got, sent) {
			t.Errorf("%s came back as %+v", row.Code, got)
		}
		if !errors.Is(got, row.Code) {
			t.Errorf("errors.Is(%v, %s) is false", got, row.Code)
		}
		if resp.StatusCode != row.Status || resp.Header.Get("Content-Type") != wire.ProblemType {
			t.Errorf("%s: status %d, type %s", row.Code, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
	}
}

// internal is all that is told of the escrow's own failures.
func internal() *escrow.Error {
	return &escrow.Error{Code: escrow.Internal, Detail: "the escrow failed; nothing was changed; try again later"}
}

func TestRetryAfterIsRoundedUpAndAHeader(t *testing.T) {
	got, resp := travel(t, &escrow.Error{Code: escrow.Limited, RetryAfter: 1500 * time.Millisecond})
	if got.RetryAfter != 2*time.Second || resp.Header.Get("Retry-After") != "2" {
		t.Errorf("retry after %v, header %q", got.RetryAfter, resp.Header.Get("Retry-After"))
	}
}

func TestInnerErrorsStayInside(t *testing.T) {
	for _, err := range []error{
		errors.New("sql: secret table"),
		fmt.Errorf("sql: secret table: %w", &escrow.Error{Code: escrow.Internal, Detail: "secret"}),
		escrow.Code("made_up"),
	} {
		got, _ := travel(t, err)
		if !reflect.DeepEqual(got, internal()) {
			t.Errorf("%v came out as %+v", err, got)
		}
	}
	if got, resp := travel(t, &http.MaxBytesError{Limit: 1}); got.Code != escrow.Invalid || resp.StatusCode != 413 {
		t.Errorf("too large: %+v, status %d", got, resp.StatusCode)
	}
	if got, _ := travel(t, escrow.SoldOut); !errors.Is(got, escrow.SoldOut) {
		t.Errorf("a bare code came out as %v", got)
	}
}

func TestAnswersThatAreNoProblemOfOurs(t *testing.T) {
	for _, tt := range []struct {
		status      int
		contentType string
		body        string
		want        escrow.Code
	}{
		{502, "text/html", "<h1>Bad Gateway</h1>", escrow.Unavailable},
		{404, "application/problem+json", `{"code":"made_up"}`, escrow.Unavailable},
		{404, "application/json", `{"code":"not_found"}`, escrow.Unavailable},
		{404, "application/problem+json; charset=utf-8", `{"code":"not_found"}`, escrow.NotFound},
		{409, "application/problem+json", `{`, escrow.Unavailable},
		{429, "text/plain", "slow down", escrow.Limited},
		{302, "", "", escrow.Unavailable},
	} {
		if got := wire.ReadProblem(tt.status, tt.contentType, []byte(tt.body)); got.Code != tt.want {
			t.Errorf("%d %s %s: %v, want %s", tt.status, tt.contentType, tt.body, got, tt.want)
		}
	}
}
