package imapwatch

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// candidates searches in low to high for encrypted mails and token mails, in
// ascending order. ok is false if the server cannot search so.
func (s *session) candidates(low, high uint32) (uids []uint32, ok bool, err error) {
	defer s.patience(s.cfg.Timing.Search)()
	var within imap.UIDSet
	within.AddRange(imap.UID(low), imap.UID(high))
	encrypted := imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{
		{Key: "Content-Type", Value: "multipart/encrypted"},
	}}
	claim := imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Earnest-Claim"}}}
	data, err := s.client.UIDSearch(&imap.SearchCriteria{
		UID: []imap.UIDSet{within},
		Or:  [][2]imap.SearchCriteria{{encrypted, claim}},
	}, nil).Wait()
	if _, refused := errors.AsType[*imap.Error](err); refused {
		return nil, false, nil
	}
	if err != nil {
		return nil, true, s.fault("search mail", err)
	}
	return numbers(data.All, low, high), true, nil
}

// existing lists the UIDs in low to high, ascending.
func (s *session) existing(low, high uint32) ([]uint32, error) {
	defer s.patience(s.cfg.Timing.Search)()
	var within imap.UIDSet
	within.AddRange(imap.UID(low), imap.UID(high))
	data, err := s.client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{within}}, nil).Wait()
	if err != nil {
		return nil, s.fault("list mail", err)
	}
	return numbers(data.All, low, high), nil
}

