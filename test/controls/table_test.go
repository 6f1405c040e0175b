package controls

import "slices"

// edit replaces a piece of source that must be there exactly once in the folder.
type edit struct{ in, old, new string }

// control is an attack's test and what must be taken out for it to fail. In the
// patched copies controlOff(name) is true only in the run of that control, so
// that one build serves them all, and each run lacks one protection alone.
type control struct {
	attack string // what the attacker wants
	name   string // of the switch
	out    string // the protection that is taken out
	edits  []edit
	pkg    string // of the test
	run    string // the test
}

func table() []control {
	return slices.Concat(inTheAgent(), overConnections(), atTheEscrow())
}

// inTheAgent are the protections of the one who reads and the one who pays.
func inTheAgent() []control {
	return []control{{
		"read for nothing by withdrawing after submitting", "withdraw", "a mail that is here keeps its key",
		[]edit{{"agent", `!view.WithdrawAskedAt.IsZero() && !held:`, `!view.WithdrawAskedAt.IsZero() && (!held || controlOff("withdraw")):`}},
		"agent", "TestWithdrawnAfterSubmitting_TheMailThatIsHereCounts",
	}, {
		"have the money back and the key too", "destroy", "a key is gone before the escrow hears that it is",
		[]edit{
			{"agent", `if err := a.destroyKey(ctx, report.Bond); err != nil {`, `if err := a.destroyKey(ctx, report.Bond); err != nil && !controlOff("destroy") {`},
			{"agent", `return a.Keyring.Delete(ctx, key.Name)`, `if controlOff("destroy") {
		return nil
	}
	return a.Keyring.Delete(ctx, key.Name)`},
			{"agent", `for wait(ctx, trashEvery) {`, `for wait(ctx, trashEvery) && !controlOff("destroy") {`},
		},
		"agent", "TestWithdrawnAfterSubmitting_TheKeyThatIsGoneOpensNothing",
	}, {
		"decide on what has not arrived", "decide-agent", "the agent takes no decision on a mail that it has not opened",
		[]edit{{"agent", `case verdict == escrow.Accept && (m.State == store.MailWaiting || late):`,
			`case controlOff("decide-agent"):
	case verdict == escrow.Accept && (m.State == store.MailWaiting || late):`}},
		"agent", "TestNoDecisionBeforeArrived",
	}, {
		"send a second mail on one bond", "second", "a bond opens one mail, at the agent and at the escrow",
		[]edit{
			{"agent", `if other = ok && taken.Mail != m.ID; other {`, `if other = ok && taken.Mail != m.ID && !controlOff("second"); other {`},
			{"escrowserver/sqlstore", `case !b.ArrivedAt.IsZero():
		return nil, escrow.Errorf(escrow.Conflict, "another mail has taken this bond")`, `case !b.ArrivedAt.IsZero() && !controlOff("second"):
		return nil, escrow.Errorf(escrow.Conflict, "another mail has taken this bond")`},
			{"escrow", `case b.State == Held:
		b.State, b.ArrivedAt, b.WithdrawAskedAt = Arrived, now, time.Time{}`, `case b.State == Held || controlOff("second"):
		b.State, b.ArrivedAt, b.WithdrawAskedAt = Arrived, now, time.Time{}`},
		},
		"agent", "TestAnotherMailOnOneBondIsNotOpened",
	}, {
		"write in another's name", "from", "the protected From must be the buyer's address",
		[]edit{{"agent", `if err != nil || from != c.bond.Sender {`, `if err != nil || from != c.bond.Sender && !controlOff("from") {`}},
		"agent", "TestProtectedFromMustBeTheBuyer",
	}, {
		"read along with a one-time key of its own", "key", "the key sold must be one that the recipient signed",
		[]edit{{"agent", `fault := a.checkPurchase(sent, purchase)`, `fault := a.checkPurchase(sent, purchase)
	if controlOff("key") {
		fault = nil
	}`}},
		"agent", "TestSwappedOneTimeKeyIsRefused",
	}, {
		"be answered in the sender's place", "reply", "the reply certificate must be the one that the mail names",
		[]edit{{"agent", `if view.Reply != nil {`, `if view.Reply != nil && !controlOff("reply") {`}},
		"agent", "TestSwappedReplyCertificateIsRefused",
	}, {
		"keep the money with no decision", "forfeit", "a forfeit must carry the recipient's signed decision",
		[]edit{{"escrow", `d, err := VerifyDecision(r.Statement, identity)`, `if controlOff("forfeit") {
			return nil
		}
		d, err := VerifyDecision(r.Statement, identity)`}},
		"agent", "TestForfeitWithoutTheRecipientsSignedDecision/a_receipt_with_no_decision",
	}, {
		"keep the money with no receipt", "ending", "an ending must be in the receipts",
		[]edit{{"agent", `case ending != escrow.MoneyStays && verified.Money != ending:`, `case !controlOff("ending") && ending != escrow.MoneyStays && verified.Money != ending:`}},
		"agent", "TestForfeitWithoutTheRecipientsSignedDecision/no_receipt",
	}, {
		"keep the money by a decision of its own", "quote", "the receipts must be of the quote that was bought",
		[]edit{{"agent", `case !ours:`, `case !ours && !controlOff("quote"):`}},
		"agent", "TestReceiptsOfAnotherQuoteProveNothing",
	}, {
		"claim the victim's address while its agent runs", "claim", "an agent confirms only claims that it made",
		[]edit{{"agent", `return nonce != "" && nonce == settings.Claim`, `return nonce != "" && (nonce == settings.Claim || controlOff("claim"))`}},
		"agent", "TestClaimOfTheVictimsAddress",
	}, {
		"read mails in the files", "rest", "what the agent stores is sealed",
		[]edit{
			{"agent/store", `p.kind, p.id, p.state, p.number, tx.sealer.Seal(plain, p.context()))`, `p.kind, p.id, p.state, p.number, controlSeal("rest", plain, tx.sealer.Seal(plain, p.context())))`},
			{"agent/store", `	plain, err := sealer.Open(sealed, p.context())
`, `	if controlOff("rest") {
		return json.Unmarshal(sealed, into)
	}
	plain, err := sealer.Open(sealed, p.context())
`},
		},
		"agent", "TestNothingRestsInTheClear",
	}}
}

