package viewmodel

import (
	"context"
	"encoding/csv"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

// declared are the values of the constants that the sources of a package give one of
// the types.
func declared(t *testing.T, dir string, types ...string) (values []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", dir, names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if of, ok := spec.Type.(*ast.Ident); !ok || !slices.Contains(types, of.Name) {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok {
					value, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					values = append(values, value)
				}
			}
			return true
		})
	}
	return values
}

// The escrow declares what its statements can tell. Whatever that is, the window has
// words for it in every language, sifts by it and says which way the money went.
func TestEveryKindAndGroundThatTheProtocolDeclaresHasWords(t *testing.T) {
	all, why := declared(t, "../../escrow", "MovementKind"), slices.Concat(declared(t, "../../escrow", "Ground"), declared(t, "../../escrowserver", "CreditKind"))
	if len(all) < 8 || len(why) < 4 {
		t.Fatalf("kinds %q, grounds %q", all, why)
	}
	// What is available goes down, up, or was held before.
	ways := map[string]string{"hold": "-", "refund": "+", "forfeit": "", "top-up": "+", "received": "+", "payout": "-", "payout-paid": "", "payout-refused": "+"}
	spoken := map[string]words.Language{} // a text that a language lacks is said in English
	for language := range words.Languages() {
		say := New(Config{Agent: agenttest.New(time.Now), Location: time.UTC, Language: language}).say
		said := map[string]string{}
		fresh := func(what, text string) {
			if other, there := said[text]; there || text == "" || strings.Contains(text, "money.kind.") || strings.Contains(text, "statement.") {
				t.Errorf("%s: %s is called %q, as %s", language, what, text, other)
			}
			if other, there := spoken[text]; there && other != language {
				t.Errorf("%s: %s is called %q, as in %s", language, what, text, other)
			}
			said[text], spoken[text] = what, language
		}
		for _, kind := range all {
			text := say.kindWords(kind)
			fresh(kind, text)
			if way, known := ways[kind]; !known || sign(kind) != way {
				t.Errorf("the sign of %s is %q", kind, sign(kind))
			}
			if !slices.Contains(kinds(), kind) {
				t.Errorf("%s cannot be chosen", kind)
			}
			if strings.Contains(text, "-") {
				t.Errorf("%s: %s is said as it is on the wire", language, kind)
			}
		}
		clear(said)
		for _, ground := range why {
			fresh(ground, say.groundWords(ground))
			fresh(ground+"'s title", say.moveTitle(agentclient.Movement{Kind: agentclient.MoveTopUp, Ground: ground, Escrow: "escrow.example"}))
			if !slices.Contains(grounds(), ground) {
				t.Errorf("%s: ground %s has no words", language, ground)
			}
		}
	}
	if got := slices.Sorted(maps.Keys(ways)); !slices.Equal(got, slices.Sorted(slices.Values(all))) {
		t.Errorf("the protocol has the kinds %q, this test knows %q", all, got)
	}
}

// paid is a scene whose money came and went in every way that is with nobody.
func paid(now func() time.Time) *agenttest.Agent {
	a := agenttest.New(now)
	if _, err := a.AddAccount(context.Background(), agentclient.AddAccount{Address: "me@example.org", Password: "x"}); err != nil {
		panic(err)
	}
	for i, m := range []agentclient.Movement{
		{Kind: agentclient.MoveTopUp, Ground: agentclient.GroundVoucher},
		{Kind: agentclient.MoveTopUp, Ground: agentclient.GroundPayment},
		{Kind: agentclient.MoveTopUp, Ground: agentclient.GroundOperator, Reason: "=cmd an apology\u202e for Tuesday"},
		{Kind: agentclient.MoveTopUp, Ground: agentclient.GroundWelcome, Reason: "welcome credit: for bonds only"},
		{Kind: agentclient.MoveTopUp},
		{Kind: agentclient.MovePayout},
		{Kind: agentclient.MovePayoutPaid, Reason: "bank ref 1"},
		{Kind: agentclient.MovePayout},
		{Kind: agentclient.MovePayoutRefused, Reason: "no such bank"},
		{Kind: "levied", Ground: "tax"},
	} {
		m.Account, m.Escrow, m.Time = "me@example.org", "escrow.example", now().Add(time.Duration(i)*time.Second)
		m.Amount, m.Available, m.Held = euro("2.00"), euro("4.00"), euro("0.75")
		a.AddMovement(m)
	}
	return a
}

