package viewmodel

import (
	"encoding/json"
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"

	"earnest/gui/words"
)

func TestTroubleWithServersIsSaidInGermanWithTheirNames(t *testing.T) {
	german := speech{Words: words.In(words.German)}
	for english, want := range map[string]string{
		"The mailbox at imap.example.org:993 refused the user name or password. Check both; some providers want a password made for apps.": "Das Postfach bei imap.example.org:993 hat Benutzername oder Passwort abgewiesen. Prüfen Sie beides; manche Anbieter verlangen ein Passwort für Programme.",
		"The server that sends your mail, smtp.example.org:465, does not answer.":                                                          "Der Server, der Ihre Mail versendet, smtp.example.org:465, antwortet nicht.",
		"The escrow shows a certificate that cannot be trusted: x509: certificate signed by unknown authority.":                            "Die Treuhand zeigt ein Zertifikat, dem nicht zu trauen ist: x509: certificate signed by unknown authority.",
		"me@example.org is set up already.":                                                 "me@example.org ist schon eingerichtet.",
		"It could not be found out where its mail is read: example.org says nothing of it.": "Es ließ sich nicht herausfinden, wo die Mail gelesen wird: example.org sagt nichts darüber.",
		"250 one-time keys are for sale":                                                    "250 Einmalschlüssel stehen zum Verkauf",
		"Writing to author@example.net costs 0.90 EUR now, which is not what you agreed to. Look at the price, then send again.":                                                "An author@example.net zu schreiben kostet jetzt 0.90 EUR; dem haben Sie nicht zugestimmt. Sehen Sie den Preis an, dann senden Sie erneut.",
		"No mail goes free from me@example.org to author@example.net now: it costs 0.50 EUR.":                                                                                   "Von me@example.org an author@example.net geht jetzt keine Mail kostenlos: Sie kostet 0.50 EUR.",
		"imap.example.org:993 is none of the servers of google, so it does not get your sign-in there.":                                                                         "imap.example.org:993 ist keiner der Server von google und bekommt Ihre dortige Anmeldung deshalb nicht.",
		"Name the server of google. If this is one, write it under hosts into providers.toml (docs/OAUTH.md) and start the agent again.":                                        "Nennen Sie den Server von google. Ist dies einer, tragen Sie ihn in providers.toml unter hosts ein (docs/OAUTH.md) und starten Sie den Agenten neu.",
		"The mailbox at imap.example.org:993 takes no sign-in with google, only a password.":                                                                                    "Das Postfach bei imap.example.org:993 nimmt keine Anmeldung mit google an, nur ein Passwort.",
		"x. An earlier try broke off when the server had the whole mail, so it may have been sent all the same. No money is in it. Ask its recipient before you send it again.": "x. Ein früherer Versuch brach ab, als der Server die ganze Mail schon hatte; sie kann also trotzdem gesendet worden sein. Es steckt kein Geld darin. Fragen Sie den Empfänger, bevor Sie sie noch einmal senden.",
		"The escrow at escrow.example said something quite new.":                                                                                                                "The escrow at escrow.example said something quite new.",
		"A sentence that nobody translated refused to be German.":                                                                                                               "A sentence that nobody translated refused to be German.",
	} {
		if got := german.agent(english); got != want {
			t.Errorf("%q is said as %q", english, got)
		}
	}
	if got := (speech{Words: words.In(words.English)}).agent("me@example.org is set up already."); got != "me@example.org is set up already." {
		t.Errorf("in English: %q", got)
	}
}

// TestTheTroublesStandInTheAgentsSources: each part between what is put in, and
// each sentence of it.
func TestTheTroublesStandInTheAgentsSources(t *testing.T) {
	var all strings.Builder
	for _, dir := range agentSources {
		goFiles(t, dir, func(file *ast.File) {
			ast.Inspect(file, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					all.WriteString(folded(e) + "\n")
				}
				return true
			})
		})
	}
	data, err := os.ReadFile("../words/trouble.en.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	hole := regexp.MustCompile(`\{\{[^}]*\}\}`)
	for id, text := range texts {
		for _, part := range hole.Split(text, -1) {
			if part = strings.TrimRight(part, "., "); len(part) > 3 && !strings.Contains(all.String(), part) {
				t.Errorf("%s: nobody says %q", id, part)
			}
		}
	}
}
