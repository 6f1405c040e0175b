package cli

import (
	"strings"

	"earnest/agentclient"
)

type fingerprintCmd struct {
	Address string `arg:"" name:"address" help:"Whose."`
	Account string `placeholder:"A" help:"Which address of yours; the only account where left out."`
}

// Run shows what is known and what is shown, both in full.
func (c *fingerprintCmd) Run(s *session) error {
	of, err := s.agent.Fingerprints(s.ctx, c.Account, c.Address)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(of)
	}
	s.say("You know %s, looked up first on %s, by the fingerprint\n  %s\n", line(of.Address), s.day(of.Seen), line(of.Known))
	if !of.AcceptedAt.IsZero() {
		s.say("You accepted it by hand: %s.\n", s.moment(of.AcceptedAt))
	}
	for _, former := range of.Before {
		s.say("Until %s it was\n  %s\n", s.day(former.Until), line(former.Fingerprint))
	}
	if of.Known == of.Shown {
		s.say("%s shows the same.\n", line(of.Escrow))
		return nil
	}
	s.say("%s shows another one now:\n  %s\n\n", line(of.Escrow), line(of.Shown))
	s.say("Somebody may be taking their place, or they lost a machine and began anew.\nAs it is no mail with a bond goes there, and no money.\n")
	s.oldKeys(of)
	s.say("Ask them, by another way than this address, for the fingerprint on their card.\nOnly if it is the new one, give it whole, as they told you:\n  earnest price accept-fingerprint %s FINGERPRINT%s\n", line(of.Address), account(c.Account))
	return nil
}

func account(named string) string {
	if named == "" {
		return ""
	}
	return " --account " + line(named)
}

// oldKeys says what mail over a connection of before means.
func (s *session) oldKeys(of agentclient.Fingerprints) {
	if of.Connected {
		s.say("You are connected by keys of before: mail that goes free is still encrypted to them. If they were\nlost, nobody reads it but who found them. To write with a bond again: earnest people remove %s\n", line(of.Address))
	}
}

type acceptFingerprintCmd struct {
	Address     string `arg:"" name:"address" help:"Whose."`
	Fingerprint string `arg:"" name:"fingerprint" help:"The new one, whole, as the person told you; or the card that carries it."`
	Account     string `placeholder:"A" help:"Which address of yours; the only account where left out."`
}

// Run accepts a fingerprint.
func (c *acceptFingerprintCmd) Run(s *session) error {
	of, err := s.agent.AcceptFingerprint(s.ctx, agentclient.AcceptFingerprint{Account: c.Account, Address: c.Address, Fingerprint: redash(c.Fingerprint)})
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(of)
	}
	s.say("Accepted. From now on you know %s by\n  %s\n", line(of.Address), line(of.Known))
	if len(of.Before) > 0 {
		s.say("and no longer by\n  %s\n", line(of.Before[0].Fingerprint))
	}
	s.say("The next mail with a bond is encrypted to a key that this one signed. Bonds of before stay as they are:\nwho has the old keys decides them, or their money comes back at the deadline.\n")
	s.oldKeys(of)
	return nil
}

// redash gives a fingerprint the dashes back that undash took from its beginning.
func redash(typed string) string {
	if strings.ContainsFunc(typed, notBase64) {
		return typed // a card, or with spaces
	}
	return strings.Repeat("-", max(0, hashLength-len(typed))) + typed
}
