package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"earnest/escrow"
)

// members are a JSON object as it stands.
type members map[string]any

// paper is an export in the hands of a forger: the escrow itself, which has the
// receipt key, or somebody without it.
type paper struct {
	testing.TB
	w     *town
	lines []members
}

// copied takes the export apart.
func copied(t testing.TB, w *town, export []byte) *paper {
	t.Helper()
	p := &paper{TB: t, w: w}
	for text := range bytes.Lines(export) {
		p.lines = append(p.lines, p.object(text))
	}
	return p
}

func (p *paper) object(text []byte) members {
	p.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var m members
	if err := d.Decode(&m); err != nil {
		p.Fatal(err)
	}
	return m
}

// text is the export as it is now.
func (p *paper) text() []byte {
	p.Helper()
	var out bytes.Buffer
	for _, l := range p.lines {
		if err := json.NewEncoder(&out).Encode(l); err != nil {
			p.Fatal(err)
		}
	}
	return out.Bytes()
}

// folio is one bond of the export.
type folio struct {
	p    *paper
	line members
	life *life
}

// bond is a bond whose people did that; skip passes some over.
func (p *paper) bond(kind string, skip int) folio {
	p.Helper()
	for _, l := range p.w.bonds {
		if l.kind != kind {
			continue
		}
		if skip--; skip >= 0 {
			continue
		}
		for _, line := range p.lines {
			if line["bond"] == string(l.id) {
				return folio{p, line, l}
			}
		}
	}
	p.Fatalf("the run has no bond: %s", kind)
	return folio{}
}

// drop takes the line out and corrects the counts at the end.
func (f folio) drop() {
	for i, l := range f.p.lines {
		if l["bond"] == f.line["bond"] {
			f.p.lines = append(f.p.lines[:i], f.p.lines[i+1:]...)
			break
		}
	}
	f.p.recount()
}

// recount makes the end's counts those of the lines.
func (p *paper) recount() {
	bonds, receipts := 0, 0
	for _, l := range p.lines {
		if l["line"] == "bond" {
			bonds++
			asides, _ := l["asides"].([]any)
			receipts += len(l["receipts"].([]any)) + len(asides)
		}
	}
	end := p.lines[len(p.lines)-1]
	end["bonds"], end["receipts"] = bonds, receipts
}

// payload reads what a statement says.
func (p *paper) payload(signed any) members {
	p.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(signed.(string), ".")[1])
	if err != nil {
		p.Fatal(err)
	}
	return p.object(raw)
}

func (p *paper) sign(key ed25519.PrivateKey, kind escrow.Kind, payload any) string {
	p.Helper()
	signed, err := escrow.Sign(key, kind, payload)
	if err != nil {
		p.Fatal(err)
	}
	return string(signed)
}

func (f folio) list(name string) []members {
	var all []members
	texts, _ := f.line[name].([]any)
	for _, text := range texts {
		all = append(all, f.p.payload(text))
	}
	return all
}

// forge has the escrow write the bond anew: everything is signed, numbered and
// linked as it should be.
func (f folio) forge(change func(quote members, chain, asides []members) ([]members, []members)) {
	f.p.Helper()
	quote := f.p.payload(f.line["quote"])
	chain, asides := f.list("receipts"), f.list("asides")
	// The place of an aside: after so many of the chain.
	after := map[string]int{}
	for i, text := range f.line["receipts"].([]any) {
		after[hashOf(text.(string))] = i
	}
	places := make([]int, len(asides))
	for i, a := range asides {
		places[i] = after[a["prev"].(string)]
	}
	was, err := json.Marshal(quote)
	if err != nil {
		f.p.Fatal(err)
	}
	chain, asides = change(quote, chain, asides)
	signedQuote := f.line["quote"].(string)
	if now, _ := json.Marshal(quote); !bytes.Equal(was, now) {
		signedQuote = f.p.sign(f.p.w.signer, escrow.KindQuote, quote)
	}
	f.line["quote"] = signedQuote
	prev := hashOf(signedQuote)
	var receipts, hashes []any
	for i, r := range chain {
		r["n"], r["prev"] = i+1, prev
		text := f.p.sign(f.p.w.signer, escrow.KindReceipt, r)
		prev = hashOf(text)
		receipts, hashes = append(receipts, text), append(hashes, prev)
	}
	var signedAsides []any
	for i, r := range asides {
		r["n"] = 0
		if place := 1; len(hashes) > 0 {
			if i < len(places) {
				place = places[i]
			}
			r["prev"] = hashes[min(place, len(hashes)-1)]
		}
		signedAsides = append(signedAsides, f.p.sign(f.p.w.signer, escrow.KindReceipt, r))
	}
	f.line["receipts"], f.line["asides"] = receipts, signedAsides
	f.p.recount()
}

// totals has the escrow sign other totals.
func (p *paper) totals(key ed25519.PrivateKey, change func(lines []any)) {
	p.Helper()
	for _, l := range p.lines {
		if l["line"] == "totals" {
			t := p.payload(l["totals"])
			change(t["lines"].([]any))
			l["totals"] = p.sign(key, escrow.KindTotals, t)
			return
		}
	}
}
