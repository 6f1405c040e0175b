package agentclient

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxAnswer is how many characters the own words of an answer can have.
const MaxAnswer = 2000

// CheckAnswer says what is wrong with the own words of an answer; nil if nothing.
func CheckAnswer(text string) *Failure {
	f := &Failure{Code: CodeUsage, Field: "answer", Means: "Nothing was changed: people are answered as before."}
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, odd):
		f.Happened, f.Do = "The answer has characters in it that no letter has.", "Write it as plain text: letters, signs and line ends."
	case utf8.RuneCountInString(text) > MaxAnswer:
		f.Happened, f.Do = "The answer is longer than "+strconv.Itoa(MaxAnswer)+" characters.", "Make it shorter, or name a web page that says the rest."
	default:
		return nil
	}
	return f
}

// odd reports characters that steer a terminal or turn the direction of writing.
func odd(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029')
}

// NoPriceToAnswer is the failure of making an address exclusive without a price
// that the answer could name.
func NoPriceToAnswer() *Failure {
	return &Failure{Code: CodeUsage, Field: "exclusive", Happened: "No price is set, so there is nothing to answer with.",
		Means: "The address is not exclusive: nobody is answered.", Do: "Set a price first, such as: earnest price set 0.25"}
}
