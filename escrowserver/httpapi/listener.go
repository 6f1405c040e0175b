package httpapi

import (
	"net"
	"sync"
)

// Connections that are open at once: of all, and of one network.
const (
	maxConns          = 8192
	maxConnsPerRemote = 512
)

// limitedListener closes connections over its limits as soon as they come: a
// queue would have those wait who are within theirs.
type limitedListener struct {
	net.Listener
	most, perRemote int // negative: no limit
	mu              sync.Mutex
	count           int
	of              map[string]int
}

func limitListener(l net.Listener, most, perRemote int) *limitedListener {
	return &limitedListener{Listener: l, most: most, perRemote: perRemote, of: map[string]int{}}
}

// Accept returns the next connection within the limits.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		name := network(conn.RemoteAddr().String())
		if l.enter(name) {
			return &countedConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(name) })}, nil
		}
		_ = conn.Close()
	}
}

func (l *limitedListener) enter(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most >= 0 && l.count >= l.most || l.perRemote >= 0 && l.of[name] >= l.perRemote {
		return false
	}
	l.count++
	l.of[name]++
	return true
}

func (l *limitedListener) leave(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count--
	if l.of[name]--; l.of[name] == 0 {
		delete(l.of, name)
	}
}

type countedConn struct {
	net.Conn
	leave func()
}

// Close makes room for another.
func (c *countedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
