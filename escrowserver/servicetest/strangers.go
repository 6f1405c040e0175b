package servicetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

func strangerTests() []test {
	return []test{
		{"AccountsThatCostNothingLookLittleUp", strangersLookUp},
		{"ANetworkHasFewTokensMailed", networkMails},
		{"AllTogetherHaveSoManyTokensMailed", mailsInAll},
		{"ANetworkOpensFewAccounts", networkOpens},
		{"AWideNetworkOpensFewAccounts", wideNetworkOpens},
	}
}

// guarded is the escrow with its standard limits on strangers, but for what is changed.
func (w *world) guarded(change func(*escrowserver.StrangerLimits)) func(network string, p *person) *person {
	server := w.restarted(func(c *escrowserver.Config) {
		c.Strangers = escrowserver.StrangerLimits{}
		if change != nil {
			change(&c.Strangers)
		}
	})
	return func(network string, p *person) *person {
		return &person{Service: server.As(p.public()), w: w, key: p.key, network: network}
	}
}

func (p *person) from() context.Context { return escrow.FromNetwork(context.Background(), p.network) }

// looksUp is how many of so many addresses the person may look up.
func (p *person) looksUp(n int) (done int) {
	p.w.Helper()
	for range n {
		_, err := p.Offer(p.from(), escrow.Address("a"+p.w.id()+"@unknown.example"))
		switch escrow.CodeOf(err) {
		case escrow.NoOffer:
			done++
		case escrow.Limited:
			if e, ok := errors.AsType[*escrow.Error](err); !ok || e.RetryAfter <= 0 || e.RetryAfter > time.Hour {
				p.w.Fatalf("the limit does not say when it ends: %v", err)
			}
		default:
			p.w.Fatalf("looked up: %v", err)
		}
	}
	return done
}

func strangersLookUp(w *world) {
	at := w.guarded(nil)
	const network, other = "192.0.2.1", "2001:db8::/64"
	sum := 0
	for range 20 {
		sum += at(network, w.stranger()).looksUp(60)
	}
	if sum != 20 {
		w.Fatalf("20 accounts without money or address looked %d addresses up, want 20", sum)
	}
	if n := at(other, w.stranger()).looksUp(60); n != 5 {
		w.Fatalf("a new account from elsewhere looked %d addresses up, want 5", n)
	}
	// One who has shown something is bound by what he did alone.
	anna := at(network, w.owner("anna@sender.example", 0))
	if n := anna.looksUp(70); n != 60 {
		w.Fatalf("who has proven an address looked %d addresses up, want 60", n)
	}
	bob := w.stranger()
	bob.topUp(1)
	if n := at(network, bob).looksUp(70); n != 60 {
		w.Fatalf("who has money looked %d addresses up, want 60", n)
	}
	w.later(time.Hour)
	if n := at(network, w.stranger()).looksUp(60); n != 5 {
		w.Fatalf("an hour later a new account looked %d addresses up, want 5", n)
	}
	all := w.guarded(func(l *escrowserver.StrangerLimits) { l.LookupsInAll = 12 })
	sum = 0
	for i := range 10 {
		sum += all(fmt.Sprintf("192.0.2.%d", i), w.stranger()).looksUp(5)
	}
	if sum != 12 {
		w.Fatalf("strangers of ten networks looked %d addresses up, want 12", sum)
	}
}

func (p *person) claims(address string) error {
	return p.ClaimAddress(p.from(), escrow.AddressClaim{Address: address, Nonce: p.w.id()})
}

func networkMails(w *world) {
	at := w.guarded(nil)
	const network = "192.0.2.1"
	owner := w.owner("anna@sender.example", 0)
	w.later(2 * time.Hour)
	before, refused := w.Mails.Count(), 0
	for i := range 10 {
		eve := at(network, w.stranger())
		for j := range 5 {
			switch err := eve.claims(fmt.Sprintf("victim%d@m%d.example", j, i)); escrow.CodeOf(err) {
			case "":
			case escrow.Limited:
				refused++
			default:
				w.ok(err)
			}
		}
	}
	if sent := w.Mails.Count() - before; sent != 20 || refused != 30 {
		w.Fatalf("a network had %d tokens mailed, want 20; %d were refused", sent, refused)
	}
	// Others are not held up, nor is who renews what is proven.
	w.ok(at("192.0.2.2", w.stranger()).claims("carol@sender.example"))
	w.ok(at(network, owner).claims("anna@sender.example"))
	// What was refused for another reason counts not.
	late := at("192.0.2.3", w.stranger())
	for range 30 {
		_ = late.claims("carol@sender.example")
	}
	w.ok(late.claims("dora@sender.example"))
	w.later(time.Hour)
	w.ok(at(network, w.stranger()).claims("bob@sender.example"))
}

func mailsInAll(w *world) {
	at := w.guarded(func(l *escrowserver.StrangerLimits) { l.MailsInAll = 7 })
	sent := 0
	for i := range 10 {
		if at(fmt.Sprintf("192.0.2.%d", i), w.stranger()).claims(fmt.Sprintf("v%d@m.example", i)) == nil {
			sent++
		}
	}
	if sent != 7 || w.Mails.Count() != 7 {
		w.Fatalf("%d tokens were mailed in all, want 7", sent)
	}
}

func networkOpens(w *world) {
	at := w.guarded(nil)
	open := func(network string) (*person, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		w.ok(err)
		p := at(network, &person{w: w, key: key})
		_, err = p.OpenAccount(p.from(), escrow.OpenAccount{Key: p.public()})
		return p, err
	}
	const network = "192.0.2.1"
	first, err := open(network)
	w.ok(err)
	for range 49 {
		_, err := open(network)
		w.ok(err)
	}
	refused, err := open(network)
	w.fails(err, escrow.Limited)
	_, err = refused.Account(refused.from())
	w.fails(err, escrow.NotFound)
	// One that is open costs nothing, and others are not held up.
	for range 3 {
		_, err = first.OpenAccount(first.from(), escrow.OpenAccount{Key: first.public()})
		w.ok(err)
	}
	_, err = open("192.0.2.2")
	w.ok(err)
	w.later(time.Hour)
	_, err = open(network)
	w.ok(err)
}

// wideNetworkOpens: who has all of a /48 has no more than four of its networks, and keeps
// nobody else out.
func wideNetworkOpens(w *world) {
	at := w.guarded(func(l *escrowserver.StrangerLimits) { l.AccountsPerNetwork = 2 })
	open := func(network string) error {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		w.ok(err)
		p := at(network, &person{w: w, key: key})
		_, err = p.OpenAccount(p.from(), escrow.OpenAccount{Key: p.public()})
		return err
	}
	const one, other = "2001:db8:1:%x::/64", "2001:db8:2:%x::/64"
	for range 2 {
		w.ok(open(fmt.Sprintf(one, 0)))
	}
	w.fails(open(fmt.Sprintf(one, 0)), escrow.Limited) // which counts for nothing
	for i := range 6 {
		w.ok(open(fmt.Sprintf(one, i+1)))
	}
	for i := range 3 {
		w.fails(open(fmt.Sprintf(one, i+100)), escrow.Limited)
	}
	w.ok(open(fmt.Sprintf(other, 0)))
	w.ok(open("192.0.2.1"))
	w.ok(open(""))
	w.later(time.Hour)
	w.ok(open(fmt.Sprintf(one, 100)))
}
