package cli

import (
	"strings"

	"earnest/agentclient"
)

type priceExclusiveCmd struct {
	State      string  `arg:"" enum:"on,off" help:"on or off."`
	Address    string  `placeholder:"A" help:"Which address of yours; the only account where left out."`
	AnswerFile *string `placeholder:"F" help:"File with own words to put in front of the answer, 2000 characters at most; - is standard input, an empty one takes them away."`
}

func (c *priceExclusiveCmd) Run(s *session) error {
	on := c.State == "on"
	req := agentclient.SetPrice{Address: c.Address, Exclusive: &on}
	if c.AnswerFile != nil {
		text, err := s.readFile(*c.AnswerFile, 4*agentclient.MaxAnswer)
		if err != nil {
			return err
		}
		words := strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
		req.Answer = &words
	}
	price, err := s.agent.SetPrice(s.ctx, req)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(price)
	}
	s.exclusive(price)
	if !price.Exclusive || price.Mute != "" {
		return nil
	}
	s.say("Their mail is left as it is. This is the answer:\n\n")
	for text := range strings.SplitSeq(strings.TrimSpace(price.AnswerText), "\n") {
		s.say("  %s\n", line(text))
	}
	return nil
}

// exclusive says whether who writes unencrypted is answered.
func (s *session) exclusive(price agentclient.Price) {
	if !price.Exclusive {
		s.say("Who writes to %s unencrypted is not answered.\n", line(price.Address))
		return
	}
	if price.Mute != "" {
		s.say("%s is exclusive, but: %s\n", line(price.Address), line(price.Mute))
		return
	}
	s.say("Who writes to %s unencrypted is answered with how to send mail that is read for sure,\nonce in seven days; never lists, bulk mail, or who cannot be proven. Answered in the last seven days: %d.\n",
		line(price.Address), price.Answered)
}
