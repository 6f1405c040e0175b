package agenttest

import (
	"context"
	"slices"
	"strings"

	"earnest/agentclient"
)

// ChangeIdentity has the escrow show another identity for an address than before: it
// costs nothing there before that one is accepted.
func (a *Agent) ChangeIdentity(address, fingerprint string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := strings.ToLower(address)
	known := a.offers[key].Identity
	if known == "" {
		known = strings.Repeat("k", len(fingerprint))
	}
	if a.prints == nil {
		a.prints = map[string]agentclient.Fingerprints{}
	}
	a.prints[key] = agentclient.Fingerprints{Account: a.status.Accounts[0].Address, Address: address, Escrow: "escrow.example", Known: known, Shown: fingerprint, Seen: a.now(),
		Connected: a.person(address) != nil}
}

// otherIdentity is the alarm about an address.
func (a *Agent) otherIdentity(address string) error {
	of, there := a.prints[strings.ToLower(address)]
	if !there || of.Known == of.Shown {
		return nil
	}
	return agentclient.Refuse(agentclient.CodeIdentity,
		agentclient.Say("price.other-identity", "The escrow shows another identity for {Address} than before: its fingerprint was {Known}, and is {Shown}.", "Address", of.Address, "Known", of.Known, "Shown", of.Shown),
		agentclient.Say("price.taking-place", "Somebody may be taking its place, or the person has lost a machine and began anew. Nothing was paid or sent."),
		agentclient.Say("price.ask-fingerprint", "Ask the person, by another way, for the fingerprint on the card. If it is the new one, accept it with: earnest price accept-fingerprint {Address} FINGERPRINT", "Address", of.Address))
}

// Fingerprints implements [agentclient.Agent].
func (a *Agent) Fingerprints(ctx context.Context, _, address string) (agentclient.Fingerprints, error) {
	if err := a.begin(ctx, "Fingerprints"); err != nil {
		return agentclient.Fingerprints{}, err
	}
	defer a.mu.Unlock()
	return a.fingerprints(address)
}

func (a *Agent) fingerprints(address string) (agentclient.Fingerprints, error) {
	if of, there := a.prints[strings.ToLower(address)]; there {
		return of, nil
	}
	price, there := a.offers[strings.ToLower(address)]
	if !there {
		return agentclient.Fingerprints{}, failure("no_offer", "Nobody set a price for that address here.")
	}
	return agentclient.Fingerprints{Account: a.status.Accounts[0].Address, Address: address, Escrow: "escrow.example", Known: price.Identity, Shown: price.Identity, Seen: a.now(),
		Connected: a.person(address) != nil}, nil
}

// AcceptFingerprint implements [agentclient.Agent].
func (a *Agent) AcceptFingerprint(ctx context.Context, req agentclient.AcceptFingerprint) (agentclient.Fingerprints, error) {
	if err := a.begin(ctx, "AcceptFingerprint"); err != nil {
		return agentclient.Fingerprints{}, err
	}
	defer a.mu.Unlock()
	of, err := a.fingerprints(req.Address)
	if err != nil {
		return of, err
	}
	if strings.Join(strings.Fields(req.Fingerprint), "") != of.Shown {
		f := failure(agentclient.CodeIdentity, "That is not the fingerprint that the escrow shows for "+req.Address+".")
		f.Field = agentclient.FieldFingerprint
		return agentclient.Fingerprints{}, f
	}
	if of.Known != of.Shown {
		of.Before = slices.Insert(of.Before, 0, agentclient.FormerFingerprint{Fingerprint: of.Known, Until: a.now()})
	}
	of.Known, of.AcceptedAt = of.Shown, a.now()
	if a.prints == nil {
		a.prints = map[string]agentclient.Fingerprints{}
	}
	a.prints[strings.ToLower(req.Address)] = of
	if price, there := a.offers[strings.ToLower(req.Address)]; there {
		price.Identity = of.Shown
		a.offers[strings.ToLower(req.Address)] = price
	}
	a.emit(agentclient.EventPrice, req.Address, "")
	return of, nil
}
