package agenttest

import (
	"context"
	"slices"
	"strings"

	"earnest/agentclient"
)

// AddPerson adds a connection and tells it. What is empty is filled.
func (a *Agent) AddPerson(p agentclient.Person) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.Account == "" && len(a.status.Accounts) > 0 {
		p.Account = a.status.Accounts[0].Address
	}
	if p.Since.IsZero() {
		p.Since = a.now()
	}
	if p.Why == "" {
		p.Why = agentclient.WhyAccepted
	}
	if p.Free == "" {
		p.Free = agentclient.FreeAlways
	}
	if p.FreeThere == "" {
		p.FreeThere = agentclient.FreeAlways
	}
	a.people = slices.Insert(a.people, 0, p)
	a.emit(agentclient.EventPeople, p.Address, "")
}

// connect makes a connection of an accepted mail.
func (a *Agent) connect(m agentclient.Mail, free agentclient.Free) {
	if free == agentclient.FreePolicy {
		free = agentclient.FreeAlways
	}
	a.mu.Lock()
	if p := a.person(m.From); p != nil {
		p.Free = free
		a.emit(agentclient.EventPeople, p.Address, "")
		a.mu.Unlock()
		return
	}
	a.mu.Unlock()
	a.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Account: m.To, Address: m.From}, Name: m.Name, Free: free, Bond: m.Bond})
}

func (a *Agent) person(address string) *agentclient.Person {
	for i := range a.people {
		if strings.EqualFold(a.people[i].Address, address) {
			return &a.people[i]
		}
	}
	return nil
}

// People implements [agentclient.Agent].
func (a *Agent) People(ctx context.Context) ([]agentclient.Person, error) {
	if err := a.begin(ctx, "People"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return append([]agentclient.Person{}, a.people...), nil
}

// SetPerson implements [agentclient.Agent].
func (a *Agent) SetPerson(ctx context.Context, req agentclient.SetPerson) (agentclient.Person, error) {
	if err := a.begin(ctx, "SetPerson"); err != nil {
		return agentclient.Person{}, err
	}
	defer a.mu.Unlock()
	p := a.person(req.Address)
	if p == nil {
		return agentclient.Person{}, failure(agentclient.CodeNotFound, "There is no such person.")
	}
	if _, _, ok := req.Free.Count(); !ok {
		return agentclient.Person{}, failure(agentclient.CodeUsage, "That is no number of mails.")
	}
	p.Free = req.Free
	a.emit(agentclient.EventPeople, p.Address, "")
	return *p, nil
}

// RemovePerson implements [agentclient.Agent].
func (a *Agent) RemovePerson(ctx context.Context, req agentclient.PersonID) error {
	if err := a.begin(ctx, "RemovePerson"); err != nil {
		return err
	}
	defer a.mu.Unlock()
	a.people = slices.DeleteFunc(a.people, func(p agentclient.Person) bool { return strings.EqualFold(p.Address, req.Address) })
	a.emit(agentclient.EventPeople, req.Address, "")
	return nil
}
