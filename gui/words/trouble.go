package words

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// pattern is a sentence of the agent that something is put into, such as the
// name of a server.
type pattern struct {
	id    string
	text  *regexp.Regexp
	names []string
	fixed int // letters that are not put in
}

// patterns reads the sentences of trouble.en.json: with setting up an account,
// with servers, and what the doctor finds. The longest comes first.
func patterns() []pattern {
	data, err := files.ReadFile("trouble." + string(English) + ".json")
	var texts map[string]string
	if err == nil {
		err = json.Unmarshal(data, &texts)
	}
	if err != nil { // they are compiled in, and a test reads them
		panic(fmt.Sprintf("words: %v", err))
	}
	hole := regexp.MustCompile(`\{\{\.([A-Za-z]+)\}\}`)
	var all []pattern
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		p, text, at := pattern{id: id}, "^", 0
		for _, m := range hole.FindAllStringSubmatchIndex(texts[id], -1) {
			name := texts[id][m[2]:m[3]]
			p.names = append(p.names, name)
			p.fixed += m[0] - at
			text += regexp.QuoteMeta(texts[id][at:m[0]]) + room(name)
			at = m[1]
		}
		p.fixed += len(texts[id]) - at
		p.text = regexp.MustCompile(text + regexp.QuoteMeta(texts[id][at:]) + "$")
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(x, y pattern) int { return cmp.Compare(y.fixed, x.fixed) })
	return all
}

// room is what can be put in under a name: a name of a server is one word, a cost is
// an amount and its unit.
func room(name string) string {
	switch name {
	case "What", "Why", "Cost":
		return "(.+)"
	}
	return `(\S+)`
}

// filled says a sentence that something was put into. What it is about may be
// said in words of its own.
func (w Words) filled(english string) (string, bool) {
	for _, p := range w.patterns {
		if len(english) < p.fixed {
			continue
		}
		found := p.text.FindStringSubmatch(english)
		if found == nil {
			continue
		}
		var pairs []any
		for i, name := range p.names {
			value := found[i+1]
			if name == "What" {
				value = w.Sentence(value)
			}
			pairs = append(pairs, name, value)
		}
		return w.T(p.id, pairs...), true
	}
	return "", false
}
