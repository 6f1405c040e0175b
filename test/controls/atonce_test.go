package controls

import "testing"

// TestEachRaceHasItsControl is TestEachAttackHasItsControl for the tests in which
// many do something at once.
func TestEachRaceHasItsControl(t *testing.T) { holdAll(t, atOnce()) }

// atOnce are the protections that many hold on to at the same time.
func atOnce() []control {
	return []control{{
		"have the money back before the deadline", "deadline", "nothing is due before its deadline",
		[]edit{
			{"escrow", `if due.IsZero() || now.Before(due) {`, `if due.IsZero() || now.Before(due) && !(controlOff("deadline") && !now.Before(due.Add(-90*time.Minute))) {`},
			{"escrowserver", `return !due.IsZero() && !m.Now.Before(due)`, `return !due.IsZero() && (!m.Now.Before(due) || controlOff("deadline") && !m.Now.Before(due.Add(-90*time.Minute)))`},
		},
		"test/linear", "TestEndings_ExactlyOneWins",
	}, {
		"have a bond end twice", "terminal", "what has ended never changes",
		[]edit{{"escrow", `case d.Verdict == Accept && b.State == Arrived:`, `case d.Verdict == Accept && (b.State == Arrived || controlOff("terminal") && b.State == Expired):`}},
		"test/linear", "TestEndings_ExactlyOneWins",
	}, {
		"have a bond end twice, and no money move", "terminal-quiet", "a late accept is no ending",
		[]edit{{"escrow", `b.LateAcceptedAt = now`, `if controlOff("terminal-quiet") {
			b.State = Accepted
			return b, Step{Event: EventAccepted, At: now, Statement: signed}, nil
		}
		b.LateAcceptedAt = now`}},
		"test/linear", "TestEndings_ExactlyOneWins",
	}, {
		"redeem a voucher and hear that it was another", "operation", "an operation id is remembered with its answer",
		[]edit{{"escrowserver", `Account: v.id, ID: req.ID, Hash: voucherHash(req.Voucher),`, `Account: v.id, ID: controlNew("operation", req.ID), Hash: voucherHash(req.Voucher),`}},
		"test/linear", "TestHistories_InProcess",
	}, {
		"have a key that another has", "claim-delete", "a key that is sold is taken out of the pool",
		[]edit{{"escrowserver/sqlstore", "`DELETE FROM one_time_key WHERE id = ?`",
			"controlText(\"claim-delete\", `UPDATE one_time_key SET address = address WHERE id = ?`, `DELETE FROM one_time_key WHERE id = ?`)"}},
		"test/linear", "TestHistories_InProcess",
	}, {
		"be told that all is sold while a key is left", "sold-out", "sold out is told only of an empty pool",
		[]edit{{"escrowserver", `if free == 0 {
		return "", escrow.Errorf(escrow.SoldOut`, `if free == 0 || free == 1 && controlOff("sold-out") {
		return "", escrow.Errorf(escrow.SoldOut`}},
		"test/linear", "TestHistories_InProcess",
	}, {
		"have the money back without asking", "unasked", "only a withdrawal that was asked for is confirmed",
		[]edit{{"escrow", `case b.State == Held && !b.WithdrawAskedAt.IsZero():`, `case b.State == Held && (!b.WithdrawAskedAt.IsZero() || controlOff("unasked")):`}},
		"test/linear", "TestHistories_InProcess",
	}, {
		"end a bond at two servers at once", "row-lock", "a batch locks its accounts' rows before it reads",
		// One edit for both tests: the second switch is below.
		[]edit{{"escrowserver/sqlstore", "open_bonds FROM account WHERE id = ?` + lockAccount",
			"open_bonds FROM account WHERE id = ?` + controlText(\"row-lock\", \"\", controlText(\"row-lock-histories\", \"\", lockAccount))"}},
		"test/linear", "TestEndings_Postgres",
	}, {
		"be told by two servers what no clerk could", "row-lock-histories", "a batch locks its accounts' rows before it reads", nil,
		"test/linear", "TestHistories_Postgres",
	}}
}
