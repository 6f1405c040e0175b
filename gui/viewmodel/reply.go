package viewmodel

// writeTo begins a mail to somebody, such as an answer.
func (m *Model) writeTo(to, subject, body, _ string) {
	m.Write()
	m.SetTo(to)
	m.SetSubject(subject)
	m.SetBody(body)
}

// These two serve the Sent page.

func subject(s string) string {
	if s = line(s); s == "" {
		return "(no subject)"
	}
	return s
}

func named(s string) string {
	if s = line(s); s == "" {
		return "unnamed"
	}
	return s
}
