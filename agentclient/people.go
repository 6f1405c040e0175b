package agentclient

import (
	"context"
	"time"
)

// PeopleAgent is what a client can ask about connections: who writes free, and why.
type PeopleAgent interface {
	// People lists the connections, the newest first.
	People(ctx context.Context) ([]Person, error)
	// SetPerson changes how many mails somebody may write free from now on.
	SetPerson(ctx context.Context, req SetPerson) (Person, error)
	// RemovePerson ends a connection: its keys are deleted, and the next mail of
	// that person needs a bond.
	RemovePerson(ctx context.Context, req PersonID) error
}

// PersonID names a connection of an own address.
type PersonID struct {
	Account string `json:"account,omitempty"` // own address; the only account where empty
	Address string `json:"address"`
}

// Person is a connection: somebody with whom keys were exchanged, so that mail
// goes both ways encrypted and signed with neither money nor server.
type Person struct {
	PersonID
	Name  string    `json:"name,omitempty"`
	Since time.Time `json:"since"`
	// Why is accepted (a mail of theirs was accepted here), paid (they accepted
	// a mail that was paid for here) or both.
	Why string `json:"why"`
	// Free is what they may write from now on.
	Free Free `json:"free"`
	// FreeThere is what we may write to them, as they have told and as is left.
	FreeThere Free      `json:"freeThere"`
	Received  int       `json:"received"` // free mails that came
	Sent      int       `json:"sent"`     // free mails that went
	Last      time.Time `json:"last,omitzero"`
	Bond      string    `json:"bond"` // that it began with
}

// Why a connection is there.
const (
	WhyAccepted = "accepted"
	WhyPaid     = "paid"
	WhyBoth     = "both"
)

// SetPerson changes a connection.
type SetPerson struct {
	PersonID
	Free Free `json:"free"`
}

// People implements [Agent].
func (c *Client) People(ctx context.Context) ([]Person, error) {
	return get[[]Person](ctx, c, "/v1/people")
}

// SetPerson implements [Agent].
func (c *Client) SetPerson(ctx context.Context, req SetPerson) (Person, error) {
	return post[Person](ctx, c, "/v1/people", req)
}

// RemovePerson implements [Agent].
func (c *Client) RemovePerson(ctx context.Context, req PersonID) error {
	_, err := post[nothing](ctx, c, "/v1/people/remove", req)
	return err
}
