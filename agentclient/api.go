// Package agentclient is the typed client of the agent's local API, and the
// words of that API: what windows, plugins and the command line may ask, and
// the events they hear. Nothing behind it is known to them.
package agentclient

import "time"

// Money is an amount as a person reads it: decimal text, and the currency's
// name and unit.
type Money struct {
	Amount   string `json:"amount"`         // "0.25"
	Currency string `json:"currency"`       // "escrow.example"
	Unit     string `json:"unit,omitempty"` // "EUR"
}

// Status is what the agent is doing.
type Status struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Keyring string    `json:"keyring"` // os, file, memory, or none where there is none yet
	// Locked says why the keys are not open: no-keyring or passphrase; empty where
	// they are.
	Locked   string    `json:"locked,omitempty"`
	Accounts []Account `json:"accounts"`
	Waiting  int       `json:"waiting"` // mails to decide
	Outbox   int       `json:"outbox"`  // mails not submitted yet
	Queued   int       `json:"queued"`  // decisions and reports that wait for the escrow
}

// Account is one mail account that the agent watches.
type Account struct {
	Address string `json:"address"`
	Escrow  string `json:"escrow"` // its name
	// Proven: the escrow has proof that the address is ours.
	Proven bool `json:"proven"`
	// Mailbox is watching, connecting or failing; MailboxError says why in words.
	Mailbox      string `json:"mailbox"`
	MailboxError string `json:"mailboxError,omitempty"`
	SayMailbox   Said   `json:"sayMailbox,omitempty"`
	// EscrowUp: the last request was answered. EscrowSince is when that began.
	EscrowUp    bool      `json:"escrowUp"`
	EscrowSince time.Time `json:"escrowSince"`
	EscrowError string    `json:"escrowError,omitempty"`
	SayEscrow   Said      `json:"sayEscrow,omitempty"`
	// KeyError: the escrow takes this machine's key no more, another has the account.
	KeyError string `json:"keyError,omitempty"`
	SayKey   Said   `json:"sayKey,omitempty"`
	// Identity is the fingerprint that the card carries.
	Identity string `json:"identity"`
	Pool     int    `json:"pool"` // unsold one-time keys at the escrow
	// Provider is where the account signs in by OAuth 2.0; empty for a password.
	Provider string `json:"provider,omitempty"`
	Card     string `json:"card"` // earnest:ADDRESS?escrow=HOST&fp=IDENTITY
	// FrozenAt and Changes are as in [AccountSafety], when the escrow was last asked.
	FrozenAt time.Time       `json:"frozenAt,omitzero"`
	Changes  []AccountChange `json:"changes,omitempty"`
}

// AddAccount is what it takes to watch a mailbox. The password goes to the
// keyring and nowhere else.
type AddAccount struct {
	Address  string `json:"address"`
	IMAP     string `json:"imap"` // imaps://host:port, or imap://host:port for STARTTLS
	SMTP     string `json:"smtp"` // smtps://host:port, or smtp://host:port for STARTTLS
	User     string `json:"user"`
	Password string `json:"password"`
	// Login is the id of an OAuth 2.0 login that has ended well, in place of the
	// password.
	Login  string `json:"login,omitempty"`
	Escrow string `json:"escrow"` // https://host:port
	// CA is a PEM file's content with further certificates to trust, for IMAP,
	// SMTP and escrow. Optional.
	CA []byte `json:"ca,omitempty"`
}

// Option is one way to pay.
type Option struct {
	Index       int    `json:"index"` // from 1, as --option takes it
	Instruction string `json:"instruction"`
	Price       Money  `json:"price"`
}

// Price is what it costs to write to an address, and what happens to the money.
type Price struct {
	Address     string   `json:"address"`
	Options     []Option `json:"options"`
	Beneficiary string   `json:"beneficiary"` // who gets a forfeit, by name
	Identity    string   `json:"identity"`
	TellRead    bool     `json:"tellRead"`
	Public      bool     `json:"public"` // told to anybody, without an account
	// DecideWithin and DeliverWithin are in seconds.
	DecideWithin  int64 `json:"decideWithin"`
	DeliverWithin int64 `json:"deliverWithin"`
	// Connected: keys were exchanged, and Free mails can go there without money from
	// the own address From.
	Connected bool   `json:"connected,omitempty"`
	Free      Free   `json:"free,omitempty"`
	From      string `json:"from,omitempty"`
	// Of an own price: what an accept lets its sender write further, and who
	// could get a forfeit.
	FreeAfter     Free          `json:"freeAfter,omitempty"`
	Beneficiaries []Beneficiary `json:"beneficiaries,omitempty"`
	// DecideMost is the escrow's own deadline, the longest that DecideWithin can
	// be; in seconds. Of an own price.
	DecideMost int64 `json:"decideMost,omitempty"`
	// Exclusive: who writes here unencrypted is answered with how to send mail that
	// is read for sure. Answer are the own words in front, AnswerText the whole as it
	// would be sent now, Answered how many were answered in the last 7 days. Mute says
	// in words why nobody is answered nevertheless. Of an own price.
	Exclusive  bool   `json:"exclusive,omitempty"`
	Answer     string `json:"answer,omitempty"`
	AnswerText string `json:"answerText,omitempty"`
	Answered   int    `json:"answered,omitempty"`
	Mute       string `json:"mute,omitempty"`
	SayMute    Said   `json:"sayMute,omitempty"`
}

