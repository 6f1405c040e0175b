package agent

import (
	"context"
	"errors"
	"slices"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
)

// maxPairs bounds the keys of one connection. An older pair serves mail that is
// still on its way; after so many further accepts nothing is.
const maxPairs = 8

// link is one accept, as one of its two sides takes part in it.
type link struct {
	address escrow.Address // the other side
	name    string
	why     string
	bond    escrow.BondID
	key     store.Key // ours
	their   []byte    // certificate
	// free is what they may write from now on; freeThere what we may, as far as is
	// known yet.
	free, freeThere string
}

// connect makes a connection of an accept, or adds the accept's pair of keys to
// the one there is. It is part of the transaction in which the accept becomes
// known, and a second time it changes nothing.
func (a *account) connect(tx *store.Tx, l link) error {
	their, err := openpgp.ParseCertificate(l.their)
	if err != nil {
		return nil // nothing could be verified by it; the accept stands all the same
	}
	id, err := a.blind(l.address)
	if err != nil {
		return err
	}
	conn, known, err := store.Get[store.Connection](tx, id)
	if err != nil || conn.Pair(l.bond) != nil {
		return err
	}
	if !known {
		conn = store.Connection{ID: id, Account: a.id, Number: a.Now().UnixMilli(), Address: l.address, Why: l.why, Bond: l.bond}
	}
	if conn.Why != l.why {
		conn.Why = agentclient.WhyBoth
	}
	conn.Free = l.free
	if l.name != "" {
		conn.Name = l.name
	}
	if l.freeThere != "" {
		conn.FreeThere = l.freeThere
	}
	conn.Pairs = append(conn.Pairs, store.Pair{Bond: l.bond, Name: l.key.Name, Fingerprint: l.key.Fingerprint,
		Their: their.Raw, TheirFingerprint: their.Fingerprint})
	if err := dropOldPairs(tx, &conn); err != nil {
		return err
	}
	l.key.State, l.key.Bond, l.key.Connection = store.KeyConnected, l.bond, id
	return errors.Join(store.Put(tx, l.key), store.Put(tx, conn))
}

// dropOldPairs drops what is over the bound, the oldest first. A pair stays as long
// as an unpaid mail needs it: that is in the list, and an accept opens it.
func dropOldPairs(tx *store.Tx, conn *store.Connection) error {
	if len(conn.Pairs) <= maxPairs {
		return nil
	}
	needed := map[uint64]bool{}
	unpaid, err := store.List[store.Mail](tx, store.MailUnpaid)
	if err != nil {
		return err
	}
	for _, m := range unpaid {
		for _, id := range m.KeyIDs {
			needed[id] = needed[id] || m.Connection == conn.ID
		}
	}
	for i := 0; i < len(conn.Pairs)-1 && len(conn.Pairs) > maxPairs; {
		key, _, err := store.Get[store.Key](tx, conn.Pairs[i].Fingerprint)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(key.KeyIDs, func(id uint64) bool { return needed[id] }) {
			i++
			continue
		}
		if err := dropPair(tx, conn.Pairs[i]); err != nil {
			return err
		}
		conn.Pairs = slices.Delete(conn.Pairs, i, i+1)
	}
	return nil
}

// dropPair deletes our key of a pair. What is encrypted to it is then nobody's.
func dropPair(tx *store.Tx, p store.Pair) error {
	key, ok, err := store.Get[store.Key](tx, p.Fingerprint)
	if err != nil || !ok {
		return err
	}
	return dropKey(tx, key)
}

// connectAccepted is the side that accepted: our end is the key that was sold,
// theirs the reply certificate that the escrow released.
func (a *account) connectAccepted(tx *store.Tx, view escrow.BondView, key store.Key) error {
	if view.Reply == nil {
		return nil // refused, or not released yet
	}
	m, _, err := a.mailOf(tx, view.ID)
	if err != nil {
		return err
	}
	granted := m.Granted
	if granted == "" { // accepted before there were connections, or elsewhere
		granted = string(a.policy())
	}
	// Whom we wrote to we are let in by, always (K12).
	return a.connect(tx, link{address: view.Sender, name: m.Name, why: agentclient.WhyAccepted, bond: view.ID,
		key: key, their: view.Reply, free: granted, freeThere: string(agentclient.FreeAlways)})
}

// connectPaid is the side whose mail was accepted: our end is the reply key,
// theirs the one-time key. Whom we paid to reach may write to us always (K12).
func (a *account) connectPaid(tx *store.Tx, sent store.Sent, view escrow.BondView) error {
	if !sent.OwnKeys() || sent.Certificate == nil || view.State != escrow.Accepted && view.LateAcceptedAt.IsZero() {
		return nil
	}
	reply, err := openpgp.ParseCertificate(sent.Buy.Reply)
	if err != nil {
		return nil
	}
	key, ok, err := store.Get[store.Key](tx, reply.Fingerprint)
	if err != nil || ok && key.State != store.KeyReply {
		return err // connected already, or removed since
	}
	if !ok { // bought before there were connections
		key = replyKey(sent, reply)
		if err := nameKey(tx, key); err != nil {
			return err
		}
	}
	return a.connect(tx, link{address: view.Recipient, why: agentclient.WhyPaid, bond: view.ID,
		key: key, their: sent.Certificate, free: string(agentclient.FreeAlways)})
}

