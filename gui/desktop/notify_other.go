//go:build !(linux || freebsd || openbsd || netbsd)

package desktop

// NewNotifier shows notifications through show: buttons need a signed program
// with an identity of its own on these systems.
func NewNotifier(_ func(id string, action Action), show func(title, body string)) Notifier {
	return NewPlainNotifier(show)
}

// HasTray tells whether something shows the icons of programs; these systems
// always have it.
func HasTray() bool { return true }
