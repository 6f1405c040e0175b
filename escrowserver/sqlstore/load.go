package sqlstore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
)

// wants is what an operation needs to know before it is decided. What a batch
// wants is read in a few questions for all of its operations.
type wants struct {
	accounts   []escrow.KeyID
	bonds      []escrow.BondID
	later      []escrow.BondID // whose parties are locked now, though the bonds are read later
	operations []operationKey
	offers     []escrow.Address
	addresses  []escrow.Address
	open       []pair
	outcomes   []outcomeKey
	proofs     []string
	keys       map[escrow.Address]int // how many at most
	taken      []escrow.BondID
	// endedOf... are the senders whose bonds may have ended without arrived.
	endedOfAccounts, endedOfAddresses []endedKey
	groups                            []group
	limits                            []limitKey
	vouchers                          []string
	blocked                           []pair // the sender folded
	now                               time.Time
}

func (w *wants) statement(bond escrow.BondID, signed escrow.Signed) {
	w.bonds, w.outcomes = append(w.bonds, bond), append(w.outcomes, outcomeKey{signed.Hash(), bond})
}

func (w *wants) addTopUp(op escrowserver.TopUp) {
	w.operations = append(w.operations, operationKey{op.Account, op.ID})
	w.vouchers = append(w.vouchers, op.Hash)
}

func (w *wants) addArrive(op escrowserver.Arrive) {
	w.bonds, w.proofs = append(w.bonds, op.Bond), append(w.proofs, op.Proof)
}

func (w *wants) addBuy(op escrowserver.Buy) {
	q := op.Quote
	w.accounts = append(w.accounts, op.Recipient)
	w.limits = append(w.limits, limitKey{op.Account, q.Option.Currency})
	w.taken = append(w.taken, op.Request.ID)
	w.offers = append(w.offers, q.Recipient)
	w.addresses = append(w.addresses, q.Sender)
	w.open = append(w.open, pairOf(q.Sender, q.Recipient))
	w.blocked = append(w.blocked, pair{q.Sender.Folded(), q.Recipient})
	w.endedOfAccounts = append(w.endedOfAccounts, accountEnded(op.Account))
	w.endedOfAddresses = append(w.endedOfAddresses, addressEnded(q.Sender))
	w.groups = append(w.groups, groupOf(q.Recipient, op.Group))
	if w.keys == nil {
		w.keys = map[escrow.Address]int{}
	}
	w.keys[q.Recipient]++
	w.now = op.Now
}

// load reads what is wanted and not known yet: first who the parties of the bonds
// are, and the beneficiary if it is an account, which never changes; then it locks the accounts; then the rest.
func (t *tx) load(ctx context.Context, w wants) error {
	bonds := unknown(w.bonds, t.known.bonds)
	accounts := w.accounts
	if named := slices.Concat(bonds, w.later); len(named) > 0 {
		var there []escrow.BondID
		parties := ask(`SELECT bond.sender_account, bond.recipient_account, COALESCE(account.id, '') FROM bond
			LEFT JOIN entry ON entry.transfer = bond.id AND entry.step = 1 LEFT JOIN account ON account.id = entry.payee WHERE bond.id = ?`, named,
			func(id escrow.BondID, scan func(...any) error) error {
				var sender, recipient, beneficiary escrow.KeyID
				err := scan(&sender, &recipient, &beneficiary)
				accounts = append(accounts, sender, recipient, beneficiary)
				if slices.Contains(bonds, id) {
					there = append(there, id)
				}
				return err
			})
		if err := t.conn.ask(ctx, []question{parties}); err != nil {
			return err
		}
		// One that another process commits from here on is absent: nothing of it is locked.
		bonds = there
	}
	// One after the other, on one way: what is asked after the locks is read after them.
	questions := slices.DeleteFunc(slices.Concat(t.accountQuestions(accounts), t.bondQuestions(bonds), t.buyQuestions(w), t.limitQuestions(w), t.answerQuestions(w)),
		func(q question) bool { return len(q.values) == 0 })
	if len(questions) == 0 {
		return nil
	}
	return t.conn.ask(ctx, questions)
}

// unknown are the keys that are not in the map yet, each once. They get there as
// absent.
func unknown[K comparable, V any](keys []K, known map[K]V) []K {
	var none V
	var missing []K
	for _, key := range keys {
		if _, ok := known[key]; !ok {
			known[key] = none
			missing = append(missing, key)
		}
	}
	return missing
}

