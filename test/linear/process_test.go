package linear

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/test/overlay"
	"earnest/test/soak"
)

const settings = `version = 1
name = "escrow.example"
listen = %q
hosts = [%q]
no_tls = true
database = %q

[terms]
quote = "1d"
undo = "1s"

[limits]
account_rate = -1.0
remote_rate = -1.0

[strangers]
accounts_per_network = -1

[[currency]]
name = %q
scale = 2
unit = "EUR"
`

// process is the real program, on the way to which stands a wire.
type process struct {
	testing.TB
	program, dir, listen string
	database             string // on PostgreSQL; else in the folder
	wire                 *wire
	till                 *till
	command              *exec.Cmd
	ended                chan error
	kills, stops         int
}

func startProcess(t testing.TB, patches ...overlay.Patch) *process {
	t.Helper()
	return serve(t, build(t, patches...), "")
}

// build builds the real program, with its patches.
func build(t testing.TB, patches ...overlay.Patch) string {
	t.Helper()
	root, err := overlay.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	bin, err := overlay.Build(t.Context(), root, t.TempDir(), patches, "cmd/earnest-escrow")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(bin, "earnest-escrow")
}

// serve runs the program, on a database of PostgreSQL or on a file of its own.
func serve(t testing.TB, program, database string) *process {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{TB: t, program: program, database: database, dir: t.TempDir(), listen: free.Addr().String()}
	free.Close()
	p.wire, p.till = newWire(t, p.listen), newTill(t)
	text := fmt.Sprintf(settings, p.listen, p.wire.listener.Addr(), database, servicetest.Currency) + p.till.settings(t, p.dir)
	if err := os.WriteFile(filepath.Join(p.dir, "escrow.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
	t.Cleanup(func() { p.end(syscall.SIGTERM) })
	return p
}

// start starts the program and waits until it answers.
func (p *process) start() {
	p.command, p.ended = exec.Command(p.program, "serve", "--data", p.dir), make(chan error, 1)
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.Error(err)
		return
	}
	defer log.Close()
	p.command.Stdout, p.command.Stderr = log, log
	if err := p.command.Start(); err != nil {
		p.Error(err)
		return
	}
	go func(command *exec.Cmd, ended chan error) { ended <- command.Wait() }(p.command, p.ended)
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 500 {
		answer, err := client.Get("http://" + p.listen + "/healthz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	p.Errorf("the escrow does not answer: %s", text[max(0, len(text)-2000):])
}

func (p *process) end(how syscall.Signal) {
	if err := p.command.Process.Signal(how); err != nil {
		p.Errorf("the escrow had ended by itself: %v", err)
	}
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.Error("the escrow does not stop when asked")
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// trouble cuts connections, and now and then kills the program or stops it, until
// it is told to stop.
func (p *process) trouble(random *rand.Rand, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(20+random.IntN(200)) * time.Millisecond):
		}
		switch n % 24 {
		case 5, 15:
			p.kills++
			p.end(syscall.SIGKILL)
			p.start()
		case 10:
			p.stops++
			p.end(syscall.SIGTERM)
			p.start()
		default:
			p.wire.cut(random, 30)
		}
	}
}

// beside is a second server on the same books, as the operator's commands are one:
// it settles people without a mail.
func (p *process) beside() *town {
	p.Helper()
	database := p.database
	if database == "" {
		database = filepath.Join(p.dir, "escrow.db")
	}
	store, err := sqlstore.Open(p.Context(), database)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		if err := store.Close(); err != nil {
			p.Error(err)
		}
	})
	raw, err := os.ReadFile(filepath.Join(p.dir, "receipt.key"))
	if err != nil {
		p.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		p.Fatal(err)
	}
	w := &town{TB: p, Harness: servicetest.Harness{Store: store, ReceiptSigner: key.(ed25519.PrivateKey)}, born: &atomic.Int64{}, now: time.Now}
	terms := escrow.DefaultTerms()
	terms.Quote, terms.Undo = 30*24*60*60, 1
	w.Server = p.another(w, time.Now, terms)
	return w
}

