-- The escrow's signed word on which rows of value an account has: one that was deleted
-- is missing then, and an old one that was put back is another. Those of older books
-- are signed once: the note "inventories".
CREATE TABLE inventory (
	account TEXT PRIMARY KEY REFERENCES account (id),
	signed  TEXT NOT NULL
);
