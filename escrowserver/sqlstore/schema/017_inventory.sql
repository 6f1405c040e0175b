-- The escrow's signed word on which rows of value an account has: one that was deleted
-- is missing then, and an old one that was put back is another. Those of older books
-- are signed once: an anchor says so.
CREATE TABLE inventory (
	account TEXT PRIMARY KEY REFERENCES account (id),
	signed  TEXT NOT NULL,
	cites   BIGINT NOT NULL,          -- the end of the log below when it was signed
	logged  BIGINT NOT NULL DEFAULT 0 -- 1: it is in the log
);
CREATE INDEX inventory_unlogged ON inventory (account) WHERE logged = 0;

-- Which inventories there were. Each row's hash is of the row and of the hash before it.
CREATE TABLE inventory_log (
	n       BIGINT PRIMARY KEY,
	account TEXT NOT NULL,
	number  BIGINT NOT NULL, -- the inventory's own
	signed  TEXT NOT NULL,   -- its hash
	hash    TEXT NOT NULL
);
CREATE INDEX inventory_log_account ON inventory_log (account, number);

-- The escrow's signed word on how long that log was, and when it was begun.
CREATE TABLE inventory_anchor (
	one    BIGINT PRIMARY KEY CHECK (one = 1),
	signed TEXT NOT NULL
);
