package viewmodel

import (
	"context"
	"strings"

	"earnest/agentclient"
)

// answerForm is how ordinary mail is answered, being changed.
type answerForm struct {
	text  string
	typed bool // differs from what is kept, as far as was typed
	edits int
	busy  bool
	want  bool // the switch, while it is asked for
	err   said // of the switch
	fault said // of the words
	done  said
}

// Answer is the part of the page of prices that is about ordinary mail.
type Answer struct {
	On      bool
	Error   string // beside the switch
	Text    string // the own words
	Fault   string
	Left    string // how much room is left, where it gets little
	Preview string // the whole answer
	Mute    string // why nobody is answered though it is switched on
	Count   string // how many were answered
	Changed bool   // there are words to save
	Busy    bool
	Done    string
}

// answering is the form of the account that is shown.
func (m *Model) answering() (agentclient.Price, *answerForm) {
	k := key(m.ownAddress())
	f := m.own.answers[k]
	if f == nil {
		f = &answerForm{}
		m.own.answers = set(m.own.answers, k, f)
	}
	price := m.own.prices[k]
	if !f.typed {
		f.text = price.Answer
	}
	return price, f
}

// Answer shows how ordinary mail is answered, and the change being typed.
func (m *Model) Answer() Answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	price, f := m.answering()
	v := Answer{On: price.Exclusive, Error: m.say.again(f.err), Text: f.text, Fault: m.say.again(f.fault), Busy: f.busy, Done: m.say.again(f.done),
		Preview: wholeAnswer(price, f.text), Changed: f.typed && strings.TrimSpace(f.text) != price.Answer}
	if f.busy {
		v.On = f.want
	}
	if v.On {
		v.Mute = line(m.say.agent(price.SayMute, price.Mute))
	}
	if room := agentclient.MaxAnswer - len([]rune(f.text)); room >= 0 && room <= agentclient.MaxAnswer/10 {
		v.Left = m.say.N("price.answer.left", room)
	}
	if price.Exclusive || price.Answered > 0 {
		v.Count = m.say.N("price.answer.count", price.Answered)
		if price.Answered == 0 {
			v.Count = m.say.T("price.answer.nobody")
		}
	}
	return v
}

// wholeAnswer is the answer as it would be sent with these words in front.
func wholeAnswer(price agentclient.Price, words string) string {
	rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(price.AnswerText), price.Answer))
	if rest == "" {
		return ""
	}
	if words = strings.TrimSpace(words); words != "" {
		rest = words + "\n\n" + rest
	}
	return rest
}

// TypeAnswer keeps the own words as typed.
func (m *Model) TypeAnswer(text string) {
	m.mu.Lock()
	_, f := m.answering()
	same := f.text == text
	m.mu.Unlock()
	if same {
		return
	}
	m.update(func() {
		_, f := m.answering()
		f.text, f.typed, f.done, f.fault = text, true, nil, nil
		f.edits++
		if wrong := agentclient.CheckAnswer(text); wrong != nil {
			f.fault = fails(wrong)
		}
	})
}

// UndoAnswer takes back the words that were not saved.
func (m *Model) UndoAnswer() {
	m.update(func() {
		_, f := m.answering()
		f.typed, f.fault = false, nil
	})
}

// SetExclusive has ordinary mail answered, or no longer. Words that were typed are
// saved with it.
func (m *Model) SetExclusive(on bool) { m.answer(&on) }

// SaveAnswer saves the own words.
func (m *Model) SaveAnswer() { m.answer(nil) }

func (m *Model) answer(on *bool) {
	var req agentclient.SetPrice
	edits, fine := 0, false
	m.update(func() {
		price, f := m.answering()
		if f.busy {
			return
		}
		f.err, f.done, f.fault = nil, nil, nil
		req = agentclient.SetPrice{Address: m.ownAddress(), Exclusive: on}
		if words := strings.TrimSpace(f.text); f.typed {
			req.Answer = &words
		}
		switch wrong := agentclient.CheckAnswer(f.text); {
		case wrong != nil && f.typed:
			f.fault = fails(wrong)
		case on != nil && *on && len(price.Options) == 0:
			f.err = says("price.answer.unpriced")
		case on != nil || f.typed:
			f.busy, f.want, edits, fine = true, price.Exclusive, f.edits, true
			if on != nil {
				f.want = *on
			}
		}
	})
	if fine {
		m.do(func(ctx context.Context) { m.keepAnswer(ctx, req, edits) })
	}
}

func (m *Model) keepAnswer(ctx context.Context, req agentclient.SetPrice, edits int) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	price, err := m.agent.SetPrice(ctx, req)
	m.update(func() {
		k := key(req.Address)
		f := m.own.answers[k]
		f.busy = false
		switch {
		case err != nil && fieldOf(err) == "answer":
			f.fault = fails(err)
			return
		case err != nil:
			f.err = fails(err)
			return
		}
		known := m.own.prices[k]
		known.Exclusive, known.Answer, known.AnswerText, known.Answered = price.Exclusive, price.Answer, price.AnswerText, price.Answered
		known.Mute, known.SayMute = price.Mute, price.SayMute
		m.own.put(known, m.isFirst(req.Address))
		f.typed = f.typed && f.edits != edits // typed since: that is kept
		switch {
		case req.Exclusive == nil:
			f.done = says("price.answer.saved", "Clock", clocked(m.now()))
		case *req.Exclusive && price.Mute != "":
			// why it does nothing is said beside it
		case *req.Exclusive:
			f.done = says("price.answer.on")
		default:
			f.done = says("price.answer.off")
		}
	})
}
