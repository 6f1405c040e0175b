package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"earnest/escrow"
	"earnest/escrowserver"
)

var (
	// errLost: the database went away before it was asked to commit.
	errLost = errors.New("the database was lost, nothing was changed")
	// errUnknown: it went away after, and nobody knows whether it has committed.
	errUnknown = errors.New("the database was lost at the commit")
)

func lost(err error) bool { return errors.Is(err, errLost) || errors.Is(err, errUnknown) }

// A batch whose database went away is tried so often again, after a pause that
// doubles: a server that restarts comes back within it, or callers try again.
const (
	lossTries = 5
	lossPause = 20 * time.Millisecond
)

// applyAfterLoss does a batch again whose database went away. Where nobody knows
// whether it was done, the operations' own ids and hashes have what was done
// answered, not done again.
func (s *Store) applyAfterLoss(ctx context.Context, ops []escrowserver.Op, loss error) []escrowserver.Result {
	unknown, err := errors.Is(loss, errUnknown), loss
	var results []escrowserver.Result
	for try := 0; try < lossTries && lost(err); try++ {
		time.Sleep(lossPause << try)
		results, err = s.applyTogether(ctx, ops)
		unknown = unknown || errors.Is(err, errUnknown)
	}
	switch {
	case err == nil:
	case lost(err):
		return without(ops, err, unknown)
	default:
		results = s.applyOneByOne(ctx, ops, err)
	}
	for i, op := range ops {
		// Of a mail with a token it cannot be told whether this claim or the one before
		// is to send it.
		if _, mails := op.(escrowserver.StartClaim); mails && unknown && results[i].Value == false {
			results[i] = escrowserver.Result{Err: escrow.Errorf(escrow.Unavailable, "the escrow lost its books for a moment, and no mail was sent; ask for a new one later")}
		}
	}
	results[0].Surprise = loss
	return results
}

// without is the answer while the database is away.
func without(ops []escrowserver.Op, err error, unknown bool) []escrowserver.Result {
	text := "the escrow cannot reach its books; nothing was changed; try again later"
	if unknown {
		text = "the escrow lost its books, and it is not known whether that was done; ask again under the same id, and it is done once"
	}
	results := make([]escrowserver.Result, len(ops))
	for i := range results {
		results[i].Err = escrow.Errorf(escrow.Unavailable, "%s", text)
	}
	results[0].Surprise = err
	return results
}

// unreached has whoever reads outside of a batch told to try again, where the database
// went away, or is not up: nothing is wrong with what was asked. SQLite has no
// connection to lose.
func unreached(err error) error {
	if err != nil && connectionLost(err) {
		return fmt.Errorf("%w: %w", escrow.Errorf(escrow.Unavailable, "the escrow cannot reach its books; try again later"), err)
	}
	return err
}

// connectionLost tells the end of a connection from a refusal of what was asked.
func connectionLost(err error) bool {
	if failed, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Connection exceptions, the server's shutdown, crash and start, too many connections.
		return strings.HasPrefix(failed.Code, "08") || strings.HasPrefix(failed.Code, "57P") || failed.Code == "53300"
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}
