package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/mail"
)

// openHeld tries the mails that wait for the escrow whenever something changed.
func (a *account) openHeld(ctx context.Context) error {
	failed := 0
	for {
		var held []store.Mail
		err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
			held, err = store.List[store.Mail](tx, store.MailHeld)
			return err
		})
		pause := heldPause
		for _, m := range held {
			if err != nil || ctx.Err() != nil {
				break
			}
			if m.Account != a.id {
				continue
			}
			opened := a.open(ctx, m.ID)
			if opened == nil {
				failed = 0
				continue
			}
			if failed++; retryLater(opened) {
				pause = soon(failed)
			}
			if errors.Is(opened, escrow.Unavailable) {
				break // so would the others
			}
			a.Log.Warn("a paid mail could not be opened yet", "mail", m.ID, "err", opened)
		}
		if err != nil && ctx.Err() == nil {
			a.Log.Error("the mails that wait could not be listed", "err", err)
		}
		if !sleep(ctx, a.wakeHeld, pause) {
			return nil
		}
	}
}

// heldPause is how often mails are tried that wait for more than the escrow: for
// the keyring, or for the list of bonds.
const heldPause = 30 * time.Second

// open opens a held mail: it decrypts in memory, checks who signed and for whom,
// reports arrived with proof, and only with the escrow's receipt in hand keeps
// anything of the mail to show.
func (a *account) open(ctx context.Context, id string) error {
	a.opening.Lock()
	defer a.opening.Unlock()
	m, content, err := a.held(ctx, id)
	if err != nil || m.State != store.MailHeld {
		return err
	}
	sealed, err := openpgp.Inspect(content.Raw)
	if err != nil {
		return a.refuse(ctx, m, agentclient.Say("mail.not-encrypted", "It is not encrypted as it should be: {Why}.", "Why", whyDamaged(err)))
	}
	if free, err := a.openFree(ctx, m, sealed); free || err != nil {
		return err
	}
	match, err := a.matchHeld(ctx, m, content.Raw, sealed)
	if err != nil {
		return err
	}
	if len(match.candidates) == 0 {
		return a.settleUnopened(ctx, m, sealed)
	}
	var reason error
	for _, c := range match.candidates {
		if c.bond.State == escrow.Rejected || c.bond.State == escrow.Withdrawn {
			return a.setState(ctx, m, string(c.bond.State))
		}
		opened, err := a.decrypt(ctx, sealed, c)
		if errors.Is(err, openpgp.ErrNotForKey) {
			continue
		}
		if unreadable(err) {
			reason = err
			continue
		}
		if err != nil {
			return err // the keyring did not answer: later
		}
		m.Bond, m.Option, m.From = c.bond.ID, c.bond.Option, c.bond.Sender
		return a.arrive(ctx, m, c, opened)
	}
	// Whoever knows a sold key's id can name it: such a mail is not the buyer's, and
	// is shown as from whom it says itself.
	m.From, _ = escrow.ParseAddress(sealed.Header.From)
	if reason != nil {
		return a.refuse(ctx, m, inWords(reason))
	}
	return a.refuse(ctx, m, agentclient.Say("mail.not-decrypted", "It names a key of yours but cannot be decrypted with it."))
}

// matchHeld finds the bonds of a mail that is here already. Whose hidden
// recipient was found at its arrival is not tried for again.
func (a *account) matchHeld(ctx context.Context, m store.Mail, raw []byte, sealed openpgp.Sealed) (result matched, err error) {
	if sealed.Hidden == 0 || m.Bond == "" {
		return a.match(ctx, raw, sealed)
	}
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		bond, _, err := store.Get[store.Bond](tx, store.BondID(a.id, m.Bond))
		if err != nil {
			return err
		}
		key, ok, err := store.Get[store.Key](tx, bond.KeyFingerprint)
		if ok && key.State == store.KeySold {
			result = matched{ours: true, candidates: []candidate{{bond, key}}}
		}
		return err
	})
	return result, err
}