// Beneficiary is one who can get a forfeit, from the escrow's list.
type Beneficiary struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SetPrice replaces the options of an own address. An option is an instruction
// without a txid, such as "ESCROW/1 escrow.example 0.25", or short "0.25".
type SetPrice struct {
	Address string   `json:"address,omitempty"` // the only account where empty
	Options []string `json:"options"`
	// What is empty stays as it is.
	Beneficiary string `json:"beneficiary,omitempty"` // its id
	FreeAfter   Free   `json:"freeAfter,omitempty"`
	TellRead    *bool  `json:"tellRead,omitempty"`
	Public      *bool  `json:"public,omitempty"`
	// DecideWithin, in seconds, may be shorter than the escrow's.
	DecideWithin int64 `json:"decideWithin,omitempty"`
	// Exclusive and Answer are as in [Price]; an empty Answer takes the own words
	// away. The escrow has no part in either.
	Exclusive *bool   `json:"exclusive,omitempty"`
	Answer    *string `json:"answer,omitempty"`
}

// Balance is the money of one account at its escrow in one currency.
type Balance struct {
	Account   string `json:"account"` // own address
	Escrow    string `json:"escrow"`
	Available Money  `json:"available"`
	Held      Money  `json:"held"`
	// ByCard: the escrow takes card payments in this currency.
	ByCard bool `json:"byCard,omitempty"`
	// CardHold is for how many seconds what is paid by card cannot be paid out.
	CardHold int64 `json:"cardHold,omitempty"`
	// LeastPayout is the least that is paid out; absent where any amount is.
	LeastPayout Money `json:"leastPayout,omitzero"`
}

// Attachment of a mail. Data is filled when sending, and when one is saved.
type Attachment struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
	Data []byte `json:"data,omitempty"`
}

// Compose is a mail to send with a bond: one bond and one mail for each of To.
type Compose struct {
	From        string       `json:"from,omitempty"` // the only account where empty
	To          []string     `json:"to"`
	Subject     string       `json:"subject"`
	Body        string       `json:"body"`
	Attachments []Attachment `json:"attachments,omitempty"`
	Option      int          `json:"option,omitempty"` // from 1; 0 takes the first
	InReplyTo   string       `json:"inReplyTo,omitempty"`
	// Draft is deleted when the mail is on its way.
	Draft string `json:"draft,omitempty"`
	// Paid sends with a bond although it could go free.
	Paid bool `json:"paid,omitempty"`
	// Agreed is what a person was shown and agreed to for each of To: the option's
	// instruction, or empty for free. What would cost anything else now is not sent.
	// Left out, it is sent for what it costs.
	Agreed []string `json:"agreed,omitempty"`
}

// Sent is a mail that was sent, or is on its way.
type Sent struct {
	ID      string    `json:"id"`
	Bond    string    `json:"bond"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Price   Money     `json:"price"`
	At      time.Time `json:"at"`
	// State is what a person is told: paying, paid, submitted, arrived,
	// accepted, rejected, expired, withdrawing, withdrawn or failed.
	State string `json:"state"`
	// Money is held, refunded, forfeited or none.
	Money       string    `json:"money"`
	Beneficiary string    `json:"beneficiary,omitempty"`
	SubmittedAt time.Time `json:"submittedAt,omitzero"`
	ArrivedAt   time.Time `json:"arrivedAt,omitzero"`
	ReadAt      time.Time `json:"readAt,omitzero"`
	EndedAt     time.Time `json:"endedAt,omitzero"`
	DecideBy    time.Time `json:"decideBy,omitzero"`
	DeliverBy   time.Time `json:"deliverBy,omitzero"`
	// Outages are those by which the two deadlines were moved, oldest first.
	Outages []Outage `json:"outages,omitempty"`
	// Free: it went over a connection, with no bond and no escrow. Its state is
	// paid (waits in the outbox), submitted or failed.
	Free bool `json:"free,omitempty"`
	// FreeThere is what the recipient granted with the accept.
	FreeThere Free `json:"freeThere,omitempty"`
	// Kept: its text is still here and can be made a draft again.
	Kept bool `json:"kept,omitempty"`
	// Error says in words why it does not go on, and what that means.
	Error    string `json:"error,omitempty"`
	SayError Said   `json:"sayError,omitempty"`
}

// Outage is a time in which an escrow could not be reached, as it says itself.
type Outage struct {
	Escrow string    `json:"escrow"`
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended"`
}

