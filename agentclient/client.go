package agentclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// Host is the name that every request to the local API carries. The agent
// refuses all others: a web page cannot make a browser send it.
const Host = "earnest.local"

// MaxMail is what the text and the attachments of a mail may have together: most
// mail servers take 50 MB, and what is encrypted is nearly twice as large.
const MaxMail = 25 << 20

// MaxCompose bounds the body of a request to send, its attachments in base64. It
// is far above what a mail may have, so that who gives too much is told the limit.
const MaxCompose = 80 << 20

// pathSent takes a mail to send, the one large request.
const pathSent = "/v1/sent"

// maxAnswer bounds an answer: an attachment in base64 is the largest.
const maxAnswer = 128 << 20

// Client asks an agent over its local socket. It is safe for goroutines.
type Client struct {
	http *http.Client
}

var _ Agent = (*Client)(nil)

// NewDialer is a client that connects by dial.
func NewDialer(dial func(context.Context) (net.Conn, error)) *Client {
	return &Client{http: &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				conn, err := dial(ctx)
				if err != nil {
					return nil, &dialError{err}
				}
				return conn, nil
			},
			DisableCompression: true,
		},
		// The agent never redirects; whoever does is not the agent.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close closes the connections that wait for another question.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// dialError tells "nobody listens" from a connection that broke in between.
type dialError struct{ err error }

func (e *dialError) Error() string { return "dial the agent: " + e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// open sends a request and returns the answer's body if it went well.
func (c *Client) open(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	answer, _, err := c.exchange(ctx, method, path, body)
	return answer, err
}

// exchange is open that also tells how long the answer is; -1 where unknown.
func (c *Client) exchange(ctx context.Context, method, path string, body any) (io.ReadCloser, int64, error) {
	var reader io.Reader
	if method != http.MethodGet {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, 0, fmt.Errorf("write request: %w", err)
		}
		if len(data) > MaxCompose {
			if path != pathSent && path != pathDrafts && path != pathPreview {
				return nil, 0, TooMuch()
			}
			return nil, 0, Fail(CodeTooLarge)
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+Host+path, reader)
	if err != nil {
		return nil, 0, fmt.Errorf("make request: %w", err)
	}
	if reader != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, brokenBy(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, resp.ContentLength, nil
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusRequestHeaderFieldsTooLarge {
		// The server answers this by itself, before the agent is asked.
		f := TooMuch().Saying(nil, nil, Say("fail.too-much.short", "Check what was given: an id and an address are short."))
		f.Code = CodeUsage
		return nil, 0, f
	}
	var failure Failure
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&failure); err != nil || failure.Code == "" {
		return nil, 0, Fail(CodeInternal).Saying(Say("fail.no-reason", "The agent answered {Status} without saying why.", "Status", resp.StatusCode), nil, nil)
	}
	return nil, 0, &failure
}

// brokenBy turns a failed exchange into what a person is told. A call that the
// caller gave up is no failure of the agent.
func brokenBy(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if dialing, ok := errors.AsType[*dialError](err); ok {
		if failure, ok := errors.AsType[*Failure](dialing.err); ok {
			return failure
		}
		return Fail(CodeNoAgent)
	}
	return Refuse(CodeNoAgent, Say("fail.broke", "The connection to the agent broke before it answered."),
		Say("fail.broke.means", "It may have done what was asked, once at most: it keeps what it has begun, and nothing is paid twice."),
		Say("fail.broke.do", "See whether it runs (earnest status), then look at the mail's state before asking again."))
}

func ask[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var answer T
	reader, err := c.open(ctx, method, path, body)
	if err != nil {
		return answer, err
	}
	defer reader.Close()
	if err := json.NewDecoder(io.LimitReader(reader, maxAnswer)).Decode(&answer); err != nil {
		var zero T
		return zero, brokenBy(ctx, err)
	}
	// To the end, so that the connection can serve the next question.
	_, _ = io.Copy(io.Discard, io.LimitReader(reader, 1<<10))
	return answer, nil
}

func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	return ask[T](ctx, c, http.MethodGet, path, nil)
}

func post[T any](ctx context.Context, c *Client, path string, body any) (T, error) {
	return ask[T](ctx, c, http.MethodPost, path, body)
}

// nothing is the body of a request that needs no words.
type nothing struct{}

// Status implements [Agent].
func (c *Client) Status(ctx context.Context) (Status, error) {
	return get[Status](ctx, c, "/v1/status")
}

// AddAccount implements [Agent].
func (c *Client) AddAccount(ctx context.Context, req AddAccount) (Account, error) {
	return post[Account](ctx, c, "/v1/accounts", req)
}

// Price implements [Agent].
func (c *Client) Price(ctx context.Context, address string) (Price, error) {
	return get[Price](ctx, c, "/v1/price?"+url.Values{"address": {address}}.Encode())
}

