package mailhost

import (
	"bytes"
	"net"
)

// watchedListener knows its connections, so that they can be cut, and hides
// IDLE where the options say so.
type watchedListener struct {
	net.Listener
	host *Host
}

// Accept implements net.Listener.
func (l *watchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	watched := &watchedConn{Conn: conn, host: l.host}
	l.host.mu.Lock()
	l.host.conns[watched] = struct{}{}
	l.host.mu.Unlock()
	return watched, nil
}

type watchedConn struct {
	net.Conn
	host *Host
}

// Write implements net.Conn.
func (c *watchedConn) Write(b []byte) (int, error) {
	if c.host.opts.NoIdle && bytes.Contains(b, []byte("CAPABILITY")) {
		if _, err := c.Conn.Write(bytes.ReplaceAll(b, []byte(" IDLE"), nil)); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *watchedConn) Close() error {
	c.host.mu.Lock()
	delete(c.host.conns, c)
	c.host.mu.Unlock()
	return c.Conn.Close()
}
