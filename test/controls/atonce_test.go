package controls

// atOnce are the protections that many hold on to at the same time.
func atOnce() []control {
	return []control{{
		"have the money back before the deadline", "deadline", "nothing is due before its deadline",
		[]edit{
			{"escrow", `if due.IsZero() || now.Before(due) {`, `if due.IsZero() || now.Before(due) && !controlOff("deadline") {`},
			{"escrowserver", `if due.IsZero() || m.Now.Before(due) {`, `if due.IsZero() || m.Now.Before(due) && !controlOff("deadline") {`},
		},
		"test/linear", "TestEndings_ExactlyOneWins",
	}, {
		"have a bond end twice", "terminal", "what has ended never changes",
		[]edit{{"escrow", `case d.Verdict == Accept && b.State == Arrived:`, `case d.Verdict == Accept && (b.State == Arrived || controlOff("terminal") && b.State == Expired):`}},
		"test/linear", "TestEndings_ExactlyOneWins",
	}}
}
