-- When the escrow was away over 5 minutes: nothing expires for a day after.
CREATE TABLE outage (
	ended_at BIGINT PRIMARY KEY,
	began_at BIGINT NOT NULL
);
