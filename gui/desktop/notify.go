package desktop

// Action is what a person chose on a notification.
type Action string

// The actions. Open is the click on the notification itself.
const (
	ActionOpen   Action = "default"
	ActionAccept Action = "accept"
	ActionReject Action = "reject"
)

// Notification is shown beside the window. Where Accept and Reject are empty
// there is nothing to decide.
type Notification struct {
	ID             string // of what it is about; a later one takes its place
	Title, Body    string
	Open           string // words for a click, where the desktop shows them
	Accept, Reject string // words of the buttons
}

// Notifier shows notifications.
type Notifier interface {
	// Notify shows one. It never waits for the person.
	Notify(n Notification)
	// Withdraw takes away what is shown about id, such as when it was decided
	// elsewhere.
	Withdraw(id string)
	Close()
}

// plain shows notifications without buttons, by whatever the system has.
type plain struct{ show func(title, body string) }

// NewPlainNotifier shows notifications through show.
func NewPlainNotifier(show func(title, body string)) Notifier { return plain{show} }

func (p plain) Notify(n Notification) { p.show(n.Title, n.Body) }
func (plain) Withdraw(string)         {}
func (plain) Close()                  {}
