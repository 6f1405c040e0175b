package localapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

const document = "../../docs/protocol/local-api.md"

// forms are the JSON forms with every field filled.
func forms() map[string]any {
	at := func(day int) time.Time { return time.Date(2026, 11, day, 10, 0, 0, 0, time.UTC) }
	euro := func(amount string) agentclient.Money {
		return agentclient.Money{Amount: amount, Currency: "escrow.example", Unit: "EUR"}
	}
	account := agentclient.Account{Address: "recipient@example.org", Escrow: "escrow.example", Proven: true,
		Mailbox: "failing", MailboxError: "The mail server refused the user name or the password.",
		EscrowUp: false, EscrowSince: at(22), EscrowError: "escrow.example does not answer.", SayMailbox: saidWords(), SayEscrow: saidWords(), KeyError: "words", SayKey: saidWords(), Identity: "2Ws…", Pool: 100, Provider: "Campus",
		Card: "earnest:recipient@example.org?escrow=escrow.example&fp=2Ws…", FrozenAt: at(21),
		Changes: []agentclient.AccountChange{{ID: "01939f…", Kind: "claim", Subject: "recipient@example.org", Ours: false, AskedAt: at(21), DueAt: at(23)}}}
	attachment := agentclient.Attachment{Name: "draft.pdf", Type: "application/pdf", Size: 5, Data: []byte("%PDF-")}
	mail := agentclient.Mail{ID: "9f2c…", Bond: "01939f…", To: "recipient@example.org", From: "student@example.edu", Name: "Ada Student",
		Subject: "A question", Price: euro("0.25"), At: at(22), State: "rejecting", DecideBy: at(29), EffectiveAt: at(22).Add(10 * time.Minute),
		Beneficiary: "Example Escrow Society", FirstTime: true, MixedScript: true, Unprotected: true, Unread: true, Attachments: 2, Queued: true, Free: true, Late: true,
		Reason: "He sells something", Error: "words", SayError: saidWords()}
	person := agentclient.PersonID{Account: "recipient@example.org", Address: "author@example.net"}
	listed := attachment
	listed.Data = nil
	all := moneyForms(at, euro)
	maps.Copy(all, draftForms(at))
	maps.Copy(all, map[string]any{
		"Status": agentclient.Status{Version: "1.0", Started: at(22), Keyring: "file", Locked: agentclient.LockedPassphrase, Accounts: []agentclient.Account{account},
			Waiting: 2, Outbox: 1, Queued: 1},
		"AddAccount": agentclient.AddAccount{Address: "recipient@example.org", IMAP: "imaps://mail.example.org:993",
			SMTP: "smtps://mail.example.org:465", User: "recipient", Password: "…", Login: "51c0…", Escrow: "https://escrow.example", CA: []byte("-----BEGIN")},
		"Passphrase":    agentclient.Passphrase{Passphrase: "…"},
		"RemoveAccount": agentclient.RemoveAccount{Address: "recipient@example.org", Force: true},
		"Servers": agentclient.Servers{Address: "recipient@example.org", IMAP: "imaps://imap.example.net:993", SMTP: "smtps://smtp.example.net:465",
			User: "recipient@example.org", Escrow: "https://escrow.example", Source: "srv", Elsewhere: "example.net", Provider: "Campus",
			ProviderReady: true, ProviderHint: "words", SayHint: saidWords()},
		"BeginLogin": agentclient.BeginLogin{Address: "recipient@example.org", Provider: "Campus"},
		"Login":      agentclient.Login{ID: "51c0…", URL: "https://login.example.net/authorize?…", Expires: at(22)},
		"Compose": agentclient.Compose{From: "recipient@example.org", To: []string{"author@example.net"}, Subject: "Your book",
			Body: "Dear author", Attachments: []agentclient.Attachment{attachment}, Option: 1, Paid: true, InReplyTo: "<id@example.net>",
			Draft: "7b1e…", Agreed: []string{"ESCROW/1 escrow.example 0.25"}},
		"Sent": agentclient.Sent{ID: "41ab…", Bond: "01939f…", To: "author@example.net", Subject: "Your book", Price: euro("0.25"), At: at(20),
			State: "accepted", Money: "refunded", Beneficiary: "Example Escrow Society", SubmittedAt: at(20), ArrivedAt: at(20), ReadAt: at(21),
			EndedAt: at(22), DecideBy: at(29), DeliverBy: at(30), Outages: []agentclient.Outage{{Escrow: "escrow.example", Began: at(21), Ended: at(22)}},
			FreeThere: agentclient.FreeAlways, Free: true, Kept: true, Error: "words", SayError: saidWords()},
		"Accept":   agentclient.Accept{Free: agentclient.FreeMails(3)},
		"PersonID": person,
		"Person": agentclient.Person{PersonID: person, Name: "An Author", Since: at(20), Why: agentclient.WhyPaid, Free: agentclient.FreeAlways,
			FreeThere: agentclient.FreeMails(3), Received: 4, Sent: 2, Last: at(22), Bond: "01939f…"},
		"Fingerprints": agentclient.Fingerprints{Account: "recipient@example.org", Address: "author@example.net", Escrow: "escrow.example", Known: "2Ws…", Shown: "k9P…",
			Seen: at(20), AcceptedAt: at(21), Before: []agentclient.FormerFingerprint{{Fingerprint: "Q7e…", Until: at(21)}}, Connected: true},
		"AcceptFingerprint": agentclient.AcceptFingerprint{Account: "recipient@example.org", Address: "author@example.net", Fingerprint: "k9P…"},
		"SetPerson":         agentclient.SetPerson{PersonID: person, Free: agentclient.FreeMails(3)},
		"BuyKey":            agentclient.BuyKey{From: "recipient@example.org", To: "author@example.net", Option: 1, Certificate: []byte("cert")},
		"Bought": agentclient.Bought{Bond: "01939f…", To: "author@example.net", Price: euro("0.25"),
			Key: "-----BEGIN PGP PUBLIC KEY BLOCK-----…", Fingerprint: "a1b2…", DeliverBy: at(30)},
		"Mail": mail,
		"Message": agentclient.Message{Mail: agentclient.Mail{ID: mail.ID, Bond: mail.Bond, To: mail.To, From: mail.From, Subject: mail.Subject,
			Price: mail.Price, At: mail.At, State: "waiting", DecideBy: mail.DecideBy, Beneficiary: mail.Beneficiary},
			Date: at(22), MessageID: "<id@example.edu>", Text: "Dear author,\n", FromHTML: true, Blocks: []agentclient.Block{block()},
			Attachments: []agentclient.Attachment{listed}, Checks: []string{"words"}, SayChecks: []agentclient.Said{saidWords()}},
		"Attachment": attachment,
		"Check":      agentclient.Check{Name: "keyring", OK: false, Detail: "words", Remedy: "words", SayDetail: saidWords(), SayRemedy: saidWords()},
		"Event":      agentclient.Event{Type: agentclient.EventMail, ID: "9f2c…", State: "accepted", Time: at(22)},
		"Failure":    wrongField(),
	})
	maps.Copy(all, saidForms(at))
	return all
}

