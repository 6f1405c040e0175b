package cli

import (
	"errors"
	"strings"

	"earnest/agentclient"
)

type draftsCmd struct {
	List   draftsListCmd   `cmd:"" default:"1" help:"What is being written, the last changed first."`
	Send   draftsSendCmd   `cmd:"" help:"Send a draft; it is no draft any more then."`
	Delete draftsDeleteCmd `cmd:"" help:"Delete a draft. Its text is gone."`
}

type draftsListCmd struct{}

func (c *draftsListCmd) Run(s *session) error {
	drafts, err := s.agent.Drafts(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(drafts)
	}
	if len(drafts) == 0 {
		s.say("There are no drafts. Keep one with: earnest send --draft\n")
		return nil
	}
	ids := []string{}
	for _, d := range drafts {
		ids = append(ids, d.ID)
	}
	rows := [][]string{{"ID", "TO", "SUBJECT", "SIZE", "CHANGED"}}
	for i, id := range shorten(ids) {
		m := drafts[i].Mail
		bytes := int64(len(m.Body))
		for _, at := range m.Attachments {
			bytes += at.Size
		}
		rows = append(rows, []string{id, cut(line(strings.Join(m.To, ", ")), 40), cut(line(m.Subject), 40), size(bytes), s.away(drafts[i].Changed)})
	}
	s.table(rows, 3)
	return nil
}

// draft finds the draft that a person means.
func (s *session) draft(typed string) (string, error) {
	drafts, err := s.agent.Drafts(s.ctx)
	if err != nil {
		return "", err
	}
	ids := make([]string, 0, len(drafts))
	for _, d := range drafts {
		ids = append(ids, d.ID)
	}
	id, err := resolve(typed, ids)
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok && failure.Code == agentclient.CodeNotFound {
		err = failure.Saying(agentclient.Verbatim("There is no draft with that id."), nil, agentclient.Verbatim("See what there is with: earnest drafts"))
	}
	return id, err
}

type draftsSendCmd struct {
	ID   string `arg:"" name:"id" help:"The draft, or the beginning of its id."`
	Yes  bool   `short:"y" help:"Do not ask before paying. Without a terminal nothing is asked."`
	Wait string `enum:",submitted,arrived,decided" default:"" placeholder:"STATE" help:"Wait until the mail is submitted, arrived or decided."`
}

func (c *draftsSendCmd) Run(s *session) error {
	id, err := s.draft(c.ID)
	if err == nil {
		err = meant(c.ID, id)
	}
	if err != nil {
		return err
	}
	draft, err := s.agent.DraftByID(s.ctx, id)
	if err != nil {
		return err
	}
	mail := draft.Mail
	mail.Draft = id
	return s.send(mail, !c.Yes, c.Wait)
}

type draftsDeleteCmd struct {
	ID string `arg:"" name:"id" help:"The draft, or the beginning of its id."`
}

func (c *draftsDeleteCmd) Run(s *session) error {
	id, err := s.draft(c.ID)
	if err == nil {
		err = meant(c.ID, id)
	}
	if err != nil {
		return err
	}
	if err := s.agent.DeleteDraft(s.ctx, id); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(struct{}{})
	}
	s.say("Deleted. Nothing was sent.\n")
	return nil
}

// keep makes a draft of a mail.
func (s *session) keep(mail agentclient.Compose) error {
	draft, err := s.agent.SaveDraft(s.ctx, agentclient.Draft{Mail: mail})
	if err != nil {
		return err
	}
	if s.json {
		for i := range draft.Mail.Attachments {
			draft.Mail.Attachments[i].Data = nil
		}
		return s.printJSON(draft)
	}
	s.say("Kept as a draft. Nothing was sent or paid. Send it with: earnest drafts send %s\n", line(draft.ID))
	return nil
}

// dryRun shows what each recipient would see, and what the servers on the way.
func (s *session) dryRun(mail agentclient.Compose) error {
	previews, err := s.agent.Preview(s.ctx, mail)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(previews)
	}
	for _, p := range previews {
		m := p.Message
		s.say("What %s sees\n", line(m.To))
		s.say("  from      %s\n  subject   %s\n", line(m.From), line(m.Subject))
		for i, at := range m.Attachments {
			s.say("  attached  %d  %s  %s  %s\n", i+1, line(at.Name), line(at.Type), size(at.Size))
		}
		if text := strings.TrimRight(m.Text, "\r\n"); text != "" {
			s.say("\n%s\n\n", text)
		}
		s.say("What every server on the way can read, of %s\n", size(p.Size))
		for _, field := range p.Outside {
			s.say("  %s\n", line(field))
		}
	}
	s.say("Nothing was sent or paid.\n")
	return nil
}
