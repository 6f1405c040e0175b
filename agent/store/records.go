package store

import (
	"bytes"
	"strconv"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// Account is a mail account that the agent watches. Its password and keys are in
// the keyring under names made from ID.
type Account struct {
	ID      string
	Number  int64
	Address escrow.Address
	Typed   string // as typed: for delivery
	IMAP    string
	SMTP    string
	User    string
	Escrow  string
	CA      []byte
	// Provider is where the account signs in by OAuth 2.0; empty for a password.
	// Secret names the keyring's item of either, where it is not the first one.
	Provider string
	Secret   string
	// ReceiptKey is the escrow's key as pinned when the account was made.
	ReceiptKey escrow.PublicKey
	Info       escrow.Info
	Identity   escrow.PublicKey
	Proven     bool
	RenewBy    time.Time // of the proof
	// Claim is the nonce of the running request for a token mail, made by us.
	Claim     string
	ClaimedAt time.Time
	Offer     escrow.Signed
	Published bool  // the escrow has the offer
	Cursor    int64 // of the list of bonds
	// FreeAfter is how many mails an accept lets its sender write free, as
	// agentclient.Free; empty is always.
	FreeAfter string
	Connected bool // connections were made of all that was accepted before there were any
	// ExclusiveSince is since when who writes unencrypted is answered; zero: nobody
	// is. Answer are the own words in front.
	ExclusiveSince time.Time
	Answer         string
	// AnswersRefused is what the server said that last refused an answer for its null
	// sender; empty since it took one.
	AnswersRefused string
	// Safety is what the account's keys have gone through.
	Safety Safety
}

func (a Account) place() place { return place{"account", a.ID, "", a.Number} }

// States of a one-time key.
const (
	KeyLocal    = "local"    // made, not uploaded
	KeyUploaded = "uploaded" // at the escrow, unsold as far as we know
	KeySold     = "sold"     // bought: mail to it is opened
	// KeyConnected: accepted. The sender may write with it again, with no server.
	KeyConnected = "connected"
	KeyDead      = "dead" // deleted from the keyring: mail to it is never opened
	// KeyReply: our reply key of a purchase. Nobody can write to it before an
	// accept, and then it is connected.
	KeyReply = "reply"
)

// Key is a one-time key of the own pool. The private half is in the keyring
// under Name.
type Key struct {
	Fingerprint string
	Account     string
	Name        string
	State       string
	KeyIDs      []uint64
	Certificate []byte
	Batch       string
	Epoch       int64 // of the escrow's pool that it was made for
	Number      int64
	Bond        escrow.BondID // once sold
	Connection  string        // once connected
}

func (k Key) place() place { return place{"key", k.Fingerprint, k.State, k.Number} }

// KeyNamed lists the keys that share a key id.
type KeyNamed struct {
	ID           uint64
	Fingerprints []string
}

// KeyID is the id of the record of a key id.
func KeyID(id uint64) string { return strconv.FormatUint(id, 16) }

func (k KeyNamed) place() place { return place{"keyid", KeyID(k.ID), "", 0} }

// Batch is a signed upload of keys, stored before the first try.
type Batch struct {
	ID      string
	Account string
	Done    bool
	Upload  escrow.KeyUpload
}

func (b Batch) place() place {
	state := "waiting"
	if b.Done {
		state = "done"
	}
	return place{"batch", b.ID, state, 0}
}

// Bond is the agent's copy of a bond in the escrow's list.
type Bond struct {
	escrow.BondView
	Account string
}

// BondID is the id of an account's copy of a bond: where somebody writes from one
// account to another, one agent is both parties.
func BondID(account string, bond escrow.BondID) string { return account + "/" + string(bond) }

func (b Bond) place() place {
	state := string(b.Role) + ".open"
	if b.State.Ended() {
		state = string(b.Role) + ".ended"
	}
	return place{"bond", BondID(b.Account, b.ID), state, b.BoughtAt.UnixMilli()}
}

// States of a mail that came in.
const (
	MailHeld      = "held"      // matched; waits for the escrow, unopened
	MailWaiting   = "waiting"   // opened; waits for a decision
	MailRejecting = "rejecting" // a reject that can still be undone
	MailAccepted  = "accepted"
	MailRejected  = "rejected"
	MailExpired   = "expired"
	MailWithdrawn = "withdrawn"
	MailDamaged   = "damaged" // cannot be trusted; not opened
	MailExtra     = "extra"   // another mail to a key that is taken; not opened
	MailUnpaid    = "unpaid"  // over a connection whose free mails are used up; not opened
)

// Mail is a paid mail that came in, as a list needs it.
type Mail struct {
	ID        string // hash of the mail's bytes
	Account   string
	Bond      escrow.BondID
	Number    int64 // when it came, in milliseconds
	State     string
	From      escrow.Address
	Name      string
	Subject   string
	Option    payment.Option
	FirstTime bool
	// Unprotected: the headers of a stock OpenPGP mail, which were not encrypted.
	Unprotected bool
	Unread      bool
	Attachments int // of the opened mail
	DecideBy    time.Time
	EffectiveAt time.Time
	Late        bool // came after its bond had expired
	// DecisionN is the number of the newest decision made here.
	DecisionN int64
	// Queued: a decision waits for the escrow to answer.
	Queued bool
	Reply  string // fingerprint of the reply certificate, as the mail itself says
	Error  agentclient.Said
	// Beneficiary of a forfeit, by name.
	Beneficiary string
	// Granted is what an accept made here lets its sender write further.
	Granted string
	// Connection it came over, free. There is no bond.
	Connection string
	Reason     string   // why it was rejected, noted for its owner alone
	KeyIDs     []uint64 // as the mail names them, while it is held
}

func (m Mail) place() place { return place{"mail", m.ID, m.State, m.Number} }

// Content is the mail itself: as it came while it is held, else as opened.
type Content struct {
	ID     string
	Opened bool
	Raw    []byte
}

func (c Content) place() place { return place{"content", c.ID, "", 0} }

// Report is something signed that the escrow must hear: a decision, that a mail
// was read, that a key was destroyed. They go out in the order made.
type Report struct {
	ID      string
	Number  int64
	Account string
	Bond    escrow.BondID
	Mail    string
	// Event is read or withdrawn; empty with a Verdict.
	Event   escrow.Event
	Verdict escrow.Verdict
	Signed  escrow.Signed
	Made    time.Time
}

func (r Report) place() place { return place{"report", r.ID, r.Account, r.Number} }

// States of a mail that is sent.
const (
	SentPaying      = "paying"      // the buy has an id and may have been made
	SentPaid        = "paid"        // the key is here; not submitted
	SentSubmitted   = "submitted"   // the mail server has it
	SentWithdrawing = "withdrawing" // given up; asked for the money back
	SentFailed      = "failed"      // nothing was paid
	SentEnded       = "ended"       // the bond has ended
)

// Sent is a mail that is sent with a bond, and the bond's purchase.
type Sent struct {
	ID      string
	Account string
	Bond    escrow.BondID
	Number  int64
	State   string
	To      escrow.Address
	ToTyped string
	Subject string
	Buy     escrow.BuyRequest
	// ForTools: bought without a letter, to use with other OpenPGP tools or, where
	// the pair is our own, for a letter that is still to be written.
	ForTools    bool
	Draft       string // the draft that it was
	Certificate []byte // the one-time key
	Receipt     escrow.Signed
	SubmittedAt time.Time
	Tries       int
	NextTry     time.Time
	Error       agentclient.Said
	// Uncertain: a try broke off when the server had the whole mail, and its answer
	// was lost.
	Uncertain bool
	// Connection it goes over, free, and the bond of the pair of keys used.
	Connection string
	Pair       escrow.BondID
	// FreeThere is what the recipient granted with the accept, as the receipt says.
	FreeThere string
}

func (s Sent) place() place { return place{"sent", s.ID, s.State, s.Number} }

// OwnKeys reports whether the agent made the pair that signs. With stock tools
// one certificate of theirs serves as both.
func (s Sent) OwnKeys() bool { return !bytes.Equal(s.Buy.Verification, s.Buy.Reply) }

// Letter is the text of a mail in the outbox, and its sealed form once made.
type Letter struct {
	ID     string // of the Sent
	Letter []byte // JSON of the letter
	Sealed []byte // as it is submitted; made once, so that a second try is the same mail
}

func (l Letter) place() place { return place{"letter", l.ID, "", 0} }

// Pin is the identity under which an address was first seen.
type Pin struct {
	ID       string // blinded address
	Address  escrow.Address
	Identity escrow.PublicKey
	// Recovery is the recovery key that its offer named, if any, and Made when that was.
	Recovery escrow.PublicKey `json:",omitempty"`
	Made     time.Time
	Seen     time.Time
	// AcceptedAt is when a person accepted Identity by hand; Before are those that it
	// took the place of, the newest first.
	AcceptedAt time.Time
	Before     []FormerIdentity
}

// FormerIdentity is one that an address was known by.
type FormerIdentity struct {
	Identity escrow.KeyID
	Until    time.Time
}

func (p Pin) place() place { return place{"pin", p.ID, "", 0} }

// Opener names the open bond of a sender whose mail has not arrived.
type Opener struct {
	ID   string // blinded address of the sender
	Bond escrow.BondID
	// Alarmed: a mail of theirs to a foreign key was shown already.
	Alarmed bool
}

func (o Opener) place() place { return place{"opener", o.ID, "", 0} }

// Chain is a bond's receipts as fetched, for reading offline.
type Chain struct {
	Bond     escrow.BondID
	Account  string
	Quote    escrow.Signed
	Receipts []escrow.Signed
	Fault    string
	// Wanted: the bond has changed its ending since; the receipts are to be
	// fetched (anew).
	Wanted bool
}

// ChainWanted is the state of a chain that is to be fetched.
const ChainWanted = "wanted"

func (c Chain) place() place {
	state := ""
	if c.Wanted {
		state = ChainWanted
	}
	return place{"chain", BondID(c.Account, c.Bond), state, 0}
}

// Position is how far a mailbox has been read.
type Position struct {
	ID          string // account and mailbox, hashed
	Account     string
	UIDValidity uint32
	LastUID     uint32
	Pending     []uint32
}

func (p Position) place() place { return place{"position", p.ID, "", 0} }

// Trash is the name of a keyring item that is to be deleted.
type Trash struct{ Name string }

func (t Trash) place() place { return place{"trash", escrow.Hash([]byte(t.Name)), "", 0} }

// Met is a sender whose mail was opened before, so that a first time shows.
type Met struct {
	ID string // blinded address
}

func (m Met) place() place { return place{"met", m.ID, "", 0} }

// Refused counts the mails to the keys of a bond or a connection that could not be
// trusted.
type Refused struct {
	ID string `json:"Bond"`
	N  int
}

func (r Refused) place() place { return place{"refused", r.ID, "", 0} }

// Taken names the mail that has taken a bond.
type Taken struct {
	Bond escrow.BondID
	Mail string
}

func (t Taken) place() place { return place{"taken", string(t.Bond), "", 0} }
