-- Money that the escrow gave out other than by a voucher. The id is the transfer's,
-- and signed is what the escrow signed of it: whose, how much, by whom and why.
CREATE TABLE credit (
	id       TEXT PRIMARY KEY,
	kind     TEXT NOT NULL CHECK (kind IN ('operator', 'payment', 'welcome')),
	account  TEXT NOT NULL REFERENCES account (id),
	currency TEXT NOT NULL,
	amount   BIGINT NOT NULL CHECK (amount > 0),
	reason   TEXT NOT NULL,
	by_whom  TEXT NOT NULL,
	signed   TEXT NOT NULL,
	made_at  BIGINT NOT NULL
);
CREATE INDEX credit_account ON credit (account);

-- Pages of a payment provider. Money that was paid there is the credit of that id.
CREATE TABLE checkout (
	id           TEXT PRIMARY KEY,
	account      TEXT NOT NULL REFERENCES account (id),
	operation    TEXT NOT NULL, -- the id that the account gave it
	provider     TEXT NOT NULL,
	currency     TEXT NOT NULL,
	amount       BIGINT NOT NULL CHECK (amount > 0),
	unit         TEXT NOT NULL,   -- the currency as the provider names it
	units        BIGINT NOT NULL, -- the amount in the provider's smallest unit of it
	session      TEXT UNIQUE,     -- the provider's id
	payment      TEXT UNIQUE,     -- the provider's id of what was paid
	url          TEXT NOT NULL DEFAULT '',
	state        TEXT NOT NULL CHECK (state IN ('asked', 'open', 'paid', 'over', 'wrong')),
	made_at      BIGINT NOT NULL,
	ended_at     BIGINT NOT NULL DEFAULT 0,
	UNIQUE (account, operation)
);

-- What a provider told, kept before it is answered, until it is dealt with.
CREATE TABLE provider_event (
	provider    TEXT NOT NULL,
	id          TEXT NOT NULL,
	event       TEXT NOT NULL, -- what matters of it
	received_at BIGINT NOT NULL,
	done_at     BIGINT NOT NULL DEFAULT 0,
	outcome     TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (provider, id)
);
CREATE INDEX provider_event_open ON provider_event (received_at) WHERE done_at = 0;

-- What a provider took back of money that was credited.
CREATE TABLE debt (
	provider TEXT NOT NULL,
	id       TEXT NOT NULL, -- the provider's id of the refund or dispute
	checkout TEXT NOT NULL REFERENCES checkout (id),
	kind     TEXT NOT NULL CHECK (kind IN ('refund', 'dispute')),
	amount   BIGINT NOT NULL CHECK (amount > 0), -- in the checkout's currency at the escrow
	state    TEXT NOT NULL CHECK (state IN ('open', 'won', 'settled')),
	note     TEXT NOT NULL DEFAULT '',
	made_at  BIGINT NOT NULL,
	ended_at BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (provider, id)
);
CREATE INDEX debt_checkout ON debt (checkout);

-- Money on its way out. The id is the transfer's: pending, then posted or voided.
CREATE TABLE payout (
	id          TEXT PRIMARY KEY,
	account     TEXT NOT NULL REFERENCES account (id),
	operation   TEXT NOT NULL,
	currency    TEXT NOT NULL,
	amount      BIGINT NOT NULL CHECK (amount > 0),
	destination TEXT NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('asked', 'paid', 'refused')),
	asked_at    BIGINT NOT NULL,
	not_before  BIGINT NOT NULL,
	ended_at    BIGINT NOT NULL DEFAULT 0,
	note        TEXT NOT NULL DEFAULT '',
	by_whom     TEXT NOT NULL DEFAULT '',
	UNIQUE (account, operation)
);
CREATE INDEX payout_asked ON payout (asked_at) WHERE state = 'asked';
CREATE INDEX payout_destination ON payout (account, destination, asked_at);

-- Welcome credit, once for a mailbox and once for an account. The mailbox is a hash.
CREATE TABLE welcome (
	mailbox  TEXT PRIMARY KEY,
	account  TEXT NOT NULL UNIQUE REFERENCES account (id),
	domain   TEXT NOT NULL, -- a hash
	credit   TEXT NOT NULL UNIQUE REFERENCES credit (id),
	currency TEXT NOT NULL,
	amount   BIGINT NOT NULL,
	made_at  BIGINT NOT NULL
);
CREATE INDEX welcome_made ON welcome (made_at);
