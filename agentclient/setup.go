package agentclient

import (
	"context"
	"net/url"
	"time"
)

// SetupAgent is what a client can ask while an account is set up, and about how
// the agent works.
type SetupAgent interface {
	SafetyAgent
	// Discover finds the servers of an address by autoconfig and DNS. It asks
	// the address's domain and never sends the local part or a password.
	Discover(ctx context.Context, address string) (Servers, error)
	// BeginLogin starts an OAuth 2.0 login: the client opens URL in the system's
	// browser, and an event of type login says when it has ended.
	BeginLogin(ctx context.Context, req BeginLogin) (Login, error)
	// ChangeAccount gives an account another password, login or servers, tested
	// before they replace the old ones. Empty fields stay as they are.
	ChangeAccount(ctx context.Context, req AddAccount) (Account, error)

	// RemoveAccount ends the watching of a mailbox and deletes what is kept of it
	// here, keys and password included. It is refused while bonds are open; where
	// money would be left behind, the failure's field is force.
	RemoveAccount(ctx context.Context, req RemoveAccount) error

	Settings(ctx context.Context) (Settings, error)
	SetSettings(ctx context.Context, settings Settings) (Settings, error)
	// LogLines is what the agent logged last, the newest last: never content or
	// secrets, and addresses only under a hash.
	LogLines(ctx context.Context) ([]LogLine, error)
	// Diagnostics is a report to hand to somebody who helps: versions, states
	// and the log, with no address, subject or amount in it.
	Diagnostics(ctx context.Context) (Diagnostics, error)
}

// RemoveAccount names an account to remove. With Force, what is available at its
// escrow is left behind, where nobody can use it again.
type RemoveAccount struct {
	Address string `json:"address"`
	Force   bool   `json:"force,omitempty"`
}

// Servers is what was found out about an address.
type Servers struct {
	Address string `json:"address"`
	IMAP    string `json:"imap"` // as AddAccount takes it; empty where nothing was found
	SMTP    string `json:"smtp"`
	User    string `json:"user"`
	// Escrow is the one that the domain names by SRV, or else the one that this
	// machine's agents take (EARNEST_ESCROW).
	Escrow string `json:"escrow,omitempty"`
	// Source is autoconfig, srv, guess or none.
	Source string `json:"source"`
	// Elsewhere is the domain that the servers are in, where it is not the
	// address's own, or two with " and " between: a person is shown it before a
	// password goes there.
	Elsewhere string `json:"elsewhere,omitempty"`
	// Provider names the OAuth 2.0 provider that the servers want; empty for a
	// password.
	Provider string `json:"provider,omitempty"`
	// ProviderReady: this machine has the provider's client settings. Where it has
	// not, ProviderHint says in words what is missing.
	ProviderReady bool   `json:"providerReady,omitempty"`
	ProviderHint  string `json:"providerHint,omitempty"`
	SayHint       Said   `json:"sayHint,omitempty"`
}

// BeginLogin starts an OAuth 2.0 login for an address.
type BeginLogin struct {
	Address  string `json:"address"`
	Provider string `json:"provider"`
}

// Login is one that has begun.
type Login struct {
	ID      string    `json:"id"` // goes into AddAccount.Login
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

// User models (Turner and Deng): how much of paying a person wants to see.
const (
	ModelFull      = "full"      // full control: the sender chooses among the options
	ModelSingle    = "single"    // one currency is shown
	ModelAutomatic = "automatic" // mails within the limits are paid without a question
)

// Settings is how the agent works for its owner.
type Settings struct {
	Model    string `json:"model"`
	Currency string `json:"currency,omitempty"` // shown in the single model
}

// LogLine is one line of the agent's log.
type LogLine struct {
	Time  time.Time `json:"time"`
	Level string    `json:"level"` // DEBUG, INFO, WARN or ERROR
	Text  string    `json:"text"`
}

// Diagnostics is a report that can be shown to others.
type Diagnostics struct {
	Text string `json:"text"`
}

// Steps of setting up an account, as events of type setup name them, in order.
const (
	StepKeyring = "keyring"
	StepIMAP    = "imap"
	StepSMTP    = "smtp"
	StepEscrow  = "escrow"
	StepKeys    = "keys"    // identity and archive key
	StepAddress = "address" // the escrow was asked for the token mail
)

// Discover implements [Agent].
func (c *Client) Discover(ctx context.Context, address string) (Servers, error) {
	return get[Servers](ctx, c, "/v1/discover?"+url.Values{"address": {address}}.Encode())
}

// BeginLogin implements [Agent].
func (c *Client) BeginLogin(ctx context.Context, req BeginLogin) (Login, error) {
	return post[Login](ctx, c, "/v1/logins", req)
}

// ChangeAccount implements [Agent].
func (c *Client) ChangeAccount(ctx context.Context, req AddAccount) (Account, error) {
	return post[Account](ctx, c, "/v1/accounts/change", req)
}

// RemoveAccount implements [Agent].
func (c *Client) RemoveAccount(ctx context.Context, req RemoveAccount) error {
	_, err := post[nothing](ctx, c, "/v1/accounts/remove", req)
	return err
}

// Settings implements [Agent].
func (c *Client) Settings(ctx context.Context) (Settings, error) {
	return get[Settings](ctx, c, "/v1/settings")
}

// SetSettings implements [Agent].
func (c *Client) SetSettings(ctx context.Context, settings Settings) (Settings, error) {
	return post[Settings](ctx, c, "/v1/settings", settings)
}

// LogLines implements [Agent].
func (c *Client) LogLines(ctx context.Context) ([]LogLine, error) {
	return get[[]LogLine](ctx, c, "/v1/log")
}

// Diagnostics implements [Agent].
func (c *Client) Diagnostics(ctx context.Context) (Diagnostics, error) {
	return get[Diagnostics](ctx, c, "/v1/diagnostics")
}
