package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"earnest/agentclient"
)

type inboxCmd struct{}

func (c *inboxCmd) Run(s *session) error {
	mails, err := s.agent.Inbox(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(mails)
	}
	waiting, ids := 0, []string{}
	for _, m := range mails {
		ids = append(ids, m.ID)
		if m.State == "waiting" || m.State == "unpaid" {
			waiting++
		}
	}
	rows := [][]string{{"ID", "STATE", "BOND", "FROM", "SUBJECT", "DECIDE"}}
	for i, id := range shorten(ids) {
		m := mails[i]
		subject, decide := line(m.Subject), ""
		switch m.State {
		case "waiting":
			decide = s.away(m.DecideBy)
		case "rejecting":
			decide = "undo " + s.away(m.EffectiveAt)
		case "held", "damaged", "unpaid":
			subject = "(not opened)"
		}
		bond := m.Price.String()
		if m.Free {
			bond = "free"
		}
		state := mailState(m.State)
		if m.Queued {
			state += ", kept until the escrow answers"
		}
		rows = append(rows, []string{id, state, bond, cut(line(m.From), 32), cut(subject, 40), decide})
	}
	if len(mails) > 0 {
		s.table(rows, 2)
	}
	switch {
	case waiting > 0:
		s.say("%s to decide: earnest read ID, then earnest accept ID or earnest reject ID.\n", count(waiting, "mail"))
	default:
		s.say("Nothing is waiting.%s\n", s.ownPrice())
	}
	return nil
}

// ownPrice says what strangers put down; nothing where that is not known.
func (s *session) ownPrice() string {
	price, err := s.agent.Price(s.ctx, "")
	if err != nil || len(price.Options) == 0 {
		return ""
	}
	return fmt.Sprintf(" Strangers put down %s to write to you, and get it back unless you reject.", price.Options[0].Price)
}

type readCmd struct {
	ID     string `arg:"" name:"id" help:"The mail, or the beginning of its id."`
	Save   string `placeholder:"DIR" type:"path" help:"Write the attachments into DIR. Existing files are never overwritten."`
	Source bool   `help:"Print the mail as it was inside the encryption, byte for byte. A terminal gets it without what would steer it."`
}

func (c *readCmd) Run(s *session) error {
	id, err := s.mail(c.ID)
	if err != nil {
		return err
	}
	if c.Source {
		return s.source(id)
	}
	m, err := s.agent.Message(s.ctx, id)
	if err != nil {
		return err
	}
	var saved []string
	if c.Save != "" {
		if saved, err = s.save(m, c.Save); err != nil {
			return err
		}
	}
	if s.json {
		return s.printJSON(m)
	}
	s.message(m)
	for i, attachment := range m.Attachments {
		s.say("attached  %d  %s  %s  %s\n", i+1, line(attachment.Name), line(attachment.Type), size(attachment.Size))
	}
	for _, name := range saved {
		s.say("saved     %s\n", line(name))
	}
	return nil
}

func (s *session) message(m agentclient.Message) {
	from := line(m.From)
	if m.Name != "" {
		from += "  (" + line(m.Name) + ")"
	}
	if m.FirstTime {
		from += "  first time"
	}
	if m.MixedScript {
		from += "  letters of several scripts: look twice"
	}
	date, label := m.Date, "date"
	if date.IsZero() {
		date, label = m.At, "came" // nothing inside says when it was written
	}
	subject := line(m.Subject)
	if m.State == "held" || m.State == "damaged" || m.State == "unpaid" {
		subject = "(not opened)"
	}
	s.say("from      %s\nto        %s\nsubject   %s\n%s      %s\nmoney     %s\n",
		from, line(m.To), subject, label, s.moment(date), s.mailMoney(m.Mail))
	if m.Unprotected {
		s.say("headers   not encrypted: the subject was open on its way\n")
	}
	for _, check := range m.Checks {
		s.say("checked   %s\n", line(check))
	}
	if m.FromHTML {
		s.say("text      made from HTML; links are shown whole, nothing was fetched\n")
	}
	if m.Error != "" && !slices.Contains(m.Checks, m.Error) {
		s.say("note      %s\n", line(m.Error))
	}
	if m.Reason != "" {
		s.say("reason    %s\n", line(m.Reason))
	}
	if text := strings.TrimRight(m.Text, "\r\n"); text != "" {
		s.say("\n%s\n\n", text)
	}
}

