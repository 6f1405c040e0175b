// Package cli is the command line of earnest: one verb for each thing that a
// person or a script may ask of the agent. It knows the agent's client and
// nothing behind it.
package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/alecthomas/kong"

	"earnest/agentclient"
)

// Streams are where the command line reads and writes. [Std] fills them for a
// process.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// Interactive: a person sits there, so questions may be asked.
	Interactive bool
	// Password asks for a password without echo. Only where Interactive.
	Password func(prompt string) (string, error)
	// Now is the clock for "in 6 days"; nil is the machine's.
	Now func() time.Time
}

// Hooks are the verbs that need more than the agent's client.
type Hooks struct {
	// Version is printed by --version.
	Version string
	Agent   func(context.Context, AgentFlags) error
	Demo    func(context.Context, DemoFlags) error
	// Connect makes the client of the agent of a home.
	Connect func(home string) agentclient.Agent
}

// AgentFlags are the flags of "earnest agent".
type AgentFlags struct {
	Keyring        string `enum:"os,file,memory," default:"" help:"Where keys and passwords rest: os (the system's keyring), file (sealed by a passphrase), or memory (lost at the end). Left out: the key file where one was chosen, else the system's keyring."`
	PassphraseFile string `placeholder:"FILE" help:"Read the passphrase of the key file from FILE. Left out, a key file that was chosen waits for: earnest unlock"`
	NoDiscovery    bool   `help:"Ask nobody for the servers of an address (EARNEST_NO_DISCOVERY=1 does the same)."`
	LogLevel       string `enum:"debug,info,warn,error" default:"info" help:"How much to log: debug, info, warn or error."`
}

// DemoFlags are the flags of "earnest demo".
type DemoFlags struct {
	Once     bool `help:"Play the story once and end."`
	NoWindow bool `help:"Do not open the window."`
	// JSON is the flag that all verbs have: one object a step.
	JSON bool `kong:"-"`
}

// root is the grammar of the command line.
type root struct {
	JSON    bool             `help:"Print exactly one JSON value; a failure too."`
	Version kong.VersionFlag `help:"Print the version."`

	Account     accountCmd     `cmd:"" help:"Set up mail accounts."`
	Agent       agentCmd       `cmd:"" help:"Run the agent, which watches the mailbox."`
	Status      statusCmd      `cmd:"" help:"What the agent is doing."`
	Unlock      unlockCmd      `cmd:"" help:"Give the agent the passphrase of its key file."`
	Price       priceCmd       `cmd:"" help:"What it costs to write to somebody, or to you."`
	Send        sendCmd        `cmd:"" help:"Send a mail: free where you are connected, else with a bond."`
	Buy         buyCmd         `cmd:"" help:"Buy a one-time key to use with other OpenPGP tools."`
	Drafts      draftsCmd      `cmd:"" help:"Mails that are not sent yet."`
	Sent        sentCmd        `cmd:"" help:"Mails that you sent, and where their money is."`
	Withdraw    withdrawCmd    `cmd:"" help:"Ask for a sent mail's money back before it arrived, or with --to for money to be paid out."`
	Inbox       inboxCmd       `cmd:"" help:"Paid and free mails that came in, newest first."`
	Read        readCmd        `cmd:"" help:"Open a mail."`
	Accept      acceptCmd      `cmd:"" help:"Accept a mail: its money goes back to the sender."`
	Reject      rejectCmd      `cmd:"" help:"Reject a mail: its money is forfeited."`
	Undo        undoCmd        `cmd:"" help:"Take back a reject that has not taken effect."`
	People      peopleCmd      `cmd:"" help:"Who may write to you free, and to whom you may."`
	Payouts     payoutsCmd     `cmd:"" help:"What you asked the escrow to pay out, and how to take it back."`
	Topup       topupCmd       `cmd:"" help:"Redeem a voucher, or pay by card."`
	Balance     balanceCmd     `cmd:"" help:"The money at the escrow."`
	Statement   statementCmd   `cmd:"" help:"What happened to your money, as the escrow's books have it, newest first."`
	Limits      limitsCmd      `cmd:"" help:"What your mails may cost: each, and in 24 hours."`
	Receipts    receiptsCmd    `cmd:"" help:"The signed receipts of a mail's money."`
	Settings    settingsCmd    `cmd:"" help:"How you want to pay."`
	Doctor      doctorCmd      `cmd:"" help:"Look for what is wrong, and say what to do."`
	Events      eventsCmd      `cmd:"" help:"Print what happens as it happens, for scripts."`
	Log         logCmd         `cmd:"" help:"What the agent logged last."`
	Diagnostics diagnosticsCmd `cmd:"" help:"A report for somebody who helps you: no addresses, subjects or amounts are in it."`
	Demo        demoCmd        `cmd:"" help:"Play the whole story on this machine, with everything in a sandbox."`
	Help        helpCmd        `cmd:"" help:"Explain a verb, or the exit codes."`
}

