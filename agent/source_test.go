package agent_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// pieces is a writer that sees how it is written to.
type pieces struct {
	bytes.Buffer
	largest, n int
	fail       bool
}

func (p *pieces) Write(b []byte) (int, error) {
	if p.fail {
		return 0, errors.New("the disk is full")
	}
	p.n, p.largest = p.n+1, max(p.largest, len(b))
	return p.Buffer.Write(b)
}

func TestAttachmentsAreSavedInPiecesWithProgress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	ctx := t.Context()
	data := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	sent, err := sender.Send(ctx, agentclient.Compose{To: []string{recipient.address}, Subject: "s", Body: "b",
		Attachments: []agentclient.Attachment{file("a.bin", data), file("empty", nil)}})
	must(t, err)
	mail := w.waits(recipient, sent[0].Bond, "waiting")
	if mail.Attachments != 2 {
		t.Errorf("the list says that it has %d attachments, not 2", mail.Attachments)
	}
	var out pieces
	var told []int64
	must(t, recipient.SaveAttachment(ctx, mail.ID, 0, &out, func(done, total int64) {
		if total != int64(len(data)) || done != int64(out.Len()) {
			t.Errorf("%d of %d were told, %d are written", done, total, out.Len())
		}
		told = append(told, done)
	}))
	if !bytes.Equal(out.Bytes(), data) || out.largest > 64<<10 || len(told) != 16 || told[15] != int64(len(data)) {
		t.Errorf("%d bytes in %d pieces, the largest %d; told %v", out.Len(), out.n, out.largest, told)
	}
	must(t, recipient.SaveAttachment(ctx, mail.ID, 1, &out, nil))
	if err := recipient.SaveAttachment(ctx, mail.ID, 2, &out, nil); code(err) != agentclient.CodeNotFound {
		t.Errorf("one that is not there: %v", err)
	}
	if err := recipient.SaveAttachment(ctx, mail.ID, 0, &pieces{fail: true}, nil); err == nil {
		t.Error("a full disk is no error")
	}
	stopping, stop := context.WithCancel(ctx)
	n := 0
	err = recipient.SaveAttachment(stopping, mail.ID, 0, &pieces{}, func(int64, int64) { n++; stop() })
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("given up after %d pieces: %v", n, err)
	}
}

func TestSourceIsTheOpenedMailByteForByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	ctx := t.Context()
	mail := w.write(sender, recipient, "Show me")
	source, err := recipient.Source(ctx, mail.ID)
	must(t, err)
	text := string(source.Raw)
	for _, part := range []string{"Subject: Show me\r\n", "Earnest-Bond: " + mail.Bond + "\r\n", "hp=\"cipher\"", "\r\n\r\nBody of Show me"} {
		if !strings.Contains(text, part) {
			t.Errorf("the source lacks %q: %s", part, text)
		}
	}
	line, err := recipient.MailByID(ctx, mail.ID)
	must(t, err)
	if !line.Unread || line.Subject != "Show me" || line.Price.Amount != "0.25" {
		t.Errorf("the line, which opens nothing: %+v", line)
	}
	if _, err := recipient.MailByID(ctx, "none"); code(err) != agentclient.CodeNotFound {
		t.Errorf("no such mail: %v", err)
	}
	if _, err := recipient.Source(ctx, "none"); code(err) != agentclient.CodeNotFound {
		t.Errorf("no such mail: %v", err)
	}
	// One that waits for the escrow is not opened, and has no source here.
	other := w.join("other", "1.00")
	raw := w.intercept(other, recipient, "Shut")
	w.setDown(true)
	must(t, w.mail.Deliver(recipient.address, raw))
	held := w.waits(recipient, w.onlySent(other), "held")
	if got, err := recipient.Source(ctx, held.ID); code(err) != agentclient.CodeState || len(got.Raw) > 0 {
		t.Errorf("unopened: %v, %d bytes", err, len(got.Raw))
	}
}

// A mail that has HTML alone is shown in blocks too.
func TestMessagesShowBlocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient := w.alone()
	recipient.stop()
	raw := "From: a@b.example\r\nContent-Type: text/html\r\n\r\n<h1>Hello</h1><script>x()</script><p>see <b><a href=https://a.example>here</a></b>"
	w.change(recipient, func(tx *store.Tx) error {
		return errors.Join(store.Put(tx, store.Mail{ID: "m1", Bond: "b1", State: store.MailWaiting}),
			store.Put(tx, store.Content{ID: "m1", Opened: true, Raw: []byte(raw)}))
	})
	w.start(recipient)
	m, err := recipient.Message(t.Context(), "m1")
	must(t, err)
	if !m.FromHTML || m.Text != "Hello\n\nsee here <https://a.example>" || len(m.Blocks) != 2 || m.Blocks[0].Kind != agentclient.BlockHeading ||
		m.Blocks[0].Depth != 1 || m.Blocks[1].Spans[1].Link != "https://a.example" || !m.Blocks[1].Spans[1].Bold {
		t.Errorf("%+v", m)
	}
}

// TestW_AttachmentsAreCountedOfMailsFromBefore: a mail that was kept before they were
// counted gets its number when it is read.
func TestW_AttachmentsAreCountedOfMailsFromBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient := w.alone()
	recipient.stop()
	raw := "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\ntext\r\n" +
		"--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF\r\n--x--\r\n"
	w.change(recipient, func(tx *store.Tx) error {
		return errors.Join(store.Put(tx, store.Mail{ID: "m1", Bond: "b1", State: store.MailWaiting}),
			store.Put(tx, store.Content{ID: "m1", Opened: true, Raw: []byte(raw)}))
	})
	w.start(recipient)
	message, err := recipient.Message(t.Context(), "m1")
	must(t, err)
	line, err := recipient.MailByID(t.Context(), "m1")
	must(t, err)
	if message.Mail.Attachments != 1 || line.Attachments != 1 {
		t.Errorf("counted %d in the mail and %d in the list, not 1", message.Mail.Attachments, line.Attachments)
	}
}
