package viewmodel

import (
	"slices"

	"earnest/agentclient"
)

// kinds are those that a statement can be sifted by; the first is all.
func kinds() []string {
	return []string{"", agentclient.MoveHold, agentclient.MoveRefund, agentclient.MoveForfeit, agentclient.MoveTopUp, agentclient.MoveGain,
		agentclient.MovePayout, agentclient.MovePayoutPaid, agentclient.MovePayoutRefused, agentclient.MovePayoutCancelled}
}

func grounds() []string {
	return []string{agentclient.GroundVoucher, agentclient.GroundPayment, agentclient.GroundOperator, agentclient.GroundWelcome}
}

// kindWords says what a movement is. A kind of a newer escrow's is said as it says it.
func (s speech) kindWords(kind string) string {
	if slices.Contains(kinds(), kind) && kind != "" {
		return s.T("money.kind." + kind)
	}
	return line(kind)
}

// groundWords says why a top-up came; nothing where that is not known.
func (s speech) groundWords(ground string) string {
	if slices.Contains(grounds(), ground) {
		return s.T("statement.ground." + ground)
	}
	return line(ground)
}

// moveTitle heads a movement that is with nobody.
func (s speech) moveTitle(move agentclient.Movement) string {
	escrow := line(move.Escrow)
	switch {
	case move.Kind == agentclient.MoveTopUp && slices.Contains(grounds(), move.Ground):
		return s.T("statement.by."+move.Ground, "Escrow", escrow)
	case slices.Contains([]string{agentclient.MovePayout, agentclient.MovePayoutPaid, agentclient.MovePayoutRefused, agentclient.MovePayoutCancelled}, move.Kind):
		return s.T("statement.payout", "Escrow", escrow)
	}
	return s.T("statement.at", "Escrow", escrow)
}

// reasonWords is what was said of a movement. A welcome's is the same everywhere, so
// the window says it in its own language, as what the agent says.
func (s speech) reasonWords(move agentclient.Movement) string {
	if move.Ground == agentclient.GroundWelcome {
		return s.T("statement.welcome")
	}
	return line(s.agent(move.SayReason, move.Reason))
}

// quotedReason shows that the words are somebody's.
func (s speech) quotedReason(move agentclient.Movement) string {
	words := s.reasonWords(move)
	if words == "" || move.Ground == agentclient.GroundWelcome || move.SayReason != nil {
		return words
	}
	return s.T("statement.reason", "Text", words)
}

// sign is what a movement does to what is available. A forfeit and a payment outwards
// do nothing to it: the money had left it when it was held. What an unknown kind does
// is not guessed.
func sign(kind string) string {
	switch kind {
	case agentclient.MoveHold, agentclient.MovePayout:
		return "-"
	case agentclient.MoveRefund, agentclient.MoveTopUp, agentclient.MoveGain, agentclient.MovePayoutRefused, agentclient.MovePayoutCancelled:
		return "+"
	}
	return ""
}

// signed is a movement's amount with a sign as printers set it.
func (s speech) signed(move agentclient.Movement) string {
	switch sign(move.Kind) {
	case "-":
		return "−" + s.money(move.Amount)
	case "+":
		return "+" + s.money(move.Amount)
	}
	return s.money(move.Amount)
}

func moveTone(kind string) Tone {
	switch kind {
	case agentclient.MoveForfeit:
		return Against
	case agentclient.MoveHold, agentclient.MovePayout:
		return Waits
	case agentclient.MoveRefund, agentclient.MoveTopUp, agentclient.MoveGain:
		return Good
	}
	return Plain
}