// ask makes a question for keys of one value each.
func ask[K ~string](text string, keys []K, row func(K, func(...any) error) error) question {
	return askFor(text, keys, func(k K) []any { return []any{k} }, row)
}

// askFor makes a question for keys of several values.
func askFor[K any](text string, keys []K, values func(K) []any, row func(K, func(...any) error) error) question {
	q := question{text: text, row: func(i int, scan func(...any) error) error { return row(keys[i], scan) }}
	for _, key := range keys {
		q.values = append(q.values, values(key))
	}
	return q
}

// bondQuestions read bonds, their transfers and the heads of their receipts.
func (t *tx) bondQuestions(ids []escrow.BondID) []question {
	return []question{
		ask(`SELECT sender_group, due_at, sender_change, recipient_change, `+bondColumns+` FROM bond WHERE id = ?`, ids, func(id escrow.BondID, scan func(...any) error) error {
			known := &knownBond{}
			b, err := scanBond(scan, &known.group, &known.dueAt, &known.listed.sender, &known.listed.recipient)
			if errors.Is(err, errDamaged) {
				known.err, err = err, nil // it is one bond: the batch's others go on
			}
			known.bond = b
			t.known.bonds[id] = known
			return err
		}),
		ask(`SELECT payer, payee, currency, amount, state FROM transfer WHERE id = ?`, ids, func(id escrow.BondID, scan func(...any) error) error {
			tr := &ledger.Transfer{ID: string(id)}
			t.known.transfers[tr.ID] = tr
			return scan(&tr.From, &tr.To, &tr.Currency, &tr.Amount, &tr.State)
		}),
		ask(`SELECT n, jws FROM receipt WHERE bond = ? AND n > 0 ORDER BY n DESC LIMIT 1`, ids, func(id escrow.BondID, scan func(...any) error) error {
			var head receiptHead
			var jws escrow.Signed
			err := scan(&head.n, &jws)
			head.hash = jws.Hash()
			t.known.heads[id] = head
			return err
		}),
	}
}

// buyQuestions read what speaks for and against purchases, and keys for them.
func (t *tx) buyQuestions(w wants) []question {
	k := &t.known
	return []question{
		ask(`SELECT sender_account, body_hash FROM bond WHERE id = ?`, unknown(w.taken, k.used), func(id escrow.BondID, scan func(...any) error) error {
			var by usedID
			err := scan(&by.account, &by.bodyHash)
			k.used[id] = by
			return err
		}),
		ask(`SELECT offer.account, offer.jws, offer.public, address.renew_by FROM offer
			JOIN address ON address.address = offer.address AND address.account = offer.account WHERE offer.address = ?`,
			unknown(w.offers, k.offers), func(address escrow.Address, scan func(...any) error) error {
				o := &knownOffer{}
				k.offers[address] = o
				return o.scan(scan)
			}),
		ask(`SELECT account, renew_by FROM address WHERE address = ?`, unknown(w.addresses, k.addresses),
			func(address escrow.Address, scan func(...any) error) error {
				var by provenBy
				err := scan(&by.account, &by.renewBy)
				k.addresses[address] = by
				return err
			}),
		askFor(`SELECT id FROM bond WHERE sender_folded = ? AND recipient_folded = ? AND state IN ('held', 'arrived', 'rejecting')`,
			unknown(w.open, k.open), func(p pair) []any { return []any{p.sender, p.recipient} },
			func(p pair, scan func(...any) error) error {
				var id escrow.BondID
				err := scan(&id)
				k.open[p] = append(k.open[p], id)
				return err
			}),
		t.blockedQuestion(w.blocked),
		t.endedQuestion(w.endedOfAccounts, "sender_account", w.now),
		t.endedQuestion(w.endedOfAddresses, "sender_folded", w.now),
		askFor(`SELECT COUNT(*) FROM bond WHERE recipient_folded = ? AND sender_group = ? AND state = 'held'`,
			unknown(w.groups, k.groups), func(g group) []any { return []any{g.recipient, g.group} },
			func(g group, scan func(...any) error) error {
				var n int
				err := scan(&n)
				k.groups[g] = n
				return err
			}),
		askFor(`SELECT id, fingerprint, certificate, batch FROM one_time_key WHERE address = ? AND id > ? ORDER BY id LIMIT ?`,
			unknown(slices.Sorted(maps.Keys(w.keys)), k.keys), func(a escrow.Address) []any { return []any{a, t.pools.after(a), w.keys[a]} },
			func(a escrow.Address, scan func(...any) error) error {
				var key freeKey
				err := scan(&key.id, &key.fingerprint, &key.certificate, &key.batch)
				k.keys[a] = append(k.keys[a], key)
				return err
			}),
	}
}

