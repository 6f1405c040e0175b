package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/escrow"
	"earnest/internal/mailhost"
	"earnest/mail"
)

// alone is somebody with an agent and no account: drafts need none.
func (w *world) alone() *person {
	w.t.Helper()
	p := &person{home: w.t.TempDir(), ring: keyring.OpenMemory()}
	w.start(p)
	return p
}

func file(name string, data []byte) agentclient.Attachment {
	return agentclient.Attachment{Name: name, Type: "text/plain", Size: int64(len(data)), Data: data}
}

func code(err error) string {
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok {
		return failure.Code
	}
	return ""
}

func TestDrafts_AreKeptListedAndDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.alone()
	ctx := t.Context()
	told := p.listen(t, agentclient.EventDraft)
	times := func(id string, n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s is told %d times", id, n), func() bool {
			return len(slices.DeleteFunc(told(), func(one string) bool { return one != id+" " })) == n
		})
	}
	whole := agentclient.Compose{From: "me@mail.example", To: []string{"half-typed@", "b@c.example"}, Subject: "S", Body: "B",
		Option: 2, InReplyTo: "<x@y>", Paid: true, Attachments: []agentclient.Attachment{file("a.txt", []byte("aaa")), file("empty", nil)}}
	saved, err := p.SaveDraft(ctx, agentclient.Draft{Mail: whole})
	must(t, err)
	times(saved.ID, 1)
	got, err := p.DraftByID(ctx, saved.ID)
	must(t, err)
	if fmt.Sprint(got.Mail) != fmt.Sprint(whole) || got.Changed.IsZero() {
		t.Errorf("kept as %+v", got)
	}
	other, err := p.SaveDraft(ctx, agentclient.Draft{Mail: agentclient.Compose{Subject: "Other"}})
	must(t, err)
	// What comes without its data is the file that is kept.
	got.Mail.Body, got.Mail.Attachments = "B2", append(saved.Mail.Attachments, file("b.txt", []byte("b")))
	_, err = p.SaveDraft(ctx, got)
	must(t, err)
	list, err := p.Drafts(ctx)
	must(t, err)
	if len(list) != 2 || list[0].ID != saved.ID || list[0].Mail.Body != "B2" || len(list[0].Mail.Attachments) != 3 ||
		list[0].Mail.Attachments[0].Data != nil || list[0].Mail.Attachments[0].Size != 3 {
		t.Errorf("listed as %+v", list)
	}
	if got, err = p.DraftByID(ctx, saved.ID); err != nil || string(got.Mail.Attachments[0].Data) != "aaa" || string(got.Mail.Attachments[2].Data) != "b" {
		t.Errorf("kept as %+v, %v", got, err)
	}
	// Saved as it was listed, but for the text: the files stay.
	listed := list[0]
	listed.Mail.Body = "B3"
	if _, err = p.SaveDraft(ctx, listed); err != nil {
		t.Error(err)
	}
	if got, err = p.DraftByID(ctx, saved.ID); err != nil || got.Mail.Body != "B3" || string(got.Mail.Attachments[0].Data) != "aaa" || len(got.Mail.Attachments) != 3 {
		t.Errorf("kept as %+v, %v", got, err)
	}
	if _, err := p.SaveDraft(ctx, agentclient.Draft{ID: "to-anna@mail.example"}); code(err) != agentclient.CodeNotFound {
		t.Errorf("an id of the client's own words: %v", err)
	}
	got.Mail.Attachments = []agentclient.Attachment{{Name: "a.txt", Size: 4}}
	if _, err = p.SaveDraft(ctx, got); code(err) != agentclient.CodeUsage {
		t.Errorf("a file that is not kept: %v", err)
	}
	if _, err := p.Send(ctx, got.Mail); err == nil {
		t.Error("a mail was sent whose file has no data")
	}
	must(t, p.DeleteDraft(ctx, other.ID))
	times(other.ID, 2)
	if _, err := p.DraftByID(ctx, other.ID); code(err) != agentclient.CodeNotFound {
		t.Errorf("deleted, and: %v", err)
	}
	p.stop()
	w.start(p) // it is on disk
	if got, err = p.DraftByID(ctx, saved.ID); err != nil || got.Mail.Body != "B3" || len(got.Mail.Attachments) != 3 {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
}

