-- An account keeps the id of its first key; key_id is of the key that it has now.
ALTER TABLE account ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
UPDATE account SET key_id = id;
CREATE UNIQUE INDEX account_key ON account (key_id) WHERE key_id <> '';
ALTER TABLE account ADD COLUMN frozen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN deleted_at BIGINT NOT NULL DEFAULT 0;

-- Keys that are an account's no more, and the order that took each away.
CREATE TABLE replaced_key (
	n           BIGSERIAL PRIMARY KEY,
	key_id      TEXT NOT NULL UNIQUE,
	account     TEXT NOT NULL REFERENCES account (id),
	public_key  BYTEA NOT NULL,
	next_key    TEXT NOT NULL, -- '': the account was deleted
	ordered     TEXT NOT NULL,
	replaced_at BIGINT NOT NULL
);
CREATE INDEX replaced_key_account ON replaced_key (account);

-- What owners ordered, and the key that signed it.
CREATE TABLE account_order (
	hash    TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES account (id),
	action  TEXT NOT NULL,
	signer  BYTEA NOT NULL,
	jws     TEXT NOT NULL,
	made_at BIGINT NOT NULL
);
CREATE INDEX account_order_account ON account_order (account, made_at);

-- Changes that act later. signed is the escrow's word on what was asked for and when it acts.
CREATE TABLE account_change (
	id       TEXT PRIMARY KEY,
	account  TEXT NOT NULL REFERENCES account (id),
	holder   TEXT NOT NULL DEFAULT '',
	kind     TEXT NOT NULL,
	subject  TEXT NOT NULL DEFAULT '',
	value    TEXT NOT NULL DEFAULT '',
	asked_at BIGINT NOT NULL,
	due_at   BIGINT NOT NULL,
	signed   TEXT NOT NULL,
	ended_at BIGINT NOT NULL DEFAULT 0,
	ending   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX account_change_due ON account_change (due_at) WHERE ended_at = 0;
CREATE INDEX account_change_account ON account_change (account, asked_at);
CREATE INDEX account_change_holder ON account_change (holder, asked_at) WHERE holder <> '';

-- Who gets no quote for a recipient, since a reject said so.
CREATE TABLE block (
	recipient TEXT NOT NULL,
	sender    TEXT NOT NULL, -- folded
	bond      TEXT NOT NULL REFERENCES bond (id),
	from_at   BIGINT NOT NULL, -- when the reject takes effect
	until_at  BIGINT NOT NULL,
	PRIMARY KEY (recipient, sender, bond)
);
CREATE INDEX block_bond ON block (bond);
CREATE INDEX block_until ON block (until_at);
