package store

// States of an answer of an exclusive address.
const (
	AnswerWaiting = "waiting"
	AnswerDone    = "done" // sent, or not to be sent: the mail is never looked at again
)

// Answer is a mail to an exclusive address that may be answered. While it waits,
// the mail itself is the Content with its ID.
type Answer struct {
	ID      string
	Account string
	Number  int64 // when it came, in milliseconds
	State   string
	// To is whom to answer, and MessageID what; both empty once done.
	To, MessageID string
	// Proven: that the mail is from there was found out.
	Proven  bool
	Tries   int
	NextTry int64 // in milliseconds
}

// AnswerID is the id of the answer of an account to a mail.
func AnswerID(account, mail string) string { return account + "/" + mail }

func (a Answer) place() place { return place{"answer", a.ID, a.State, a.Number} }

// Answered is a sender who was answered, so that he is not again for some days.
type Answered struct {
	ID      string // blinded address
	Account string
	Number  int64 // when, in milliseconds
}

func (a Answered) place() place { return place{"answered", a.ID, a.Account, a.Number} }
