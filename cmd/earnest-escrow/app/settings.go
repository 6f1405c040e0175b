package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/httpapi"
	"earnest/internal/tomlfile"
	"earnest/ledger"
	"earnest/payment"
)

// settingsVersion is the version of the configuration file.
const settingsVersion = 1

// Settings are what a person can set: the form of the configuration file, and
// of the flags, which win over it.
type Settings struct {
	Version           int              `toml:"version"`
	Name              string           `toml:"name,omitempty"`
	Operator          string           `toml:"operator,omitempty"`
	LegalForm         string           `toml:"legal_form,omitempty"`
	Database          string           `toml:"database,omitempty"`
	Listen            string           `toml:"listen,omitempty"`
	Metrics           string           `toml:"metrics,omitempty"`
	Trace             float64          `toml:"trace,omitempty"`
	Hosts             []string         `toml:"hosts,omitempty"`
	TokenSender       string           `toml:"token_sender,omitempty"`
	Relay             string           `toml:"smtp_relay,omitempty"`
	RelayPasswordFile string           `toml:"smtp_password_file,omitempty"`
	RelayCAFile       string           `toml:"smtp_ca_file,omitempty"`
	CertFile          string           `toml:"tls_cert,omitempty"`
	KeyFile           string           `toml:"tls_key,omitempty"`
	NoTLS             bool             `toml:"no_tls,omitempty"`
	Terms             TermSettings     `toml:"terms"`
	Limits            LimitSettings    `toml:"limits,omitempty"`
	Strangers         StrangerLimits   `toml:"strangers,omitempty"`
	Welcome           WelcomeSettings  `toml:"welcome,omitempty"`
	Card              CardSettings     `toml:"card,omitempty"`
	Payouts           []PayoutSettings `toml:"payout,omitempty"`
	Currencies        []Currency       `toml:"currency"`
	Beneficiaries     []Beneficiary    `toml:"beneficiary,omitempty"`

	// file is where they were read; empty if there is no file yet.
	file string
}

// TermSettings are durations such as 30d, 12h, 10m or 45s.
type TermSettings struct {
	Quote   string `toml:"quote,omitempty"`
	Deliver string `toml:"deliver,omitempty"`
	Decide  string `toml:"decide,omitempty"`
	Undo    string `toml:"undo,omitempty"`
	Final   string `toml:"final,omitempty"`
}

// LimitSettings are requests a second and at once; a negative rate is no limit.
type LimitSettings struct {
	AccountRate  float64 `toml:"account_rate,omitempty"`
	AccountBurst int     `toml:"account_burst,omitempty"`
	RemoteRate   float64 `toml:"remote_rate,omitempty"`
	RemoteBurst  int     `toml:"remote_burst,omitempty"`
}

// StrangerLimits are for an hour, of accounts that have neither money nor a proven
// address; a negative number is no limit.
type StrangerLimits struct {
	Lookups            int `toml:"lookups,omitempty"`
	LookupsPerNetwork  int `toml:"lookups_per_network,omitempty"`
	LookupsInAll       int `toml:"lookups_in_all,omitempty"`
	MailsPerNetwork    int `toml:"mails_per_network,omitempty"`
	MailsInAll         int `toml:"mails_in_all,omitempty"`
	AccountsPerNetwork int `toml:"accounts_per_network,omitempty"`
}

// Currency is one that the escrow deals in.
type Currency struct {
	Name  string `toml:"name"`
	Scale uint8  `toml:"scale"`
	Unit  string `toml:"unit,omitempty"`
}

// Beneficiary gets forfeits.
type Beneficiary struct {
	ID   string `toml:"id"`
	Name string `toml:"name"`
}

