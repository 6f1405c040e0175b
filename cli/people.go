package cli

import (
	"fmt"
	"strings"

	"earnest/agentclient"
)

type peopleCmd struct {
	List   peopleListCmd   `cmd:"" default:"1" help:"Who is connected with you, the newest first."`
	Set    peopleSetCmd    `cmd:"" help:"Change how many mails somebody may write free."`
	Remove peopleRemoveCmd `cmd:"" help:"End a connection: its keys are deleted, and the next mail needs a bond."`
}

type peopleListCmd struct{}

func (c *peopleListCmd) Run(s *session) error {
	people, err := s.agent.People(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(people)
	}
	if len(people) == 0 {
		s.say("Nobody yet. Whose mail you accept, and who accepts yours, is connected with you:\nmail then goes both ways encrypted, with neither money nor server.\n")
		return nil
	}
	rows := [][]string{{"ADDRESS", "NAME", "WHY", "THEY MAY", "YOU MAY", "CAME", "WENT", "SINCE"}}
	for _, p := range people {
		rows = append(rows, []string{cut(line(p.Address), 40), cut(line(p.Name), 24), whyWords(p.Why), freeWords(p.Free), freeWords(p.FreeThere),
			fmt.Sprint(p.Received), fmt.Sprint(p.Sent), s.away(p.Since)})
	}
	s.table(rows, 5, 6)
	s.say("Change it with: earnest people set ADDRESS --free N, or end it with: earnest people remove ADDRESS\n")
	return nil
}

func whyWords(why string) string {
	switch why {
	case agentclient.WhyAccepted:
		return "you accepted"
	case agentclient.WhyPaid:
		return "they accepted"
	case agentclient.WhyBoth:
		return "both accepted"
	}
	return line(why)
}

// freeWords is how many mails still go free.
func freeWords(free agentclient.Free) string {
	switch n, always, ok := free.Count(); {
	case always:
		return "always"
	case !ok:
		return line(string(free))
	case n == 0:
		return "with a bond"
	default:
		return count(n, "mail")
	}
}

type peopleSetCmd struct {
	Address string `arg:"" name:"address" help:"Whose mails."`
	Free    string `required:"" placeholder:"N" help:"How many of their next mails come free: a number, or always. 0: each needs a bond."`
	Account string `placeholder:"A" help:"Which address of yours; the only account where left out."`
}

func (c *peopleSetCmd) Run(s *session) error {
	person, err := s.agent.SetPerson(s.ctx, agentclient.SetPerson{
		PersonID: agentclient.PersonID{Account: c.Account, Address: c.Address}, Free: agentclient.Free(c.Free)})
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(person)
	}
	switch n, always, _ := person.Free.Count(); {
	case always:
		s.say("%s may always write to you free.\n", line(person.Address))
	case n == 0:
		s.say("%s needs a bond for the next mail.\n", line(person.Address))
	default:
		s.say("%s may write to you free: %s.\n", line(person.Address), count(n, "more mail"))
	}
	s.say("They learn it from the next mail that you write to them.\n")
	return nil
}

type peopleRemoveCmd struct {
	Address string `arg:"" name:"address" help:"Who."`
	Account string `placeholder:"A" help:"Which address of yours; the only account where left out."`
}

func (c *peopleRemoveCmd) Run(s *session) error {
	id := agentclient.PersonID{Account: c.Account, Address: c.Address}
	if err := s.agent.RemovePerson(s.ctx, id); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(id)
	}
	s.say("Removed. The keys that you shared with %s are deleted: what they still write with them\ncannot be read here any more, and is left in your mailbox. Their next mail needs a bond.\n", line(c.Address))
	return nil
}

// freeDecided says what a decision did about a mail that came free.
func freeDecided(m agentclient.Mail) string {
	if m.State == "rejected" {
		return "Rejected. It was deleted here, unopened. No money is in it.\n"
	}
	return fmt.Sprintf("Accepted and opened. No money is in it. See what %s may write now: earnest people\n", line(m.From))
}

// freeMoney says why no money is in a mail.
func freeMoney(m agentclient.Mail) string {
	switch m.State {
	case "unpaid":
		return "none, and no free mails were left. Accept it to open it, or reject it to delete it here."
	case "damaged":
		return "none. It was not opened and not counted."
	case "rejected":
		return "none. It was deleted here, unopened."
	}
	return "none: it came free, from somebody with whom you are connected"
}

// freeSent says where a mail is that goes free.
func freeSent(m agentclient.Sent) string {
	switch m.State {
	case "paid":
		return "It goes free, and waits in the outbox."
	case "submitted":
		return "Sent, free: encrypted and signed with the keys that you share. Nobody tells whether it arrived."
	}
	return "Given up. No money is in it."
}

// freeThere says what an accept gave, where it is known.
func freeThere(m agentclient.Sent) string {
	n, always, ok := m.FreeThere.Count()
	switch {
	case always:
		return " From now on you may write there free."
	case ok && n > 0:
		return " You may write there free: " + count(n, "mail") + "."
	}
	return ""
}

// connectedWords says of a price that it need not be paid.
func connectedWords(price agentclient.Price) string {
	var b strings.Builder
	fmt.Fprintf(&b, "You are connected with %s: ", line(price.Address))
	switch n, always, _ := price.Free.Count(); {
	case always:
		b.WriteString("mail goes free.\n")
	case n > 0:
		fmt.Fprintf(&b, "%s may go free.\n", count(n, "more mail"))
	default:
		b.WriteString("your free mails are used up, and the next one needs a bond.\n")
	}
	return b.String()
}
