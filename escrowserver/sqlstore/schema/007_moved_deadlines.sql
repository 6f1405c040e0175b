-- What an outage does to deadlines: its statement as signed, and the moved deadlines
-- of each bond beside those of its quote. 0: nothing has moved it.
ALTER TABLE outage ADD COLUMN signed TEXT NOT NULL DEFAULT '';
ALTER TABLE outage ADD COLUMN worked_off_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bond ADD COLUMN deliver_moved BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bond ADD COLUMN decide_moved BIGINT NOT NULL DEFAULT 0;
-- extension_signed has the statements of the outages that moved them, one a line.
ALTER TABLE bond DROP COLUMN extension_seconds;
