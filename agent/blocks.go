package agent

import (
	"earnest/agentclient"
	"earnest/mail"
)

// viewContent fills in what a window shows of a mail's content.
func viewContent(message *agentclient.Message, read mail.Content) {
	message.Date, message.MessageID = read.Header.Date, read.Header.MessageID
	message.Text, message.FromHTML = read.Text, read.FromHTML
	for _, b := range read.Blocks {
		message.Blocks = append(message.Blocks, viewBlock(b))
	}
	for _, at := range read.Attachments {
		message.Attachments = append(message.Attachments, agentclient.Attachment{Name: at.Name, Type: at.Type, Size: int64(len(at.Data))})
	}
	if read.Incomplete {
		tellChecks(message, agentclient.Say("check.incomplete", "A part of it is missing here: it is broken, or too large to show."))
	}
}

func viewBlock(b mail.Block) agentclient.Block {
	block := agentclient.Block{Kind: b.Kind, Depth: b.Depth, Quote: b.Quote, Number: b.Number}
	for _, s := range b.Spans {
		block.Spans = append(block.Spans, agentclient.Span(s))
	}
	return block
}
