-- What the books say of themselves: what they count in, the epoch of their pools.
CREATE TABLE note (
	name TEXT PRIMARY KEY,
	text TEXT NOT NULL
);

-- What the operator did. Each row's hash is of the row and of the hash before it.
CREATE TABLE audit (
	n       BIGINT PRIMARY KEY,
	who     TEXT NOT NULL,
	what    TEXT NOT NULL,
	why     TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	hash    TEXT NOT NULL
);
