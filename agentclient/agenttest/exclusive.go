package agenttest

import (
	"strings"

	"earnest/agentclient"
)

// onlyAnswers reports a change of the answers alone.
func onlyAnswers(req agentclient.SetPrice) bool {
	return (req.Exclusive != nil || req.Answer != nil) && len(req.Options) == 0 && req.Beneficiary == "" &&
		req.FreeAfter == "" && req.TellRead == nil && req.Public == nil && req.DecideWithin == 0
}

// setAnswer changes how who writes unencrypted is answered.
func (a *Agent) setAnswer(req agentclient.SetPrice, old agentclient.Price) (agentclient.Price, error) {
	price, err := answers(req, old, old)
	if err != nil {
		return agentclient.Price{}, err
	}
	if old.Address == "" { // nothing to hold it by, and nothing was asked of it
		return agentclient.Price{}, agentclient.NoPriceToAnswer()
	}
	a.offers[strings.ToLower(req.Address)] = price
	a.emit(agentclient.EventPrice, "", "")
	return price, nil
}

// answers is the price with the answers that the request asks for.
func answers(req agentclient.SetPrice, old, price agentclient.Price) (agentclient.Price, error) {
	price.Exclusive, price.Answer, price.Answered = old.Exclusive, old.Answer, old.Answered
	if req.Answer != nil {
		if failure := agentclient.CheckAnswer(*req.Answer); failure != nil {
			return price, failure
		}
		price.Answer = strings.TrimSpace(*req.Answer)
	}
	if req.Exclusive != nil {
		price.Exclusive = *req.Exclusive
	}
	if len(price.Options) == 0 {
		if req.Exclusive != nil && *req.Exclusive {
			return price, agentclient.NoPriceToAnswer()
		}
		return price, nil
	}
	price.AnswerText = "To be read for sure, write to " + price.Address + " with a bond of " + price.Options[0].Price.String() +
		". It comes back to you unless your mail is rejected.\n"
	if price.Answer != "" {
		price.AnswerText = price.Answer + "\n\n" + price.AnswerText
	}
	return price, nil
}
