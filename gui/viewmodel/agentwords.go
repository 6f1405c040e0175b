package viewmodel

import "strings"

// mostSentences bounds what is looked at in one text of the agent.
const mostSentences = 12

// agent says what the agent said in English in the window's language. Its texts
// are put together of sentences; each that is known is said, the others stay.
func (s speech) agent(english string) string {
	if said := s.Sentence(english); said != english {
		return said
	}
	parts := strings.SplitAfterN(english, ". ", mostSentences)
	var said []string
	for i := 0; i < len(parts); {
		n, text := 1, strings.TrimSpace(parts[i])
		for j := len(parts); j > i; j-- {
			whole := strings.TrimSpace(strings.Join(parts[i:j], ""))
			if in := s.Sentence(whole); in != whole {
				n, text = j-i, in
				break
			}
		}
		said = append(said, text)
		i += n
	}
	return strings.Join(said, " ")
}
