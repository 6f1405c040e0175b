-- Written in PostgreSQL's words; the dialect turns it into SQLite's.
-- Times are microseconds since 1970 UTC, 0 is "not yet". Amounts are smallest units.

CREATE TABLE account (
	id         TEXT PRIMARY KEY,
	public_key BYTEA NOT NULL,
	recovery   BYTEA,
	change     BIGINT NOT NULL DEFAULT 0, -- the newest number of its list of bonds
	opened_at  BIGINT NOT NULL
);

CREATE TABLE balance (
	holder    TEXT NOT NULL,
	currency  TEXT NOT NULL,
	available BIGINT NOT NULL CHECK (available >= 0 OR holder = 'issuance'),
	held      BIGINT NOT NULL CHECK (held >= 0),
	PRIMARY KEY (holder, currency)
);

CREATE TABLE transfer (
	id       TEXT PRIMARY KEY,
	payer    TEXT NOT NULL,
	payee    TEXT NOT NULL,
	currency TEXT NOT NULL,
	amount   BIGINT NOT NULL CHECK (amount > 0),
	state    TEXT NOT NULL CHECK (state IN ('pending', 'posted', 'voided', 'expired')),
	CHECK (payer <> payee)
);

-- The journal: rows are only ever added.
CREATE TABLE posting (
	id       BIGSERIAL PRIMARY KEY,
	transfer TEXT NOT NULL REFERENCES transfer (id),
	state    TEXT NOT NULL,
	holder   TEXT NOT NULL,
	currency TEXT NOT NULL,
	bucket   TEXT NOT NULL CHECK (bucket IN ('available', 'held')),
	amount   BIGINT NOT NULL,
	made_at  BIGINT NOT NULL
);
CREATE INDEX posting_transfer ON posting (transfer, id);

