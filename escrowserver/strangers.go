package escrowserver

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"earnest/escrow"
)

// StrangerLimits bound what accounts may do that have neither money nor a proven
// address: they cost nothing, so that whoever likes has as many as he likes. All are
// for an hour; 0 is the default, and a negative number no limit. Networks are IPv4
// addresses and IPv6 /64s. Each process counts by itself.
type StrangerLimits struct {
	// Lookups of different addresses by one account, by all of a network, and by all.
	Lookups, LookupsPerNetwork, LookupsInAll int
	// Mails with tokens to addresses that the account does not hold, whoever asks: of a
	// network, and in all.
	MailsPerNetwork, MailsInAll int
	// AccountsPerNetwork are opened by a network, and four times as many by an IPv6 /48:
	// each stays, deleted or not.
	AccountsPerNetwork int
}

func (l StrangerLimits) orDefault() StrangerLimits {
	for _, limit := range []struct {
		have     *int
		standard int
	}{{&l.Lookups, 5}, {&l.LookupsPerNetwork, 20}, {&l.LookupsInAll, 2000}, {&l.MailsPerNetwork, 20}, {&l.MailsInAll, 1000}, {&l.AccountsPerNetwork, 50}} {
		if *limit.have == 0 {
			*limit.have = limit.standard
		}
	}
	return l
}

// stranger reports that the account has neither money nor a proven address.
func (r AccountRecord) stranger() bool {
	return len(r.Addresses) == 0 && !slices.ContainsFunc(r.Balances, func(b BalanceRecord) bool { return b.Available > 0 || b.Held > 0 })
}

// maxNetworks bounds how many networks an hourly knows. Further ones count together.
const maxNetworks = 10_000

// networksInWide is how many times the limit of an IPv6 /64 a /48 has: a customer may
// have all of one, and would else keep the others out with its 65,536 networks.
const networksInWide = 4

// wideNetwork is the /48 of an IPv6 network; none, where it is another.
func wideNetwork(network string) string {
	prefix, err := netip.ParsePrefix(network)
	if err != nil || !prefix.Addr().Is6() || prefix.Bits() < 48 {
		return ""
	}
	return netip.PrefixFrom(prefix.Addr(), 48).Masked().String()
}

// hourly counts what was done within an hour, by network and in all. Its memory is
// bounded by the number of networks, and by what it lets through in all.
type hourly struct {
	mu     sync.Mutex
	of     map[string][]time.Time
	pruned time.Time
}

// Names beside those of networks, which have a dot or a colon.
const (
	inAll   = "in all"
	tooMany = "too many networks"
)

// take counts one more, or tells how long to wait. An unknown network counts in all only.
func (h *hourly) take(network string, perNetwork, most int, now time.Time) (wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.prune(now)
	name := h.name(network)
	wait = h.wait(inAll, most, now)
	if network != "" {
		wait = max(wait, h.wait(name, perNetwork, now))
	}
	if wait > 0 {
		return wait
	}
	if most >= 0 {
		h.of[inAll] = append(h.of[inAll], now)
	}
	if network != "" && perNetwork >= 0 {
		h.of[name] = append(h.of[name], now)
	}
	return 0
}

// back takes the newest count back: nothing came of it.
func (h *hourly) back(network string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range []string{inAll, h.name(network)} {
		if n := len(h.of[name]); n > 0 {
			h.of[name] = h.of[name][:n-1]
		}
	}
}

func (h *hourly) name(network string) string {
	if _, known := h.of[network]; !known && len(h.of) >= maxNetworks {
		return tooMany
	}
	return network
}

func (h *hourly) wait(name string, most int, now time.Time) time.Duration {
	h.of[name] = recent(h.of[name], now)
	done := h.of[name]
	if len(done) == 0 {
		delete(h.of, name)
	}
	if most < 0 || len(done) < most {
		return 0
	}
	return max(done[len(done)-most].Add(time.Hour).Sub(now), time.Second)
}

// prune forgets networks that were quiet for an hour, each minute.
func (h *hourly) prune(now time.Time) {
	if h.of == nil {
		h.of = map[string][]time.Time{}
	}
	if now.Sub(h.pruned) < time.Minute {
		return
	}
	for name, done := range h.of {
		if len(recent(done, now)) == 0 {
			delete(h.of, name)
		}
	}
	h.pruned = now
}

// recent are those of the last hour; they are in their order.
func recent(done []time.Time, now time.Time) []time.Time {
	n := 0
	for n < len(done) && now.Sub(done[n]) >= time.Hour {
		n++
	}
	return done[n:]
}

// tooManyOfAll refuses without saying whose count is full.
func tooManyOfAll(wait time.Duration, what string) error {
	err := escrow.Errorf(escrow.Limited, "%s; nothing was done; wait a little", what)
	err.RetryAfter = wait
	return err
}
