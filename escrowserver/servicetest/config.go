package servicetest

import (
	"context"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

func configTests() []test {
	return []test{
		{"CertificatesAreReadForWhoMay", certificatesReadForWhoMay},
		{"QuoteNeedsWhatIsConfigured", quoteNeedsWhatIsConfigured},
		{"NoForfeitToItsSender", noForfeitToItsSender},
		{"OffersAreSmall", offersAreSmall},
		{"CertificatesGoAfter90Days", certificatesGo},
	}
}

// again is the same escrow, started with another configuration.
func (w *world) again(p *person, change func(*escrowserver.Config)) escrow.Service {
	w.Helper()
	return w.restarted(change).As(p.public())
}

func (w *world) restarted(change func(*escrowserver.Config)) *escrowserver.Server {
	w.Helper()
	cfg := Config(w.Store, w.Clock, w.Mails, w.ReceiptSigner)
	change(&cfg)
	server, err := escrowserver.New(cfg)
	w.ok(err)
	return server
}

// beats lets the server run until its heart has beaten.
func (w *world) beats(server *escrowserver.Server) {
	w.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	for range 500 {
		alive, err := w.Store.Alive(ctx)
		w.ok(err)
		if alive.Beat.Equal(w.Clock.Now()) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	w.ok(<-done)
}

// Who may not, or has been answered, costs the escrow no reading of certificates.
func certificatesReadForWhoMay(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 0)
	poor := w.owner("poor@sender.example", 0)
	upload := bob.upload(2)
	checked := 0
	costs := func(what string, want int) {
		w.Helper()
		if now := int(w.Checked.Load()); now-checked != want {
			w.Fatalf("%s: %d certificates were read, want %d", what, now-checked, want)
		}
		checked = int(w.Checked.Load())
	}
	costs("nothing", 0)
	for range 2 {
		_, err := bob.AddKeys(ctx, upload)
		w.ok(err)
	}
	costs("an upload, twice", 2)
	_, err := poor.addKeys(2)
	w.fails(err, escrow.InsufficientFunds)
	poor.topUp(1)
	poor.address = bob.address
	_, err = poor.addKeys(2)
	w.fails(err, escrow.Unproven)
	poor.address = "poor@sender.example"
	costs("uploads of who may not", 0)
	req, _ := anna.request(bob, 25)
	for range 2 {
		_, err := anna.Buy(ctx, req)
		w.ok(err)
	}
	costs("a purchase, twice", 2)
	other := req
	other.Reply = req.Verification
	_, err = anna.Buy(ctx, other)
	w.fails(err, escrow.Conflict)
	costs("another purchase under the same id", 0)
	req, _ = poor.request(bob, 25)
	_, err = poor.Buy(ctx, req)
	w.fails(err, escrow.InsufficientFunds)
	costs("a purchase without money", 0)
}

func quoteNeedsWhatIsConfigured(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 1)
	req := escrow.QuoteRequest{Sender: anna.address, Recipient: bob.address, Option: option(25)}
	for name, change := range map[string]func(*escrowserver.Config){
		"nothing": func(*escrowserver.Config) {},
		"the currency": func(c *escrowserver.Config) {
			c.Currencies, c.LeastPayouts = []payment.Currency{{Name: OtherCurrency}}, nil
		},
		"its scale": func(c *escrowserver.Config) {
			c.Currencies, c.LeastPayouts = []payment.Currency{{Name: Currency, Scale: 3}}, nil
		},
		"the beneficiary": func(c *escrowserver.Config) {
			c.Beneficiaries = c.Beneficiaries[:1]
		},
	} {
		w.Clock.Move(time.Second)
		draft := bob.draft(25)
		draft.Beneficiary = "burned"
		w.ok(bob.PublishOffer(context.Background(), bob.sign(escrow.KindOffer, draft)))
		_, err := w.again(anna, change).Quote(context.Background(), req)
		if name == "nothing" {
			w.ok(err)
			continue
		}
		if escrow.CodeOf(err) != escrow.NoOffer {
			w.Fatalf("a quote without %s: %v", name, err)
		}
	}
}

func noForfeitToItsSender(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 1)
	charity := func(c *escrowserver.Config) {
		c.Beneficiaries = append(c.Beneficiaries, escrow.Beneficiary{ID: anna.public().ID().Holder(), Name: "a charity"})
	}
	w.Clock.Move(time.Second)
	draft := bob.draft(25)
	draft.Beneficiary = anna.public().ID().Holder()
	w.ok(w.again(bob, charity).PublishOffer(context.Background(), bob.sign(escrow.KindOffer, draft)))
	req := escrow.QuoteRequest{Sender: anna.address, Recipient: bob.address, Option: option(25)}
	_, err := w.again(anna, charity).Quote(context.Background(), req)
	w.fails(err, escrow.Forbidden)
	eve := w.owner("eve@other.example", 500)
	req.Sender = eve.address
	_, err = w.again(eve, charity).Quote(context.Background(), req)
	w.ok(err)
}

func offersAreSmall(w *world) {
	bob := w.owner("bob@recipient.example", 1)
	draft := bob.draft(25)
	padded := struct {
		escrow.Offer
		Padding string `json:"padding"`
	}{draft, strings.Repeat("x", 5000)}
	w.ok(bob.PublishOffer(context.Background(), bob.sign(escrow.KindOffer, padded)))
	padded.Padding = strings.Repeat("x", 6200)
	padded.Made = padded.Made.Add(time.Second)
	w.fails(bob.PublishOffer(context.Background(), bob.sign(escrow.KindOffer, padded)), escrow.Invalid)
}

func certificatesGo(w *world) {
	anna, bob, carol := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2), w.recipient("carol@recipient.example", 25, 2)
	accepted, late := anna.buy(bob, 25), anna.buy(carol, 25)
	kept := func(b *bought) bool {
		w.Helper()
		stored, err := w.Store.Bond(context.Background(), b.id())
		w.ok(err)
		return stored.Verification != nil && stored.Reply != nil
	}
	w.later(time.Hour)
	accepted.arrive()
	accepted.decide(escrow.Accept)
	w.later(40 * day)
	late.arrive()
	late.decide(escrow.Accept)
	w.later(50*day - time.Microsecond)
	if !kept(accepted) || !kept(late) {
		w.Fatal("certificates are gone before 90 days")
	}
	w.later(time.Microsecond)
	if kept(accepted) || !kept(late) {
		w.Fatal("certificates of an accepted bond are kept over 90 days, or of one accepted later are gone")
	}
	w.later(40 * day)
	if kept(late) {
		w.Fatal("certificates of a bond accepted late are kept over 90 days")
	}
	next, err := w.Store.NextDue(context.Background())
	w.ok(err)
	if !next.IsZero() && !next.After(w.Clock.Now()) {
		w.Fatal("something is due after the sweep")
	}
}
