package agent

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
)

// connectionKeys are the keys that a mail names and that are an end of a
// connection of this account, or will be when the news of an accept comes.
func (a *account) connectionKeys(tx *store.Tx, sealed openpgp.Sealed) ([]store.Key, error) {
	own, err := ownKeys(tx, sealed)
	return slices.DeleteFunc(own, func(key store.Key) bool {
		return key.Account != a.id || key.State != store.KeyReply && (key.State != store.KeyConnected || key.Connection == "")
	}), err
}

// receiveFree stores a mail that is encrypted to a connection's key, and opens
// it. Neither asks the escrow for anything.
func (a *account) receiveFree(ctx context.Context, id string, raw []byte, sealed openpgp.Sealed) error {
	isNew := false
	err := a.Store.Update(ctx, "free.receive", func(tx *store.Tx) error {
		if _, seen, err := store.Get[store.Mail](tx, id); err != nil || seen {
			return err
		}
		isNew = true
		return errors.Join(store.Put(tx, store.Content{ID: id, Raw: raw}), store.Put(tx, store.Mail{ID: id, Account: a.id,
			Number: a.Now().UnixMilli(), State: store.MailHeld, Unread: true, KeyIDs: sealed.KeyIDs}))
	})
	if err != nil || !isNew {
		return err
	}
	if err := a.open(ctx, id); err != nil && ctx.Err() == nil {
		a.Log.Info("a mail of a connection waits", "mail", id)
		wake(a.wakeHeld)
	}
	return nil
}

// isFree reports whether the mail is one of a connection, as far as it tells.
func (a *account) isFree(ctx context.Context, sealed openpgp.Sealed) (free bool, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		keys, err := a.connectionKeys(tx, sealed)
		free = len(keys) > 0
		return err
	})
	return free, err
}

// freeMail is a mail that opened with a pair of a connection's keys.
type freeMail struct {
	conn   store.Connection
	pair   store.Pair
	opened openpgp.Opened
}

// errNotConnected: the mail is for a reply key whose accept is not known here yet.
var errNotConnected = errors.New("the accept that the mail follows is not known yet")

// errPaidFor: the mail is a further one of the bond with which a connection began.
var errPaidFor = errors.New("the mail belongs to a bond that has ended")

// openFree opens a held mail that names a connection's key. It is not its
// business where no such key is named.
func (a *account) openFree(ctx context.Context, m store.Mail, sealed openpgp.Sealed) (ours bool, err error) {
	if m.Bond != "" {
		return false, nil
	}
	if ours, err = a.isFree(ctx, sealed); err != nil || !ours {
		return ours, err
	}
	mail, err := a.decryptFree(ctx, sealed)
	switch {
	case err == nil:
		return true, a.keepFree(ctx, m, mail)
	case errors.Is(err, errNotConnected):
		return true, nil // the news of the accept wakes it
	case errors.Is(err, errPaidFor):
		return true, a.setState(ctx, m, store.MailExtra)
	case errors.Is(err, openpgp.ErrNotForKey), unreadable(err):
		m.From, _ = escrow.ParseAddress(sealed.Header.From)
		m.Connection = mail.conn.ID
		return true, a.refuse(ctx, m, freeInWords(err))
	}
	return true, err // the keyring did not answer: later
}

// decryptFree opens the mail in memory with each pair whose key it names, and
// holds it against the connection. With an error the connection is that of the
// last pair that was tried.
func (a *account) decryptFree(ctx context.Context, sealed openpgp.Sealed) (found freeMail, err error) {
	var named []freeMail
	waits := false
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		keys, err := a.connectionKeys(tx, sealed)
		for _, key := range keys {
			if key.State == store.KeyReply {
				waits = true
				continue
			}
			conn, _, err := store.Get[store.Connection](tx, key.Connection)
			if err != nil {
				return err
			}
			if pair := conn.PairOf(key.Fingerprint); pair != nil {
				named = append(named, freeMail{conn: conn, pair: *pair})
			}
		}
		return err
	})
	if err != nil {
		return found, err
	}
	reason := openpgp.ErrNotForKey
	for _, found = range named {
		found.opened, err = a.openPair(ctx, sealed, found)
		if err == nil {
			return found, nil
		}
		if !errors.Is(err, openpgp.ErrNotForKey) {
			if !unreadable(err) {
				return found, err
			}
			reason = err
		}
	}
	if waits {
		return found, errNotConnected
	}
	return found, reason
}