// BuyKey buys a one-time key to use with other OpenPGP tools.
type BuyKey struct {
	From   string `json:"from,omitempty"`
	To     string `json:"to"`
	Option int    `json:"option,omitempty"`
	// Certificate with which the mail will be signed (binary or armored). It
	// serves as verification and as reply certificate. Without one the agent
	// makes a pair that only it can sign with: the next Compose to that address
	// goes with the bond bought here.
	Certificate []byte `json:"certificate,omitempty"`
}

// Bought is a one-time key, ready to encrypt one mail to.
type Bought struct {
	Bond        string    `json:"bond"`
	To          string    `json:"to"`
	Price       Money     `json:"price"`
	Key         string    `json:"key"` // armored
	Fingerprint string    `json:"fingerprint"`
	DeliverBy   time.Time `json:"deliverBy"`
}

// Mail is a paid mail that came in, as a list shows it.
type Mail struct {
	ID      string    `json:"id"`
	Bond    string    `json:"bond"`
	To      string    `json:"to"`
	From    string    `json:"from"` // the proven address
	Name    string    `json:"name,omitempty"`
	Subject string    `json:"subject"`
	Price   Money     `json:"price"`
	At      time.Time `json:"at"`
	// State is held (waiting for the escrow, unopened), waiting, rejecting,
	// accepted, rejected, expired, withdrawn, damaged, or unpaid: it came over a
	// connection whose free mails are used up, and is not opened before an accept.
	State string `json:"state"`
	// Free: it came over a connection. There is no bond and no money.
	Free bool `json:"free,omitempty"`
	// Late: it came after its bond had gone back.
	Late bool `json:"late,omitempty"`
	// Reason is why it was rejected, as noted here; it is told to nobody.
	Reason      string    `json:"reason,omitempty"`
	DecideBy    time.Time `json:"decideBy,omitzero"`
	EffectiveAt time.Time `json:"effectiveAt,omitzero"` // when a reject takes effect
	Beneficiary string    `json:"beneficiary"`
	FirstTime   bool      `json:"firstTime"` // nothing from this sender before
	MixedScript bool      `json:"mixedScript,omitempty"`
	// Unprotected: a stock OpenPGP mail whose headers were not encrypted.
	Unprotected bool `json:"unprotected,omitempty"`
	Unread      bool `json:"unread,omitempty"`
	// Attachments is how many it has: known once it is opened.
	Attachments int `json:"attached,omitempty"`
	// Queued: the decision is kept here and waits for the escrow to answer.
	Queued bool `json:"queued,omitempty"`
	// Error says in words what is wrong with the mail and what that means.
	Error    string `json:"error,omitempty"`
	SayError Said   `json:"sayError,omitempty"`
}

