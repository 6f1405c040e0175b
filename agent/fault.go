package agent

import (
	"regexp"
	"strconv"
	"strings"

	"earnest/agentclient"
	"earnest/escrow"
)

// saidFault says what is wrong with a chain of receipts, and which receipt it is.
func saidFault(fault string) agentclient.Said {
	fault = strings.ReplaceAll(fault, escrow.Invalid.Error()+": ", "")
	found := regexp.MustCompile(`^receipt (\d+): (.*)$`).FindStringSubmatch(fault)
	if found == nil {
		return faultReason(fault)
	}
	n, _ := strconv.Atoi(found[1]) // the pattern lets nothing else through
	return agentclient.Say("fault.receipt", "receipt {N}: {Why}", "N", n, "Why", faultReason(found[2]))
}

// faultReason is the reason by itself, as package escrow words it.
func faultReason(reason string) agentclient.Said {
	switch reason {
	case "there are no receipts":
		return agentclient.Say("fault.none", "there are no receipts")
	case "it does not name the receipt before it":
		return agentclient.Say("fault.order", "it does not name the receipt before it")
	case "it belongs to another bond":
		return agentclient.Say("fault.bond", "it belongs to another bond")
	case "it is about other addresses than the quote":
		return agentclient.Say("fault.addresses", "it is about other addresses than the quote")
	case "it is about other money than the quote":
		return agentclient.Say("fault.money", "it is about other money than the quote")
	case "a chain begins with paid, once":
		return agentclient.Say("fault.begin", "a chain begins with paid, once")
	}
	return agentclient.Verbatim(reason)
}
