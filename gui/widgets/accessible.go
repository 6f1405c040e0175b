package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
)

// What screen readers are told, where Fyne speaks to them (Windows and macOS).
// What is Fyne's own tells its own.
var (
	_ fyne.Accessible = (*Action)(nil)
	_ fyne.Accessible = (*NavItem)(nil)
	_ fyne.Accessible = (*Row)(nil)
	_ fyne.Accessible = (*Text)(nil)
	_ fyne.Accessible = (*Option)(nil)
	_ fyne.Accessible = (*Tab)(nil)
	_ fyne.Accessible = (*ledgerRow)(nil)
	_ fyne.Accessible = (*Chart)(nil)
	_ fyne.Accessible = (*Entry)(nil)
	_ fyne.Accessible = (*Select)(nil)
)

// spoken joins what is there by commas, as it is read aloud.
func spoken(parts ...string) string {
	var said []string
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(said, ", ")
}

// AccessibilityLabel is the text on the button.
func (a *Action) AccessibilityLabel() string { return a.Text }

// AccessibilityRole is a button, or a link where it looks like one.
func (a *Action) AccessibilityRole() fyne.AccessibleRole {
	if a.Kind == Link {
		return fyne.AccessibleRoleLink
	}
	return fyne.AccessibleRoleButton
}

// AccessibilityLabel is the page and how much waits there.
func (n *NavItem) AccessibilityLabel() string { return spoken(n.Title, n.Count) }

// AccessibilityRole is a button.
func (n *NavItem) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// AccessibilityLabel is all that the row shows.
func (r *Row) AccessibilityLabel() string {
	d := r.Data
	return spoken(d.Title, d.Aside, d.Subject, d.Amount, d.Note, d.Warning, d.Marks)
}

// AccessibilityRole is a button: the row is chosen by it.
func (r *Row) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// AccessibilityLabel is the text, whole where it is cut on the screen.
func (t *Text) AccessibilityLabel() string { return t.Text }

// AccessibilityRole is text.
func (t *Text) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// AccessibilityLabel is the choice and what it means.
func (o *Option) AccessibilityLabel() string { return spoken(o.Title, o.Text) }

// AccessibilityRole is a button.
func (o *Option) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// AccessibilityLabel is the name of the part.
func (t *Tab) AccessibilityLabel() string { return t.Text }

// AccessibilityRole is a button.
func (t *Tab) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// AccessibilityLabel is all that the line shows.
func (r *ledgerRow) AccessibilityLabel() string {
	return spoken(r.data.Day, r.data.Title, r.data.What, r.data.Amount, r.data.Balance)
}

// AccessibilityRole is text.
func (r *ledgerRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// AccessibilityLabel is the sums of the rows; the page says the rest in a text.
func (c *Chart) AccessibilityLabel() string {
	var rows []string
	for _, row := range c.Rows {
		rows = append(rows, row.Name+" "+row.Total)
	}
	return spoken(rows...)
}

// AccessibilityRole is text.
func (c *Chart) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// AccessibilityLabel is the field's name and what is typed in it, unless that is
// a password.
func (e *Entry) AccessibilityLabel() string {
	name := e.Name
	if name == "" {
		name = e.PlaceHolder
	}
	if e.Password {
		return name
	}
	return spoken(name, e.Text)
}

// AccessibilityRole is text.
func (e *Entry) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// AccessibilityLabel is the field's name and what is chosen.
func (s *Select) AccessibilityLabel() string { return spoken(s.Name, s.Selected) }

// AccessibilityRole is a button: it opens the choices.
func (s *Select) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
