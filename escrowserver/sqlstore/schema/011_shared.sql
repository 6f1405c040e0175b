-- What accounts may spend, by their own will; -1 is no limit. A raise acts from
-- raise_at on; 0 is none.
CREATE TABLE spending_limit (
	account    TEXT NOT NULL REFERENCES account (id),
	currency   TEXT NOT NULL,
	per_mail   BIGINT NOT NULL CHECK (per_mail >= -1),
	per_day    BIGINT NOT NULL CHECK (per_day >= -1),
	raise_mail BIGINT NOT NULL CHECK (raise_mail >= -1),
	raise_day  BIGINT NOT NULL CHECK (raise_day >= -1),
	raise_at   BIGINT NOT NULL CHECK (raise_at >= 0),
	PRIMARY KEY (account, currency)
);

-- What of an account's money is on hold, or was forfeited and when.
CREATE INDEX bond_spent ON bond (sender_account, state, bought_at) WHERE state IN ('held', 'arrived', 'rejecting', 'rejected');

-- Requests that processes on the same books have seen. A crash of the database
-- empties these three together: nonce_since is then made anew, and what was signed
-- before it is taken by nobody.
CREATE UNLOGGED TABLE nonce (
	id BYTEA PRIMARY KEY -- the second in which it was signed, and a hash
);
CREATE UNLOGGED TABLE nonce_opening (
	account BYTEA PRIMARY KEY, -- a hash of its key
	signed  BIGINT NOT NULL    -- the second of its first request to be opened
);
CREATE UNLOGGED TABLE nonce_since (
	one   BIGINT PRIMARY KEY CHECK (one = 1),
	since BIGINT NOT NULL
);

-- Of requests that were signed ahead of the escrow's clock, what a crash must not
-- take away.
CREATE TABLE nonce_ahead (
	id BYTEA PRIMARY KEY
);