// endedQuestion asks when bonds of senders ended without arrived, newest first.
func (t *tx) endedQuestion(who []endedKey, column string, now time.Time) question {
	since := micros(now.Add(-escrowserver.Lookback))
	return askFor(`SELECT ended_at FROM bond WHERE `+column+` = ? AND arrived_at = 0 AND ended_at > 0 AND ended_at > ? ORDER BY ended_at DESC`,
		unknown(who, t.known.ended), func(key endedKey) []any { return []any{key.who, since} },
		func(key endedKey, scan func(...any) error) error {
			var at int64
			err := scan(&at)
			t.known.ended[key] = append(t.known.ended[key], fromMicros(at))
			return err
		})
}

// answerQuestions read what was answered before, and vouchers.
func (t *tx) answerQuestions(w wants) []question {
	k := &t.known
	return []question{
		askFor(`SELECT body_hash, response FROM operation WHERE account = ? AND id = ?`, unknown(w.operations, k.operations),
			func(o operationKey) []any { return []any{o.account, o.id} },
			func(key operationKey, scan func(...any) error) error {
				o := knownOperation{there: true}
				err := scan(&o.bodyHash, &o.response)
				k.operations[key] = o
				return err
			}),
		askFor(`SELECT outcome FROM statement WHERE hash = ? AND bond = ?`, unknown(w.outcomes, k.outcomes),
			func(o outcomeKey) []any { return []any{o.hash, o.bond} },
			func(key outcomeKey, scan func(...any) error) error {
				var text string
				err := scan(&text)
				k.outcomes[key] = text
				return err
			}),
		ask(`SELECT bond, outcome FROM proof WHERE hash = ?`, unknown(w.proofs, k.proofs),
			func(hash string, scan func(...any) error) error {
				var p knownProof
				err := scan(&p.bond, &p.outcome)
				k.proofs[hash] = p
				return err
			}),
		ask(`SELECT currency, amount, signed FROM voucher WHERE hash = ? AND redeemed_at = 0`+lockRow, unknown(w.vouchers, k.vouchers),
			func(hash string, scan func(...any) error) error {
				v := &escrowserver.VoucherLine{Hash: hash}
				k.vouchers[hash] = v
				return scan(&v.Currency, &v.Amount, &v.Signed)
			}),
	}
}

// lockAccounts locks the accounts and reads what stands in their rows.
func (t *tx) lockAccounts(ctx context.Context, ids []escrow.KeyID) error {
	questions := t.accountQuestions(ids)
	if len(questions) == 0 {
		return nil
	}
	return t.conn.ask(ctx, questions)
}

// accountQuestions lock the accounts that are not locked yet, and then read their
// balances. Unknown ones are known to be absent.
func (t *tx) accountQuestions(ids []escrow.KeyID) []question {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id escrow.KeyID) bool {
		_, ok := t.known.accounts[id]
		return ok || id == ""
	})
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil
	}
	accounts := question{text: `SELECT change, key_id, frozen_at, open_bonds FROM account WHERE id = ?` + lockAccount,
		row: func(i int, scan func(...any) error) error {
			a := &knownAccount{}
			t.known.accounts[ids[i]] = a
			var frozenAt int64
			err := scan(&a.change, &a.key, &frozenAt, &a.open)
			a.frozen = frozenAt > 0
			return err
		}}
	balances := question{text: `SELECT currency, available, held FROM balance WHERE holder = ?`,
		row: func(i int, scan func(...any) error) error {
			key, b := bucketKey{holder: ids[i].Holder()}, &knownBalance{}
			err := scan(&key.currency, &b.read.Available, &b.read.Held)
			b.now = b.read
			t.known.balances[key] = b
			return err
		}}
	for _, id := range ids {
		t.known.accounts[id] = nil
		accounts.values = append(accounts.values, []any{id})
		balances.values = append(balances.values, []any{id})
	}
	return []question{accounts, balances}
}
