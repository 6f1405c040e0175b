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
	return agentclient.Refuse(agentclient.CodeUsage,
		agentclient.Say("reason.long", "The reason is too long to be kept with the mail."),
		agentclient.Say("reason.long-means", "Nothing was rejected, and no money moved."),
		agentclient.Say("reason.long-do", "Say it in {Most} characters at most, or leave it out.", "Most", maxReason)).At("reason")
}