// wrongField is a failure of one field.
func wrongField() *agentclient.Failure {
	f := agentclient.Fail(agentclient.CodeNoKeyring)
	f.Field = "password"
	return f
}

// The document shows the forms as they are. UPDATE_FORMS=1 writes them into it.
func TestTheDocumentShowsTheJSONForms(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)### ([A-Za-z]+)\n(.*?)```json\n(.*?)```\n")
	left := forms()
	updated := shown.ReplaceAllFunc(text, func(block []byte) []byte {
		parts := shown.FindSubmatch(block)
		name := string(parts[1])
		value, ok := left[name]
		if !ok {
			t.Errorf("the document shows %s, which is no form, or twice", name)
			return block
		}
		delete(left, name)
		form := fieldByField(t, value)
		if !bytes.Equal(form, parts[3]) && os.Getenv("UPDATE_FORMS") == "" {
			t.Errorf("%s is shown as\n%s\nand is\n%s", name, parts[3], form)
		}
		return fmt.Appendf(nil, "### %s\n%s```json\n%s```\n", name, parts[2], form)
	})
	for name := range left {
		t.Errorf("the document does not show %s", name)
	}
	if os.Getenv("UPDATE_FORMS") != "" {
		if err := os.WriteFile(document, updated, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fieldByField writes an object as JSON with one of its fields a line.
func fieldByField(t *testing.T, value any) []byte {
	var compact, form bytes.Buffer
	encoder := json.NewEncoder(&compact)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	depth, quoted := 0, false
	for i, c := range compact.Bytes() {
		// No string of the forms ends in a backslash.
		if c == '"' && compact.Bytes()[i-1] != '\\' {
			quoted = !quoted
		}
		switch {
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		form.WriteByte(c)
		if c == ',' && depth == 1 && !quoted {
			form.WriteString("\n ")
		}
	}
	return form.Bytes()
}

// Filled means filled: a field that is left out here would be in no document.
func TestTheFormsFillEveryField(t *testing.T) {
	written := map[string]bool{}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			walk(v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				return
			}
			for i := range v.NumField() {
				key := v.Type().Name() + "." + v.Type().Field(i).Name
				written[key] = written[key] || !v.Field(i).IsZero() || v.Field(i).Kind() == reflect.Bool
				walk(v.Field(i))
			}
		}
	}
	for _, form := range forms() {
		walk(reflect.ValueOf(form))
	}
	for field, filled := range written {
		if !filled {
			t.Errorf("%s is filled in no form", field)
		}
	}
}

// The document lists every question, and each is one that the agent knows.
func TestTheDocumentListsEveryQuestion(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(GET|POST) (/v1/[^` ]+)` \\| ([A-Za-z]+) \\|").FindAllSubmatch(text, -1)
	if want := reflect.TypeFor[agentclient.Agent]().NumMethod(); len(rows) != want {
		t.Errorf("the document lists %d questions, the agent has %d", len(rows), want)
	}
	agent := agenttest.New(clock)
	dial := serve(t, agent)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
	defer transport.CloseIdleConnections()
	for _, row := range rows {
		method, path, name := string(row[1]), string(row[2]), string(row[3])
		path = strings.NewReplacer("{id}", "x", "{bond}", "x", "{n}", "0", "?address=A", "").Replace(path)
		ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
		req, err := http.NewRequestWithContext(ctx, method, "http://"+agentclient.Host+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if name == "Events" {
			_, _ = resp.Body.Read(make([]byte, 1))
			for len(agent.Calls()) == 0 || agent.Calls()[len(agent.Calls())-1] != "Events" {
				time.Sleep(time.Millisecond)
			}
		}
		_ = resp.Body.Close()
		stop()
		if name == "SaveAttachment" { // the client's: its data alone, from the same place
			name = "Attachment"
		}
		if calls := agent.Calls(); len(calls) == 0 || calls[len(calls)-1] != name {
			t.Errorf("%s %s does not ask for %s: %q", method, path, name, calls)
		}
	}
}
