package agent_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"earnest/agent/localapi"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// Ten thousand mails are listed within 400 ms, over the local API too, and one of
// them is there within 5 ms.
func TestTenThousandMailsAreListedAtOnce(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "")
	p.stop()
	const many = 10_000
	var account store.Account
	w.change(p, func(tx *store.Tx) error {
		accounts, err := store.List[store.Account](tx)
		if err != nil {
			return err
		}
		account = accounts[0]
		for i := range many {
			m := store.Mail{ID: fmt.Sprintf("%032x", i), Account: account.ID, Bond: escrow.BondID(fmt.Sprintf("01939f00-0000-7000-8000-%012d", i)),
				Number: int64(i), State: store.MailWaiting, From: escrow.Address(fmt.Sprintf("somebody.%d@mail.example", i)), Name: "Somebody Or Other",
				Subject: fmt.Sprintf("A question about chapter %d of your book on the life of birds", i), Unread: true, FirstTime: true,
				Option: payment.Option{System: "ESCROW/1", Currency: euro.Name, Amount: 25, Scale: 2}, DecideBy: time.Now().Add(time.Hour), Beneficiary: "the escrow's company account"}
			if err := store.Put(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	w.start(p)
	server := httptest.NewServer(localapi.Handler(p.Agent, slog.New(slog.DiscardHandler)))
	defer server.Close()
	route := func(path string) int64 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		must(t, err)
		req.Host = agentclient.Host
		answer, err := http.DefaultClient.Do(req)
		must(t, err)
		defer answer.Body.Close()
		n, err := io.Copy(io.Discard, answer.Body)
		must(t, err)
		return n
	}
	for _, part := range []struct {
		name  string
		limit time.Duration
		ask   func()
	}{
		{"Inbox", 400 * time.Millisecond, func() {
			list, err := p.Inbox(t.Context())
			if err != nil || len(list) != many || list[0].ID != fmt.Sprintf("%032x", many-1) || list[0].Price.Amount != "0.25" {
				t.Errorf("%d mails, %v", len(list), err)
			}
		}},
		{"GET /v1/mails", 400 * time.Millisecond, func() {
			if n := route("/v1/mails"); n < many*300 {
				t.Errorf("%d bytes", n)
			}
		}},
		{"MailByID", 5 * time.Millisecond, func() {
			m, err := p.MailByID(t.Context(), fmt.Sprintf("%032x", 5000))
			if err != nil || m.Unread != true {
				t.Errorf("%+v, %v", m, err)
			}
		}},
	} {
		best, first := time.Hour, time.Duration(0)
		for i := range 5 {
			began := time.Now()
			part.ask()
			took := time.Since(began)
			if i == 0 {
				first = took
			}
			best = min(best, took)
		}
		t.Logf("%s: %v at first, %v at best", part.name, first.Round(10*time.Microsecond), best.Round(10*time.Microsecond))
		if best > 5*part.limit { // the machine may be busy with something else
			t.Errorf("%s took %v, more than %v", part.name, best, part.limit)
		}
	}
}
