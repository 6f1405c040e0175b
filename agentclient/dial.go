package agentclient

import (
	"context"
	"errors"
	"net"

	"earnest/internal/localsock"
)

// New is a client of the agent of that home. It connects when it asks.
func New(home string) *Client {
	path := SocketPath(home)
	return NewDialer(func(ctx context.Context) (net.Conn, error) {
		conn, err := localsock.Dial(ctx, path)
		if err == nil || errors.Is(err, localsock.ErrNobody) || ctx.Err() != nil {
			return conn, err
		}
		// Something is there, and is not to be spoken to: a password could go
		// to somebody else's program.
		f := Fail(CodeNoAgent).Saying(Say("fail.socket", "The agent's socket cannot be used: {Why}.", "Why", err), nil,
			Say("fail.socket.do", "Put that right, then start the agent anew: earnest agent"))
		return nil, f
	})
}