// settleUnopened gives a held mail its last state if its key was given up
// meanwhile: it is never opened. Else it goes on waiting for the list of bonds.
func (a *account) settleUnopened(ctx context.Context, m store.Mail, sealed openpgp.Sealed) error {
	state := ""
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		own, err := ownKeys(tx, sealed)
		if err != nil {
			return err
		}
		bonds := []escrow.BondID{m.Bond}
		for _, key := range own {
			if key.Account == a.id && (key.State == store.KeyDead || key.State == store.KeyConnected) {
				bonds = append(bonds, key.Bond)
			}
			if key.Account == a.id && key.State == store.KeyDead && m.Bond == "" {
				state = store.MailExtra // of a connection that ended, or never was
			}
		}
		for _, id := range bonds {
			ended, err := endedFor(tx, store.BondID(a.id, id), m)
			if err != nil {
				return err
			}
			if ended != "" {
				state = ended
				return nil
			}
		}
		return nil
	})
	if err != nil || state == "" {
		return err
	}
	return a.setState(ctx, m, state)
}

// endedFor is the last state of an unopened mail if it was meant for that bond.
func endedFor(tx *store.Tx, id string, m store.Mail) (string, error) {
	bond, known, err := store.Get[store.Bond](tx, id)
	if err != nil || !known || bond.Role != escrow.RoleRecipient {
		return "", err
	}
	taken, ok, err := store.Get[store.Taken](tx, string(bond.ID))
	switch {
	case err != nil:
		return "", err
	case ok && taken.Mail != m.ID:
		return store.MailExtra, nil
	case bond.State.Ended():
		return string(bond.State), nil
	case !bond.WithdrawAskedAt.IsZero():
		return store.MailWithdrawn, nil
	}
	return "", nil
}

func (a *account) held(ctx context.Context, id string) (m store.Mail, content store.Content, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		if m, _, err = store.Get[store.Mail](tx, id); err != nil {
			return err
		}
		content, _, err = store.Get[store.Content](tx, id)
		return err
	})
	return m, content, err
}

// unreadable reports an error that will be the same however often it is tried.
func unreadable(err error) bool {
	_, damaged := errors.AsType[*openpgp.Damaged](err)
	_, wrong := errors.AsType[*wrongMail](err)
	for _, final := range []error{openpgp.ErrUnsigned, openpgp.ErrBadSignature, mail.ErrTooLarge, mail.ErrMalformed, mail.ErrNotEncrypted, mail.ErrMixed} {
		wrong = wrong || errors.Is(err, final)
	}
	return damaged || wrong
}

// inWords says for a person why a mail is not opened.
func inWords(reason error) agentclient.Said {
	_, damaged := errors.AsType[*openpgp.Damaged](reason)
	wrong, other := errors.AsType[*wrongMail](reason)
	switch {
	case damaged:
		return agentclient.Say("mail.untrusted", "This mail cannot be trusted: {Why}.", "Why", whyDamaged(reason))
	case other:
		return wrong.reason
	case errors.Is(reason, openpgp.ErrUnsigned):
		return agentclient.Say("mail.unsigned", "Nobody signed this mail, so nothing shows that the one who paid has sent it.")
	case errors.Is(reason, openpgp.ErrBadSignature):
		return agentclient.Say("mail.bad-signature", "This mail is not signed by the one who paid.")
	}
	return agentclient.Say("mail.unreadable", "It cannot be read: {Why}.", "Why", reason)
}

// wrongMail is a mail that decrypts but is not the one that was paid for.
type wrongMail struct{ reason agentclient.Said }

func (w *wrongMail) Error() string { return w.reason.String() }

