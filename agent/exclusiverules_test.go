package agent

import (
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/imapwatch"
)

// exclusiveAccount is one that answers since an hour ago, on a clock that stands.
func exclusiveAccount(on bool) *account {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	agent := &Agent{Config: Config{Now: func() time.Time { return now }, Names: noNames{}}}
	a := &account{Agent: agent, address: "me@mail.example", strangers: limiter{most: answerMailsAnHour, every: time.Hour}}
	other := &account{Agent: agent, address: "other@mail.example"}
	if on {
		a.settings = store.Account{ExclusiveSince: now.Add(-time.Hour)}
	}
	agent.accounts = []*account{a, other}
	return a
}

type noNames struct{ Names }

// ordinary is the header of a mail that may be answered, with changes: a field
// with nothing behind it is taken out, of a doubled one both stay.
func ordinary(t *testing.T, changes ...string) netmail.Header {
	t.Helper()
	fields := []string{"Return-Path: <ann@shop.example>", "From: Ann Smith <Ann@shop.example>", "To: friends: Me <ME@mail.example>, x@y.example;",
		"Date: Sun, 22 Nov 2026 09:59:00 +0000", "Message-ID: <1@shop.example>", "Content-Type: text/plain"}
	for _, change := range changes {
		name, value, _ := strings.Cut(change, ":")
		kept := fields[:0]
		for _, field := range fields {
			if !strings.HasPrefix(field, name+":") || strings.HasPrefix(value, "+") {
				kept = append(kept, field)
			}
		}
		fields = kept
		if value = strings.TrimPrefix(value, "+"); value != "" {
			fields = append(fields, name+": "+value)
		}
	}
	message, err := netmail.ReadMessage(strings.NewReader(strings.Join(fields, "\r\n") + "\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return message.Header
}

func TestK17_OrdinaryMailMayBeAnswered(t *testing.T) {
	a := exclusiveAccount(true)
	for _, changes := range [][]string{
		nil,
		{"Auto-Submitted: no"},
		{"Auto-Submitted: No; by=hand"},
		{"Precedence: first-class"},
		{"Sender: ann@shop.example"},
		{"Content-Type: multipart/alternative; boundary=x"},
		{"To: x@y.example", "Cc: me@mail.example"},
		{"Return-Path: ann@SHOP.example"},
		{"Message-ID: <a b>"},
	} {
		letter, why := a.letterFrom(ordinary(t, changes...))
		if why != "" || letter.from != "ann@shop.example" || !strings.EqualFold(letter.to, "ann@shop.example") {
			t.Errorf("%q: %q, %+v", changes, why, letter)
		}
		if sane := len(changes) == 0 || changes[0] != "Message-ID: <a b>"; sane != (letter.id == "<1@shop.example>") {
			t.Errorf("%q: the id repeated is %q", changes, letter.id)
		}
	}
}

func TestK17_NeverAnswered(t *testing.T) {
	a := exclusiveAccount(true)
	for _, c := range []struct {
		want    string
		changes []string
	}{
		{"program", []string{"Auto-Submitted: auto-generated"}},
		{"program", []string{"Auto-Submitted: auto-replied"}},
		{"program", []string{"Auto-Submitted: AUTO-NOTIFIED; x=no"}},
		{"bulk", []string{"Precedence: bulk"}},
		{"bulk", []string{"Precedence: List"}},
		{"bulk", []string{"Precedence: junk"}},
		{"bulk", []string{"Precedence: auto_reply"}},
		{"list", []string{"List-Id: <l.example>"}},
		{"list", []string{"List-Unsubscribe: <mailto:x@y.example>"}},
		{"list", []string{"List-Whatever: x"}},
		{"list", []string{"Mailing-List: x"}},
		{"list", []string{"Feedback-ID: campaign"}},
		{"no answer", []string{"X-Auto-Response-Suppress: OOF"}},
		{"passed it on", []string{"Resent-From: x@y.example"}},
		{"answer itself", []string{"Earnest-Answer: 1"}},
		{"encrypted", []string{"Content-Type: multipart/encrypted; protocol=x"}},
		{"encrypted", []string{"Content-Type: application/pkcs7-mime; smime-type=enveloped-data"}},
		{"encrypted", []string{"Content-Type: application/x-pkcs7-mime"}},
		{"report", []string{"Content-Type: multipart/report; report-type=delivery-status"}},
		{"report", []string{"Content-Type: message/rfc822"}},
		{"clearly from whom", []string{"Return-Path:"}},
		{"clearly from whom", []string{"Return-Path:+<ann@shop.example>"}},
		{"another address", []string{"Return-Path: <>"}},
		{"another address", []string{"Return-Path: <bounces+ann=shop@esp.example>"}},
		{"clearly from whom", []string{"From:"}},
		{"clearly from whom", []string{"From:+ann@shop.example"}},
		{"clearly from whom", []string{"From: ann@shop.example, eve@shop.example"}},
		{"clearly from whom", []string{"From: not an address"}},
		{"cannot be used", []string{"From: ann@[192.0.2.1]", "Return-Path: <ann@[192.0.2.1]>"}},
		{"for another", []string{"Sender: secretary@shop.example"}},
		{"own address", []string{"From: me@mail.example", "Return-Path: <me@mail.example>"}},
		{"own address", []string{"From: oth.er+x@mail.example", "Return-Path: <oth.er+x@mail.example>"}},
		{"does not name", []string{"To: x@y.example"}},
		{"does not name", []string{"To:"}},
		{"does not name", []string{"To:+eve@y.example"}},
		{"does not name", []string{"To: undisclosed-recipients:;"}},
		{"no date", []string{"Date:"}},
		{"no date", []string{"Date:+Sun, 22 Nov 2026 09:59:30 +0000"}},
		{"no date", []string{"Date: yesterday"}},
		{"not new", []string{"Date: Sun, 22 Nov 2026 08:59:00 +0000"}},
		{"not new", []string{"Date: Tue, 24 Nov 2026 10:59:00 +0000"}},
	} {
		if _, why := a.letterFrom(ordinary(t, c.changes...)); !strings.Contains(why, c.want) {
			t.Errorf("%q: %q, want one with %q", c.changes, why, c.want)
		}
	}
	for _, local := range []string{"noreply", "no-reply", "No_Reply+17", "orders.donotreply", "mailer-daemon", "MAILER-DAEMON", "postmaster",
		"owner-list", "list-request", "list-owner", "bounces-12", "majordomo", "root"} {
		address := local + "@shop.example"
		if _, why := a.letterFrom(ordinary(t, "From: "+address, "Return-Path: <"+address+">")); !strings.Contains(why, "nobody reads") {
			t.Errorf("%s: %q", local, why)
		}
	}
}

func TestK17_EncryptedInItselfIsNotAnswered(t *testing.T) {
	plain := "Content-Type: text/plain\r\n\r\nHello.\r\n"
	for raw, want := range map[string]bool{
		plain: false,
		"Content-Type: text/plain\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nx\r\n":                                                                           true,
		"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nLS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCg==\r\n":                                  true,
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\nx\r\n--b--\r\n": true,
	} {
		if sealedOtherwise([]byte(raw)) != want {
			t.Errorf("encrypted is not %v:\n%s", want, raw)
		}
	}
}

// By the header alone, nothing of what is not to be answered is fetched, and no
// more of the rest than an hour's share.
func TestK17_OnlyWhatMayBeAnsweredIsFetched(t *testing.T) {
	header := func(a *account) imapwatch.Header {
		return imapwatch.Header{Mailbox: "INBOX", From: "ann@shop.example", ContentType: "text/plain", Size: 1000, Arrived: a.Now(),
			More: map[string][]string{"Return-Path": {"<ann@shop.example>"}, "To": {"me@mail.example"}, "Date": {a.Now().Format(time.RFC1123Z)}}}
	}
	a := exclusiveAccount(true)
	in := incoming{a}
	if !in.Want(header(a)) || len(in.More("INBOX")) == 0 {
		t.Fatal("a mail that may be answered is not wanted")
	}
	for name, change := range map[string]func(*imapwatch.Header){
		"another mailbox":  func(h *imapwatch.Header) { h.Mailbox = "Junk" },
		"too large":        func(h *imapwatch.Header) { h.Size = answerMailSize + 1 },
		"came before":      func(h *imapwatch.Header) { h.Arrived = a.Now().Add(-61 * time.Minute) },
		"no date of it":    func(h *imapwatch.Header) { h.Arrived = time.Time{} },
		"of a list":        func(h *imapwatch.Header) { h.More["List-Id"] = []string{"x"} },
		"without its More": func(h *imapwatch.Header) { h.More = nil },
	} {
		h := header(a)
		if change(&h); in.Want(h) {
			t.Errorf("%s is wanted", name)
		}
	}
	wanted := 1
	for range 2 * answerMailsAnHour {
		if in.Want(header(a)) {
			wanted++
		}
	}
	if wanted != answerMailsAnHour {
		t.Errorf("%d are fetched in an hour", wanted)
	}
	for _, box := range []string{"Junk", "Archive", "Sent", "Trash"} {
		if more := in.More(box); more != nil {
			t.Errorf("of %s, %v is asked", box, more)
		}
	}
	off := incoming{exclusiveAccount(false)}
	if off.Want(header(off.a)) || off.More("INBOX") != nil {
		t.Error("switched off, ordinary mail is looked at")
	}
	blind := incoming{exclusiveAccount(true)}
	blind.a.Names = nil
	if blind.Want(header(blind.a)) || blind.More("INBOX") != nil {
		t.Error("without the DNS, ordinary mail is looked at")
	}
}
