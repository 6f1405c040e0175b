-- The newest second in which a request was signed that the memory of 011 has taken
-- and that was not ahead of the escrow's clock. A crash of the database leaves it.
CREATE TABLE nonce_horizon (
	one    BIGINT PRIMARY KEY CHECK (one = 1),
	signed BIGINT NOT NULL
);
