// Package words is what the window says, in every language it speaks. Each text
// has an id and stands in one file a subject and language: NAME.LANG.json.
//
// A text names what is put into it: "{{.Amount}} is held". Where it depends on a
// number it has the plural forms of its language (CLDR: "one" and "other"). What the
// agent says is in agent.LANG.json, by the ids of its phrases; it has no English,
// which is in the agent's sources.
package words

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed *.json
var files embed.FS

// Language is one that the window speaks.
type Language string

// The languages.
const (
	English Language = "en"
	German  Language = "de"
)

// Languages lists them with the names that they have for themselves.
func Languages() map[Language]string {
	return map[Language]string{English: "English", German: "Deutsch"}
}

// Words says texts in one language.
type Words struct {
	Language  Language
	localizer *i18n.Localizer
}

// In returns the words of a language; English where it is not spoken.
func In(l Language) Words {
	if _, ok := Languages()[l]; !ok {
		l = English
	}
	bundle := i18n.NewBundle(language.English)
	names, err := fs.Glob(files, "*.json")
	for _, name := range names {
		if err == nil {
			_, err = bundle.LoadMessageFileFS(files, name)
		}
	}
	if err != nil { // they are compiled in, and a test reads them all
		panic(fmt.Sprintf("words: %v", err))
	}
	return Words{Language: l, localizer: i18n.NewLocalizer(bundle, string(l), string(English))}
}

// Of picks the language that a system's setting such as "de_AT.UTF-8" asks for.
func Of(locale string) Language {
	locale, _, _ = strings.Cut(locale, ".")
	tag, err := language.Parse(strings.ReplaceAll(locale, "_", "-"))
	if err != nil {
		return English
	}
	_, index, _ := language.NewMatcher([]language.Tag{language.English, language.German}).Match(tag)
	return []Language{English, German}[index]
}

// T says a text. What is put into it comes in pairs: its name, then its value.
func (w Words) T(id string, pairs ...any) string {
	return w.say(&i18n.LocalizeConfig{MessageID: id, TemplateData: data(pairs)})
}

// N says a text about n things. The text calls the number {{.N}}.
func (w Words) N(id string, n int, pairs ...any) string {
	values := data(pairs)
	values["N"] = n
	return w.say(&i18n.LocalizeConfig{MessageID: id, TemplateData: values, PluralCount: n})
}

func (w Words) say(what *i18n.LocalizeConfig) string {
	text, err := w.localizer.Localize(what)
	if err != nil && text == "" {
		return what.MessageID // a test finds it
	}
	return text
}

func data(pairs []any) map[string]any {
	values := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return values
}

// Agent says a phrase of the agent, whose texts are by "agent." and its id; false
// where this language has none. English needs none: the agent speaks it.
func (w Words) Agent(id string, pairs ...any) (string, bool) {
	text, tag, err := w.localizer.LocalizeWithTag(&i18n.LocalizeConfig{MessageID: "agent." + id, TemplateData: data(pairs)})
	return text, err == nil && tag.String() == string(w.Language)
}

// Date says a day: "Sat 28 Nov", with the year where it is not this one.
func (w Words) Date(t, now time.Time) string {
	day, month := w.T("date.weekday."+t.Weekday().String()), w.T("date.month."+t.Month().String())
	if t.Year() != now.Year() {
		return w.T("date.far", "Day", t.Day(), "Month", month, "Year", t.Year())
	}
	return w.T("date.near", "Weekday", day, "Day", t.Day(), "Month", month)
}
