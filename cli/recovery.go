package cli

import (
	"errors"
	"io"
	"strings"

	"earnest/agentclient"
)

type accountRecoveryCmd struct {
	Address string `arg:"" help:"The e-mail address."`
	Old     bool   `help:"Sign with the recovery key that is on paper already, which is asked for: the new one then counts at once, else after 48 hours."`
}

func (c *accountRecoveryCmd) Run(s *session) error {
	order := agentclient.AccountOrder{Address: c.Address, Order: agentclient.OrderRecovery}
	if c.Old {
		var err error
		if order.Recovery, err = s.recoveryKey("The recovery key that is on paper now"); err != nil {
			return err
		}
	}
	key, err := s.agent.NewRecoveryKey(s.ctx, agentclient.AccountAddress{Address: c.Address})
	if err != nil {
		return err
	}
	order.NewRecovery = key.Code
	if s.json {
		safety, err := s.agent.OrderAccount(s.ctx, order)
		if err != nil {
			return err
		}
		return s.printJSON(struct {
			Key    agentclient.RecoveryKey   `json:"key"`
			Safety agentclient.AccountSafety `json:"safety"`
		}{key, safety})
	}
	s.paper(key, c.Old)
	if err := s.writtenDown(key); err != nil {
		return err
	}
	return s.order(order, "The recovery key that you wrote down is named. Clear this screen.\n")
}

// paper shows a recovery key, once.
func (s *session) paper(key agentclient.RecoveryKey, signed bool) {
	s.say("Write this down on paper. It is shown once, and kept nowhere.\n\n  Recovery key of %s at %s\n\n", line(key.Address), line(key.Escrow))
	groups := strings.Fields(key.Code)
	for i := 0; i < len(groups); i += 4 {
		s.say("  %2d  %s\n", i+1, line(strings.Join(groups[i:min(i+4, len(groups))], "  ")))
	}
	s.say("\nIt takes the account back if this machine is lost or somebody has its key: it freezes and unfreezes, and has another key sign.\n")
	s.say("Whoever has it can do the same. Keep it away from this machine: on paper, not in a picture, a mail or a file.\n")
	if key.Replaces && !signed {
		s.say("Another is on paper already and counts for 48 hours more. With --old, which asks for that one, the new one counts at once.\n")
	}
	s.say("\n")
}

// writtenDown has a person prove it, before anything counts on it.
func (s *session) writtenDown(key agentclient.RecoveryKey) error {
	groups := strings.Fields(key.Code)
	for range 3 {
		s.warn("Type group %d from the paper: ", len(groups))
		typed, err := s.answer()
		if err != nil {
			return err
		}
		if strings.EqualFold(strings.TrimSpace(typed), groups[len(groups)-1]) {
			return nil
		}
		s.warn("That is not group %d.\n", len(groups))
	}
	failure := agentclient.Failf(agentclient.CodeUsage, "The recovery key was not written down.")
	failure.Means, failure.Do = "Nothing was changed: this one counts for nothing. Throw the paper away.", "Try again; it will be another one."
	return failure
}

// recoveryKey reads one, on as many lines as it has on the paper. It never comes from
// the arguments: others can read those.
func (s *session) recoveryKey(what string) (string, error) {
	if s.streams.Interactive {
		s.warn("%s, 17 groups of six characters, on one line or several: ", what)
	}
	var typed strings.Builder
	for typed.Len() < 17*6 {
		text, err := s.answer()
		if errors.Is(err, io.EOF) || err == nil && strings.TrimSpace(text) == "" && typed.Len() > 0 {
			break
		}
		if err != nil {
			return "", err
		}
		typed.WriteString(strings.NewReplacer(" ", "", "-", "").Replace(text))
	}
	if typed.Len() == 0 {
		return "", agentclient.Failf(agentclient.CodeUsage, "There is no recovery key on standard input.")
	}
	return typed.String(), nil
}

func (s *session) answer() (string, error) {
	return await(s.ctx, func() (string, error) { return readLine(s.streams.In) })
}

type accountRotateCmd struct {
	Address  string `arg:"" help:"The e-mail address."`
	Recovery bool   `help:"Sign with the recovery key, which is asked for: it acts at once, cancels what waits and ends a freeze."`
}

func (c *accountRotateCmd) Run(s *session) error {
	req := agentclient.AccountOrder{Address: c.Address, Order: agentclient.OrderRotate}
	var err error
	if c.Recovery {
		if req.Recovery, err = s.recoveryKey("The recovery key"); err != nil {
			return err
		}
	}
	safety, err := s.agent.OrderAccount(s.ctx, req)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(safety)
	}
	next := safety.NextIdentity
	switch {
	case next == nil:
		s.say("Another key signs for %s now. Your card has its fingerprint:\n  %s\n", line(safety.Address), line(safety.Identity))
		s.say("Who saw the old one is shown that this one follows from it. The old one is kept for what was bought before.\n")
	case next.DueAt.IsZero():
		s.say("The escrow has not answered. The new key is kept and ordered again by itself; see: earnest account safety %s\n", line(safety.Address))
	default:
		s.say("Another key signs for %s from %s on; its fingerprint will be:\n  %s\n", line(safety.Address), s.moment(next.DueAt), line(next.Identity))
		s.say("Until then nothing changes. With the recovery key it acts at once: earnest account rotate %s --recovery\n", line(safety.Address))
	}
	s.changes(safety.Address, safety.Changes)
	return nil
}

// changes lists what waits, with what stops it.
func (s *session) changes(address string, changes []agentclient.AccountChange) {
	for _, c := range changes {
		what := "this account asked for: " + line(c.Kind) + " " + line(c.Subject)
		switch {
		case !c.Ours:
			what = "another account asks for the address " + line(c.Subject)
		case c.Foreign:
			what = "not from this machine, somebody with the account's key asked for: " + line(c.Kind) + " " + line(c.Subject)
		}
		s.say("  %s, acts %s; to stop it: earnest account cancel %s %s\n", strings.TrimSpace(what), s.moment(c.DueAt), line(address), line(c.ID))
	}
}

type accountRecoverCmd struct {
	Address string `arg:"" help:"The e-mail address."`
	accountFlags
	Escrow string `placeholder:"URL" help:"https://HOST:PORT of the escrow, as it is on the paper; where left out, the one that the address's domain or EARNEST_ESCROW names."`
}

func (c *accountRecoverCmd) Run(s *session) error {
	add, err := c.request(s, c.Address)
	if err != nil {
		return err
	}
	req := agentclient.RecoverAccount{AddAccount: add}
	req.Escrow = c.Escrow
	if err := c.findServers(s, &req.AddAccount); err != nil {
		return err
	}
	if req.Recovery, err = s.recoveryKey("The recovery key"); err != nil {
		return err
	}
	if err := c.prove(s, &req.AddAccount); err != nil {
		return err
	}
	found, err := s.agent.RecoverAccount(s.ctx, req)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(found)
	}
	s.say("Recovered %s: a key of this machine signs for it, and the other machine's does nothing any more.\n", line(found.Account.Address))
	s.account(found.Account)
	s.say("\nWhat the other machine alone had is lost:\n")
	for _, lost := range found.Lost {
		s.say("  %s\n", line(lost))
	}
	s.say("\nThe recovery key counts on. Your card is now:\n  %s\n", line(found.Account.Card))
	return nil
}