func TestDrafts_AreLimitedAsMailsAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.alone()
	ctx := t.Context()
	first, err := p.SaveDraft(ctx, agentclient.Draft{Mail: agentclient.Compose{Subject: "first", Body: "kept"}})
	must(t, err)
	large := first
	large.Mail.Attachments = []agentclient.Attachment{file("large", make([]byte, mail.MaxData+1))}
	if _, err := p.SaveDraft(ctx, large); code(err) != agentclient.CodeTooLarge {
		t.Errorf("too large: %v", err)
	}
	for i := range 199 {
		_, err := p.SaveDraft(ctx, agentclient.Draft{Mail: agentclient.Compose{Subject: fmt.Sprint(i)}})
		must(t, err)
	}
	if _, err := p.SaveDraft(ctx, agentclient.Draft{}); code(err) != agentclient.CodeState {
		t.Errorf("the 201st: %v", err)
	}
	first.Mail.Body = "kept too"
	if _, err := p.SaveDraft(ctx, first); err != nil {
		t.Errorf("a known one: %v", err)
	}
}

// The draft goes where its letter goes into the outbox, and comes back where
// nothing was paid: the text is never in both and never in none.
func TestSend_TakesItsDraft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, third, sender := w.join("recipient", "1.00"), w.join("third", "1.00"), w.join("sender", "0.30")
	w.price(recipient, "0.25")
	w.price(third, "0.25")
	ctx := t.Context()
	draft, err := sender.SaveDraft(ctx, agentclient.Draft{Mail: agentclient.Compose{To: []string{recipient.address, third.address},
		Subject: "Both", Body: "old", Attachments: []agentclient.Attachment{file("a.txt", []byte("attached"))}}})
	must(t, err)
	compose := draft.Mail
	compose.Draft, compose.Body = draft.ID, "new" // and the file without its data
	sent, err := sender.Send(ctx, compose)
	must(t, err)
	if len(sent) != 2 || sent[0].State == "failed" || sent[1].State != "failed" || sent[1].Kept {
		t.Fatalf("sent: %+v", sent)
	}
	// One was paid; there was no money for the other, which is the draft again.
	left, err := sender.DraftByID(ctx, draft.ID)
	must(t, err)
	if !slices.Equal(left.Mail.To, []string{third.address}) || left.Mail.Body != "new" || string(left.Mail.Attachments[0].Data) != "attached" {
		t.Errorf("left: %+v", left)
	}
	arrived := w.waits(recipient, sent[0].Bond, "waiting")
	at, err := recipient.Attachment(ctx, arrived.ID, 0)
	must(t, err)
	if string(at.Data) != "attached" {
		t.Errorf("it came with %q", at.Data)
	}
	voucher, err := w.server.NewVoucher(ctx, euro.Name, 100)
	must(t, err)
	_, err = sender.TopUp(ctx, agentclient.Redeem{Voucher: voucher})
	must(t, err)
	left.Mail.Draft = left.ID
	_, err = sender.Send(ctx, left.Mail)
	must(t, err)
	if list, err := sender.Drafts(ctx); err != nil || len(list) != 0 {
		t.Errorf("sent, and the drafts are %+v, %v", list, err)
	}
}

// What is left of a draft to several is what is sent now, not what was saved last.
func TestSend_LeavesTheNewTextForThoseWhoAreLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, third, sender := w.join("recipient", "1.00"), w.join("third", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.price(third, "0.25")
	draft, err := sender.SaveDraft(t.Context(), agentclient.Draft{Mail: agentclient.Compose{To: []string{recipient.address, third.address}, Body: "old"}})
	must(t, err)
	compose := draft.Mail
	compose.Draft, compose.Body, compose.Attachments = draft.ID, "new", []agentclient.Attachment{file("new.txt", []byte("just attached"))}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w.between(func(s escrow.Service) escrow.Service { return brokenOff{s, stop} })
	_, _ = sender.Send(ctx, compose) // broken off while it buys the first
	left, err := sender.DraftByID(t.Context(), draft.ID)
	must(t, err)
	if left.Mail.Body != "new" || !slices.Equal(left.Mail.To, []string{third.address}) ||
		len(left.Mail.Attachments) != 1 || string(left.Mail.Attachments[0].Data) != "just attached" {
		t.Errorf("left: %+v", left)
	}
}

