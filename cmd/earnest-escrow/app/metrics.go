package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
)

// metrics is what Prometheus may know. No label names a person, an address, a key or
// a bond. A nil *metrics measures nothing.
type metrics struct {
	registry   *prometheus.Registry
	operations *prometheus.CounterVec
	requests   *prometheus.HistogramVec
	batchSize  prometheus.Histogram
	batchTook  prometheus.Histogram
}

// newMetrics returns nil if nobody asks for them.
func newMetrics(cfg Config) *metrics {
	if cfg.Metrics == "" {
		return nil
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "earnest_operations_total",
			Help: "Operations on the books, by name and by how they ended: ok, or the code of the error."}, []string{"operation", "code"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "earnest_http_seconds",
			Help: "How long requests took, by operation and status; long polls wait for news.", Buckets: prometheus.DefBuckets}, []string{"operation", "status"}),
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "earnest_batch_operations",
			Help: "How many operations shared a commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 10)}),
		batchTook: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "earnest_batch_seconds",
			Help: "How long a batch took until it was durable.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15)}),
	}
	m.registry.MustRegister(m.operations, m.requests, m.batchSize, m.batchTook,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) request(pattern string, status int, took time.Duration) {
	if m != nil {
		m.requests.WithLabelValues(pattern, strconv.Itoa(status)).Observe(took.Seconds())
	}
}

// books has what is done to them counted.
func (m *metrics) books(store *sqlstore.Store) escrowserver.Store {
	if m == nil {
		return store
	}
	return measuredStore{store, m}
}

type measuredStore struct {
	*sqlstore.Store
	m *metrics
}

// Apply does the operations and counts them.
func (s measuredStore) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	begun := time.Now()
	results := s.Store.Apply(ctx, ops)
	s.m.batchTook.Observe(time.Since(begun).Seconds())
	s.m.batchSize.Observe(float64(len(ops)))
	for i, op := range ops {
		code := "unanswered"
		if i < len(results) {
			code = codeOf(results[i].Err)
		}
		s.m.operations.WithLabelValues(op.Name(), code).Inc()
	}
	return results
}

func codeOf(err error) string {
	switch code := escrow.CodeOf(err); {
	case err == nil:
		return "ok"
	case code == "":
		return string(escrow.Internal)
	default:
		return string(code)
	}
}

// metricsServer answers Prometheus.
type metricsServer struct {
	listener net.Listener
	server   *http.Server
}

func (m *metrics) serve(cfg Config, listener net.Listener, server *escrowserver.Server, store *sqlstore.Store) *metricsServer {
	if m == nil {
		return nil
	}
	m.registry.MustRegister(&figures{cfg: cfg, server: server, store: store})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2}))
	return &metricsServer{listener, &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute}}
}

func (s *metricsServer) url() string {
	if s == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String() + "/metrics"
}

func (s *metricsServer) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.server.Close() })
	defer stop()
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// figuresFor is how long figures of the books are shown again: to count them reads
// much.
const figuresFor = 15 * time.Second

// figures reads the books when Prometheus asks.
type figures struct {
	cfg    Config
	server *escrowserver.Server
	store  *sqlstore.Store

	mu    sync.Mutex
	taken time.Time
	last  sqlstore.Figures
}

// Describe tells nothing ahead: what there is depends on the currencies.
func (f *figures) Describe(chan<- *prometheus.Desc) {}

// Collect tells the books' figures as they are now.
func (f *figures) Collect(to chan<- prometheus.Metric) {
	gauge := func(name, help string, value float64, labels ...string) {
		var names, values []string
		for i := 0; i+1 < len(labels); i += 2 {
			names, values = append(names, labels[i]), append(values, labels[i+1])
		}
		to <- prometheus.MustNewConstMetric(prometheus.NewDesc("earnest_"+name, help, names, nil), prometheus.GaugeValue, value, values...)
	}
	health := f.server.Health()
	gauge("queue_operations", "Operations that wait for a batch.", float64(health.Waiting))
	gauge("stuck_bonds", "Bonds that could not be ended at their deadline, and changes of accounts that could not act; run verify.", float64(health.Stuck))
	books, err := f.read()
	if err != nil {
		f.cfg.Log.Error("the figures of the books could not be read", "error", err)
		return
	}
	for _, m := range books.Money {
		holder := string(m.Holder)
		gauge("money_available", "Money at hand, in smallest units.", float64(m.Available), "holder", holder, "currency", m.Currency)
		gauge("money_held", "Money held in bonds, in smallest units.", float64(m.Held), "holder", holder, "currency", m.Currency)
	}
	for state, n := range books.Bonds {
		gauge("bonds", "Bonds by state.", float64(n), "state", string(state))
	}
	lag := 0.0
	if !books.OverdueSince.IsZero() {
		lag = f.cfg.Now().Sub(books.OverdueSince).Seconds()
	}
	gauge("sweeper_lag_seconds", "How long the oldest bond is overdue.", lag)
	gauge("overdue_bonds", "Bonds whose deadline has passed.", float64(books.Overdue))
	gauge("pools", "Addresses with an offer.", float64(books.Pools))
	gauge("pools_low", "Addresses with an offer and few keys.", float64(books.LowPools))
	gauge("pools_empty", "Addresses with an offer that are sold out.", float64(books.EmptyPools))
	gauge("accounts", "Accounts.", float64(books.Accounts))
	gauge("outages", "Outages of over five minutes that the books know.", float64(books.Outages))
	for _, kind := range sqlstore.TopUpKinds() {
		for _, c := range f.cfg.Currencies {
			sum := books.TopUps[kind][c.Name]
			gauge("topups", "Top-ups that became money.", float64(sum.N), "kind", kind, "currency", c.Name)
			gauge("topups_amount", "Top-ups that became money, in smallest units.", float64(sum.Amount), "kind", kind, "currency", c.Name)
		}
	}
	for _, w := range []struct {
		name, help string
		sums       sqlstore.Sums
	}{
		{"payouts_waiting", "Payouts that wait for the operator", books.Payouts}, {"payouts_paying", "Payouts that the operator has begun to pay", books.Paying}, {"debts_open", "Debts that are open", books.Debts},
		{"payments_wrong", "Card payments of other money than was asked for", books.Wrong}, {"vouchers_promised", "Vouchers that were not redeemed", books.Vouchers},
	} {
		for _, c := range f.cfg.Currencies {
			gauge(w.name, w.help+".", float64(w.sums[c.Name].N), "currency", c.Name)
			gauge(w.name+"_amount", w.help+", in smallest units.", float64(w.sums[c.Name].Amount), "currency", c.Name)
		}
	}
	gauge("events_waiting", "What the card provider told and is not done yet.", float64(books.Events))
	gauge("vouchers_open", "Vouchers that were made and not redeemed.", float64(books.OpenVouchers))
}

func (f *figures) read() (sqlstore.Figures, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.taken) < figuresFor {
		return f.last, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	last, err := f.store.Figures(ctx, f.cfg.Now())
	if err == nil {
		f.last, f.taken = last, time.Now()
	}
	return last, err
}
