package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/imapwatch"
	"earnest/mail"
)

// Limits of trial decryption: a flood of mails with hidden recipients must not
// keep the agent busy.
const (
	hiddenMailsAnHour = 20
	hiddenKeys        = 1000
)

// incoming is what the mailbox hands its mails to.
type incoming struct{ a *account }

// Want picks the mails that may be ours by their header alone, and those that may
// be answered.
func (in incoming) Want(h imapwatch.Header) bool {
	return encrypted(h) || in.a.isClaim(h.Claim) || in.a.mayAnswer(h)
}

// encrypted is RFC 3156 section 4.
func encrypted(h imapwatch.Header) bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.ContentType)), "multipart/encrypted")
}

// Handle takes one mail. It returns nil once the mail is stored or found not to
// be ours; a mail that is not ours is left as it is and causes no request.
func (in incoming) Handle(ctx context.Context, m imapwatch.Mail) error {
	if in.a.isClaim(m.Claim) {
		return in.a.prove(ctx, m.Raw)
	}
	if !encrypted(m.Header) {
		return in.a.consider(ctx, m)
	}
	if m.TooLarge {
		in.a.Log.Warn("a mail is larger than Earnest reads; left alone", "bytes", m.Size)
		return nil
	}
	return in.a.receive(ctx, m.Raw)
}

// receive stores a mail that is encrypted to a key of ours, unopened, and then
// tries to open it.
func (a *account) receive(ctx context.Context, raw []byte) error {
	id := mailID(raw)
	if seen, err := a.seen(ctx, id); err != nil || seen {
		return err // a second copy, or a mailbox that was numbered anew
	}
	sealed, err := openpgp.Inspect(raw)
	if err != nil {
		// Not PGP/MIME, or not as it should be. Only what is encrypted to a key
		// of ours is ours; of this one nothing is known.
		return nil
	}
	if free, err := a.isFree(ctx, sealed); err != nil || free {
		if err != nil {
			return err
		}
		return a.receiveFree(ctx, id, raw, sealed)
	}
	match, err := a.match(ctx, raw, sealed)
	if err != nil {
		return err
	}
	if !match.ours {
		return a.alarm(ctx, id, raw, sealed)
	}
	isNew := false
	err = a.Store.Update(ctx, "receive", func(tx *store.Tx) error {
		if _, seen, err := store.Get[store.Mail](tx, id); err != nil || seen {
			return err
		}
		isNew = true
		m := store.Mail{ID: id, Account: a.id, Number: a.Now().UnixMilli(), State: store.MailHeld, Unread: true, KeyIDs: sealed.KeyIDs}
		if len(match.candidates) > 0 {
			bond := match.candidates[0].bond
			m.Bond, m.Option, m.From, m.DecideBy = bond.ID, bond.Option, bond.Sender, bond.DecideBy
		}
		if err := store.Put(tx, store.Content{ID: id, Raw: raw}); err != nil {
			return err
		}
		return store.Put(tx, m)
	})
	if err != nil || !isNew {
		return err
	}
	// From here the mail is safe: whatever goes wrong is tried again by openHeld.
	if !a.escrowUp() {
		a.tell(agentclient.EventMail, id, store.MailHeld)
		return nil // the mailbox must not wait for an escrow that does not answer
	}
	if err := a.open(ctx, id); err != nil && ctx.Err() == nil {
		a.Log.Info("a paid mail waits", "mail", id, "code", escrow.CodeOf(err))
		a.tell(agentclient.EventMail, id, store.MailHeld)
		wake(a.wakeHeld)
	}
	return nil
}

func (a *account) seen(ctx context.Context, id string) (seen bool, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		_, seen, err = store.Get[store.Mail](tx, id)
		return err
	})
	return seen, err
}

// alarm looks at a mail that is encrypted to a key that is not ours. From a
// sender with an open bond here it means that somebody sold a key in our name.
// From anybody else it is foreign, and left alone.
func (a *account) alarm(ctx context.Context, id string, raw []byte, sealed openpgp.Sealed) error {
	header, err := mail.ReadHeader(raw)
	from, malformed := escrow.ParseAddress(header.From)
	if err != nil || malformed != nil || sealed.Hidden > 0 {
		return nil
	}
	opener, err := a.blind(from)
	if err != nil {
		return err
	}
	alarmed := false
	err = a.Store.Update(ctx, "alarm", func(tx *store.Tx) error {
		open, ok, err := store.Get[store.Opener](tx, opener)
		if err != nil || !ok || open.Alarmed {
			return err // once is enough: whoever forges a sender can send thousands
		}
		bond, ok, err := store.Get[store.Bond](tx, store.BondID(a.id, open.Bond))
		if err != nil || !ok || bond.State != escrow.Held {
			return err
		}
		// A key of a bond that has ended, or of another account here, is no
		// stranger's: such a mail is not opened, and nothing is wrong.
		if own, err := ownKeys(tx, sealed); err != nil || len(own) > 0 {
			return err
		}
		alarmed, open.Alarmed = true, true
		if err := store.Put(tx, open); err != nil {
			return err
		}
		return store.Put(tx, store.Mail{ID: id, Account: a.id, Bond: bond.ID, Number: a.Now().UnixMilli(),
			State: store.MailDamaged, From: from, Option: bond.Option, Unread: true,
			Error: agentclient.Say("mail.foreign-key", "It is encrypted to a key that is not yours, though its sender paid for one of yours.").And(
				agentclient.Say("mail.foreign-key-may", "It may be an ordinary encrypted mail for your mail program; or somebody gave out a key in your name.")).And(
				agentclient.Say("mail.foreign-key-ask", "Ask the sender, by another way, for the fingerprint used. Nothing was decided."))})
	})
	if err == nil && alarmed {
		a.Log.Warn("a mail of a sender with an open bond is encrypted to a key that is not ours", "mail", id)
		a.tell(agentclient.EventMail, id, store.MailDamaged)
	}
	return err
}

