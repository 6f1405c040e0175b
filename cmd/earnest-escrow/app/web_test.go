package app_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrowclient"
)

// The page shows money and log to the browser that opened the link, to no other.
func TestTheOperatorsPageIsForOneBrowser(t *testing.T) {
	cfg := made(t, func(c *escrowclient.Client, cfg app.Config) {
		cfg.Why = "<b>a gift</b>"
		paid(t, c, cfg)
	})
	ctx, stop := context.WithCancel(t.Context())
	links, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- app.Web(ctx, cfg, "127.0.0.1:0", func(link string) { links <- link }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	link := <-links
	page, _, _ := strings.Cut(link, "?")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(client *http.Client, url, host string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			request.Host = host
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	browser, other := &http.Client{Jar: jar}, &http.Client{}
	if status, _ := ask(other, page, ""); status != http.StatusForbidden {
		t.Errorf("without the link: %d", status)
	}
	if status, _ := ask(other, page+"?link=x", ""); status != http.StatusForbidden {
		t.Errorf("with another link: %d", status)
	}
	status, text := ask(browser, link, "")
	for _, want := range []string{"5.00 EUR", "-5.00 EUR", "voucher over 5.00", "&lt;b&gt;a gift&lt;/b&gt;", "web page"} {
		if status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%d, without %q: %s", status, want, text)
		}
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "<b>a gift") {
		t.Error("the page runs what others wrote")
	}
	if status, _ := ask(browser, page, ""); status != http.StatusOK {
		t.Errorf("again: %d", status)
	}
	if status, _ := ask(other, link, ""); status != http.StatusForbidden {
		t.Errorf("the link works twice: %d", status)
	}
	// Through ssh -L the page has another port, and maybe the other name; a browser signs
	// in under each.
	for host, ours := range map[string]bool{"localhost:8000": true, "127.0.0.1:9": true, "[::1]:9": true, "LOCALHOST": true,
		"localhost.evil.example:80": false, "127.0.0.1.evil.example": false, "evil.example:80": false, "10.0.0.1:80": false} {
		if status, _ := ask(browser, page, host); (status == http.StatusMisdirectedRequest) == ours {
			t.Errorf("as %q: %d", host, status)
		}
	}
	if status, _ := ask(browser, page, "evil.example"); status != http.StatusMisdirectedRequest {
		t.Errorf("under another name: %d", status)
	}
	if err := app.Web(t.Context(), cfg, "0.0.0.0:0", nil); err == nil {
		t.Error("the page is for everybody")
	}
}
