package viewmodel

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// maxRecipients bounds to how many one mail goes: each costs a question to an
// escrow, and a bond.
const maxRecipients = 50

// splitTo takes the complete addresses out of what stands in the address field,
// and leaves what is still being typed. An address is complete at a comma, a
// semicolon or a new line, and at a space where it looks like one.
func splitTo(typed string) (whole []string, rest string) {
	if strings.ContainsRune(typed, '<') {
		if list, err := mail.ParseAddressList(typed); err == nil && strings.HasSuffix(strings.TrimSpace(typed), ">") {
			for _, a := range list {
				whole = append(whole, a.Address)
			}
			return whole, ""
		}
	}
	start, quoted := 0, false
	for i, r := range typed {
		if r == '"' {
			quoted = !quoted
		}
		part := typed[start:i]
		switch {
		case quoted, !strings.ContainsRune(",;\n\t ", r):
			continue
		case unicode.IsSpace(r) && r != '\n' && !addressLike(bareAddress(part)):
			continue
		}
		if a := bareAddress(part); a != "" {
			whole = append(whole, a)
		}
		start = i + 1
	}
	return whole, strings.TrimLeft(typed[start:], " \t\n")
}

// bareAddress is the address in "Name <address>" and in a card.
func bareAddress(s string) string {
	s = strings.TrimSpace(s)
	if from, to := strings.LastIndexByte(s, '<'), strings.LastIndexByte(s, '>'); from >= 0 && to > from {
		s = s[from+1 : to]
	}
	if address, _, ok := card(s); ok {
		return address
	}
	return strings.Trim(strings.TrimPrefix(s, "mailto:"), " <>")
}

// card reads an address from a card, earnest:ADDRESS?escrow=HOST&fp=IDENTITY,
// with the identity that it promises.
func card(s string) (address, identity string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "earnest:")
	if !ok {
		return "", "", false
	}
	address, query, _ := strings.Cut(rest, "?")
	if plain, err := url.PathUnescape(address); err == nil {
		address = plain
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return address, "", true
	}
	return address, values.Get("fp"), true
}

func addressLike(a string) bool {
	local, domain, ok := strings.Cut(a, "@")
	return ok && local != "" && domain != "" && !strings.ContainsAny(domain, "@,;<>\" \t") && !strings.ContainsAny(local, ",;<>\" \t") &&
		strings.Contains(domain, ".") && !strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".") && len(a) <= 254
}

// key names a recipient in maps.
func key(address string) string { return strings.ToLower(address) }

// add takes addresses as recipients, each once, and tells how many there was no
// room for.
func (d *draft) add(addresses ...string) (over int) {
	for _, a := range addresses {
		switch {
		case a == "" || slices.ContainsFunc(d.to, func(b string) bool { return strings.EqualFold(a, b) }):
		case len(d.to) >= maxRecipients:
			over++
		default:
			d.to = append(slices.Clone(d.to), a)
		}
	}
	return over
}

// all are the recipients, with the one that is still in the field if it looks
// like an address.
func (d *draft) all() []string {
	all := d.to
	if a := bareAddress(d.typing); addressLike(a) && len(all) < maxRecipients &&
		!slices.ContainsFunc(all, func(b string) bool { return strings.EqualFold(a, b) }) {
		all = append(slices.Clone(all), a)
	}
	return all
}

// SetTo keeps what is typed into the address field. Complete addresses become
// recipients; the offer of the one being typed is asked for once the typing rests.
func (m *Model) SetTo(typed string) {
	m.mu.Lock()
	d := m.draft
	if d.typing == typed || d.sending {
		m.mu.Unlock()
		return
	}
	for _, word := range strings.Fields(typed) {
		if address, identity, ok := card(word); ok && identity != "" {
			d.cards = set(d.cards, key(address), identity)
		}
	}
	whole, rest := splitTo(typed)
	d.typing = rest
	d.errTo = nil
	if over := d.add(whole...); over > 0 {
		d.errTo = saysN("write.too-many", over, "Most", maxRecipients)
	}
	d.clear()
	m.touch(d)
	m.mu.Unlock()
	m.changed()
	m.askSoon()
}

// CommitTo makes what stands in the address field a recipient, by Enter. It
// tells whether there was anything.
func (m *Model) CommitTo() bool {
	m.mu.Lock()
	d := m.draft
	a := bareAddress(d.typing)
	if a == "" || d.sending {
		m.mu.Unlock()
		return false
	}
	d.errTo = nil
	switch {
	case !addressLike(a):
		d.errTo = says("write.no-address", "Text", line(a))
	case d.add(a) > 0:
		d.errTo = saysN("write.too-many", 1, "Most", maxRecipients)
	default:
		d.typing = ""
		m.touch(d)
	}
	m.mu.Unlock()
	m.changed()
	m.askNow()
	return true
}

// RemoveTo takes a recipient away.
func (m *Model) RemoveTo(address string) {
	m.edit(func(d *draft) {
		d.to = slices.DeleteFunc(slices.Clone(d.to), func(a string) bool { return key(a) == key(address) })
		if key(bareAddress(d.typing)) == key(address) {
			d.typing = ""
		}
		d.errTo = nil
		d.clear()
	})
}

// TakeLastTo puts the last recipient back into the empty field, by Backspace.
func (m *Model) TakeLastTo() {
	m.edit(func(d *draft) {
		if n := len(d.to); n > 0 && d.typing == "" {
			d.typing, d.to = d.to[n-1], slices.Clone(d.to[:n-1])
		}
	})
}

// SetOption chooses a way to pay a recipient, from 0 in the list shown.
func (m *Model) SetOption(address string, i int) {
	m.edit(func(d *draft) {
		if _, ways := m.way(d, address); i >= 0 && i < len(ways) {
			d.choice = set(d.choice, key(address), ways[i].Index)
		}
		d.clear()
	})
}

// SetPaid puts a bond down although the mail could go free.
func (m *Model) SetPaid(address string, paid bool) {
	m.edit(func(d *draft) {
		d.paid = set(d.paid, key(address), paid)
		d.clear()
	})
}