// Message is an opened mail.
type Message struct {
	Mail
	Date      time.Time `json:"date"`
	MessageID string    `json:"messageId"`
	Text      string    `json:"text"`
	FromHTML  bool      `json:"fromHtml,omitempty"` // Text was made from HTML
	// Blocks is the same with its headings, lists and links, where it was HTML.
	Blocks      []Block      `json:"blocks,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
	// Checks lists what was verified, in words.
	Checks    []string `json:"checks"`
	SayChecks []Said   `json:"sayChecks,omitempty"`
}

// Kinds of [Block].
const (
	BlockParagraph = "paragraph"
	BlockHeading   = "heading" // Depth 1 to 3
	BlockItem      = "item"    // of a list; Depth from 1
	BlockPre       = "pre"
	BlockRule      = "rule"
)

// Block is a part of a text that was HTML. Nothing in it was fetched or is
// active; a link's target is shown whole beside its text.
type Block struct {
	Kind   string `json:"kind"`
	Depth  int    `json:"depth,omitempty"`
	Quote  int    `json:"quote,omitempty"`  // how deep it is quoted
	Number int    `json:"number,omitempty"` // of an item of a numbered list
	Spans  []Span `json:"spans,omitempty"`
}

// Span is text of one look.
type Span struct {
	Text   string `json:"text"`
	Bold   bool   `json:"bold,omitempty"`
	Italic bool   `json:"italic,omitempty"`
	Mono   bool   `json:"mono,omitempty"`
	Link   string `json:"link,omitempty"` // http, https or mailto
}

// Source is a mail's bytes.
type Source struct {
	Raw []byte `json:"raw"`
}

// Accept says what an accept lets the sender do from now on.
type Accept struct {
	Free Free `json:"free,omitempty"` // FreePolicy where empty
}

// Reject may note why, for oneself.
type Reject struct {
	Reason string `json:"reason,omitempty"`
	// Block: the sender can buy no bond for this address for a year.
	Block bool `json:"block,omitempty"`
}

// Redeem is a top-up by a voucher.
type Redeem struct {
	Account string `json:"account,omitempty"` // own address; the only account where empty
	Voucher string `json:"voucher"`
}

// Receipts of a bond, and with verification what they prove.
type Receipts struct {
	Bond     string   `json:"bond"`
	Quote    string   `json:"quote"`
	Receipts []string `json:"receipts"` // compact JWS, oldest first
	// Outages are the escrow's signed words that it was away, which moved the
	// deadlines of the bond: compact JWS.
	Outages  []string  `json:"outages,omitempty"`
	Steps    []Receipt `json:"steps"`
	Verified bool      `json:"verified"`
	// Fault says which receipt is wrong and how, where Verified is false.
	Fault    string `json:"fault,omitempty"`
	SayFault Said   `json:"sayFault,omitempty"`
	// ReceiptKey is the key that they were held against: the escrow's as pinned when
	// the account was made. KeyPinned is false for receipts of an escrow that this
	// agent does not know: then it is only the key that the file itself names.
	ReceiptKey string `json:"receiptKey"`
	KeyPinned  bool   `json:"keyPinned"`
}

// Receipt is one step as a person reads it.
type Receipt struct {
	N     int64     `json:"n"`
	Event string    `json:"event"`
	Money string    `json:"money,omitempty"`
	Time  time.Time `json:"time"`
}

// Check is one line of the doctor.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
	// SayDetail and SayRemedy are the same in phrases.
	SayDetail Said `json:"sayDetail,omitempty"`
	SayRemedy Said `json:"sayRemedy,omitempty"`
}

// Event is one line of the event stream.
type Event struct {
	// Type is status, mail, sent, balance, price, people, draft, setup or login;
	// what changed is in ID, and the client asks for it anew. Of setup ID is the
	// step, of login the login's id.
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
	// State is the mail's or sent mail's state after the change; of a step trying,
	// ok or failed; of a login done or failed.
	State string    `json:"state,omitempty"`
	Time  time.Time `json:"time"`
}

// The types of events.
const (
	EventStatus  = "status"
	EventMail    = "mail"
	EventSent    = "sent"
	EventBalance = "balance"
	EventPrice   = "price"
	EventPeople  = "people"
	EventDraft   = "draft"
	EventSetup   = "setup"
	EventLogin   = "login"
)

// Failure is what a call to the agent fails with: a closed code, and words that
// say what happened, what it means for mail and money, and what to do.
type Failure struct {
	Code     string `json:"code"`
	Happened string `json:"happened"`
	Means    string `json:"means,omitempty"`
	Do       string `json:"do,omitempty"`
	// Say is the same in phrases, for a client that speaks another language.
	Say *FailureSaid `json:"say,omitempty"`
	// Field names the field of the request that is wrong, by its JSON name, where
	// it is one.
	Field string `json:"field,omitempty"`
}

func (f *Failure) Error() string {
	text := f.Happened
	for _, part := range []string{f.Means, f.Do} {
		if part != "" {
			text += " " + part
		}
	}
	return text
}

// Codes of failures beside those of package escrow.
const (
	CodeUsage       = "usage"       // the request makes no sense
	CodeNotFound    = "not_found"   // no such mail, bond or account
	CodeNoAgent     = "no_agent"    // no agent answers on the socket
	CodeNoAccount   = "no_account"  // no account is set up
	CodeNoKeyring   = "no_keyring"  // the OS keyring cannot be used
	CodeLocked      = "locked"      // the key file waits for its passphrase
	CodeLogin       = "login"       // the mail server refused the password
	CodeTLS         = "tls"         // a certificate is not to be trusted
	CodeUnreachable = "unreachable" // a mail server does not answer
	CodeTooLarge    = "too_large"   // the mail is larger than can be sent
	CodeState       = "wrong_state" // the mail's state does not allow this
	CodeDamaged     = "damaged"     // the mail cannot be trusted
	CodeLimit       = "limit"       // an own spending limit is reached
	CodeIdentity    = "identity"    // an address has another fingerprint than the one known
	CodeInternal    = "internal"
)