// numbers unfolds a set into the numbers from low to high. It trusts no range
// beyond what was asked for.
func numbers(set imap.NumSet, low, high uint32) []uint32 {
	uids, ok := set.(imap.UIDSet)
	if !ok {
		return nil
	}
	var out []uint32
	for _, r := range uids {
		if r.Start == 0 || r.Stop == 0 {
			continue
		}
		for n := max(uint32(r.Start), low); n <= min(uint32(r.Stop), high); n++ {
			out = append(out, n)
			if n == high {
				break
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// highest is the UID of the last mail, for servers without UIDNEXT.
func (s *session) highest(box selected) (uint32, error) {
	if box.messages == 0 {
		return 0, nil
	}
	var last uint32
	_, err := s.fetch(imap.SeqSetNum(box.messages), &imap.FetchOptions{UID: true}, func(uid uint32, _ imapclient.FetchItemData) error {
		last = max(last, uid)
		return nil
	})
	return last, err
}

// headers reads the wanted fields of a set, and more, and gives them one by one,
// as they come, holding one at most.
func (s *session) headers(box selected, set imap.UIDSet, more []string, each func(Header)) error {
	options := &imap.FetchOptions{
		UID:          true,
		RFC822Size:   true,
		InternalDate: len(more) > 0,
		BodySection: []*imap.FetchItemBodySection{{
			Specifier: imap.PartSpecifierHeader, HeaderFields: append(wantedFields(), more...), Peek: true,
		}},
	}
	dates := make(map[uint32]time.Time)
	var last *Header // its date may come behind it
	give := func() {
		if last != nil {
			last.Arrived = dates[last.UID]
			delete(dates, last.UID)
			each(*last)
		}
		last = nil
	}
	err := s.fetchAll(set, options, dates, func(uid uint32, size int64, body imapclient.FetchItemDataBodySection) error {
		give()
		h := Header{Mailbox: box.name, UIDValidity: box.validity, UID: uid, Size: size}
		if body.Literal != nil {
			if err := readFields(body.Literal, &h, more); err != nil {
				return err
			}
		}
		last = &h
		return nil
	})
	give()
	return err
}

// bodies reads whole mails, each at most MaxMail, in ascending order of UID. A
// mail that is gone is left out; what came before an error is returned with it.
func (s *session) bodies(headers []Header) ([]Mail, error) {
	var set imap.UIDSet
	byUID := make(map[uint32]Header, len(headers))
	for _, h := range headers {
		set.AddNum(imap.UID(h.UID))
		byUID[h.UID] = h
	}
	options := &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}
	var mails []Mail
	err := s.fetchAll(set, options, nil, func(uid uint32, _ int64, body imapclient.FetchItemDataBodySection) error {
		h, known := byUID[uid]
		if !known || body.Literal == nil {
			return nil
		}
		size := body.Literal.Size()
		if size > s.cfg.MaxMail {
			h.Size = size
			mails = append(mails, Mail{Header: h, TooLarge: true})
			_, err := io.Copy(io.Discard, body.Literal)
			return err
		}
		raw := make([]byte, size)
		if _, err := io.ReadFull(body.Literal, raw); err != nil {
			return err
		}
		mails = append(mails, Mail{Header: h, Raw: raw})
		return nil
	})
	slices.SortFunc(mails, func(a, b Mail) int { return cmp.Compare(a.UID, b.UID) })
	return mails, err
}

// fetchAll fetches one body section of each mail of a set. A server may
// announce a flag change of a mail while it is being fetched (RFC 3501 section
// 7.4.2); the library takes the first such answer for the whole mail and drops
// the other, so what came without its section is asked again. Dates of arrival
// that come are put into dates.
func (s *session) fetchAll(set imap.UIDSet, options *imap.FetchOptions, dates map[uint32]time.Time, each func(uid uint32, size int64, body imapclient.FetchItemDataBodySection) error) error {
	for range 5 {
		var size int64
		complete := make(map[uint32]bool)
		seen, err := s.fetch(set, options, func(uid uint32, item imapclient.FetchItemData) error {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				size = 0
				complete[uid] = false
			case imapclient.FetchItemDataRFC822Size:
				size = item.Size
			case imapclient.FetchItemDataInternalDate:
				if dates != nil {
					dates[uid] = item.Time
				}
			case imapclient.FetchItemDataBodySection:
				// Only the incomplete ones are kept: the map stays small.
				delete(complete, uid)
				return each(uid, size, item)
			}
			return nil
		})
		if err != nil || len(complete) == 0 || seen == 0 {
			return err
		}
		set = nil
		for uid := range complete {
			set.AddNum(imap.UID(uid))
		}
	}
	return &unreadableError{err: errors.New("fetch mail: the server leaves out the mail itself")}
}

// fetch gives the items of each mail as they stream in, and counts the mails.
// Items without a UID (RFC 3501 section 6.4.8 demands one) are passed over.
func (s *session) fetch(set imap.NumSet, options *imap.FetchOptions, each func(uid uint32, item imapclient.FetchItemData) error) (int, error) {
	if !s.alive() {
		// No mail of the set has been asked for: it is none of their fault.
		return 0, errEnded
	}
	defer s.patience(s.cfg.Timing.Search)()
	command := s.client.Fetch(set, options)
	seen := 0
	for message := command.Next(); message != nil; message = command.Next() {
		seen++
		var uid uint32
		for item := message.Next(); item != nil; item = message.Next() {
			if is, ok := item.(imapclient.FetchItemDataUID); ok {
				uid = uint32(is.UID)
			}
			if uid == 0 {
				continue
			}
			if err := each(uid, item); err != nil {
				command.Close()
				return seen, s.fetchFault(err)
			}
		}
	}
	return seen, s.fetchFault(command.Close())
}

// errEnded: the connection had ended before.
var errEnded = errors.New("fetch mail: the connection has ended")

// fetchFault marks the errors that a mail itself may cause: an answer that
// cannot be parsed, or a refusal.
func (s *session) fetchFault(err error) error {
	if err == nil {
		return nil
	}
	_, refused := errors.AsType[*imap.Error](err)
	if refused || s.wellConnected() {
		return &unreadableError{err: fmt.Errorf("fetch mail: %w", err)}
	}
	return s.fault("fetch mail", err)
}

// unreadableError is a fetch that failed by what it fetched.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return e.err.Error() }
func (e *unreadableError) Unwrap() error { return e.err }
