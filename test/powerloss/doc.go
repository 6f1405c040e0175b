// Package powerloss cuts the power of the escrow's SQLite. A file layer under
// SQLite records what it writes, syncs, makes and deletes while a real escrow is
// at work. From the record, a disk is made as it may be after a cut at any point:
// what was synced is there; of the rest each write is whole, torn, or gone. The
// books are opened from that disk, and must hold exactly the operations that were
// acknowledged, and at most the one batch that was on its way. It holds tests
// alone.
//
// Names count as files do: SQLite syncs the folder with the first sync of a journal
// or a log that it has made, and not when it deletes one. So an old log or journal
// may come back with the power, and must do no harm. Shared memory is found as it
// was, as garbage, or not at all.
//
// `make soak` makes 10,000 cuts instead of some hundred; a seed makes the same life
// and the same cuts again.
package powerloss
