-- What the escrow signed of rows that have value, so that whoever can write to the
-- books cannot make them up. Rows of older books are signed once: the note "sealed".
ALTER TABLE account ADD COLUMN recovery_signed TEXT NOT NULL DEFAULT '';
ALTER TABLE payout ADD COLUMN signed TEXT NOT NULL DEFAULT '';
ALTER TABLE address ADD COLUMN signed TEXT NOT NULL DEFAULT '';
ALTER TABLE spending_limit ADD COLUMN signed TEXT NOT NULL DEFAULT '';