// brokenOff has its caller give up in the middle of a purchase.
type brokenOff struct {
	escrow.Service
	stop func()
}

func (s brokenOff) Buy(ctx context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	s.stop()
	return escrow.Purchase{}, escrow.Errorf(escrow.Unavailable, "not now")
}

// A kill in the middle of the transaction that buys leaves the draft as it was.
func TestSend_LeavesTheDraftWhereNothingWasStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	sender := w.join("sender", "1.00")
	draft, err := sender.SaveDraft(t.Context(), agentclient.Draft{Mail: agentclient.Compose{To: []string{"nobody@mail.example"}, Subject: "S", Body: "B"}})
	must(t, err)
	draft.Mail.Draft = draft.ID
	if _, err := sender.Send(t.Context(), draft.Mail); err == nil {
		t.Fatal("a mail went to somebody without a price")
	}
	if kept, err := sender.DraftByID(t.Context(), draft.ID); err != nil || kept.Mail.Body != "B" {
		t.Errorf("the draft: %+v, %v", kept, err)
	}
}

func TestRedraft_BringsBackWhatNeverWentOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	ctx := t.Context()
	w.mail.SetFault(mailhost.RefuseForNow, 1000)
	data := bytes.Repeat([]byte{0, 1, 2, 255}, 100)
	sent, err := sender.Send(ctx, agentclient.Compose{To: []string{recipient.address}, Subject: "Held back", Body: "Text",
		InReplyTo: "<before@mail.example>", Attachments: []agentclient.Attachment{file("f.bin", data)}})
	must(t, err)
	if _, err := sender.Redraft(ctx, sent[0].ID); code(err) != agentclient.CodeState || sent[0].Kept {
		t.Errorf("while it is on its way: %v, kept %v", err, sent[0].Kept)
	}
	_, err = sender.Withdraw(ctx, sent[0].ID)
	must(t, err)
	if now := w.sentIs(sender, sent[0].ID, "withdrawn", "refunded"); !now.Kept {
		t.Fatalf("withdrawn: %+v", now)
	}
	draft, err := sender.Redraft(ctx, sent[0].ID)
	must(t, err)
	whole, err := sender.DraftByID(ctx, draft.ID)
	must(t, err)
	if m := whole.Mail; m.Subject != "Held back" || m.Body != "Text" || !slices.Equal(m.To, []string{recipient.address}) ||
		m.InReplyTo != "<before@mail.example>" || m.From != sender.address || !bytes.Equal(m.Attachments[0].Data, data) || m.Attachments[0].Name != "f.bin" {
		t.Errorf("it became %+v", m)
	}
	if now, err := sender.SentByID(ctx, sent[0].ID); err != nil || now.Kept {
		t.Errorf("the text is in two places: %+v, %v", now, err)
	}
	if _, err := sender.Redraft(ctx, sent[0].ID); code(err) != agentclient.CodeState {
		t.Errorf("a second time: %v", err)
	}
	w.mail.SetFault(mailhost.Well, 0)
	gone := w.write(sender, recipient, "Gone out")
	if _, err := sender.Redraft(ctx, w.sentIs(sender, gone.Bond, "arrived", "held").ID); code(err) != agentclient.CodeState {
		t.Errorf("a mail that was handed over: %v", err)
	}
}

func TestDrafts_RestSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.alone()
	words := []string{"Zugvogelatlas", "Nebelkraehenwinter", "Rohrdommelruf", "anna@mail.example"}
	saved, err := p.SaveDraft(t.Context(), agentclient.Draft{Mail: agentclient.Compose{To: []string{words[3]}, Subject: words[0],
		Body: strings.Repeat(words[1]+" ", 50), Attachments: []agentclient.Attachment{file(words[2], []byte(words[2]))}}})
	must(t, err)
	search := func(when string) {
		t.Helper()
		for _, word := range words {
			for _, name := range holding(t, p.home, word) {
				t.Errorf("%s %q is readable in %s", when, word, name)
			}
		}
	}
	search("while it is kept")
	must(t, p.DeleteDraft(t.Context(), saved.ID))
	search("when it is deleted")
}

