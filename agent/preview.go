package agent

import (
	"context"
	"errors"
	"strings"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/mail"
)

// Preview is a dry run: each recipient's mail is built as Send builds it and read
// as the recipient's agent reads it. Nobody is asked, no key is made or used, and
// nothing is bought, sealed or kept.
func (a *Agent) Preview(ctx context.Context, compose agentclient.Compose) ([]agentclient.Preview, error) {
	acct, letters, err := a.lettersOf(ctx, compose)
	if err != nil {
		return nil, err
	}
	list := make([]agentclient.Preview, 0, len(letters))
	for _, l := range letters {
		conn, free, err := acct.freeTo(ctx, l.to)
		if err != nil {
			return nil, err
		}
		stamp := blankStamp()
		if free = free && !compose.Paid; free {
			stamp.Bond, stamp.Free = "", tellFree(conn, conn.Pairs[len(conn.Pairs)-1])
		}
		preview, err := acct.preview(l, stamp)
		if err != nil {
			return nil, err
		}
		if free {
			preview.Message.Free, preview.Message.State = true, store.MailAccepted
		}
		list = append(list, preview)
	}
	return list, nil
}

func (a *account) preview(l letter, stamp openpgp.Stamp) (agentclient.Preview, error) {
	dry, err := openpgp.DryRun(l.Letter, stamp)
	if err != nil {
		return agentclient.Preview{}, cannotBuild(err)
	}
	read, err := mail.Read(dry.Inner)
	if err != nil {
		return agentclient.Preview{}, cannotBuild(err)
	}
	from, err := escrow.ParseAddress(read.Header.From)
	if err != nil {
		return agentclient.Preview{}, cannotBuild(err)
	}
	preview := agentclient.Preview{Outside: dry.Outside, Size: dry.Size}
	preview.Message.Mail = agentclient.Mail{From: string(from), Name: read.Header.FromName, To: string(l.to), Subject: read.Header.Subject,
		At: a.Now().UTC(), State: store.MailWaiting, MixedScript: from.MixedScript(), Unread: true}
	viewContent(&preview.Message, read)
	return preview, nil
}

// blankStamp has the form of a real one.
func blankStamp() openpgp.Stamp {
	fingerprint := strings.Repeat("0", 40)
	return openpgp.Stamp{Bond: "00000000-0000-7000-8000-000000000000", Key: fingerprint, Reply: fingerprint}
}

func cannotBuild(err error) error {
	code := agentclient.CodeUsage
	if errors.Is(err, mail.ErrTooLarge) {
		code = agentclient.CodeTooLarge
	}
	return agentclient.Refuse(code, agentclient.Say("send.cannot-be-made", "The mail cannot be made: {Why}.", "Why", err),
		agentclient.Say("nothing.sent-or-paid", "Nothing was sent and nothing was paid."), agentclient.Say("preview.change", "Change what it says, then look again."))
}
