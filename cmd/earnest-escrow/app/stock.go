package app

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
)

// Stock is what an account has of value, as the escrow signed it. It only reads.
func Stock(ctx context.Context, cfg Config, account string) (escrowserver.Stock, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return escrowserver.Stock{}, err
	}
	_, store, err := openBooks(ctx, cfg, sqlstore.OpenToRead)
	if err != nil {
		return escrowserver.Stock{}, err
	}
	signer, err := receiptKey(filepath.Join(cfg.DataDir, fileReceipt), false)
	if err != nil {
		return escrowserver.Stock{}, errors.Join(err, store.Close())
	}
	line, err := store.Inventory(ctx, escrow.KeyID(account))
	return escrowserver.SealOf(signer).Stock(line), errors.Join(err, store.Close())
}

// TakeStock signs an account's inventory anew if it is not right, for a reason that
// their log keeps.
func TakeStock(ctx context.Context, cfg Config, account, reason string) (stock escrowserver.Stock, err error) {
	cfg.Why = reason
	err = operating(ctx, cfg, "take stock of account "+account, func(_ Config, server *escrowserver.Server, _ *sqlstore.Store) error {
		stock, err = server.TakeStock(ctx, escrow.KeyID(account))
		return err
	})
	return stock, err
}

// StateText is what a row's own signature does not tell of it.
func StateText(row escrowserver.ValueRow) string {
	at, ending, _ := strings.Cut(row.State, " ")
	micros, _ := strconv.ParseInt(at, 10, 64) // what is no number is shown as no time
	when := time.UnixMicro(micros).UTC().Format("2006-01-02 15:04")
	switch {
	case row.Kind != escrowserver.RowKey && row.Kind != escrowserver.RowChange:
		return printable(row.State)
	case row.Kind == escrowserver.RowKey && micros == 0:
		return "not frozen"
	case row.Kind == escrowserver.RowKey:
		return "frozen since " + when
	case micros == 0:
		return "waits"
	}
	return printable(ending) + " " + when
}

// SignedText is what a row of value says; verify tells whether the escrow signed it.
func SignedText(row escrowserver.ValueRow) string {
	if row.Kind == escrowserver.RowKey {
		return "" // its owner's orders say it
	}
	var text json.RawMessage
	if err := escrow.Peek(row.Signed, &text); err != nil {
		return "not signed"
	}
	return printable(string(text))
}