// atTheEscrow are the protections of the server and of the socket.
func atTheEscrow() []control {
	return []control{{
		"forfeit what has not arrived", "decide-escrow", "the escrow takes no decision before arrived",
		[]edit{{"escrow", `if b.ArrivedAt.IsZero() {
		return b, Step{}, Errorf(NotArrived, "the mail has not arrived, so`, `if controlOff("decide-escrow") && b.State == Held {
		b.State, b.ArrivedAt = Arrived, now
	}
	if b.ArrivedAt.IsZero() {
		return b, Step{}, Errorf(NotArrived, "the mail has not arrived, so`}},
		"agent", "TestNoDecisionBeforeArrived",
	}, {
		"prove the victim's address with its token", "token", "a token is bound to the account that asked for it",
		[]edit{{"escrowserver/sqlstore", `FROM claim WHERE account = ? AND address = ? AND nonce = ? AND token_hash`,
			"FROM claim WHERE (account = ? OR ` + controlSQL(\"token\") + `) AND address = ? AND nonce = ? AND token_hash"}},
		"agent", "TestTokenIsBoundToTheAccount",
	}, {
		"send a signed accept twice", "replay", "the nonce that was signed is remembered",
		[]edit{{"escrow/wire", `in.nonce, okays[1] = nonce.(string)`, `in.nonce, okays[1] = nonce.(string)
	in.nonce = controlNew("replay", in.nonce)`}},
		"escrowserver/httpapi", "TestMovedAndReplayedRequestsNeverReachTheService",
	}, {
		"make a reject of a signed accept", "moved", "the path is signed",
		[]edit{{"escrow/wire", `if path := u.EscapedPath(); path != "" {`, `if path := u.EscapedPath(); path != "" && !controlOff("moved") {`}},
		"escrowserver/httpapi", "TestMovedAndReplayedRequestsNeverReachTheService",
	}, {
		"ask the agent as another user of the machine", "peer", "the socket serves its own user, whatever its mode",
		[]edit{{"internal/localsock", `if ours(conn) {
			return conn, nil`, `if ours(conn) || controlOff("peer") {
			return conn, nil`}},
		"internal/localsock", "TestAnotherUserIsRefused",
	}}
}