// replyKey is the record by which mail to the reply key of a purchase is found.
func replyKey(sent store.Sent, reply openpgp.Certificate) store.Key {
	return store.Key{Fingerprint: reply.Fingerprint, Account: sent.Account, Name: replyName(sent), State: store.KeyReply,
		KeyIDs: reply.KeyIDs, Certificate: reply.Raw, Number: sent.Number, Bond: sent.Bond}
}

// putReplyKey makes mail to the reply key of a purchase findable before there can
// be any.
func putReplyKey(tx *store.Tx, sent store.Sent) error {
	if !sent.OwnKeys() {
		return nil
	}
	reply, err := openpgp.ParseCertificate(sent.Buy.Reply)
	if err != nil {
		return err
	}
	key := replyKey(sent, reply)
	return errors.Join(nameKey(tx, key), store.Put(tx, key))
}

// policy is what an accept lets its sender write further, where nothing else is said.
func (a *account) policy() agentclient.Free {
	free := agentclient.Free(a.get().FreeAfter)
	if _, _, ok := free.Count(); !ok {
		return agentclient.FreeAlways
	}
	return free
}

// grant is what an accept gives: what the person says, else what the price says,
// and then never less than what is there already.
func (a *account) grant(tx *store.Tx, sender escrow.Address, said agentclient.Free) (string, error) {
	if said != agentclient.FreePolicy {
		return string(said), nil
	}
	id, err := a.blind(sender)
	if err != nil {
		return "", err
	}
	conn, _, err := store.Get[store.Connection](tx, id)
	return string(more(agentclient.Free(conn.Free), a.policy())), err
}

// more is the greater of the two; what is no count is none.
func more(a, b agentclient.Free) agentclient.Free {
	countA, alwaysA, _ := a.Count()
	countB, alwaysB, _ := b.Count()
	if alwaysB || !alwaysA && countB >= countA {
		return b
	}
	return a
}

// checkFree refuses what is neither a count nor always.
func checkFree(free agentclient.Free) error {
	if _, _, ok := free.Count(); ok {
		return nil
	}
	return agentclient.Refuse(agentclient.CodeUsage,
		agentclient.Say("people.no-number", "That is no number of free mails."), agentclient.Say("nothing.changed", "Nothing was changed."),
		agentclient.Say("people.number-like", "Say a number from 0 to {Most}, or always.", "Most", agentclient.MaxFree)).At("free")
}

// learnFree takes from the receipts of a bond of ours how many free mails its
// recipient gave with the accept. It is learned once: it counts down from there.
func (a *account) learnFree(tx *store.Tx, bond escrow.BondView, receipts []escrow.Signed) error {
	if bond.Role != escrow.RoleSender {
		return nil
	}
	sent, ok, err := store.Get[store.Sent](tx, string(bond.ID))
	if err != nil || !ok || sent.FreeThere != "" {
		return err
	}
	for _, signed := range receipts {
		var receipt escrow.Receipt
		var decision escrow.Decision
		if escrow.Peek(signed, &receipt) != nil || receipt.Event != escrow.EventAccepted && receipt.Event != escrow.EventLateAccepted {
			continue
		}
		if escrow.Peek(receipt.Statement, &decision) == nil {
			sent.FreeThere = decision.Free
		}
	}
	if sent.FreeThere == "" {
		return nil // a decision of an older program: it grants none
	}
	if err := store.Put(tx, sent); err != nil {
		return err
	}
	id, err := a.blind(bond.Recipient)
	if err != nil {
		return err
	}
	conn, ok, err := store.Get[store.Connection](tx, id)
	if err != nil || !ok || conn.Pair(bond.ID) == nil {
		return err
	}
	conn.FreeThere = sent.FreeThere
	return store.Put(tx, conn)
}

// connectOld makes, once, the connections of bonds that were accepted before
// there were any. The keys are there.
func (a *account) connectOld(ctx context.Context) error {
	if a.get().Connected {
		return nil
	}
	return a.change(ctx, "connect.old", func(tx *store.Tx, settings *store.Account) error {
		settings.Connected = true
		bonds, err := store.List[store.Bond](tx, "recipient.ended", "sender.ended")
		if err != nil {
			return err
		}
		slices.SortStableFunc(bonds, func(x, y store.Bond) int { return x.EndedAt.Compare(y.EndedAt) })
		for _, bond := range bonds {
			if bond.Account != a.id {
				continue
			}
			if bond.Role == escrow.RoleRecipient {
				err = a.takeOverKey(tx, bond.BondView)
			} else {
				err = a.connectOldSent(tx, bond.BondView)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *account) connectOldSent(tx *store.Tx, view escrow.BondView) error {
	sent, ok, err := store.Get[store.Sent](tx, string(view.ID))
	if err != nil || !ok {
		return err
	}
	if err := a.connectPaid(tx, sent, view); err != nil {
		return err
	}
	chain, _, err := store.Get[store.Chain](tx, store.BondID(a.id, view.ID))
	if err != nil || chain.Fault != "" {
		return err
	}
	return a.learnFree(tx, view, chain.Receipts)
}
