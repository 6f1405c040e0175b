package agent

import (
	"context"
	"errors"
	"slices"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
)

// People lists the connections of every account, the newest first.
func (a *Agent) People(ctx context.Context) ([]agentclient.Person, error) {
	var all []store.Connection
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.List[store.Connection](tx)
		return err
	})
	people := make([]agentclient.Person, 0, len(all))
	for _, conn := range slices.Backward(all) {
		if acct := a.byID(conn.Account); acct != nil {
			people = append(people, acct.viewPerson(conn))
		}
	}
	return people, err
}

func (a *account) viewPerson(conn store.Connection) agentclient.Person {
	return agentclient.Person{
		PersonID: agentclient.PersonID{Account: string(a.address), Address: string(conn.Address)},
		Name:     conn.Name, Since: time.UnixMilli(conn.Number).UTC(), Why: conn.Why,
		Free: freeOf(conn.Free), FreeThere: freeOf(conn.FreeThere),
		Received: conn.Received, Sent: conn.Sent, Last: conn.Last, Bond: string(conn.Bond),
	}
}

// person finds whom a request names: an account of ours and the record's id.
func (a *Agent) person(ctx context.Context, id agentclient.PersonID) (*account, string, error) {
	acct, err := a.byAddress(id.Account)
	if err != nil {
		return nil, "", err
	}
	address, err := typedAddress(id.Address)
	if err != nil {
		return nil, "", err
	}
	conn, ok, err := acct.connectedTo(ctx, address)
	if err == nil && !ok {
		err = noPerson(string(address))
	}
	return acct, conn.ID, err
}

// personIn reads a connection again where it is changed: it may have ended since.
func personIn(tx *store.Tx, id, address string) (store.Connection, error) {
	conn, ok, err := store.Get[store.Connection](tx, id)
	if err == nil && !ok {
		err = noPerson(address)
	}
	return conn, err
}

func noPerson(address string) error {
	return agentclient.Refuse(agentclient.CodeNotFound,
		agentclient.Say("people.none", "There is no connection with {Address}.", "Address", address), agentclient.Say("nothing.changed", "Nothing was changed."),
		agentclient.Say("people.see", "See who there is with: earnest people"))
}

// SetPerson changes how many mails somebody may write free from now on.
func (a *Agent) SetPerson(ctx context.Context, req agentclient.SetPerson) (agentclient.Person, error) {
	if err := checkFree(req.Free); err != nil {
		return agentclient.Person{}, err
	}
	acct, id, err := a.person(ctx, req.PersonID)
	if err != nil {
		return agentclient.Person{}, err
	}
	var conn store.Connection
	err = a.Store.Update(ctx, "people.set", func(tx *store.Tx) error {
		if conn, err = personIn(tx, id, req.Address); err != nil {
			return err
		}
		conn.Free = string(req.Free)
		return store.Put(tx, conn)
	})
	if err != nil {
		return agentclient.Person{}, err
	}
	a.tell(agentclient.EventPeople, string(conn.Address), "")
	return acct.viewPerson(conn), nil
}

// RemovePerson ends a connection. Its keys are deleted: what comes to them
// afterwards is no mail of ours, and left alone like any other.
func (a *Agent) RemovePerson(ctx context.Context, req agentclient.PersonID) error {
	acct, id, err := a.person(ctx, req)
	if err != nil {
		return err
	}
	var conn store.Connection
	err = a.Store.Update(ctx, "people.remove", func(tx *store.Tx) error {
		if conn, err = personIn(tx, id, req.Address); err != nil {
			return err
		}
		for _, pair := range conn.Pairs {
			if err := dropPair(tx, pair); err != nil {
				return err
			}
		}
		return errors.Join(forgetSeen(tx, id), store.Delete[store.Refused](tx, refusedOf(store.Mail{Connection: id})), acct.endUnpaid(tx, conn), store.Delete[store.Connection](tx, id))
	})
	if err != nil {
		return err
	}
	a.tell(agentclient.EventPeople, string(conn.Address), "")
	a.tell(agentclient.EventMail, "", "")
	return nil
}

func forgetSeen(tx *store.Tx, connection string) error {
	marks, err := store.List[store.Seen](tx, connection)
	for _, mark := range marks {
		err = errors.Join(err, store.Delete[store.Seen](tx, mark.ID))
	}
	return err
}

// endUnpaid ends the mails that nobody can open any more, now that the key goes.
func (a *account) endUnpaid(tx *store.Tx, conn store.Connection) error {
	unpaid, err := store.List[store.Mail](tx, store.MailUnpaid)
	for _, m := range unpaid {
		if m.Connection != conn.ID {
			continue
		}
		m.State, m.Error = store.MailRejected, agentclient.Say("mail.sender-removed", "You removed its sender, and the key with it. It was not opened.")
		err = errors.Join(err, store.Delete[store.Content](tx, m.ID), store.Put(tx, m))
	}
	return err
}
