package agentclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Silence is how long a client waits for a line of the event stream: the agent
// sends an empty one every 30 seconds when there is nothing to tell.
const Silence = 90 * time.Second

// Events implements [Agent]. The stream is one JSON object a line. It ends with
// ctx's error, or with a [Failure] when the connection broke: then the client
// asks for everything anew once it is connected again.
func (c *Client) Events(ctx context.Context, fn func(Event)) error {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	// The agent answers at once, so that the watch may begin before the answer.
	watchdog := time.AfterFunc(Silence, cancel)
	defer watchdog.Stop()
	body, err := c.open(asking, http.MethodGet, "/v1/events", nil)
	if err != nil {
		return ended(ctx, err)
	}
	defer body.Close()
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		watchdog.Reset(Silence)
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var event Event
		if err := json.Unmarshal(line, &event); err != nil {
			return Fail(CodeInternal).Saying(Say("fail.event", "The agent sent an event that cannot be read."), nil, nil)
		}
		fn(event)
	}
	return ended(ctx, lines.Err())
}

func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failure, ok := err.(*Failure); ok {
		return failure
	}
	f := Fail(CodeNoAgent).Saying(Say("fail.no-news", "The agent stopped telling its news."),
		Say("fail.no-news.means", "What is shown may be old. Mails and money stay as they are."), nil)
	return f
}
