package viewmodel

import (
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

// said is what was said to the person and is still shown. It is kept as what it
// means and put into words when it is drawn, so that another language says it
// anew. Nil is nothing.
type said []saying

// saying is a text by its id, with what is put into it; or what an error says.
type saying struct {
	id      string
	n       int // of what the text counts, where it counts
	counted bool
	pairs   []any // a name, then its value: see speech.value
	err     error
}

// Values that are put into words when they are said, beside money, errors and
// what is said itself.
type (
	sized   int64     // of a file
	clocked time.Time // the time of day
	worded  func(speech) string
)

func says(id string, pairs ...any) said { return said{{id: id, pairs: pairs}} }

func saysN(id string, n int, pairs ...any) said {
	return said{{id: id, n: n, counted: true, pairs: pairs}}
}

// fails is what an error says; nothing where there is none.
func fails(err error) said {
	if err == nil {
		return nil
	}
	return said{{err: err}}
}

// and says more after what was said.
func (x said) and(more said) said { return slices.Concat(x, more) }

// again says what was said, in the language of now.
func (s speech) again(x said) string {
	var parts []string
	for _, one := range x {
		if text := s.saying(one); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

func (s speech) saying(x saying) string {
	if x.err != nil {
		return s.failure(x.err)
	}
	pairs := slices.Clone(x.pairs)
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = s.value(pairs[i])
	}
	if x.counted {
		return s.N(x.id, x.n, pairs...)
	}
	return s.T(x.id, pairs...)
}

func (s speech) value(v any) any {
	switch v := v.(type) {
	case agentclient.Money:
		return s.money(v)
	case []agentclient.Money:
		var all []string
		for _, amount := range v {
			all = append(all, s.money(amount))
		}
		return s.and(all)
	case error:
		return s.failure(v)
	case said:
		return s.again(v)
	case sized:
		return s.size(int64(v))
	case clocked:
		return s.clock(time.Time(v))
	case worded:
		return v(s)
	}
	return v
}

// refusal is a failure that the window finds by itself, with its own words.
type refusal struct {
	*agentclient.Failure
	said said
}

func (r *refusal) Unwrap() error { return r.Failure }
