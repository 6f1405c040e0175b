package escrow

import "context"

type networkKey struct{}

// FromNetwork notes from which network a request comes: an IPv4 address or an IPv6 /64.
func FromNetwork(ctx context.Context, network string) context.Context {
	return context.WithValue(ctx, networkKey{}, network)
}

// NetworkOf is that network; empty if nobody can tell.
func NetworkOf(ctx context.Context) string {
	network, _ := ctx.Value(networkKey{}).(string)
	return network
}
