-- Since when the operator pays a payout, and who does: nobody takes it back from there.
-- Its state is asked until it has ended. Of what older programs paid nothing is known.
ALTER TABLE payout ADD COLUMN begun_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payout ADD COLUMN begun_by TEXT NOT NULL DEFAULT '';

-- When the provider is asked next whether an open checkout was paid; 0 is no more.
ALTER TABLE checkout ADD COLUMN ask_at BIGINT NOT NULL DEFAULT 0;
UPDATE checkout SET ask_at = made_at + 600000000 WHERE state = 'open';
CREATE INDEX checkout_ask ON checkout (ask_at) WHERE state = 'open' AND ask_at > 0;
