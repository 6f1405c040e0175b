package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"earnest/escrowserver"
)

// Exported counts what an export holds.
type Exported = escrowserver.Exported

// Export writes the books of bonds for an auditor (docs/protocol/export.md), with
// signed totals of all time and of the months. It works beside a running server.
func Export(ctx context.Context, cfg Config, months []time.Time, to io.Writer) (Exported, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return Exported{}, err
	}
	_, store, err := audited(ctx, cfg, "export")
	if err != nil {
		return Exported{}, err
	}
	signer, err := receiptKey(filepath.Join(cfg.DataDir, fileReceipt), false)
	if err != nil {
		return Exported{}, store.ended(ctx, cfg, "export", err)
	}
	exporter := escrowserver.Exporter{Name: cfg.Name, Signer: signer, Store: store, Now: cfg.Now()}
	for _, month := range months {
		exporter.Periods = append(exporter.Periods, escrowserver.Period{From: month, Until: month.AddDate(0, 1, 0)})
	}
	buffered := bufio.NewWriterSize(to, 1<<20)
	done, err := exporter.Write(ctx, buffered)
	return done, store.ended(ctx, cfg, "export", errors.Join(err, buffered.Flush()))
}

// ExportFile writes the export into a file that only its owner can read: quotes
// name who wrote to whom. The file is there when all of it is.
func ExportFile(ctx context.Context, cfg Config, months []time.Time, file string) (Exported, error) {
	if _, err := os.Lstat(file); err == nil {
		return Exported{}, fmt.Errorf("%w: %s is there already; nothing was written", ErrCommand, file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*") // made with mode 0600
	if err != nil {
		return Exported{}, fmt.Errorf("%w: the export: %w", ErrCommand, err)
	}
	defer os.Remove(f.Name()) // once renamed it is not there any more
	done, err := Export(ctx, cfg, months, f)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return done, err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return done, fmt.Errorf("the export: %w", err)
	}
	return done, nil
}