// candidate is a bond whose key a mail may be encrypted to.
type candidate struct {
	bond store.Bond
	key  store.Key
}

type matched struct {
	ours       bool // encrypted to a key of ours, as far as the mail tells
	candidates []candidate
}

// match compares a mail with the copy of the bonds: by key id, else by the
// sender's address, else every living key is tried (K6).
func (a *account) match(ctx context.Context, raw []byte, sealed openpgp.Sealed) (matched, error) {
	result, err := a.matchOnce(ctx, raw, sealed)
	if err != nil || !result.ours || len(result.candidates) > 0 || sealed.Hidden > 0 {
		return result, err
	}
	// The key is ours but its sale is not known here yet: the mail was faster
	// than the list. That is no foreign mail, so the escrow may be asked.
	if _, err := a.syncBonds(ctx, 0); err != nil {
		return result, nil
	}
	return a.matchOnce(ctx, raw, sealed)
}

func (a *account) matchOnce(ctx context.Context, raw []byte, sealed openpgp.Sealed) (matched, error) {
	var result matched
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		own, err := ownKeys(tx, sealed)
		if err != nil {
			return err
		}
		var living []store.Key
		for _, key := range own {
			if key.Account == a.id && key.State != store.KeyDead && key.State != store.KeyConnected && key.State != store.KeyReply {
				living = append(living, key)
			}
		}
		if result.ours = len(living) > 0; !result.ours && sealed.Hidden > 0 {
			if living, err = store.List[store.Key](tx, store.KeySold); err != nil {
				return err
			}
		}
		for _, key := range living {
			bond, ok, err := store.Get[store.Bond](tx, store.BondID(a.id, key.Bond))
			if err != nil {
				return err
			}
			if ok && key.Account == a.id {
				result.candidates = append(result.candidates, candidate{bond, key})
			}
		}
		return nil
	})
	if err != nil || result.ours || sealed.Hidden == 0 {
		return result, err
	}
	return a.trial(ctx, raw, sealed, result.candidates)
}

// errTrialLater keeps a mail with hidden recipients in the mailbox's list of
// mails to offer again.
var errTrialLater = errors.New("a mail with hidden recipients is tried later")

// trial finds the key of a mail with hidden recipients by trying: the sender's
// first, then the others. A mail that fits none is let go only when the list of
// bonds is up to date: it may be faster than the news of its sale, and the escrow
// is not asked about a mail that may be foreign.
func (a *account) trial(ctx context.Context, raw []byte, sealed openpgp.Sealed, candidates []candidate) (matched, error) {
	if len(candidates) > 0 && !a.trials.allow(a.Now()) {
		return matched{}, fmt.Errorf("%w: %d were tried in the last hour", errTrialLater, hiddenMailsAnHour)
	}
	header, _ := mail.ReadHeader(raw)
	from, _ := escrow.ParseAddress(header.From)
	ordered := make([]candidate, 0, len(candidates))
	for _, first := range []bool{true, false} {
		for _, c := range candidates {
			if (c.bond.Sender == from) == first {
				ordered = append(ordered, c)
			}
		}
	}
	for _, c := range ordered[:min(len(ordered), hiddenKeys)] {
		certificate, err := openpgp.ParseCertificate(c.bond.Verification)
		if err != nil {
			continue
		}
		_, err = a.OpenPGP.Open(ctx, sealed, c.key.Name, certificate)
		_, damaged := errors.AsType[*openpgp.Damaged](err)
		switch {
		case err == nil, errors.Is(err, openpgp.ErrUnsigned), errors.Is(err, openpgp.ErrBadSignature):
			return matched{ours: true, candidates: []candidate{c}}, nil
		case !damaged && !errors.Is(err, openpgp.ErrNotForKey) && !unreadable(err):
			return matched{}, err // the keyring did not answer: later
		}
	}
	if !a.listIsCurrent() {
		return matched{}, fmt.Errorf("%w: the list of bonds is not up to date", errTrialLater)
	}
	return matched{}, nil
}

// limiter allows so many in a time.
type limiter struct {
	most  int
	every time.Duration

	mu   sync.Mutex
	when []time.Time
}

func (l *limiter) allow(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.when) > 0 && now.Sub(l.when[0]) >= l.every {
		l.when = l.when[1:]
	}
	if len(l.when) >= l.most {
		return false
	}
	l.when = append(l.when, now)
	return true
}
