-- What the escrow signed of a voucher: whose hash, which currency, how much.
ALTER TABLE voucher ADD COLUMN signed TEXT NOT NULL DEFAULT '';