// openPair opens the mail with one pair of keys.
func (a *account) openPair(ctx context.Context, sealed openpgp.Sealed, f freeMail) (openpgp.Opened, error) {
	their, err := openpgp.ParseCertificate(f.pair.Their)
	if err != nil {
		return openpgp.Opened{}, &wrongMail{agentclient.Say("wrong.sender-certificate", "The sender's certificate cannot be used.")}
	}
	opened, err := a.OpenPGP.Open(ctx, sealed, f.pair.Name, their)
	if errors.Is(err, openpgp.ErrBadSignature) {
		err = a.notSigned(ctx, sealed, f, err)
	}
	if err != nil {
		return openpgp.Opened{}, err
	}
	from, err := escrow.ParseAddress(opened.Header.From)
	if err != nil || from != f.conn.Address {
		return openpgp.Opened{}, &wrongMail{agentclient.Say("wrong.signer", "It says that it is from somebody other than the one who signed it.")}
	}
	if opened.Protected {
		to, err := escrow.ParseAddress(opened.Header.To)
		if err != nil || to != a.address {
			return openpgp.Opened{}, &wrongMail{agentclient.Say("wrong.recipient", "It was written to somebody else.")}
		}
	}
	if s := opened.Stamp; s != nil && (s.Bond != "" || s.Key != f.pair.Fingerprint || s.Reply != f.pair.TheirFingerprint) {
		return openpgp.Opened{}, &wrongMail{agentclient.Say("wrong.keys", "It carries the stamp of other keys.")}
	}
	return opened, nil
}

// notSigned says more of a mail that the other side of the pair has not signed: it
// may be a further one of the bond with which the pair began, signed with the
// certificate that served the purchase alone. A bond pays for one mail, and such a
// one is not opened.
func (a *account) notSigned(ctx context.Context, sealed openpgp.Sealed, f freeMail, reason error) error {
	var bond store.Bond
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		bond, _, err = store.Get[store.Bond](tx, store.BondID(a.id, f.pair.Bond))
		return err
	})
	if err != nil {
		return err
	}
	buyer, err := openpgp.ParseCertificate(bond.Verification)
	if err != nil { // of a bond that was paid here there is none
		return reason
	}
	switch _, err = a.OpenPGP.Open(ctx, sealed, f.pair.Name, buyer); {
	case err == nil:
		return errPaidFor
	case unreadable(err):
		return reason
	}
	return err // the keyring did not answer: later
}

// keepFree counts the mail and keeps it, sealed anew to the archive key. What
// was here before in another form is neither counted nor shown.
func (a *account) keepFree(ctx context.Context, m store.Mail, f freeMail) error {
	met, err := a.blind(f.conn.Address)
	if err != nil {
		return err
	}
	err = a.Store.Update(ctx, "free.keep", func(tx *store.Tx) error {
		now, _, err := store.Get[store.Mail](tx, m.ID)
		if err != nil || now.State != store.MailHeld {
			return err
		}
		conn, ok, err := store.Get[store.Connection](tx, f.conn.ID)
		if err != nil {
			return err
		}
		again, err := seenBefore(tx, conn.ID, f.opened)
		if err != nil {
			return err
		}
		if pair := conn.PairOf(f.pair.Fingerprint); !ok || pair == nil || again {
			m.State = store.MailExtra
			return errors.Join(store.Delete[store.Content](tx, m.ID), store.Put(tx, m))
		}
		m.Connection, m.From = conn.ID, conn.Address
		if !spend(&conn) {
			m.State = store.MailUnpaid
			m.Name = "" // nothing of it is shown
			return store.Put(tx, m)
		}
		_, known, err := store.Get[store.Met](tx, met)
		if err != nil {
			return err
		}
		m.FirstTime = !known
		return errors.Join(store.Put(tx, store.Met{ID: met}), a.showFree(tx, m, &conn, f))
	})
	if err != nil {
		return err
	}
	if m, err = a.mailByID(ctx, m.ID); err != nil {
		return err
	}
	a.tell(agentclient.EventMail, m.ID, m.State)
	a.tell(agentclient.EventPeople, string(f.conn.Address), "")
	return nil
}