CREATE TABLE voucher (
	hash        TEXT PRIMARY KEY,
	currency    TEXT NOT NULL,
	amount      BIGINT NOT NULL CHECK (amount > 0),
	made_at     BIGINT NOT NULL,
	account     TEXT REFERENCES account (id),
	redeemed_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE operation (
	account   TEXT NOT NULL REFERENCES account (id),
	id        TEXT NOT NULL,
	body_hash TEXT NOT NULL,
	response  TEXT NOT NULL,
	made_at   BIGINT NOT NULL,
	PRIMARY KEY (account, id)
);

CREATE TABLE claim (
	account    TEXT NOT NULL REFERENCES account (id),
	address    TEXT NOT NULL,
	nonce      TEXT NOT NULL,
	folded     TEXT NOT NULL,
	typed      TEXT NOT NULL,
	token_hash TEXT NOT NULL,
	made_at    BIGINT NOT NULL,
	PRIMARY KEY (account, address, nonce)
);
CREATE INDEX claim_folded ON claim (folded, made_at);
CREATE INDEX claim_made ON claim (made_at);

CREATE TABLE address (
	address   TEXT PRIMARY KEY,
	folded    TEXT NOT NULL,
	typed     TEXT NOT NULL,
	account   TEXT NOT NULL REFERENCES account (id),
	proven_at BIGINT NOT NULL,
	renew_by  BIGINT NOT NULL
);
CREATE INDEX address_account ON address (account);

CREATE TABLE offer (
	address TEXT PRIMARY KEY REFERENCES address (address),
	account TEXT NOT NULL REFERENCES account (id),
	jws     TEXT NOT NULL,
	public  BIGINT NOT NULL,
	made    BIGINT NOT NULL
);

CREATE TABLE key_batch (
	hash    TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES account (id),
	address TEXT NOT NULL,
	jws     TEXT NOT NULL,
	made_at BIGINT NOT NULL
);

-- The unsold keys, sold oldest first.
CREATE TABLE one_time_key (
	id          BIGSERIAL PRIMARY KEY,
	address     TEXT NOT NULL,
	fingerprint TEXT NOT NULL UNIQUE,
	certificate BYTEA NOT NULL,
	batch       TEXT NOT NULL REFERENCES key_batch (hash)
);
CREATE INDEX one_time_key_address ON one_time_key (address, id);

-- Every fingerprint that was ever here; none is accepted again.
CREATE TABLE key_fingerprint (
	fingerprint TEXT PRIMARY KEY,
	address     TEXT NOT NULL,
	seen_at     BIGINT NOT NULL
);

CREATE TABLE bond (
	id                TEXT PRIMARY KEY,
	quote             TEXT NOT NULL,
	sender            TEXT NOT NULL,
	sender_folded     TEXT NOT NULL,
	sender_group      TEXT NOT NULL,
	sender_account    TEXT NOT NULL REFERENCES account (id),
	recipient         TEXT NOT NULL,
	recipient_account TEXT NOT NULL REFERENCES account (id),
	key_fingerprint   TEXT NOT NULL UNIQUE REFERENCES key_fingerprint (fingerprint),
	state             TEXT NOT NULL,
	due_at            BIGINT NOT NULL, -- 0: nothing is due any more
	bought_at         BIGINT NOT NULL,
	deliver_by        BIGINT NOT NULL,
	decide_by         BIGINT NOT NULL,
	final_at          BIGINT NOT NULL,
	arrived_at        BIGINT NOT NULL,
	read_at           BIGINT NOT NULL,
	effective_at      BIGINT NOT NULL,
	ended_at          BIGINT NOT NULL,
	withdraw_asked_at BIGINT NOT NULL,
	late_accepted_at  BIGINT NOT NULL,
	last_decision     TEXT NOT NULL,
	decision_n        BIGINT NOT NULL,
	extension_seconds BIGINT NOT NULL,
	extension_signed  TEXT NOT NULL,
	verification      BYTEA,
	reply             BYTEA
);
CREATE UNIQUE INDEX bond_open ON bond (sender, recipient) WHERE state IN ('held', 'arrived', 'rejecting');
CREATE INDEX bond_due ON bond (due_at) WHERE due_at > 0;
CREATE INDEX bond_group ON bond (recipient, sender_group) WHERE state = 'held';
CREATE INDEX bond_account_unarrived ON bond (sender_account, ended_at) WHERE arrived_at = 0 AND ended_at > 0;
CREATE INDEX bond_address_unarrived ON bond (sender_folded, ended_at) WHERE arrived_at = 0 AND ended_at > 0;
CREATE INDEX bond_late ON bond (ended_at) WHERE state = 'expired' AND late_accepted_at = 0 AND verification IS NOT NULL;

-- The two parties of a bond, each with the number of its newest change.
CREATE TABLE party (
	account TEXT NOT NULL REFERENCES account (id),
	change  BIGINT NOT NULL,
	bond    TEXT NOT NULL REFERENCES bond (id),
	role    TEXT NOT NULL CHECK (role IN ('sender', 'recipient')),
	PRIMARY KEY (bond, role)
);
CREATE UNIQUE INDEX party_change ON party (account, change);

-- A sold key, until the buyer has it.
CREATE TABLE sold_key (
	bond        TEXT PRIMARY KEY REFERENCES bond (id),
	certificate BYTEA NOT NULL,
	batch       TEXT NOT NULL REFERENCES key_batch (hash),
	keep_until  BIGINT NOT NULL
);
CREATE INDEX sold_key_until ON sold_key (keep_until);

-- n is 0 for a receipt outside of the chain.
CREATE TABLE receipt (
	id   BIGSERIAL PRIMARY KEY,
	bond TEXT NOT NULL REFERENCES bond (id),
	n    BIGINT NOT NULL,
	jws  TEXT NOT NULL
);
CREATE UNIQUE INDEX receipt_chain ON receipt (bond, n) WHERE n > 0;

-- What recipients signed, each with the answer that it got.
CREATE TABLE statement (
	hash    TEXT PRIMARY KEY,
	bond    TEXT NOT NULL REFERENCES bond (id),
	verdict TEXT NOT NULL, -- accept, reject or undo, else the event
	n       BIGINT NOT NULL, -- the decision's number, 0 for an event
	jws     TEXT NOT NULL,
	outcome TEXT NOT NULL,
	made_at BIGINT NOT NULL
);
CREATE INDEX statement_bond ON statement (bond);

CREATE TABLE proof (
	hash    TEXT PRIMARY KEY,
	bond    TEXT NOT NULL UNIQUE REFERENCES bond (id),
	outcome TEXT NOT NULL
);

-- The account '' is the escrow itself.
CREATE TABLE heartbeat (
	account TEXT PRIMARY KEY,
	beat_at BIGINT NOT NULL
);
