package agentclient

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Phrase is a sentence of the agent, or a part of one, that a client can say in a
// language of its own: by its id where it knows that, else by its English text.
type Phrase struct {
	// ID is empty for what others say, such as a mail server: there is only Text.
	ID string `json:"id,omitempty"`
	// Text is English; {Name} stands where the value of that name goes.
	Text   string           `json:"text"`
	Values map[string]Value `json:"values,omitempty"`
}

// Value is what is put into a phrase: one of these.
type Value struct {
	Text    string     `json:"text,omitempty"` // an address, a command, what a server says
	Money   *Money     `json:"money,omitempty"`
	Time    *time.Time `json:"time,omitempty"`
	Seconds *int64     `json:"seconds,omitempty"` // a length of time
	Number  *int64     `json:"number,omitempty"`
	Said    Said       `json:"said,omitempty"` // put in without its full stop
}

// Said is what the agent says: phrases, one after the other.
type Said []Phrase

// Say is a phrase with its values in pairs: a name, then the value. Both id and
// text are written out where it is said, so that a test finds them.
func Say(id, text string, pairs ...any) Said {
	p := Phrase{ID: id, Text: text}
	for i := 0; i+1 < len(pairs); i += 2 {
		if p.Values == nil {
			p.Values = map[string]Value{}
		}
		p.Values[fmt.Sprint(pairs[i])] = valueOf(pairs[i+1])
	}
	return Said{p}
}

// Verbatim is what others say, in whatever language; nobody translates it.
func Verbatim(text string) Said {
	return Said{{Text: "{Text}", Values: map[string]Value{"Text": {Text: text}}}}
}

func valueOf(v any) Value {
	number := func(n int64) Value { return Value{Number: &n} }
	switch v := v.(type) {
	case Money:
		return Value{Money: &v}
	case time.Time:
		return Value{Time: &v}
	case time.Duration:
		seconds := int64(v / time.Second)
		return Value{Seconds: &seconds}
	case int:
		return number(int64(v))
	case int64:
		return number(v)
	case Said:
		return Value{Said: v}
	case error:
		return Value{Text: v.Error()}
	}
	return Value{Text: fmt.Sprint(v)}
}

// UnmarshalJSON also reads what was kept as a text alone.
func (s *Said) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		if *s = nil; text != "" {
			*s = Verbatim(text)
		}
		return nil
	}
	return json.Unmarshal(data, (*[]Phrase)(s))
}

// And says more.
func (s Said) And(more Said) Said { return append(s[:len(s):len(s)], more...) }

// String says it in English.
func (s Said) String() string {
	var parts []string
	for _, p := range s {
		parts = append(parts, p.String())
	}
	return strings.Join(parts, " ")
}

func (p Phrase) String() string { return p.Fill(Value.String) }

// Fill is the English text with its values as say writes them.
func (p Phrase) Fill(say func(Value) string) string {
	hole := regexp.MustCompile(`\{[A-Z][A-Za-z]*\}`)
	return hole.ReplaceAllStringFunc(p.Text, func(name string) string {
		v, ok := p.Values[name[1:len(name)-1]]
		if !ok {
			return name
		}
		return say(v)
	})
}

func (v Value) String() string {
	switch {
	case v.Money != nil:
		return v.Money.String()
	case v.Time != nil && v.Time.Location() == time.UTC: // a clock elsewhere
		return v.Time.Format("2006-01-02 15:04") + " UTC"
	case v.Time != nil:
		return v.Time.Local().Format("Mon 2 Jan 15:04")
	case v.Seconds != nil:
		return span(time.Duration(*v.Seconds) * time.Second)
	case v.Number != nil:
		return fmt.Sprint(*v.Number)
	case v.Said != nil:
		return strings.TrimSuffix(v.Said.String(), ".")
	}
	return v.Text
}

// span says a length of time in the largest unit that it is a whole number of.
func span(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		n := d / unit.length
		switch {
		case n == 0 || d%unit.length != 0:
		case n == 1:
			return "1 " + unit.name
		default:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return "0 seconds"
}

// Refuse is a failure of a code: what happened, what it means for mail and money,
// and what to do.
func Refuse(code string, happened, means, do Said) *Failure {
	return (&Failure{Code: code, Say: &FailureSaid{}}).Saying(happened, means, do)
}

// FailureSaid is a failure's text in phrases.
type FailureSaid struct {
	Happened Said `json:"happened,omitempty"`
	Means    Said `json:"means,omitempty"`
	Do       Said `json:"do,omitempty"`
}

// Saying is the failure with other words; what is nil stays.
func (f *Failure) Saying(happened, means, do Said) *Failure {
	told, said := *f, FailureSaid{}
	if f.Say != nil {
		said = *f.Say
	}
	for _, part := range []struct {
		new  Said
		said *Said
		text *string
	}{{happened, &said.Happened, &told.Happened}, {means, &said.Means, &told.Means}, {do, &said.Do, &told.Do}} {
		if part.new != nil {
			*part.said, *part.text = part.new, part.new.String()
		}
	}
	told.Say = &said
	return &told
}

// At is the failure that blames a field of the request, by its JSON name.
func (f *Failure) At(field string) *Failure {
	told := *f
	told.Field = field
	return &told
}

// Said is all of it in phrases.
func (f *Failure) Said() Said {
	if f.Say == nil {
		return Verbatim(f.Error())
	}
	return f.Say.Happened.And(f.Say.Means).And(f.Say.Do)
}