// another is one more server on the same books, with a clock and terms of its own.
func (p *process) another(w *town, now func() time.Time, terms escrow.Terms) *escrowserver.Server {
	p.Helper()
	cfg := servicetest.Config(w.Store, nil, &servicetest.Mails{}, nil)
	cfg.ReceiptSigner, cfg.Now = w.ReceiptSigner, now
	cfg.Terms, cfg.Certificates, cfg.Provider = terms, realCertificates(), p.till.provider(p)
	server, err := escrowserver.New(cfg)
	if err != nil {
		p.Fatal(err)
	}
	return server
}

// TestHistories_ProcessInTrouble is TestHistories_InProcess over HTTP with the real
// program, which is killed and stopped, and with connections that are cut.
func TestHistories_ProcessInTrouble(t *testing.T) {
	p := startProcess(t)
	report(t, p.histories(t, soak.Times(30, 10_000)))
	if p.kills == 0 || p.stops == 0 || p.wire.cuts == 0 {
		t.Errorf("too little trouble: %d kills, %d stops, %d cuts", p.kills, p.stops, p.wire.cuts)
	}
	soak.Result(t, "%d kills, %d stops, %d connections cut", p.kills, p.stops, p.wire.cuts)
}

// TestHistories_LostCommitIsSeen is the control: the program acknowledges one commit
// in ten that it did not make. No test of one client alone need see it.
func TestHistories_LostCommitIsSeen(t *testing.T) {
	p := startProcess(t, overlay.Patch{File: "escrowserver/sqlstore/exec.go", Edits: []overlay.Edit{{
		Old: "	if err := t.conn.commit(context.Background()); err != nil {",
		New: "	if forgets() {\n		t.conn.rollback()\n		return nil\n	}\n	if err := t.conn.commit(context.Background()); err != nil {",
	}}}, overlay.Patch{File: "escrowserver/sqlstore/forgets.go", Text: forgets})
	wrong := p.histories(t, 100)
	if wrong == "" {
		t.Error("a program that loses what it acknowledged was not caught")
	}
	t.Logf("caught: %.300s", wrong)
}

const forgets = `package sqlstore

import "sync/atomic"

var commits atomic.Int64

func forgets() bool { return commits.Add(1)%10 == 0 }
`

// histories plays so many, in trouble, and tells the first wrong one.
func (p *process) histories(t *testing.T, most int) (wrong string) {
	t.Helper()
	seed, w, f := soak.Seed(t), p.beside(), newReal(t)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	stop := make(chan struct{})
	var trouble sync.WaitGroup
	trouble.Go(func() { p.trouble(soak.Random(seed, 1), stop) })
	var count tally
	wrong = count.run(t, seed, most, func(seed uint64) (*history, bool) {
		c := w.cast(f)
		for _, person := range append(c.buyers[:], c.shops[:]...) {
			client, err := escrowclient.New(escrowclient.Config{BaseURL: "http://" + p.wire.listener.Addr().String(),
				Signer: person.key, Transport: counting{transport}, Timeout: 3 * time.Second})
			w.ok(err)
			person.Service = client
		}
		c.try, c.at = sendCounted, func(p *person, _ int) *person { return p }
		return c.play(t.Context(), seed), true
	})
	close(stop)
	trouble.Wait()
	if wrong == "" {
		w.verified()
	}
	return wrong
}

type sentKey struct{}

// sendCounted asks once by the client, which may itself ask again: it is told how
// often the request left. One in twenty is not waited for.
func sendCounted(ctx context.Context, random *rand.Rand, ask func(context.Context) error) (int64, error) {
	sent := &atomic.Int64{}
	ctx = context.WithValue(ctx, sentKey{}, sent)
	if random.IntN(20) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(10))*time.Millisecond)
		defer cancel()
	}
	err := ask(ctx)
	return sent.Load(), err
}

// counting counts what is sent. Where a connection was dead already, net/http sends
// again by itself only what cannot do harm, and that is no POST.
type counting struct{ http.RoundTripper }

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if sent, ok := r.Context().Value(sentKey{}).(*atomic.Int64); ok {
		sent.Add(1)
	}
	return c.RoundTripper.RoundTrip(r)
}
