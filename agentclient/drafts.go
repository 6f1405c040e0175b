package agentclient

import (
	"context"
	"net/url"
	"time"
)

// DraftsAgent is what a client can ask about mails that are not sent yet.
type DraftsAgent interface {
	// Drafts lists the drafts, the last changed first, attachments without data.
	Drafts(ctx context.Context) ([]Draft, error)
	// DraftByID is one draft with all its data.
	DraftByID(ctx context.Context, id string) (Draft, error)
	// SaveDraft keeps a draft, sealed. One without an id is new. An attachment with
	// a size and without data is the one of that name and size that is kept: so
	// what the list or an earlier answer showed can be saved and sent as it is.
	SaveDraft(ctx context.Context, draft Draft) (Draft, error)
	DeleteDraft(ctx context.Context, id string) error
	// Redraft makes a draft of a mail that was never submitted (failed, withdrawn
	// or expired on the way), so that its text is not lost.
	Redraft(ctx context.Context, sent string) (Draft, error)
	// Preview is a dry run: what each recipient will see, and what the servers on
	// the way see. Nothing is bought or sent.
	Preview(ctx context.Context, mail Compose) ([]Preview, error)
}

// Draft is a mail that is being written.
type Draft struct {
	ID      string    `json:"id"`
	Changed time.Time `json:"changed"`
	Mail    Compose   `json:"mail"`
	// Ways is how those of Mail.To are to be paid for whom something was chosen.
	Ways []Way `json:"ways,omitempty"`
}

// Way is how the mail to one recipient is to be paid, as Option and Paid of a
// [Compose] say it for all.
type Way struct {
	To     string `json:"to"`
	Option int    `json:"option,omitempty"`
	Paid   bool   `json:"paid,omitempty"`
}

// Preview is what becomes of a mail before it is paid.
type Preview struct {
	// Message is what the recipient's window will show.
	Message Message `json:"message"`
	// Outside are the header lines that every server on the way can read.
	Outside []string `json:"outside"`
	Size    int64    `json:"size"` // of the encrypted mail, in bytes
}

// Drafts implements [Agent].
func (c *Client) Drafts(ctx context.Context) ([]Draft, error) {
	return get[[]Draft](ctx, c, pathDrafts)
}

// DraftByID implements [Agent].
func (c *Client) DraftByID(ctx context.Context, id string) (Draft, error) {
	return get[Draft](ctx, c, pathDrafts+"/"+url.PathEscape(id))
}

// pathDrafts and pathPreview take whole mails, as pathSent does.
const (
	pathDrafts  = "/v1/drafts"
	pathPreview = "/v1/preview"
)

// SaveDraft implements [Agent].
func (c *Client) SaveDraft(ctx context.Context, draft Draft) (Draft, error) {
	return post[Draft](ctx, c, pathDrafts, draft)
}

// DeleteDraft implements [Agent].
func (c *Client) DeleteDraft(ctx context.Context, id string) error {
	_, err := post[nothing](ctx, c, pathDrafts+"/"+url.PathEscape(id)+"/delete", nothing{})
	return err
}

// Redraft implements [Agent].
func (c *Client) Redraft(ctx context.Context, sent string) (Draft, error) {
	return post[Draft](ctx, c, "/v1/sent/"+url.PathEscape(sent)+"/redraft", nothing{})
}

// Preview implements [Agent].
func (c *Client) Preview(ctx context.Context, mail Compose) ([]Preview, error) {
	return post[[]Preview](ctx, c, pathPreview, mail)
}
