-- The escrow's word on an order that it took: nobody else can make one up.
ALTER TABLE account_order ADD COLUMN signed TEXT NOT NULL DEFAULT '';

-- The escrow's signed word on which rows of older books it signed once, and when. It is
-- no note, since backups of a database leave those out.
CREATE TABLE sealing (
	kind   TEXT PRIMARY KEY,
	signed TEXT NOT NULL
);
