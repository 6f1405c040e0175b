package viewmodel

import (
	"errors"
	"go/ast"
	"slices"
	"testing"
	"testing/synctest"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

// TestALanguageSwitchSaysAnewWhatWasSaid: the quiet line, the faults beside fields
// and what came of an action.
func TestALanguageSwitchSaysAnewWhatWasSaid(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Select(agenttest.SceneQuestion)
		synctest.Wait()
		s.Accept()
		s.agent.Fail("TopUp", agentclient.Fail(agentclient.CodeLimit))
		s.SetCode("EARN-1")
		s.TopUp()
		s.WriteTo("nobody", "", "", "")
		s.Send()
		s.Show(PageMoney)
		synctest.Wait()
		s.SetLimitMail(s.Limits().List[0].Currency, "much")
		s.SaveLimit(s.Limits().List[0].Currency)
		synctest.Wait()
		shown := func() []string {
			return []string{s.Told().Text, s.Purse().Error, s.Draft().ErrTo, s.Draft().ErrSubject, s.Limits().List[0].ErrMail}
		}
		english := shown()
		s.has("the quiet line", english[0], "Accepted. €0.25")
		s.Speak(words.German)
		german := shown()
		s.has("the quiet line in German", german[0], "Angenommen. ", "0,25")
		for i := range english {
			if english[i] == "" || german[i] == "" || german[i] == english[i] {
				t.Errorf("%q is said as %q in German", english[i], german[i])
			}
		}
		s.Speak(words.English)
		if again := shown(); !slices.Equal(again, english) {
			t.Errorf("back in English: %q", again)
		}
	})
}

// TestAnErrorOfTheWindowsOwnIsSaidInItsLanguage: an offer without a way to pay.
func TestAnErrorOfTheWindowsOwnIsSaidInItsLanguage(t *testing.T) {
	err := error(&refusal{&agentclient.Failure{Code: "no_offer"}, says("write.no-offer", "Who", "a@b.example")})
	if codeOf(err) != "no_offer" || !errors.Is(err, err) {
		t.Errorf("its code is %q", codeOf(err))
	}
	english, german := (speech{Words: words.In(words.English)}).failure(err), (speech{Words: words.In(words.German)}).failure(err)
	if english == german || english == "" {
		t.Errorf("%q, %q", english, german)
	}
}

// TestNothingIsKeptInWordsOfOneLanguage: what changes the state keeps what is said
// by its id; only what is drawn is put into words.
func TestNothingIsKeptInWordsOfOneLanguage(t *testing.T) {
	updates := 0
	goFiles(t, ".", func(file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 || selected(call.Fun) != "update" {
				return true
			}
			updates++
			ast.Inspect(call.Args[0], func(n ast.Node) bool {
				inner, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if f, ok := inner.Fun.(*ast.Ident); ok && f.Name == "worded" {
					return false
				}
				f, ok := inner.Fun.(*ast.SelectorExpr)
				if ok && selected(f.X) == "say" && slices.Contains([]string{"T", "N", "failure", "agent", "money", "again"}, f.Sel.Name) {
					t.Errorf("%s: the state would keep words of one language (m.say.%s)", file.Name.Name, f.Sel.Name)
				}
				return true
			})
			return true
		})
	})
	if updates < 50 {
		t.Errorf("only %d changes of the state were found", updates)
	}
}

func selected(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		return s.Sel.Name
	}
	return ""
}