// session is one run of one verb.
type session struct {
	ctx     context.Context
	streams Streams
	env     func(string) string
	hooks   Hooks
	json    bool
	agent   agentclient.Agent
	parser  *kong.Kong
	names   map[string]string // ids to their short forms
}

func (s *session) now() time.Time { return s.streams.Now() }

// exited is how kong's wish to exit the process comes back to Main.
type exited int

// Main runs the command line and returns the exit code.
func Main(ctx context.Context, args []string, streams Streams, env func(string) string, hooks Hooks) int {
	streams.Out = &outlet{Writer: streams.Out}
	s := &session{ctx: ctx, streams: streams}
	code := run(ctx, args, streams, env, hooks)
	lost := s.lost()
	if lost == nil {
		return code
	}
	s.warn("earnest: The output could not be written: %s.\n", reason(lost))
	s.warn("         What was printed is not the whole. What the agent was asked to do is done all the same.\n")
	s.warn("         Make room or name another output, and look (earnest inbox, earnest sent) before asking for it again.\n")
	if code == exitOK {
		return exitInternal
	}
	return code
}

func run(ctx context.Context, args []string, streams Streams, env func(string) string, hooks Hooks) (code int) {
	if streams.Now == nil {
		streams.Now = time.Now
	}
	if hooks.Connect == nil {
		hooks.Connect = func(home string) agentclient.Agent { return agentclient.New(home) }
	}
	s := &session{ctx: ctx, streams: streams, env: env, hooks: hooks, agent: hooks.Connect(agentclient.Home(env))}
	defer func() {
		switch stop := recover().(type) {
		case nil:
		case exited:
			code = int(stop)
		default:
			panic(stop)
		}
	}()
	var grammar root
	parser, err := kong.New(&grammar,
		kong.Name("earnest"),
		kong.Description("A refundable price on strangers' mail. Without an agent running, start one: earnest agent."),
		kong.Writers(streams.Out, streams.Err),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.Help(help),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Vars{"version": hooks.Version},
		kong.Bind(s),
	)
	if err != nil {
		return s.fail(err)
	}
	s.parser = parser
	if len(args) == 0 {
		args = []string{"help"}
	}
	// Also when the rest cannot be understood: whoever asks for JSON gets it.
	for _, arg := range args {
		s.json = s.json || arg == "--json"
	}
	verb, err := parser.Parse(undash(args))
	if lost := s.lost(); lost != nil {
		return s.fail(lost) // of a help that --help asked for
	}
	if err != nil {
		failure := agentclient.Failf(agentclient.CodeUsage, "%s", sentence(err.Error()))
		failure.Do = "See: earnest help"
		return s.fail(failure)
	}
	s.json = grammar.JSON
	if err := verb.Run(); err != nil {
		return s.fail(err)
	}
	return exitOK
}

// fail tells why a verb failed and returns its exit code.
func (s *session) fail(err error) int {
	if lost := s.lost(); lost != nil && errors.Is(err, lost) {
		return exitInternal // Main says it
	}
	failure, told := errors.AsType[*agentclient.Failure](err)
	if !told {
		if s.ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
			return exitInterrupted
		}
		failure = &agentclient.Failure{Code: agentclient.CodeInternal, Happened: sentence(err.Error())}
	}
	var said *shown
	if errors.As(err, &said) {
		return exitOf(failure.Code)
	}
	if s.json {
		english := *failure
		english.Say = nil // scripts go by the code, and people here read English
		_ = s.printJSON(struct {
			Failure *agentclient.Failure `json:"failure"`
		}{&english})
		return exitOf(failure.Code)
	}
	s.warn("earnest: %s\n", failure.Happened)
	for _, part := range []string{failure.Means, failure.Do} {
		if part != "" {
			s.warn("         %s\n", part)
		}
	}
	return exitOf(failure.Code)
}

// shown is a failure whose words are in the verb's own output already.
type shown struct{ failure *agentclient.Failure }

func (e *shown) Error() string { return e.failure.Error() }
func (e *shown) Unwrap() error { return e.failure }
