// Command earnest-escrow is the escrow server: it keeps accounts, one-time keys
// and bonds, and answers agents over HTTPS.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to stop, a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	var in io.Reader
	if isatty.IsTerminal(os.Stdin.Fd()) || isatty.IsCygwinTerminal(os.Stdin.Fd()) {
		in = os.Stdin
	}
	code := run(ctx, os.Args[1:], in, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// exits is the one table of exit codes; the help of every command shows it.
func exits() []exit {
	return []exit{
		{0, nil, "done"},
		{1, nil, "failed; the message says why"},
		{2, app.ErrConfig, "the command line or the configuration is wrong"},
		{3, app.ErrFaults, "verify found faults in the books"},
		{4, app.ErrData, "the data folder is missing, in use or unreadable"},
		{5, app.ErrListen, "nothing can be served at that address"},
	}
}

type exit struct {
	code    int
	err     error
	meaning string
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	for _, e := range exits() {
		if e.err != nil && errors.Is(err, e.err) {
			return e.code
		}
	}
	return 1
}

func help() string {
	text := "Exit codes:\n"
	for _, e := range exits() {
		text += fmt.Sprintf("  %d  %s\n", e.code, e.meaning)
	}
	return text
}

// commands is the command line.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the escrow until it is told to stop (SIGINT, SIGTERM)."`
	Voucher voucherGroup   `cmd:"" help:"Vouchers that top up accounts."`
	Verify  verifyCommand  `cmd:"" help:"Walk ledger, bonds, receipts and keys, and say whether they agree."`
	Info    infoCommand    `cmd:"" help:"Show what the escrow tells about itself."`
	Status  statusCommand  `cmd:"" help:"Show money, bonds, pools and what operators did."`
	Web     webCommand     `cmd:"" help:"Show the same on a page for a browser on this machine."`
	Move    moveCommand    `cmd:"" help:"Move the books from SQLite to PostgreSQL, whole or not at all."`
	Backup  backupCommand  `cmd:"" help:"Write books, keys and configuration into one file, while the escrow runs."`
	Restore restoreCommand `cmd:"" help:"Put a backup into a new folder; unsold keys are withdrawn."`
	Credit  creditCommand  `cmd:"" help:"Credit an account, for a reason that it sees."`
	Queue   queueCommand   `cmd:"" help:"Show what waits for the operator: payouts, debts, payments of other money."`
	Payout  payoutGroup    `cmd:"" help:"Begin to pay payouts, and end them."`
	Debt    debtGroup      `cmd:"" help:"Money that a payment provider took back after it was credited."`
	Account accountGroup   `cmd:"" help:"What an account has of value, where verify says that it is not what the escrow wrote."`
	Export  exportCommand  `cmd:"" help:"Write all bonds and signed totals for an auditor, who checks them without the escrow."`
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	helped := -1
	parser, err := kong.New(&commands{}, kong.Name("earnest-escrow"),
		kong.Description("The escrow of Earnest: it holds the bond for a mail and gives it back unless the recipient rejects the mail.\n\n"+help()),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Help(func(options kong.HelpOptions, ctx *kong.Context) error {
			if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
				return err
			}
			if ctx.Command() != "" {
				fmt.Fprint(ctx.Stdout, "\n"+help())
			}
			return nil
		}),
		kong.Writers(out, errs), kong.Exit(func(code int) { helped = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(streams{out, errs, in}))
	if err != nil {
		fmt.Fprintln(errs, "earnest-escrow:", err)
		return 1
	}
	command, err := parser.Parse(args)
	if helped >= 0 {
		return helped
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", app.ErrCommand, err)
	} else {
		err = command.Run()
	}
	if err != nil {
		fmt.Fprintln(errs, "earnest-escrow:", err)
	}
	return exitCode(err)
}

// streams are the program's; in is nil unless a person sits at it.
type streams struct {
	out, errs io.Writer
	in        io.Reader
}

// dataFlags are what every command needs.
type dataFlags struct {
	Data   string `required:"" type:"path" placeholder:"DIR" help:"Folder of the escrow's books, keys and configuration."`
	Config string `type:"existingfile" placeholder:"FILE" help:"Configuration (TOML) instead of DIR/escrow.toml."`

	Database string `placeholder:"URL" env:"EARNEST_ESCROW_DATABASE" help:"postgres://USER@HOST/NAME for books on PostgreSQL, without the password (PGPASSFILE, PGPASSWORD); else they are on SQLite in DIR."`
}

// config is the configuration as the file has it.
func (d dataFlags) config() (app.Config, error) {
	settings, err := d.settings()
	if err != nil {
		return app.Config{}, err
	}
	return settings.Config(d.Data)
}

// settings are the file's; the flag of the database wins over it.
func (d dataFlags) settings() (app.Settings, error) {
	settings, err := app.ReadSettings(d.Data, d.Config)
	if d.Database != "" {
		settings.Database = d.Database
	}
	return settings, err
}

type serveCommand struct {
	dataFlags    `embed:""`
	Listen       string   `placeholder:"ADDR" help:"host:port to answer at (127.0.0.1:8443)."`
	Metrics      string   `placeholder:"127.0.0.1:PORT" help:"Where Prometheus may ask for metrics, on this machine (nowhere)."`
	Trace        *float64 `placeholder:"SHARE" help:"Which share of the requests has span lines in the log, from 0 to 1 (0)."`
	Name         string   `help:"The escrow's domain (the host that it listens at)."`
	Operator     string   `help:"Who runs it."`
	LegalForm    string   `help:"The operator's legal form."`
	Host         []string `placeholder:"HOST" help:"A further name that agents ask it by; may be repeated."`
	Currency     []string `placeholder:"CODE:SCALE:UNIT" help:"A currency it deals in, such as escrow.example:2:EUR; may be repeated (the escrow's name, 2 digits, EUR)."`
	Terms        string   `placeholder:"deliver=30d,decide=14d,undo=10m,final=60d,quote=10m" help:"Durations that quotes promise."`
	TLSCert      string   `name:"tls-cert" type:"path" placeholder:"FILE" help:"Certificate (PEM); without one a self-signed is made in DIR."`
	TLSKey       string   `name:"tls-key" type:"path" placeholder:"FILE" help:"Its private key (PEM)."`
	NoTLS        bool     `name:"no-tls" help:"Plain HTTP on this machine only, behind a proxy that keeps the Host header."`
	SMTPRelay    string   `name:"smtp-relay" placeholder:"URL" help:"Relay for token mails: smtps://user@host:465, smtp://host:587, smtp://127.0.0.1:25."`
	SMTPPassword string   `name:"smtp-password-file" type:"path" placeholder:"FILE" help:"File with the relay's password."`
	SMTPCA       string   `name:"smtp-ca" type:"path" placeholder:"FILE" help:"Further authorities (PEM) for the relay's certificate."`
	TokenSender  string   `placeholder:"ADDR" help:"Address that token mails come from (escrow@NAME)."`
	Verbose      bool     `short:"v" help:"Log more."`
}

// Run serves.
func (c *serveCommand) Run(ctx context.Context, s streams) error {
	settings, err := c.settings()
	if err != nil {
		return err
	}
	file := settings
	faults := c.override(&settings)
	cfg, err := settings.Config(c.Data)
	if err := errors.Join(faults, err); err != nil {
		return err
	}
	differ, err := file.Differ(settings)
	if err != nil {
		return err
	}
	if len(differ) > 0 {
		fmt.Fprintf(s.errs, "Note: for this start only, flags win over the configuration in: %s. The next start and all other commands go by the file.\n", strings.Join(differ, ", "))
	}
	if c.dataFlags.Config == "" {
		cfg.Keep = func() error { return settings.Settle(cfg).Keep(c.Data) }
	}
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	cfg.Log = app.Logger(s.errs, level)
	cfg.Ready = func(r app.Ready) { fmt.Fprintln(s.out, r) }
	return app.Run(ctx, cfg)
}

// override lets flags win over the file.
func (c *serveCommand) override(settings *app.Settings) error {
	for _, flag := range []struct {
		value string
		to    *string
	}{
		{c.Listen, &settings.Listen}, {c.Metrics, &settings.Metrics}, {c.Name, &settings.Name}, {c.Operator, &settings.Operator}, {c.LegalForm, &settings.LegalForm},
		{c.TLSCert, &settings.CertFile}, {c.TLSKey, &settings.KeyFile}, {c.SMTPRelay, &settings.Relay},
		{c.SMTPPassword, &settings.RelayPasswordFile}, {c.SMTPCA, &settings.RelayCAFile}, {c.TokenSender, &settings.TokenSender},
	} {
		if flag.value != "" {
			*flag.to = flag.value
		}
	}
	if len(c.Host) > 0 {
		settings.Hosts = c.Host
	}
	if c.Trace != nil {
		settings.Trace = *c.Trace
	}
	settings.NoTLS = settings.NoTLS || c.NoTLS
	var faults []error
	if len(c.Currency) > 0 {
		settings.Currencies = nil
	}
	for _, text := range c.Currency {
		currency, err := app.ParseCurrency(text)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		settings.Currencies = append(settings.Currencies, currency)
	}
	if c.Terms != "" {
		faults = append(faults, settings.Terms.Set(c.Terms))
	}
	return errors.Join(faults...)
}

type voucherGroup struct {
	New    voucherCommand       `cmd:"" help:"Make a voucher and print its code; it is kept nowhere else."`
	List   voucherListCommand   `cmd:"" help:"Show the vouchers that are not redeemed, by their ids; the codes are kept nowhere."`
	Revoke voucherRevokeCommand `cmd:"" help:"Make a voucher that is not redeemed worth nothing."`
}

type voucherCommand struct {
	dataFlags `embed:""`
	Currency  string `required:"" help:"Name of the currency, or its unit where only one has it."`
	Amount    string `required:"" help:"Amount, such as 5.00."`
	Why       string `help:"What it is for; kept in the log of the books."`
}

// Run makes a voucher. Only its code goes to the output.
func (c *voucherCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	cfg.Why = c.Why
	code, currency, err := app.NewVoucher(ctx, cfg, c.Currency, c.Amount)
	if code != "" { // it is worth money, whatever failed after
		fmt.Fprintf(s.errs, "A voucher over %s, %s. Whoever has the code has the money.\n", asked(currency, c.Amount), app.VoucherID(code))
		fmt.Fprintln(s.out, code)
	}
	return err
}

type verifyCommand struct {
	dataFlags `embed:""`
}

// Run verifies the books.
func (c *verifyCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	report, err := app.Verify(ctx, cfg)
	for _, line := range report.Lines {
		fmt.Fprintln(s.out, line)
	}
	for _, fault := range report.Faults {
		fmt.Fprintln(s.out, "FAULT:", fault)
	}
	if err == nil {
		fmt.Fprintln(s.out, "The books are sound:", c.Data)
	}
	return err
}

type infoCommand struct {
	dataFlags `embed:""`
	JSON      bool `name:"json" help:"As JSON."`
}

// Run shows what the escrow says of itself.
func (c *infoCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	info, err := app.Info(ctx, cfg)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(s.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(info)
	}
	printInfo(s.out, info)
	return nil
}

func printInfo(out io.Writer, info app.About) {
	fmt.Fprintf(out, "name          %s\noperator      %s (%s)\nreceipt key   %s\n  its key-id  %s\ntoken sender  %s\n",
		info.Name, info.Operator, info.LegalForm, keyText(info.ReceiptKey), info.ReceiptKey.ID(), info.TokenSender)
	for _, currency := range info.Currencies {
		fmt.Fprintf(out, "currency      %s, %d digits, shown as %s\n", currency.Name, currency.Scale, currency.Unit)
	}
	for _, least := range info.LeastPayouts {
		for _, currency := range info.Currencies {
			if currency.Name == least.Currency {
				fmt.Fprintf(out, "least payout  %s of %s\n", least.Amount.Format(currency.Scale), currency.Name)
			}
		}
	}
	for _, b := range info.Beneficiaries {
		fmt.Fprintf(out, "beneficiary   %s: %s\n", b.ID, b.Name)
	}
	if info.Fingerprint != "" {
		fmt.Fprintf(out, "certificate   %s, SHA-256 %s\n", info.CertFile, info.Fingerprint)
	}
	t := info.Terms
	fmt.Fprintf(out, "terms         quote %s, deliver %s, decide %s, undo %s, final %s\n",
		inWords(t.Quote), inWords(t.Deliver), inWords(t.Decide), inWords(t.Undo), inWords(t.Final))
}

// keyText is a key as /v1/info has it.
func keyText(key escrow.PublicKey) string {
	text, err := key.MarshalText()
	if err != nil {
		return "none"
	}
	return string(text)
}

// inWords is a duration as the configuration has it.
func inWords(s escrow.Seconds) string {
	const day = 24 * 60 * 60
	if s > 0 && s%day == 0 {
		return fmt.Sprintf("%dd", s/day)
	}
	return s.Duration().String()
}
