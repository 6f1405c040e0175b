package agentclient

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxAnswer is how many characters the own words of an answer can have.
const MaxAnswer = 2000

// CheckAnswer says what is wrong with the own words of an answer; nil if nothing.
func CheckAnswer(text string) *Failure {
	var happened, do Said
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, odd):
		happened = Say("exclusive.odd", "The answer has characters in it that no letter has.")
		do = Say("exclusive.odd.do", "Write it as plain text: letters, signs and line ends.")
	case utf8.RuneCountInString(text) > MaxAnswer:
		happened = Say("exclusive.long", "The answer is longer than {Most} characters.", "Most", MaxAnswer)
		do = Say("exclusive.long.do", "Make it shorter, or name a web page that says the rest.")
	default:
		return nil
	}
	f := Refuse(CodeUsage, happened, Say("exclusive.as-before", "Nothing was changed: people are answered as before."), do)
	f.Field = "answer"
	return f
}

// odd reports characters that steer a terminal or turn the direction of writing.
func odd(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029')
}

// NoPriceToAnswer is the failure of making an address exclusive without a price
// that the answer could name.
func NoPriceToAnswer() *Failure {
	f := Refuse(CodeUsage, Say("exclusive.no-price", "No price is set, so there is nothing to answer with."),
		Say("exclusive.no-price.means", "The address is not exclusive: nobody is answered."),
		Say("exclusive.no-price.do", "Set a price first, such as: earnest price set 0.25"))
	f.Field = "exclusive"
	return f
}
