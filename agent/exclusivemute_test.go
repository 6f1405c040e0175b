package agent_test

import (
	"errors"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/smtpsubmit"
)

// answersOf is what the doctor says of the answers; nil where it says nothing.
func answersOf(t *testing.T, p *person) *agentclient.Check {
	t.Helper()
	checks, err := p.Doctor(t.Context())
	must(t, err)
	for _, c := range checks {
		if strings.HasPrefix(c.Name, "answers of ") {
			return &c
		}
	}
	return nil
}

// TestK17_WithoutADNSItIsSaidThatNobodyIsAnswered: when it is switched on, when it is
// shown, and by the doctor.
func TestK17_WithoutADNSItIsSaidThatNobodyIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "1.00")
	w.price(p, "0.25")
	if c := answersOf(t, p); c != nil {
		t.Errorf("before: %+v", c)
	}
	on, off := true, false
	price, err := p.SetPrice(t.Context(), agentclient.SetPrice{Exclusive: &on})
	must(t, err)
	if !price.Exclusive || !strings.Contains(price.Mute, "Nobody is answered") || !strings.Contains(price.Mute, "EARNEST_DNS") || price.SayMute.String() != price.Mute {
		t.Errorf("switched on: %+v", price)
	}
	if c := answersOf(t, p); c == nil || c.OK || !strings.Contains(c.Remedy, "--no-discovery") {
		t.Errorf("the doctor says %+v", c)
	}
	if price, err = p.SetPrice(t.Context(), agentclient.SetPrice{Exclusive: &off}); err != nil || price.Mute != "" {
		t.Errorf("switched off: %+v, %v", price, err)
	}
}

// TestK17_ANullSenderThatIsRefusedIsTold, until one is taken.
func TestK17_ANullSenderThatIsRefusedIsTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err     smtpsubmit.Error
		refused bool
	}{
		"at once":       {smtpsubmit.Error{Stage: smtpsubmit.StageMail, Code: 553}, true},
		"at recipient":  {smtpsubmit.Error{Stage: smtpsubmit.StageRcpt, Code: 553}, true},
		"for a while":   {smtpsubmit.Error{Stage: smtpsubmit.StageMail, Code: 451}, false},
		"the recipient": {smtpsubmit.Error{Stage: smtpsubmit.StageRcpt, Code: 550}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := newStrangers(t, escrow.Terms{})
			s.exclusive(p, true)
			if c := answersOf(t, p); c == nil || !c.OK {
				t.Errorf("before: %+v", c)
			}
			refusal := test.err
			refusal.Permanent = refusal.Code >= 500
			refusal.Err = errors.New("5.7.1 <>: Sender address rejected.")
			if !test.refused {
				refusal.Err = errors.New("5.1.1 no such user")
			}
			s.fails = []error{&refusal}
			s.writes("one@"+shop, p)
			eventually(t, "the answer was tried", func() bool { return len(s.answered()) == 1 })
			if !test.refused {
				s.writes("two@"+shop, p) // what is noted is noted by then
				eventually(t, "another was tried", func() bool { return len(s.answered()) == 2 })
				if c := answersOf(t, p); !c.OK {
					t.Errorf("the doctor says %+v", c)
				}
				return
			}
			eventually(t, "the doctor says so", func() bool { return !answersOf(t, p).OK })
			p.stop()
			s.start(p)
			if c := answersOf(t, p); c.OK || !strings.Contains(c.Detail, "Sender address rejected.") || strings.Contains(c.Detail, "..") || c.Remedy == "" {
				t.Errorf("after a restart the doctor says %+v", c)
			}
			if price, err := p.Price(t.Context(), ""); err != nil || !strings.Contains(price.Mute, "Sender address rejected") {
				t.Errorf("the price says %q, %v", price.Mute, err)
			}
			must(t, s.mail.AddUser("ann", "pw ann", "ann@"+shop))
			s.writes("ann@"+shop, p)
			eventually(t, "it is forgotten", func() bool { return answersOf(t, p).OK })
		})
	}
}
