package localapi

import (
	"net/http"
	"strconv"

	"earnest/agentclient"
)

func (a *api) oneAttachment(r *http.Request) (agentclient.Attachment, error) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 {
		return agentclient.Attachment{}, agentclient.Fail(agentclient.CodeUsage).Saying(agentclient.Say("request.attachment", "Attachments are numbered from 0."), nil, nil)
	}
	return a.agent.Attachment(r.Context(), r.PathValue("id"), n)
}

// attachmentData answers with the bytes alone, so that who saves them can tell
// how far it is.
func (a *api) attachmentData(w http.ResponseWriter, r *http.Request) {
	at, err := a.oneAttachment(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(at.Data)))
	w.Header().Set("Cache-Control", "no-store")
	// A client that went away needs no answer.
	_, _ = w.Write(at.Data)
}
