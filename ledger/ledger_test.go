package ledger

import (
	"errors"
	"math"
	"testing"
)

func TestTransferLife(t *testing.T) {
	ends := map[string]struct {
		end   func(Transfer) (Transfer, Entry, error)
		state State
		payee Holder
	}{
		"post":   {Transfer.Post, Posted, "bob"},
		"void":   {Transfer.Void, Voided, "anna"},
		"expire": {Transfer.Expire, Expired, "anna"},
	}
	for name, want := range ends {
		t.Run(name, func(t *testing.T) {
			var book Book
			record(t, &book)(Move("top-up", Issuance, "anna", "c", 100))
			pending, entry, err := Hold("t", "anna", "bob", "c", 30)
			record(t, &book)(pending, entry, err)
			if b := book.Balance("anna", "c"); b != (Balance{70, 30}) {
				t.Fatalf("held: %+v", b)
			}
			ended, entry, err := want.end(pending)
			record(t, &book)(ended, entry, err)
			if ended.State != want.state {
				t.Fatalf("state %s, want %s", ended.State, want.state)
			}
			total := map[Holder]Balance{"anna": {70, 0}}
			b := total[want.payee]
			b.Available += 30
			total[want.payee] = b
			for _, holder := range []Holder{"anna", "bob"} {
				if got := book.Balance(holder, "c"); got != total[holder] {
					t.Errorf("%s has %+v, want %+v", holder, got, total[holder])
				}
			}
			for other, end := range ends {
				if _, _, err := end.end(ended); !errors.Is(err, ErrFinal) {
					t.Errorf("%s after %s: %v", other, name, err)
				}
			}
			if sum, err := book.Sum("c"); sum != 0 || err != nil {
				t.Errorf("sum %d, %v", sum, err)
			}
		})
	}
}

func record(t *testing.T, book *Book) func(Transfer, Entry, error) {
	return func(tr Transfer, e Entry, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := book.Record(tr, e); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefusals(t *testing.T) {
	make := map[string]func() error{
		"zero":        func() error { _, _, err := Hold("t", "a", "b", "c", 0); return err },
		"negative":    func() error { _, _, err := Move("t", "a", "b", "c", -1); return err },
		"to oneself":  func() error { _, _, err := Move("t", "a", "a", "c", 1); return err },
		"no id":       func() error { _, _, err := Move("", "a", "b", "c", 1); return err },
		"no payer":    func() error { _, _, err := Hold("t", "", "b", "c", 1); return err },
		"no payee":    func() error { _, _, err := Hold("t", "a", "", "c", 1); return err },
		"no currency": func() error { _, _, err := Hold("t", "a", "b", "", 1); return err },
	}
	for name, refused := range make {
		if refused() == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestBookRefuses(t *testing.T) {
	var book Book
	record(t, &book)(Move("top-up", Issuance, "anna", "c", 10))
	poor, entry, _ := Hold("poor", "anna", "bob", "c", 11)
	if err := book.Record(poor, entry); !errors.Is(err, ErrInsufficient) {
		t.Errorf("spent more than there is: %v", err)
	}
	if b := book.Balance("anna", "c"); b != (Balance{10, 0}) {
		t.Errorf("a refused entry changed the balance to %+v", b)
	}
	if _, ok := book.Transfer("poor"); ok {
		t.Error("a refused transfer was recorded")
	}
	held, entry, _ := Hold("held", "anna", "bob", "c", 5)
	record(t, &book)(held, entry, nil)
	if err := book.Record(held, entry); !errors.Is(err, ErrFinal) {
		t.Errorf("recorded the same hold twice: %v", err)
	}
	posted, entry, _ := held.Post()
	entry.Postings[0].Amount++
	if err := book.Record(posted, entry); !errors.Is(err, ErrUnbalanced) {
		t.Errorf("an entry that makes money: %v", err)
	}
	posted, entry, _ = held.Post()
	record(t, &book)(posted, entry, nil)
	voided, entry, _ := held.Void()
	if err := book.Record(voided, entry); !errors.Is(err, ErrFinal) {
		t.Errorf("ended a transfer twice: %v", err)
	}
	if len(book.Journal()) != 3 {
		t.Errorf("%d entries, want 3", len(book.Journal()))
	}
}

func TestEntryCheckIsPerCurrency(t *testing.T) {
	e := Entry{Postings: []Posting{{"a", "x", Available, -1}, {"b", "y", Available, 1}}}
	if err := e.Check(); !errors.Is(err, ErrUnbalanced) {
		t.Errorf("one currency turned into another: %v", err)
	}
	e = Entry{Postings: []Posting{{"a", "x", Available, math.MaxInt64}, {"b", "x", Available, 1}}}
	if err := e.Check(); !errors.Is(err, ErrOverflow) {
		t.Errorf("a sum wrapped around: %v", err)
	}
}

func TestAdd(t *testing.T) {
	for _, c := range []struct {
		a, b, sum int64
		ok        bool
	}{
		{1, 2, 3, true},
		{math.MaxInt64, 0, math.MaxInt64, true},
		{math.MaxInt64, 1, 0, false},
		{math.MinInt64, -1, 0, false},
		{math.MinInt64, math.MaxInt64, -1, true},
	} {
		sum, err := Add(c.a, c.b)
		if sum != c.sum || (err == nil) != c.ok {
			t.Errorf("Add(%d, %d) = %d, %v", c.a, c.b, sum, err)
		}
	}
}

func TestOnlyIssuanceGoesNegative(t *testing.T) {
	for _, c := range []struct {
		p  Posting
		ok bool
	}{
		{Posting{Issuance, "c", Available, -1}, true},
		{Posting{Issuance, "c", Held, -1}, false},
		{Posting{Company, "c", Available, -1}, false},
		{Posting{Burned, "c", Available, -1}, false},
		{Posting{"anna", "c", Held, -1}, false},
	} {
		if _, err := (Balance{}).Apply(c.p); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.p, err)
		}
	}
}
