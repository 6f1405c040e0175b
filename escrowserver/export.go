package escrowserver

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"earnest/escrow"
)

// exportVersion is of docs/protocol/export.md.
const exportVersion = 1

// Exporter writes the books of bonds for an auditor.
type Exporter struct {
	Name   string // of the escrow
	Signer crypto.Signer
	Store  Store
	Now    time.Time
	// Periods get signed totals, beside all of the time until now.
	Periods []Period
}

// Exported counts what an export holds.
type Exported struct {
	Bonds, Receipts int
}

// exportLine is one line; what a kind of line does not have stays out.
type exportLine struct {
	Line    string             `json:"line"`
	Version int                `json:"version,omitempty"`
	Escrow  string             `json:"escrow,omitempty"`
	Keys    []escrow.PublicKey `json:"keys,omitempty"`
	Made    time.Time          `json:"made,omitzero"`
	Outage  escrow.Signed      `json:"outage,omitempty"`
	Totals  escrow.Signed      `json:"totals,omitempty"`
}

type exportBond struct {
	Line     string          `json:"line"`
	Bond     escrow.BondID   `json:"bond"`
	Quote    escrow.Signed   `json:"quote"`
	Receipts []escrow.Signed `json:"receipts"`
	Asides   []escrow.Signed `json:"asides,omitempty"`
}

type exportEnd struct {
	Line     string `json:"line"`
	Bonds    int    `json:"bonds"`
	Receipts int    `json:"receipts"`
}

// Write writes the export: bonds and totals are of one moment of the books.
func (e Exporter) Write(ctx context.Context, to io.Writer) (Exported, error) {
	public, ok := e.Signer.Public().(ed25519.PublicKey)
	if !ok {
		return Exported{}, errors.New("export: the receipt key is not Ed25519")
	}
	now := e.Now.UTC()
	// The end of a period is not of it, and what happens now is of this one.
	sums := newTallies(append([]Period{{Until: now.Truncate(time.Second).Add(time.Second)}}, e.Periods...))
	lines := json.NewEncoder(to)
	if err := lines.Encode(exportLine{Line: "head", Version: exportVersion, Escrow: e.Name, Keys: []escrow.PublicKey{escrow.PublicKey(public)}, Made: now}); err != nil {
		return Exported{}, fmt.Errorf("export: %w", err)
	}
	var done Exported
	var damaged error
	err := e.Store.Walk(ctx, Visitor{
		// A bond that cannot be read would be missing in the totals as well.
		Fault: func(text string) { damaged = errors.Join(damaged, errors.New(text)) },
		Outage: func(o OutageLine) error {
			if o.Signed == "" {
				return errors.New("an outage is not signed yet; serve the books once with this program")
			}
			return lines.Encode(exportLine{Line: "outage", Outage: o.Signed})
		},
		Bond: func(b BondLine) error {
			if err := sums.bond(b.money()); err != nil {
				return err
			}
			done.Bonds++
			done.Receipts += len(b.Receipts) + len(b.Asides)
			return lines.Encode(exportBond{"bond", b.ID, b.Quote, b.Receipts, b.Asides})
		},
	})
	if err := errors.Join(damaged, err); err != nil {
		return done, fmt.Errorf("export: the books are damaged, verify tells where: %w", err)
	}
	for _, totals := range sums.totals(e.Name, now) {
		signed, err := SignTotals(e.Signer, totals)
		if err != nil {
			return done, err
		}
		if err := lines.Encode(exportLine{Line: "totals", Totals: signed}); err != nil {
			return done, fmt.Errorf("export: %w", err)
		}
	}
	if err := lines.Encode(exportEnd{"end", done.Bonds, done.Receipts}); err != nil {
		return done, fmt.Errorf("export: %w", err)
	}
	return done, nil
}