// Over a connection a mail takes its draft as one with a bond does, is previewed
// as free, and is the draft again where it cannot be sent.
func TestSend_TakesItsDraftWhenItGoesFree(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeMails(2))
	ctx := t.Context()
	draft, err := sender.SaveDraft(ctx, agentclient.Draft{Mail: agentclient.Compose{To: []string{recipient.address}, Subject: "Free", Body: "Text"}})
	must(t, err)
	compose := draft.Mail
	compose.Draft = draft.ID
	previews, err := sender.Preview(ctx, compose)
	must(t, err)
	if m := previews[0].Message; !m.Free || m.State != "accepted" || m.Text != "Text" {
		t.Errorf("foreseen: %+v", m)
	}
	paid := compose
	paid.Paid = true
	if previews, err = sender.Preview(ctx, paid); err != nil || previews[0].Message.Free {
		t.Errorf("with a bond: %+v, %v", previews, err)
	}
	w.mail.SetFault(mailhost.RefuseForGood, 1)
	sent, err := sender.Send(ctx, compose)
	must(t, err)
	eventually(t, "it is the draft again", func() bool {
		back, err := sender.DraftByID(ctx, draft.ID)
		return err == nil && back.Mail.Body == "Text" && slices.Equal(back.Mail.To, []string{recipient.address})
	})
	if now, err := sender.SentByID(ctx, sent[0].ID); err != nil || now.State != "failed" || now.Kept {
		t.Errorf("refused: %+v, %v", now, err)
	}
	_, err = sender.Send(ctx, compose)
	must(t, err)
	w.comes(recipient, "Free", "accepted")
	if list, err := sender.Drafts(ctx); err != nil || len(list) != 0 {
		t.Errorf("sent, and the drafts are %+v, %v", list, err)
	}
}

// What was left of a draft to two is written on, for the other alone, while the
// first mail is still on its way. Then that is refused: its text comes back beside
// what was written since, and neither goes to whom it is not for.
func TestSend_ComesBackBesideADraftThatWasWrittenOn(t *testing.T) {
	t.Parallel()
	w, recipient, sender := connected(t, agentclient.FreeMails(5))
	third := w.join("third", "1.00")
	w.price(third, "5.00") // more than the sender has
	ctx := t.Context()
	draft, err := sender.SaveDraft(ctx, agentclient.Draft{Mail: agentclient.Compose{To: []string{recipient.address, third.address},
		Subject: "S", Body: "for both", Attachments: []agentclient.Attachment{file("a.txt", []byte("attached"))}}})
	must(t, err)
	compose := draft.Mail
	compose.Draft = draft.ID
	w.mail.SetFault(mailhost.RefuseForNow, 1)
	sent, err := sender.Send(ctx, compose)
	must(t, err)
	left, err := sender.DraftByID(ctx, draft.ID)
	must(t, err)
	if !slices.Equal(left.Mail.To, []string{third.address}) || sent[1].State != "failed" {
		t.Fatalf("sent %+v, left %+v", sent, left)
	}
	left.Mail.Body = "for the third alone"
	_, err = sender.SaveDraft(ctx, left)
	must(t, err)
	w.mail.SetFault(mailhost.RefuseForGood, 1)
	eventually(t, "the first is refused", func() bool {
		now, err := sender.SentByID(ctx, sent[0].ID)
		must(t, err)
		return now.State == "failed"
	})
	list, err := sender.Drafts(ctx)
	must(t, err)
	texts := map[string]agentclient.Draft{}
	for _, d := range list {
		texts[d.Mail.Body], err = sender.DraftByID(ctx, d.ID)
		must(t, err)
	}
	alone, both := texts["for the third alone"], texts["for both"]
	if len(list) != 2 || alone.ID != draft.ID || !slices.Equal(alone.Mail.To, []string{third.address}) ||
		!slices.Equal(both.Mail.To, []string{recipient.address}) || string(both.Mail.Attachments[0].Data) != "attached" {
		t.Errorf("the drafts are %+v", texts)
	}
}
