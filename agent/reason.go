package agent

import (
	"unicode/utf8"

	"earnest/agentclient"
)

// maxReason is how many characters a note on a reject may have.
const maxReason = 500

func checkReason(reason string) error {
	n := utf8.RuneCountInString(reason)
	if n <= maxReason {
		return nil
	}
	return &agentclient.Failure{Code: agentclient.CodeUsage, Field: "reason",
		Happened: "The reason is too long to be kept with the mail.",
		Means:    "Nothing was rejected, and no money moved.",
		Do:       "Say it in 500 characters at most, or leave it out."}
}