// ReadSettings reads the configuration file: file if one is named, else the one
// in the data folder, if there is one.
func ReadSettings(dataDir, file string) (Settings, error) {
	named := file != ""
	if !named {
		file = filepath.Join(dataDir, fileConfig)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return Settings{Version: settingsVersion}, nil
	}
	if err != nil {
		return Settings{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	var s Settings
	if err := tomlfile.Decode(text, &s); err != nil {
		return Settings{}, fmt.Errorf("%w: %s: %w", ErrConfig, file, err)
	}
	if s.Version != settingsVersion {
		return Settings{}, fmt.Errorf("%w: %s: version %d is not one that this program reads; it reads version = %d",
			ErrConfig, file, s.Version, settingsVersion)
	}
	s.file = file
	return s, nil
}

// Differ names what flags say differently than the file did. The name they must not:
// agents have pinned it, and the file's currency is called by it.
func (s Settings) Differ(flags Settings) ([]string, error) {
	if s.file == "" {
		return nil, nil
	}
	if s.Name != "" && s.Name != flags.Name {
		return nil, fmt.Errorf("%w: --name says %s, but %s says %s, and that is what agents and receipts know this escrow by; leave --name away, or, if nobody uses it yet, correct name and [[currency]] in that file",
			ErrCommand, flags.Name, s.file, s.Name)
	}
	var names []string
	is, was := reflect.ValueOf(flags), reflect.ValueOf(s)
	for i := range is.NumField() {
		field := is.Type().Field(i)
		if field.IsExported() && !reflect.DeepEqual(is.Field(i).Interface(), was.Field(i).Interface()) {
			name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
			names = append(names, name)
		}
	}
	return names, nil
}

// Keep writes the settings into the data folder if it has none, so that the
// escrow keeps its name and currencies when it is started with other flags.
func (s Settings) Keep(dataDir string) error {
	file := filepath.Join(dataDir, fileConfig)
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	s.Version = settingsVersion
	text, err := toml.Marshal(s)
	if err == nil {
		err = os.MkdirAll(dataDir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	return writeNew(file, append([]byte("# The escrow's configuration; flags of earnest-escrow win over it.\n"), text...), 0o600)
}

// Config is what the settings say, checked, with defaults filled in. All faults
// are reported at once.
func (s Settings) Config(dataDir string) (Config, error) {
	terms, termFaults := s.Terms.terms()
	c := Config{
		DataDir: dataDir, File: s.file, Database: s.Database, Metrics: s.Metrics, Trace: s.Trace, Listen: s.Listen, Name: s.Name, Operator: s.Operator, LegalForm: s.LegalForm,
		Hosts: s.Hosts, CertFile: s.CertFile, KeyFile: s.KeyFile, NoTLS: s.NoTLS,
		Relay: s.Relay, RelayPasswordFile: s.RelayPasswordFile, RelayCAFile: s.RelayCAFile, TokenSender: s.TokenSender,
		Terms: terms, Welcome: s.Welcome, Payouts: s.Payouts, Card: s.Card,
		PerAccount: httpapi.Rate{PerSecond: s.Limits.AccountRate, Burst: s.Limits.AccountBurst},
		PerRemote:  httpapi.Rate{PerSecond: s.Limits.RemoteRate, Burst: s.Limits.RemoteBurst},
		Strangers:  escrowserver.StrangerLimits(s.Strangers),
	}
	for _, currency := range s.Currencies {
		c.Currencies = append(c.Currencies, payment.Currency(currency))
	}
	for _, b := range s.Beneficiaries {
		c.Beneficiaries = append(c.Beneficiaries, escrow.Beneficiary{ID: ledger.Holder(b.ID), Name: b.Name})
	}
	c, err := c.complete()
	if faults := errors.Join(termFaults, s.Limits.check()); faults != nil {
		err = errors.Join(err, fmt.Errorf("%w: %w", ErrConfig, faults))
	}
	return c, err
}

// Settle is the settings with the defaults of the configuration that must never
// change once the escrow has been asked: its name and currencies.
func (s Settings) Settle(c Config) Settings {
	s.Name, s.Listen, s.Currencies = c.Name, c.Listen, nil
	for _, currency := range c.Currencies {
		s.Currencies = append(s.Currencies, Currency(currency))
	}
	return s
}

func (t TermSettings) terms() (escrow.Terms, error) {
	const day, year = escrow.Seconds(24 * 60 * 60), 365 * escrow.Seconds(24*60*60)
	terms := escrow.DefaultTerms()
	var faults []error
	for _, term := range []struct {
		name, text string
		to         *escrow.Seconds
		most       escrow.Seconds
	}{
		{"quote", t.Quote, &terms.Quote, day}, {"deliver", t.Deliver, &terms.Deliver, year}, {"decide", t.Decide, &terms.Decide, year},
		{"undo", t.Undo, &terms.Undo, 7 * day}, {"final", t.Final, &terms.Final, 2 * year},
	} {
		if term.text == "" {
			continue
		}
		seconds, err := parseSeconds(term.text)
		if err != nil {
			faults = append(faults, fmt.Errorf("terms: %s: %w", term.name, err))
		}
		if err == nil && (seconds < 1 || seconds > term.most) {
			faults = append(faults, fmt.Errorf("terms: %s: %s is not between 1s and %dd", term.name, term.text, term.most/day))
		}
		*term.to = seconds
	}
	return terms, errors.Join(faults...)
}

// Bounds of the limits: less locks agents out, which ask several times for each mail;
// more is no limit, and -1 says that.
const (
	leastRate, mostRate   = 1.0, 10_000.0
	leastBurst, mostBurst = 10, 100_000
)

func (l LimitSettings) check() error {
	var faults []error
	for _, limit := range []struct {
		name  string
		rate  float64
		burst int
	}{{"account", l.AccountRate, l.AccountBurst}, {"remote", l.RemoteRate, l.RemoteBurst}} {
		switch {
		case limit.rate == 0 && limit.burst != 0:
			faults = append(faults, fmt.Errorf("limits: %s_burst needs %s_rate beside it", limit.name, limit.name))
		case limit.rate == 0 || limit.rate == -1:
		case !(limit.rate >= leastRate && limit.rate <= mostRate): // NaN, too
			faults = append(faults, fmt.Errorf("limits: %s_rate is not between %g and %g requests a second, or -1 for no limit", limit.name, leastRate, mostRate))
		case limit.burst < leastBurst || limit.burst > mostBurst:
			faults = append(faults, fmt.Errorf("limits: %s_burst is not between %d and %d requests", limit.name, leastBurst, mostBurst))
		}
	}
	return errors.Join(faults...)
}

// parseSeconds reads 30d, 12h, 10m, 1m30s.
func parseSeconds(text string) (escrow.Seconds, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a number of days such as 30d", text)
		}
		return escrow.Seconds(n * 24 * 60 * 60), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d%time.Second != 0 {
		return 0, fmt.Errorf("%q is not a duration in whole seconds such as 30d, 12h, 10m or 45s", text)
	}
	return escrow.Seconds(d / time.Second), nil
}

// Set reads terms as a flag has them: deliver=30d,decide=14d,undo=10m.
func (t *TermSettings) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		to := map[string]*string{"quote": &t.Quote, "deliver": &t.Deliver, "decide": &t.Decide, "undo": &t.Undo, "final": &t.Final}[name]
		if to == nil || value == "" {
			return fmt.Errorf("%w: terms are written deliver=30d,decide=14d,undo=10m,final=60d,quote=10m, not %q", ErrCommand, part)
		}
		*to = value
	}
	return nil
}

// ParseCurrency reads a currency as a flag has it: NAME:SCALE:UNIT.
func ParseCurrency(text string) (Currency, error) {
	parts := strings.Split(text, ":")
	if len(parts) == 2 || len(parts) == 3 {
		if scale, err := strconv.ParseUint(parts[1], 10, 8); err == nil {
			c := Currency{Name: parts[0], Scale: uint8(scale)}
			if len(parts) == 3 {
				c.Unit = parts[2]
			}
			return c, nil
		}
	}
	return Currency{}, fmt.Errorf("%w: a currency is written NAME:SCALE:UNIT, such as escrow.example:2:EUR, not %q", ErrCommand, text)
}