// showFree keeps an opened mail with what it changes of its connection.
func (a *account) showFree(tx *store.Tx, m store.Mail, conn *store.Connection, f freeMail) error {
	conn.Received, conn.Last = conn.Received+1, a.Now().UTC()
	if f.opened.Header.FromName != "" {
		conn.Name = f.opened.Header.FromName
	}
	if pair := conn.PairOf(f.pair.Fingerprint); pair != nil {
		pair.Received++
		newest := conn.Pairs[len(conn.Pairs)-1].Bond == pair.Bond
		if f.opened.Stamp != nil && newest { // an older pair's count says nothing of now
			a.hearIn(f.opened, conn, pair)
		}
	}
	m.State, m.Subject, m.Name = store.MailAccepted, f.opened.Header.Subject, f.opened.Header.FromName
	m.Unprotected, m.KeyIDs, m.Attachments = !f.opened.Protected, nil, attached(f.opened.Inner)
	return errors.Join(store.Put(tx, store.Content{ID: m.ID, Opened: true, Raw: f.opened.Inner}), store.Put(tx, m), store.Put(tx, *conn))
}

// spend counts one mail down. It is false where none is left.
func spend(conn *store.Connection) bool {
	n, always, _ := agentclient.Free(conn.Free).Count()
	if always {
		return true
	}
	if n == 0 {
		return false
	}
	conn.Free = string(agentclient.FreeMails(n - 1))
	return true
}

// seenBefore notes what a mail cannot share with another: the digest that its
// signature signs and its Message-ID, which is signed too. It reports whether
// one of them was here.
func seenBefore(tx *store.Tx, connection string, opened openpgp.Opened) (again bool, err error) {
	marks := []string{"digest " + opened.Proof.Hash()}
	if opened.Protected && opened.Header.MessageID != "" {
		marks = append(marks, "message "+opened.Header.MessageID)
	}
	for _, mark := range marks {
		seen := store.Seen{ID: escrow.Hash([]byte(connection + "\x00" + mark)), Connection: connection}
		_, known, err := store.Get[store.Seen](tx, seen.ID)
		if err != nil {
			return false, err
		}
		again = again || known
		if err := store.Put(tx, seen); err != nil {
			return false, err
		}
	}
	return again, nil
}

// tellFree is how a mail says how much its reader may write: always, or how many
// are left after so many that came with these keys.
func tellFree(conn store.Connection, pair store.Pair) string {
	n, always, ok := agentclient.Free(conn.Free).Count()
	if always || !ok {
		return conn.Free
	}
	return strconv.Itoa(n) + " " + strconv.Itoa(pair.Received)
}

// hearIn takes what the mail says of the free mails, unless a later one has said
// something else: mails overtake one another, and an accept can open an old one.
func (a *account) hearIn(opened openpgp.Opened, conn *store.Connection, pair *store.Pair) {
	said := opened.Header.Date
	if said.Before(pair.Heard) {
		return
	}
	conn.FreeThere = hear(opened.Stamp.Free, *pair, conn.FreeThere)
	if now := a.Now(); said.After(now) { // a clock that is wrong must not deafen
		said = now
	}
	pair.Heard = said.UTC()
}

// hear reads what tellFree says. What was sent with these keys and is still on
// its way comes off.
func hear(said string, pair store.Pair, before string) string {
	if said == string(agentclient.FreeAlways) {
		return said
	}
	left, came, ok := strings.Cut(said, " ")
	n, always, valid := agentclient.Free(left).Count()
	received, _, counts := agentclient.Free(came).Count()
	if !ok || always || !valid || !counts {
		return before
	}
	return string(agentclient.FreeMails(max(n-max(pair.Sent-received, 0), 0)))
}

// freeInWords says for a person why a mail of a connection is not opened.
func freeInWords(reason error) agentclient.Said {
	switch {
	case errors.Is(reason, openpgp.ErrUnsigned):
		return agentclient.Say("mail.free-unsigned", "Nobody signed this mail, so nothing shows who has sent it.")
	case errors.Is(reason, openpgp.ErrBadSignature):
		return agentclient.Say("mail.free-bad-signature", "This mail is not signed by the one with whom its key is shared.")
	case errors.Is(reason, openpgp.ErrNotForKey):
		return agentclient.Say("mail.not-decrypted", "It names a key of yours but cannot be decrypted with it.")
	}
	return inWords(reason)
}