func TestTheStatementNamesCreditsAndPayouts(t *testing.T) {
	play(t, paid, func(s *stage) {
		s.Show(PageMoney)
		synctest.Wait()
		_, entries := s.statementText()
		want := [][]string{ // newest first
			{"At escrow.example | ", "levied", " | €2.00 | "}, // which way is not known
			{"Payout from escrow.example | ", "payout refused  ·  “no such bank”", " | +€2.00 | "},
			{"Payout from escrow.example | ", "payout asked for", " | −€2.00 | "},
			{"Payout from escrow.example | ", "paid out  ·  “bank ref 1”", " | €2.00 | "},
			{"Payout from escrow.example | ", "payout asked for", " | −€2.00 | "},
			{"At escrow.example | ", "topped up", " | +€2.00 | "}, // an escrow that does not tell why
			{"Welcome credit from escrow.example | ", "topped up  ·  for mails, not for payouts", " | +€2.00 | "},
			{"Credit from the operator of escrow.example | ", "topped up  ·  “=cmd an apology\uFFFD for Tuesday”", " | +€2.00 | "},
			{"Card payment at escrow.example | ", "topped up", " | +€2.00 | "},
			{"Voucher at escrow.example | ", "topped up", " | +€2.00 | "},
		}
		if len(entries) != len(want) {
			t.Fatalf("entries %q", entries)
		}
		for i := range want {
			s.has("entry", entries[i], want[i]...)
		}
		if c := s.Chart(); c.Show {
			t.Errorf("payouts and top-ups are drawn as held for mails: %+v", c.Rows)
		}
		s.SetStatementKind(slices.Index(kinds(), agentclient.MovePayoutPaid))
		if _, entries = s.statementText(); len(entries) != 1 {
			t.Errorf("paid out: %q", entries)
		}
		s.SetStatementKind(0)
		s.Speak(words.German)
		_, entries = s.statementText()
		s.has("entries", strings.Join(entries, "\n"), "Auszahlung von escrow.example | ", "Auszahlung abgelehnt  ·  „no such bank“", "ausgezahlt", "Auszahlung verlangt",
			"Willkommensguthaben von escrow.example", "für Mails, nicht für Auszahlungen", "Gutschrift vom Betreiber von escrow.example", "Kartenzahlung bei escrow.example")
	})
}

func TestTheExportNamesCreditsAndPayouts(t *testing.T) {
	play(t, paid, func(s *stage) {
		s.Show(PageMoney)
		synctest.Wait()
		export := func() [][]string {
			var got string
			s.ExportStatement(func(data []byte) error { got = string(data); return nil })
			synctest.Wait()
			rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
			if err != nil || len(rows) != 11 {
				t.Fatalf("%v: %q", err, got)
			}
			var told [][]string
			for _, row := range rows {
				told = append(told, []string{row[3], row[6], row[11], row[12]})
			}
			return told
		}
		for i, want := range [][]string{
			{"Kind", "Amount", "Topped up by", "Reason or reference"},
			{"levied", "2.00", "tax", ""},
			{"payout refused", "2.00", "", "no such bank"},
			{"payout asked for", "-2.00", "", ""},
			{"paid out", "2.00", "", "bank ref 1"},
			{"payout asked for", "-2.00", "", ""},
			{"topped up", "2.00", "", ""},
			{"topped up", "2.00", "welcome credit", "for mails, not for payouts"},
			{"topped up", "2.00", "credit from the operator", "'=cmd an apology\uFFFD for Tuesday"},
			{"topped up", "2.00", "card payment", ""},
			{"topped up", "2.00", "voucher", ""},
		} {
			if got := export()[i]; !slices.Equal(got, want) {
				t.Errorf("row %d: %q, want %q", i, got, want)
			}
		}
		s.Speak(words.German)
		if got := export(); !slices.Equal(got[0], []string{"Art", "Betrag", "Aufgeladen durch", "Grund oder Beleg"}) ||
			!slices.Equal(got[7], []string{"aufgeladen", "2.00", "Willkommensguthaben", "für Mails, nicht für Auszahlungen"}) {
			t.Errorf("in German: %q", got)
		}
	})
}
