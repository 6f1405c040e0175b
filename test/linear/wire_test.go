package linear

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// wire is what lies between the clients and the escrow. It can be cut.
type wire struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	open     map[net.Conn]bool
	cuts     int
	all      sync.WaitGroup
}

func newWire(t testing.TB, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, to: to, open: map[net.Conn]bool{}}
	w.all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.all.Go(func() { w.carry(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		w.cut(nil, 100)
		w.all.Wait()
	})
	return w
}

func (w *wire) carry(near net.Conn) {
	defer near.Close()
	far, err := net.DialTimeout("tcp", w.to, time.Second)
	if err != nil {
		return
	}
	defer far.Close()
	w.keep(near, true)
	defer w.keep(near, false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// What ends on one side ends on the other.
		_, _ = io.Copy(far, near)
		far.Close()
	}()
	_, _ = io.Copy(near, far)
	near.Close()
	<-done
}

func (w *wire) keep(conn net.Conn, open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if open {
		w.open[conn] = true
	} else {
		delete(w.open, conn)
	}
}

// cut ends some of the connections, wherever in a request or an answer they are.
func (w *wire) cut(random *rand.Rand, percent int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.open {
		if percent >= 100 || random.IntN(100) < percent {
			conn.Close()
			w.cuts++
		}
	}
}