// save writes every attachment under a name that stays in the folder.
func (s *session) save(m agentclient.Message, folder string) ([]string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, agentclient.Failf(agentclient.CodeUsage, "The folder %s cannot be made: %s.", line(folder), reason(err))
	}
	var saved []string
	for i := range m.Attachments {
		attachment, err := s.agent.Attachment(s.ctx, m.ID, i)
		if err != nil {
			return saved, err
		}
		name := filepath.Join(folder, fileName(attachment.Name, i))
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_, err = file.Write(attachment.Data)
			if closed := file.Close(); err == nil {
				err = closed
			}
		}
		if err != nil {
			failure := agentclient.Failf(agentclient.CodeUsage, "The attachment cannot be written to %s: %s.", line(name), reason(err))
			failure.Means, failure.Do = "The mail and its money stay as they are.", "Name another folder with --save."
			return saved, failure
		}
		saved = append(saved, name)
	}
	return saved, nil
}

// fileName makes a file's name of what a stranger wrote: its last part, without
// anything that leads elsewhere, hides it, or means a device.
func fileName(given string, n int) string {
	given = given[strings.LastIndexAny(given, `/\`)+1:]
	name := strings.Map(func(r rune) rune {
		if hidden(r) || strings.ContainsRune(`<>:"|?*`, r) || r == '\uFFFD' {
			return '_'
		}
		return r
	}, given)
	name = strings.Trim(name, " .")
	stem, _, _ := strings.Cut(name, ".")
	switch upper := strings.ToUpper(stem); {
	case name == "", len(name) > 200, upper == "CON", upper == "PRN", upper == "AUX", upper == "NUL",
		len(upper) == 4 && (strings.HasPrefix(upper, "COM") || strings.HasPrefix(upper, "LPT")):
		return "attachment-" + strconv.Itoa(n+1)
	}
	return name
}

func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%d kB", (n+500)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// reason is why a file operation failed, without the path, which was said.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is none"
	case errors.Is(err, fs.ErrExist):
		return "there is one already"
	case errors.Is(err, fs.ErrPermission):
		return "that is not allowed"
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

type acceptCmd struct {
	ID   string `arg:"" name:"id" help:"The mail, or the beginning of its id."`
	Free string `placeholder:"N" help:"How many further mails of its sender come free: a number, or always. What your price says where left out."`
}

func (c *acceptCmd) Run(s *session) error {
	return s.decide(c.ID, func(ctx context.Context, id string) (agentclient.Mail, error) {
		return s.agent.Accept(ctx, id, agentclient.Accept{Free: agentclient.Free(c.Free)})
	})
}

type rejectCmd struct {
	ID     string `arg:"" name:"id" help:"The mail, or the beginning of its id."`
	Reason string `placeholder:"TEXT" help:"Why, for yourself: it stays here and is told to nobody."`
	Block  bool   `help:"Take no further bond of this sender for a year. The receipt shows it to the sender."`
}

func (c *rejectCmd) Run(s *session) error {
	return s.decide(c.ID, func(ctx context.Context, id string) (agentclient.Mail, error) {
		return s.agent.Reject(ctx, id, agentclient.Reject{Reason: c.Reason, Block: c.Block})
	})
}

type undoCmd struct {
	ID string `arg:"" name:"id" help:"The mail, or the beginning of its id."`
}

func (c *undoCmd) Run(s *session) error { return s.decide(c.ID, s.agent.Undo) }
