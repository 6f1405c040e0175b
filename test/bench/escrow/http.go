package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"earnest/crypto/openpgp"
	"earnest/crypto/secret"
	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/escrowserver"
	"earnest/escrowserver/httpapi"
	"earnest/escrowserver/sqlstore"
	"earnest/ledger"
	"earnest/payment"
)

// serveCommand makes this program an escrow server for another run of itself.
const serveCommand = "serve"

// noMail is for servers that send none.
type noMail struct{}

func (noMail) SendToken(context.Context, string, escrowserver.TokenMail) error {
	return errors.New("no mail is sent here")
}

// serve answers on a loopback port, which it prints, until its input ends. Its
// arguments are the database and the receipt key's seed.
func serve(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("it takes a database and a seed")
	}
	seed, err := base64.RawURLEncoding.DecodeString(args[1])
	if err != nil {
		return err
	}
	store, err := sqlstore.Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer store.Close()
	server, err := escrowserver.New(escrowserver.Config{
		Name: currency, Operator: "Example Foundation", LegalForm: "non-profit foundation",
		Currencies:    []payment.Currency{{Name: currency, Scale: 2, Unit: "EUR"}},
		Beneficiaries: []escrow.Beneficiary{{ID: ledger.Company, Name: "Example Foundation"}},
		ReceiptSigner: ed25519.NewKeyFromSeed(seed), Store: store, Mailer: noMail{}, Certificates: openpgp.Certificates{Now: time.Now},
	})
	if err != nil {
		return err
	}
	api, err := httpapi.New(httpapi.Config{As: server.As, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		PerAccount: httpapi.Rate{PerSecond: -1}, PerRemote: httpapi.Rate{PerSecond: -1}})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: api.Handler(), ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, in) // until who started it closes it
		_ = s.Close()
	}()
	fmt.Fprintln(out, "http://"+l.Addr().String())
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// process is a server in a process of its own.
type process struct {
	cmd *exec.Cmd
	in  io.Closer
	url string
}

func startServer(ctx context.Context, database string, key ed25519.PrivateKey) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, serveCommand, database, base64.RawURLEncoding.EncodeToString(key.Seed()))
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	return &process{cmd, in, strings.TrimSpace(line)}, err
}

func (p *process) stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }

// cpu is how much time of processors it has taken.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// After the name in brackets: state, parent, ..., and as the 12th and 13th the
	// ticks as user and in the system (proc(5)).
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat: %q", text)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * (time.Second / 100), errors.Join(err1, err2)
}

// httpBuys has clients buy over HTTP, spread over the servers.
func (w *world) httpBuys(ctx context.Context, servers []*process, clients, n int) (float64, error) {
	ops, err := w.buys(n)
	if err != nil {
		return 0, err
	}
	certificate, err := realCertificate(ctx)
	if err != nil {
		return 0, err
	}
	services := map[escrow.KeyID]*escrowclient.Client{}
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	for i, p := range w.senders {
		if services[p.account], err = escrowclient.New(escrowclient.Config{
			BaseURL: servers[i%len(servers)].url, Signer: p.key, Transport: transport, Timeout: time.Minute}); err != nil {
			return 0, err
		}
	}
	work, failed := make(chan escrowserver.Buy), make(chan error, clients)
	began := time.Now()
	for range clients {
		go func() {
			var first error
			for op := range work {
				req := op.Request
				req.Verification, req.Reply = certificate, certificate
				if _, err := services[op.Account].Buy(ctx, req); err != nil && first == nil {
					first = err
				}
			}
			failed <- first
		}()
	}
	for _, op := range ops {
		work <- op.(escrowserver.Buy)
	}
	close(work)
	var errs []error
	for range clients {
		errs = append(errs, <-failed)
	}
	return float64(n) / time.Since(began).Seconds(), errors.Join(errs...)
}

// vault keeps a private key that nobody needs.
type vault struct{}

func (vault) Put(context.Context, string, secret.Secret) error { return nil }
func (vault) Get(context.Context, string) (secret.Secret, error) {
	return secret.Secret{}, errors.New("no such item")
}
func (vault) Delete(context.Context, string) error { return nil }

// realCertificate is one as agents make them.
func realCertificate(ctx context.Context) ([]byte, error) {
	keys := openpgp.NewKeys(vault{}, time.Now)
	c, err := keys.Generate(ctx, "buyer", "")
	return c.Raw, err
}

func (b *bench) overHTTP(ctx context.Context) error {
	url, err := b.cluster.NewDatabase(ctx)
	if err != nil {
		return err
	}
	w, err := settle(ctx, url, b.plan(1, 1))
	if err != nil {
		return err
	}
	defer w.store.Close()
	server, err := startServer(ctx, url, w.signer)
	if err != nil {
		return err
	}
	tpcb, err := b.tpcb(ctx)
	if err != nil {
		return err
	}
	got, err := b.takeTurns(ctx, turn{"buys", func(ctx context.Context) (float64, error) {
		return w.httpBuys(ctx, []*process{server}, clients, b.buys)
	}}, tpcb)
	if err := errors.Join(err, server.stop()); err != nil {
		return err
	}
	b.say("PostgreSQL: signed buys over HTTP / pgbench TPC-B", got[0]/got[1], 1, "%.0f and %.0f a second; the clients sign on the same machine", got[0], got[1])
	return nil
}

// processes compares the CPU time a purchase of one server with that of four on the
// same database: each as busy as the one, and the four with the clients of the one,
// which leaves each of them smaller batches.
func (b *bench) processes(ctx context.Context) error {
	url, err := b.cluster.NewDatabase(ctx)
	if err != nil {
		return err
	}
	w, err := settle(ctx, url, b.plan(1, 3))
	if err != nil {
		return err
	}
	defer w.store.Close()
	with := func(servers, clients int) turn {
		return turn{fmt.Sprintf("%d servers, %d clients", servers, clients), func(ctx context.Context) (float64, error) {
			cpu, err := w.serverCPU(ctx, url, servers, clients, b.buys)
			return float64(b.buys) / cpu.Seconds(), err
		}}
	}
	got, err := b.takeTurns(ctx, with(1, clients), with(4, 4*clients), with(4, clients))
	if err != nil {
		return err
	}
	b.say("PostgreSQL: buys a second of CPU, four processes / one", got[1]/got[0], 0.9, "%.0f and %.0f, each process with %d clients", got[1], got[0], clients)
	fmt.Fprintf(b.out, "  with %d clients in all %32.2f   (%.0f and %.0f)\n", clients, got[2]/got[0], got[2], got[0])
	return nil
}

// serverCPU is what the buys cost n servers that share the work, without their
// start.
func (w *world) serverCPU(ctx context.Context, database string, n, clients, buys int) (cpu time.Duration, err error) {
	var servers []*process
	defer func() {
		for _, p := range servers {
			err = errors.Join(err, p.stop())
		}
	}()
	total := func() (sum time.Duration, err error) {
		for _, p := range servers {
			one, failed := p.cpu()
			sum, err = sum+one, errors.Join(err, failed)
		}
		return sum, err
	}
	for range n {
		p, err := startServer(ctx, database, w.signer)
		if err != nil {
			return 0, err
		}
		servers = append(servers, p)
	}
	before, err1 := total()
	_, err2 := w.httpBuys(ctx, servers, clients, buys)
	after, err3 := total()
	return after - before, errors.Join(err1, err2, err3)
}
