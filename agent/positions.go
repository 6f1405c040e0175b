package agent

import (
	"context"

	"earnest/agent/store"
	"earnest/escrow"
	"earnest/imapwatch"
)

// positions remembers how far each mailbox has been read.
type positions struct{ a *account }

func (p positions) id(mailbox string) string {
	return escrow.Hash([]byte(p.a.id + "\x00" + mailbox))
}

// Position is where reading of the mailbox goes on.
func (p positions) Position(ctx context.Context, mailbox string) (position imapwatch.Position, err error) {
	err = p.a.Store.View(ctx, func(tx *store.Tx) error {
		kept, _, err := store.Get[store.Position](tx, p.id(mailbox))
		position = imapwatch.Position{Mailbox: mailbox, UIDValidity: kept.UIDValidity, LastUID: kept.LastUID, Pending: kept.Pending}
		return err
	})
	return position, err
}

// SavePosition stores it.
func (p positions) SavePosition(ctx context.Context, position imapwatch.Position) error {
	return p.a.Store.Update(ctx, "position", func(tx *store.Tx) error {
		return store.Put(tx, store.Position{ID: p.id(position.Mailbox), Account: p.a.id, UIDValidity: position.UIDValidity,
			LastUID: position.LastUID, Pending: position.Pending})
	})
}
