package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxLine bounds a line of an export: a bond with its few receipts.
const maxLine = 16 << 20

// report is what an audit found.
type report struct {
	Escrow  string
	Made    time.Time
	KeyIDs  []string
	Pinned  bool // the keys were not the export's word alone
	Endings map[string]int
	Added   []total // of all time, from the receipts
	Faults  []*fault

	Bonds, Receipts, Decisions, Signatures, Compared, Outages int
}

// auditor reads an export.
type auditor struct {
	keys   keyring
	report *report
	books  []entry
	signed []string // totals
	away   []outage
	bonds  map[string]bool
	proofs map[string]string // of arrival, and whose they are
}

// job is a bond to be checked, and what came of it.
type job struct {
	line   line
	bond   *checked
	fault  *fault
	chain  []string
	failed error
}

// audit checks the whole export. The error says that it could not be read; what
// is wrong in it is in the report.
func audit(in io.Reader, pinned []string) (*report, error) {
	a := &auditor{report: &report{Endings: map[string]int{}}, bonds: map[string]bool{}, proofs: map[string]string{}}
	lines := bufio.NewReaderSize(in, 1<<20)
	head, err := next(lines)
	if err != nil {
		return nil, err
	}
	if err := a.begin(head, pinned); err != nil {
		return nil, err
	}
	ended, err := a.read(lines)
	if err != nil {
		return nil, err
	}
	if !ended {
		a.fault("", because(whyCount, "the export was cut off: it has no end"))
	}
	a.compare()
	return a.report, nil
}

// next reads a line.
func next(lines *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := lines.ReadSlice('\n')
		text = append(text, part...)
		if len(text) > maxLine {
			return nil, errors.New("a line of the export is too long")
		}
		if err == nil {
			return bytes.TrimSuffix(text, []byte("\n")), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) && len(text) > 0 {
				return text, nil
			}
			return nil, err
		}
	}
}

// begin reads the head and decides by which keys the escrow signs.
func (a *auditor) begin(text []byte, pinned []string) error {
	var head line
	if err := json.Unmarshal(text, &head); err != nil || head.Line != "head" || head.Version != 1 {
		return errors.New("this is no export of version 1: its first line is no head")
	}
	names := pinned
	if a.report.Pinned = len(pinned) > 0; !a.report.Pinned {
		names = head.Keys
	}
	a.keys = keyring{}
	for _, name := range names {
		key, err := parseKey(strings.TrimSpace(name))
		if err != nil {
			return fmt.Errorf("receipt key: %w", err)
		}
		a.keys[keyID(key)] = key
	}
	if len(a.keys) == 0 {
		return errors.New("no receipt key is named")
	}
	for _, name := range head.Keys {
		if key, err := parseKey(name); err != nil || a.keys[keyID(key)] == nil {
			a.fault("", because(whySignature, "the export names a receipt key that is not pinned"))
		}
	}
	a.report.Escrow, a.report.Made, a.report.KeyIDs = head.Escrow, head.Made, sorted(a.keys)
	return nil
}

// read checks the bonds, as many at a time as there are processors, and takes
// them up in the order of the file.
func (a *auditor) read(lines *bufio.Reader) (ended bool, err error) {
	const chunk = 512
	for !ended {
		var jobs []*job
		for len(jobs) < chunk && !ended {
			text, err := next(lines)
			if errors.Is(err, io.EOF) {
				a.work(jobs)
				return false, nil
			}
			if err != nil {
				return false, fmt.Errorf("read the export: %w", err)
			}
			j := &job{}
			if err := decode(text, &j.line); err != nil {
				a.fault("", because(whyForm, "a line %v", err))
				continue
			}
			switch j.line.Line {
			case "bond":
				jobs = append(jobs, j)
			case "outage":
				a.outage(j.line.Outage, len(jobs) > 0)
			case "totals":
				a.signed = append(a.signed, j.line.Totals)
			case "end":
				a.work(jobs)
				jobs, ended = nil, true
				a.end(j.line)
			default:
				a.fault("", because(whyForm, "a line %q is not known", j.line.Line))
			}
		}
		a.work(jobs)
	}
	if _, err := next(lines); !errors.Is(err, io.EOF) {
		a.fault("", because(whyCount, "there is something after the end"))
	}
	return true, nil
}

