//go:build unix

package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// pays is an agent whose card payment is paid when it is asked for the second time.
type pays struct {
	agentclient.Agent
	asked int
	out   agentclient.PayOut
}

func (p *pays) PayByCard(_ context.Context, req agentclient.PayByCard) (agentclient.CardPayment, error) {
	return agentclient.CardPayment{ID: "c1", State: "open", URL: "https://pay.example/1", Amount: agentclient.Money{Amount: req.Amount, Unit: "EUR"}}, nil
}

func (p *pays) CardPayment(_ context.Context, _, id string) (agentclient.CardPayment, error) {
	p.asked++
	return agentclient.CardPayment{ID: id, State: "paid"}, nil
}

func (p *pays) PayOut(_ context.Context, req agentclient.PayOut) (agentclient.Payout, error) {
	p.out = req
	return agentclient.Payout{State: "asked", Amount: agentclient.Money{Amount: req.Amount, Unit: "EUR"}, To: req.To}, nil
}

// TestCardAndPayout: the page is shown and waited for; a payout is told as on hold.
func TestCardAndPayout(t *testing.T) {
	agent := &pays{Agent: agenttest.Scene(sunday)}
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"topup", "--card", "5.00"}, 0, "https://pay.example/1"},
		{[]string{"topup"}, 2, "--card"},
		{[]string{"topup", "EARN-1", "--card", "5.00"}, 2, "--card"},
		{[]string{"withdraw", "3.00", "--to", "IBAN NL00"}, 0, "€3.00 is on hold"},
		{[]string{"payouts"}, 0, "Nothing was asked for."},
	} {
		var out, errs bytes.Buffer
		code := Main(t.Context(), tt.args, Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Now: sunday},
			func(string) string { return "" }, Hooks{Connect: func(string) agentclient.Agent { return agent }})
		if code != tt.code || !strings.Contains(out.String()+errs.String(), tt.says) {
			t.Errorf("%v: exit %d, %s, %s", tt.args, code, out.String(), errs.String())
		}
	}
	if agent.asked != 1 || agent.out.To != "IBAN NL00" || agent.out.Amount != "3.00" {
		t.Errorf("asked %d times, %+v", agent.asked, agent.out)
	}
}

// TestAPayoutIsTakenBack: by its id or the beginning of it, until it is paid.
func TestAPayoutIsTakenBack(t *testing.T) {
	agent := agenttest.Scene(sunday)
	agent.PayOutFrom("escrow.example", "2.00")
	asked, err := agent.PayOut(t.Context(), agentclient.PayOut{ID: "PQRSTUVW", Amount: "3.00", To: "IBAN NL00"})
	if err != nil {
		t.Fatal(err)
	}
	euro := asked.Amount
	for _, p := range []agentclient.Payout{
		{ID: "unsure12", State: agentclient.PayoutUnsure, Amount: euro},
		{ID: "paid1234", State: agentclient.PayoutPaid, Amount: euro, Note: "transfer 1"},
		{ID: "refused1", State: agentclient.PayoutRefused, Amount: euro, Note: "no such bank"},
		{ID: "ended123", State: agentclient.PayoutRefused, Amount: euro, Note: "The recovery key ended it.", SayNote: agentclient.Verbatim("The recovery key ended it.")},
	} {
		p.Account = asked.Account
		agent.AddPayout(p)
	}
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"payouts"}, 0, "PQRSTUVW  "},
		{[]string{"payouts", "list", "--account", asked.Account}, 0, "earnest payouts cancel ID"},
		{[]string{"payouts", "--account", asked.Account}, 0, "PQRSTUVW  "},
		{[]string{"payouts", "cancel", "nothing"}, 5, "There is no payout with that id."},
		{[]string{"withdraw", "1.99", "--to", "IBAN NL00"}, 2, "The least that escrow.example pays out is €2.00."},
		{[]string{"payouts", "cancel", "PQR"}, 2, "too little of an id"},
		{[]string{"payouts", "cancel", "PQRST"}, 0, "€3.00 is available again"},
		{[]string{"payouts", "cancel", "PQRSTUVW"}, 0, "€3.00 is available again"},
		{[]string{"payouts"}, 0, "cancelled"},
		{[]string{"payouts", "cancel", "unsure12"}, 0, "it is not known whether the escrow has it"},
		{[]string{"payouts", "cancel", "paid1234"}, 8, "paid this payout already"},
		{[]string{"payouts", "cancel", "refused1"}, 0, "The operator had refused it already."},
		{[]string{"payouts", "cancel", "ended123"}, 0, "The recovery key ended it.\n"},
		{[]string{"payouts", "cancel", "PQRSTUVW", "--json"}, 0, `"state":"cancelled"`},
	} {
		var out bytes.Buffer
		code := Main(t.Context(), tt.args, Streams{In: strings.NewReader(""), Out: &out, Err: &out, Now: sunday},
			func(string) string { return "" }, Hooks{Connect: func(string) agentclient.Agent { return agent }})
		if code != tt.code || !strings.Contains(out.String(), tt.says) {
			t.Errorf("%v: exit %d, %s", tt.args, code, out.String())
		}
	}
	if left, err := agent.Balances(t.Context()); err != nil || left[0].Available.Amount != "4.75" {
		t.Errorf("the money: %+v, %v", left, err)
	}
}

// unsure is an agent whose escrow has not answered.
type unsure struct{ pays }

func (u *unsure) PayByCard(context.Context, agentclient.PayByCard) (agentclient.CardPayment, error) {
	return agentclient.CardPayment{ID: "c1", State: agentclient.CardAsked, Error: "There is no page to pay at yet."}, nil
}

func (u *unsure) CardPayment(_ context.Context, _, id string) (agentclient.CardPayment, error) {
	return agentclient.CardPayment{ID: id, State: agentclient.CardFailed, Error: "The escrow did not take it."}, nil
}

func (u *unsure) PayOut(context.Context, agentclient.PayOut) (agentclient.Payout, error) {
	return agentclient.Payout{State: agentclient.PayoutUnsure, Error: "It is not known whether the escrow has this payout."}, nil
}

// TestWhatIsNotKnownIsNotCalledDone: of a payout, and of a page that never came.
func TestWhatIsNotKnownIsNotCalledDone(t *testing.T) {
	for _, tt := range []struct {
		args []string
		says []string
		code int
	}{
		{[]string{"withdraw", "3.00", "--to", "IBAN NL00"}, []string{"It is not known"}, 0},
		{[]string{"topup", "--card", "5.00"}, []string{"There is no page to pay at yet.", "did not take it"}, 1},
	} {
		var out bytes.Buffer
		code := Main(t.Context(), tt.args, Streams{In: strings.NewReader(""), Out: &out, Err: &out, Now: sunday},
			func(string) string { return "" }, Hooks{Connect: func(string) agentclient.Agent { return &unsure{pays{Agent: agenttest.Scene(sunday)}} }})
		for _, says := range tt.says {
			if !strings.Contains(out.String(), says) || code != tt.code || strings.Contains(out.String(), "on hold to be paid") {
				t.Errorf("%v: exit %d, %s", tt.args, code, out.String())
			}
		}
	}
}
