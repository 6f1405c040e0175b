package app_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowserver/httpapi"
)

// hostChanger sends requests under another Host than they were signed for.
type hostChanger string

func (h hostChanger) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Host = string(h)
	return http.DefaultTransport.RoundTrip(r)
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "escrow.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestConfigurationFile(t *testing.T) {
	settings, err := app.ReadSettings("", write(t, `
version = 1
name = "escrow.example"
operator = "Example Foundation"
smtp_relay = "smtps://bob@mail.example"
smtp_password_file = "/x"
trace = 0.25
[terms]
deliver = "2d"
undo = "3s"
[limits]
account_rate = -1
[strangers]
lookups = 7
accounts_per_network = 9
[[currency]]
name = "escrow.example"
scale = 2
unit = "EUR"
[[beneficiary]]
id = "company"
name = "Example Foundation"
`))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := settings.Config("/data")
	if err != nil {
		t.Fatal(err)
	}
	want := escrow.DefaultTerms()
	want.Deliver, want.Undo = 2*24*60*60, 3
	if cfg.Name != "escrow.example" || cfg.Terms != want || cfg.PerAccount.PerSecond != -1 || cfg.Strangers.Lookups != 7 || cfg.Strangers.AccountsPerNetwork != 9 || cfg.Trace != 0.25 || len(cfg.Beneficiaries) != 1 ||
		cfg.TokenSender != "escrow@escrow.example" || cfg.Listen != app.DefaultListen {
		t.Errorf("config: %+v", cfg)
	}
}

// TestAllFaultsAreReportedAtOnce: an operator does not find them one by one.
func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	settings, err := app.ReadSettings("", write(t, `
version = 1
name = "bücher.example"
listen = "nonsense"
tls_cert = "/x"
smtp_relay = "ftp://x"
token_sender = "nobody"
[terms]
undo = "soon"
quote = "1.5s"
final = "1d"
[[currency]]
name = "a b"
scale = 9
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = settings.Config("")
	if !errors.Is(err, app.ErrConfig) {
		t.Fatal(err)
	}
	for _, part := range []string{"data:", "name:", "listen:", "tls:", "smtp-relay:", "token-sender:", "undo:", "quote:", "final comes before deliver", "final comes before decide", "currency"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("nothing about %s in:\n%v", part, err)
		}
	}
	for text, want := range map[string]string{
		"version = 2":                     "version 2",
		"name = 'x'":                      "version 0",
		"version = 1\nnam = 'x'\nlst = 1": "nam, lst",
		"version = ":                      "toml",
	} {
		if _, err := app.ReadSettings("", write(t, text)); !errors.Is(err, app.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := app.ReadSettings("", "/none.toml"); !errors.Is(err, app.ErrConfig) {
		t.Errorf("a named file that is missing: %v", err)
	}
}

func TestRelayAddresses(t *testing.T) {
	for relay, ok := range map[string]bool{
		"": true, "smtp://127.0.0.1:2525": true, "smtp://localhost": true, "smtp://mail.example": true, "smtps://mail.example:465": true,
		"smtps://bob@mail.example": false, "smtps://bob:secret@mail.example": false, "http://mail.example": false,
		"mail.example:25": false, "smtp://": false, "smtp://mail.example/path": false,
	} {
		_, err := app.Settings{Relay: relay}.Config("/data")
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", relay, err)
		}
	}
}

// TestSettingsAreKeptOnce: the first start decides name and currencies.
func TestSettingsAreKeptOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	first := app.Settings{Name: "escrow.example"}
	cfg, err := first.Config(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Settle(cfg).Keep(dir); err != nil {
		t.Fatal(err)
	}
	if err := (app.Settings{Name: "other.example"}).Keep(dir); err != nil {
		t.Fatal(err)
	}
	read, err := app.ReadSettings(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	again, err := read.Config(dir)
	if err != nil || again.Name != "escrow.example" || !reflect.DeepEqual(again.Currencies, cfg.Currencies) {
		t.Errorf("kept: %+v, %v", again, err)
	}
}

// TestNetworksAreLimitedBehindAProxyToo, by what the proxy says of them.
func TestNetworksAreLimitedBehindAProxyToo(t *testing.T) {
	ready, _ := start(t, app.Config{DataDir: t.TempDir(), NoTLS: true, PerRemote: httpapi.Rate{PerSecond: 0.01, Burst: 1}})
	for i, tt := range []struct {
		forwarded string
		status    int
	}{{"192.0.2.1", 200}, {"192.0.2.1", 429}, {"192.0.2.2", 200}, {"", 200}, {"", 200}} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", ready.URL+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.forwarded != "" {
			req.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("request %d: %d, want %d", i, resp.StatusCode, tt.status)
		}
	}
}

func TestFlagForms(t *testing.T) {
	for text, want := range map[string]app.Currency{
		"escrow.example:2:EUR": {Name: "escrow.example", Scale: 2, Unit: "EUR"}, "x:0": {Name: "x"},
	} {
		if got, err := app.ParseCurrency(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "x:y", "x:2:EUR:more", "x:300"} {
		if _, err := app.ParseCurrency(text); !errors.Is(err, app.ErrConfig) {
			t.Errorf("%q: %v", text, err)
		}
	}
	var terms app.TermSettings
	if err := terms.Set("deliver=5s,undo=1s"); err != nil || terms != (app.TermSettings{Deliver: "5s", Undo: "1s"}) {
		t.Errorf("%+v, %v", terms, err)
	}
	for _, text := range []string{"", "deliver", "deliver=", "other=5s"} {
		if err := terms.Set(text); !errors.Is(err, app.ErrConfig) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestTheOperatorsManualNamesEverySetting that a configuration can have.
func TestTheOperatorsManualNamesEverySetting(t *testing.T) {
	manual, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "OPERATOR.md"))
	if err != nil {
		t.Fatal(err)
	}
	var look func(reflect.Type)
	look = func(of reflect.Type) {
		for i := range of.NumField() {
			field := of.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
			kind := field.Type
			if kind.Kind() == reflect.Slice {
				kind = kind.Elem()
			}
			if named := strings.Contains(string(manual), "`"+name+"`") || strings.Contains(string(manual), " "+name+" = ") ||
				strings.Contains(string(manual), "["+name+"]"); name != "" && !named {
				t.Errorf("nothing about %s", name)
			}
			if kind.Kind() == reflect.Struct {
				look(kind)
			}
		}
	}
	look(reflect.TypeFor[app.Settings]())
}