func (a *auditor) work(jobs []*job) {
	var group sync.WaitGroup
	todo := make(chan *job)
	for range min(runtime.GOMAXPROCS(0), len(jobs)) {
		group.Go(func() {
			for j := range todo {
				j.chain, j.failed = texts(j.line.Receipts)
				if j.failed == nil {
					j.bond, j.fault = checkBond(a.keys, a.away, j.line.Bond, j.line.Quote, j.chain, j.line.Asides)
				}
			}
		})
	}
	for _, j := range jobs {
		todo <- j
	}
	close(todo)
	group.Wait()
	for _, j := range jobs {
		a.take(j)
	}
}

// texts are the receipts of a bond's line.
func texts(value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, errors.New("has no receipts")
	}
	all := make([]string, len(list))
	for i, v := range list {
		if all[i], ok = v.(string); !ok {
			return nil, errors.New("has a receipt that is no text")
		}
	}
	return all, nil
}

// take adds a bond that was checked. One with a fault counts for nothing else.
func (a *auditor) take(j *job) {
	r, id := a.report, j.line.Bond
	r.Bonds++
	if j.failed != nil {
		a.fault(id, because(whyForm, "its line %v", j.failed))
		return
	}
	r.Receipts += j.bond.receipts
	r.Decisions += j.bond.decisions
	r.Signatures += j.bond.signatures
	if j.fault != nil {
		a.fault(id, j.fault)
		return
	}
	if a.bonds[id] {
		a.fault(id, because(whyTwice, "it is in the export twice"))
		return
	}
	a.bonds[id] = true
	for _, proof := range j.bond.proofs {
		if other, was := a.proofs[proof]; was {
			a.fault(id, because(whyTwice, "its proof of arrival was that of bond %s", other))
			return
		}
		a.proofs[proof] = id
	}
	r.Endings[j.bond.ending]++
	a.books = append(a.books, entry{slot: slot{j.bond.quote.Option.Currency, j.bond.quote.Beneficiary, j.bond.quote.Option.Scale},
		amount: j.bond.quote.Option.Amount, held: j.bond.held, ended: j.bond.ended, money: j.bond.money})
}

// outage takes a signed outage, by which the bonds after it are judged.
func (a *auditor) outage(signed string, late bool) {
	var o outage
	if err := a.keys.open(signed, "outage", &o); err != nil {
		a.fault("", because(whySignature, "the outage %v", err))
		return
	}
	a.report.Signatures++
	switch {
	case late || a.report.Bonds > 0:
		a.fault("", because(whyForm, "an outage stands behind a bond"))
	case o.Escrow != a.report.Escrow || !o.Began.Before(o.Ended) || !o.Until.Equal(o.Ended.Add(graceFor)):
		a.fault("", because(whyForm, "an outage is of another escrow, or moves deadlines by another time than a day"))
	case slices.ContainsFunc(a.away, func(x outage) bool { return x.Began.Before(o.Ended) && o.Began.Before(x.Ended) }):
		a.fault("", because(whyForm, "two outages overlap"))
	default:
		a.away = append(a.away, o)
		slices.SortFunc(a.away, func(x, y outage) int { return x.Began.Compare(y.Began) })
		a.report.Outages++
	}
}

// end compares the counts.
func (a *auditor) end(l line) {
	receipts, ok := l.Receipts.(float64)
	if !ok || l.Bonds != a.report.Bonds || int(receipts) != a.report.Receipts {
		a.fault("", because(whyCount, "the end counts %d bonds and %v receipts, there are %d and %d", l.Bonds, l.Receipts, a.report.Bonds, a.report.Receipts))
	}
}

func (a *auditor) fault(bond string, f *fault) {
	f.Bond = bond
	a.report.Faults = append(a.report.Faults, f)
}

// compare adds the receipts up and holds them against every totals.
func (a *auditor) compare() {
	r := a.report
	r.Added = add(a.books, time.Time{}, time.Time{})
	if len(a.signed) == 0 {
		a.fault("", because(whyTotals, "the escrow signed none"))
	}
	for _, signed := range a.signed {
		var t totals
		if err := a.keys.open(signed, "totals", &t); err != nil {
			a.fault("", because(whySignature, "the totals %v", err))
			continue
		}
		r.Signatures++
		r.Compared++
		if t.Escrow != r.Escrow || t.Until.IsZero() || t.Until.Before(t.From) {
			a.fault("", because(whyTotals, "they are of another escrow or of no period"))
			continue
		}
		for _, f := range differ(add(a.books, t.From, t.Until), t) {
			a.fault("", f)
		}
	}
	slices.SortStableFunc(r.Faults, func(x, y *fault) int { return strings.Compare(x.Bond, y.Bond) })
}