// decrypt opens the mail in memory and holds it against its bond.
func (a *account) decrypt(ctx context.Context, sealed openpgp.Sealed, c candidate) (openpgp.Opened, error) {
	certificate, err := openpgp.ParseCertificate(c.bond.Verification)
	if err != nil {
		return openpgp.Opened{}, &wrongMail{agentclient.Say("wrong.buyer-certificate", "The buyer's certificate cannot be used.")}
	}
	opened, err := a.OpenPGP.Open(ctx, sealed, c.key.Name, certificate)
	if err != nil {
		return openpgp.Opened{}, err
	}
	from, err := escrow.ParseAddress(opened.Header.From)
	if err != nil || from != c.bond.Sender {
		return openpgp.Opened{}, &wrongMail{agentclient.Say("wrong.payer", "It says that it is from somebody other than the one who paid.")}
	}
	if opened.Protected {
		to, err := escrow.ParseAddress(opened.Header.To)
		if err != nil || to != c.bond.Recipient {
			return openpgp.Opened{}, &wrongMail{agentclient.Say("wrong.recipient", "It was written to somebody else.")}
		}
	}
	if s := opened.Stamp; s != nil && (s.Bond != string(c.bond.ID) || s.Key != c.bond.KeyFingerprint) {
		return openpgp.Opened{}, &wrongMail{agentclient.Say("wrong.bond", "It carries the stamp of another bond.")}
	}
	return opened, nil
}

// arrive reports the mail to the escrow and keeps it with the receipt.
func (a *account) arrive(ctx context.Context, m store.Mail, c candidate, opened openpgp.Opened) error {
	var other bool
	err := a.Store.Update(ctx, "arrive.take", func(tx *store.Tx) error {
		taken, ok, err := store.Get[store.Taken](tx, string(m.Bond))
		if err != nil {
			return err
		}
		if other = ok && taken.Mail != m.ID; other {
			return nil
		}
		if err := store.Put(tx, store.Taken{Bond: m.Bond, Mail: m.ID}); err != nil {
			return err
		}
		return store.Put(tx, m)
	})
	if err != nil {
		return err
	}
	if other {
		// One bond, one mail: any other to that key is not opened before an accept.
		return a.setState(ctx, m, store.MailExtra)
	}
	statement, err := a.statement(c.bond.BondView, escrow.EventArrived, opened.Proof.Hash())
	if err != nil {
		return err
	}
	outcome, err := a.service.Arrive(ctx, m.Bond, escrow.Arrival{Proof: opened.Proof, Statement: statement})
	switch {
	case errors.Is(err, escrow.BadProof), errors.Is(err, escrow.Invalid):
		if err := a.giveBack(ctx, m); err != nil {
			return err
		}
		return a.refuse(ctx, m, agentclient.Say("mail.bad-proof", "The escrow does not take its signature for the buyer's."))
	case errors.Is(err, escrow.Conflict):
		return a.setState(ctx, m, store.MailExtra)
	case errors.Is(err, escrow.Ended):
		view, err := a.service.Bond(ctx, m.Bond)
		if err != nil {
			return err
		}
		return a.setState(ctx, m, string(view.State))
	case err != nil:
		return fmt.Errorf("report arrived: %w", err)
	}
	if err := escrow.Verify(outcome.Receipt, escrow.KindReceipt, a.receiptKey(), &escrow.Receipt{}); err != nil {
		return fmt.Errorf("receipt of arrived: %w", err)
	}
	return a.keep(ctx, m, outcome.Bond, opened)
}

// giveBack lets another mail take the bond.
func (a *account) giveBack(ctx context.Context, m store.Mail) error {
	return a.Store.Update(ctx, "arrive.give-back", func(tx *store.Tx) error {
		return store.Delete[store.Taken](tx, string(m.Bond))
	})
}