// SetPrice implements [Agent].
func (c *Client) SetPrice(ctx context.Context, req SetPrice) (Price, error) {
	return post[Price](ctx, c, "/v1/price", req)
}

// Balances implements [Agent].
func (c *Client) Balances(ctx context.Context) ([]Balance, error) {
	return get[[]Balance](ctx, c, "/v1/balances")
}

// TopUp implements [Agent].
func (c *Client) TopUp(ctx context.Context, req Redeem) ([]Balance, error) {
	return post[[]Balance](ctx, c, "/v1/topup", req)
}

// Send implements [Agent].
func (c *Client) Send(ctx context.Context, mail Compose) ([]Sent, error) {
	return post[[]Sent](ctx, c, pathSent, mail)
}

// Sent implements [Agent].
func (c *Client) Sent(ctx context.Context) ([]Sent, error) {
	return get[[]Sent](ctx, c, pathSent)
}

// SentByID implements [Agent].
func (c *Client) SentByID(ctx context.Context, id string) (Sent, error) {
	return get[Sent](ctx, c, "/v1/sent/"+url.PathEscape(id))
}

// Withdraw implements [Agent].
func (c *Client) Withdraw(ctx context.Context, id string) (Sent, error) {
	return post[Sent](ctx, c, "/v1/sent/"+url.PathEscape(id)+"/withdraw", nothing{})
}

// Buy implements [Agent].
func (c *Client) Buy(ctx context.Context, req BuyKey) (Bought, error) {
	return post[Bought](ctx, c, "/v1/keys", req)
}

// Inbox implements [Agent].
func (c *Client) Inbox(ctx context.Context) ([]Mail, error) {
	return get[[]Mail](ctx, c, "/v1/mails")
}

// Message implements [Agent].
func (c *Client) Message(ctx context.Context, id string) (Message, error) {
	return get[Message](ctx, c, "/v1/mails/"+url.PathEscape(id))
}

// Look implements [Agent].
func (c *Client) Look(ctx context.Context, id string) (Message, error) {
	return get[Message](ctx, c, "/v1/mails/"+url.PathEscape(id)+"/look")
}

// Attachment implements [Agent].
func (c *Client) Attachment(ctx context.Context, id string, n int) (Attachment, error) {
	return get[Attachment](ctx, c, "/v1/mails/"+url.PathEscape(id)+"/attachments/"+strconv.Itoa(n))
}

// MailByID implements [Agent].
func (c *Client) MailByID(ctx context.Context, id string) (Mail, error) {
	return get[Mail](ctx, c, "/v1/mails/"+url.PathEscape(id)+"/line")
}

// SaveAttachment implements [Agent].
func (c *Client) SaveAttachment(ctx context.Context, id string, n int, w io.Writer, progress func(done, total int64)) error {
	body, total, err := c.exchange(ctx, http.MethodGet, "/v1/mails/"+url.PathEscape(id)+"/attachments/"+strconv.Itoa(n)+"/data", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	from := &counted{from: body, total: total, tell: progress}
	if _, err := io.Copy(w, from); err != nil && from.err == nil {
		return fmt.Errorf("write the attachment: %w", err)
	}
	if from.err != nil {
		return brokenBy(ctx, from.err)
	}
	return nil
}

// counted tells how much was read. An answer that ends early is an error of
// reading: the transport knows how long it must be.
type counted struct {
	from        io.Reader
	done, total int64
	tell        func(done, total int64)
	err         error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if c.done += int64(n); c.tell != nil && n > 0 {
		c.tell(c.done, c.total)
	}
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// Source implements [Agent].
func (c *Client) Source(ctx context.Context, id string) (Source, error) {
	return get[Source](ctx, c, "/v1/mails/"+url.PathEscape(id)+"/source")
}

// Accept implements [Agent].
func (c *Client) Accept(ctx context.Context, id string, req Accept) (Mail, error) {
	return post[Mail](ctx, c, "/v1/mails/"+url.PathEscape(id)+"/accept", req)
}

// Reject implements [Agent].
func (c *Client) Reject(ctx context.Context, id string, req Reject) (Mail, error) {
	return post[Mail](ctx, c, "/v1/mails/"+url.PathEscape(id)+"/reject", req)
}

// Undo implements [Agent].
func (c *Client) Undo(ctx context.Context, id string) (Mail, error) {
	return post[Mail](ctx, c, "/v1/mails/"+url.PathEscape(id)+"/undo", nothing{})
}

// Receipts implements [Agent].
func (c *Client) Receipts(ctx context.Context, bond string) (Receipts, error) {
	return get[Receipts](ctx, c, "/v1/bonds/"+url.PathEscape(bond)+"/receipts")
}

// Doctor implements [Agent].
func (c *Client) Doctor(ctx context.Context) ([]Check, error) {
	return get[[]Check](ctx, c, "/v1/doctor")
}
