package app

import (
	"context"
	"net"
	"strings"
	"time"

	"earnest/agent"
)

// names is what answers questions to the DNS: a server that was named, else the
// system's. Who asks nobody for servers asks nobody for this.
func names(config Config) agent.Names {
	switch {
	case config.DNS != "":
		dialer := net.Dialer{Timeout: 5 * time.Second}
		return rooted{&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, config.DNS)
		}}}
	case config.NoDiscovery:
		return nil
	}
	return rooted{net.DefaultResolver}
}

// rooted asks for whole names: the system's search list is for people who type.
type rooted struct{ resolver *net.Resolver }

// LookupTXT implements [agent.Names].
func (r rooted) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return r.resolver.LookupTXT(ctx, strings.TrimSuffix(name, ".")+".")
}