// keep stores the opened mail, sealed anew to the archive key.
func (a *account) keep(ctx context.Context, m store.Mail, view escrow.BondView, opened openpgp.Opened) error {
	m.Subject, m.Name = opened.Header.Subject, opened.Header.FromName
	m.Beneficiary = beneficiaryName(a.get().Info, string(view.Beneficiary))
	m.Unprotected, m.KeyIDs, m.Attachments = !opened.Protected, nil, attached(opened.Inner)
	if opened.Stamp != nil {
		m.Reply = opened.Stamp.Reply
	}
	sender, err := a.blind(view.Sender)
	if err != nil {
		return err
	}
	err = a.Store.Update(ctx, "arrive.keep", func(tx *store.Tx) error {
		met := store.Met{ID: sender}
		_, known, err := store.Get[store.Met](tx, met.ID)
		if err != nil {
			return err
		}
		m.FirstTime = !known
		if err := store.Put(tx, met); err != nil {
			return err
		}
		if opened.Stamp == nil {
			// A stock sender has one certificate for all: after an accept a copy of this
			// mail must not pass for a free one.
			if _, err := seenBefore(tx, sender, opened); err != nil {
				return err
			}
		}
		// A report made again is answered as the first time, and the bond may have
		// ended since.
		if view, err = a.putBond(tx, view); err != nil {
			return err
		}
		m.State, m.DecideBy = store.MailWaiting, view.DecideBy
		if view.State.Ended() {
			m.State, m.Late = string(view.State), view.ArrivedAt.After(view.EndedAt)
		}
		if err := store.Put(tx, store.Content{ID: m.ID, Opened: true, Raw: opened.Inner}); err != nil {
			return err
		}
		if err := store.Put(tx, m); err != nil {
			return err
		}
		return a.takeOverKey(tx, view)
	})
	if err != nil {
		return err
	}
	a.tell(agentclient.EventMail, m.ID, m.State)
	return nil
}

// refusedShown is how many mails to one key are shown as damaged: a sender may try
// again a few times, a stranger who found the key id may not bury the list.
const refusedShown = 3

// refuse marks a mail that cannot be trusted. Nothing of it is shown, and
// nothing is told to the escrow: its sender may send again under the same bond.
func (a *account) refuse(ctx context.Context, m store.Mail, reason agentclient.Said) error {
	m.Error = reason.And(agentclient.Say("mail.not-opened", "It was not opened and nothing was decided. Its sender may send it again under the same bond; else the bond goes back by itself."))
	if m.Connection != "" {
		m.Error = reason.And(agentclient.Say("mail.not-counted", "It was not opened and not counted.")).And(noMoney()).And(agentclient.Say("mail.ask-sender", "Ask its sender, by another way, whether it is theirs."))
	}
	err := a.Store.Update(ctx, "refuse", func(tx *store.Tx) error {
		refused, _, err := store.Get[store.Refused](tx, refusedOf(m))
		if err != nil {
			return err
		}
		m.State = store.MailDamaged
		if refused.N >= refusedShown {
			m.State = store.MailExtra // kept from filling the list
		}
		refused.ID, refused.N = refusedOf(m), refused.N+1
		return errors.Join(store.Put(tx, refused), store.Delete[store.Content](tx, m.ID), store.Put(tx, m))
	})
	if err == nil {
		a.tell(agentclient.EventMail, m.ID, m.State)
	}
	return err
}

// refusedOf names what refused mails are counted by: the bond, or the connection.
func refusedOf(m store.Mail) string {
	if m.Connection != "" {
		return "connection " + m.Connection
	}
	return string(m.Bond)
}

// setState ends a mail that is never opened. Its bytes are in the mailbox; here
// they would only fill the disk.
func (a *account) setState(ctx context.Context, m store.Mail, state string) error {
	m.State = state
	err := a.Store.Update(ctx, "state", func(tx *store.Tx) error {
		return errors.Join(store.Delete[store.Content](tx, m.ID), store.Put(tx, m))
	})
	if err == nil {
		a.tell(agentclient.EventMail, m.ID, m.State)
	}
	return err
}
