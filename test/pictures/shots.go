package main

// shot is one picture: where the window stands, how it looks, and the keys that
// bring it there.
type shot struct {
	name, page, theme, size string
	scale                   string
	locale                  string
	acts                    []string
	newcomer                bool // an agent with no account
}

const (
	wide   = "1280x800"
	narrow = "640x800"
	small  = "400x760"
	german = "de_DE.UTF-8"
)

// shots are all pictures: each page in both themes, then what is special.
func shots() []shot {
	var all []shot
	add := func(s shot) {
		if s.size == "" {
			s.size = wide
		}
		if s.locale == "" {
			s.locale = "en_US.UTF-8"
		}
		for _, theme := range []string{"light", "dark"} {
			if s.theme == "" || s.theme == theme {
				one := s
				one.theme, one.name = theme, s.name+"-"+theme
				all = append(all, one)
			}
		}
	}
	add(shot{name: "waiting", acts: []string{"j", "j"}})
	add(shot{name: "accepted", page: "accepted", acts: []string{"j"}})
	add(shot{name: "rejected", page: "rejected", acts: []string{"j"}})
	add(shot{name: "expired", page: "expired"})
	add(shot{name: "sent", page: "sent", acts: []string{"j"}})
	add(shot{name: "drafts", page: "drafts"})
	add(shot{name: "people", page: "people", acts: []string{"j"}})
	add(shot{name: "money", page: "money"})
	add(shot{name: "price", page: "price"})
	add(shot{name: "settings", page: "settings"})
	add(shot{name: "write", page: "write", acts: []string{"type sender@mail.example", "Return", "Return", "type A remark on page 12", "Return", "type The bound is not tight. See below."}})
	add(shot{name: "statement", page: "money", acts: []string{"Right"}})
	add(shot{name: "chart", page: "money", acts: []string{"Right", "Right"}, theme: "light"})
	add(shot{name: "card", page: "price", acts: []string{"Right"}, theme: "light"})
	add(shot{name: "price-answer", page: "price", acts: []string{"Right", "Right"}, theme: "light"})
	add(shot{name: "price-history", page: "price", acts: []string{"Right", "Right", "Right"}, theme: "light"})
	add(shot{name: "details", acts: []string{"j", "d"}, theme: "light"})
	add(shot{name: "first", newcomer: true})
	add(shot{name: "keys", acts: []string{"question"}, theme: "light"})
	add(shot{name: "waiting-german", acts: []string{"j"}, locale: german, theme: "light"})
	add(shot{name: "settings-german", page: "settings", locale: german, theme: "light"})
	add(shot{name: "narrow-list", size: narrow, theme: "light"})
	add(shot{name: "narrow-mail", size: narrow, acts: []string{"j"}, theme: "light"})
	add(shot{name: "small", size: small, theme: "light"})
	add(shot{name: "twice-as-large", scale: "2", acts: []string{"j"}, theme: "light"})
	add(shot{name: "right-to-left", acts: []string{"j", "j", "j", "j"}, theme: "light"})
	add(shot{name: "undo", acts: []string{"j", "r"}, theme: "light"})
	return all
}
