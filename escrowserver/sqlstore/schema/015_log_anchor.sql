-- The escrow's signed word on how long the operator's log was.
CREATE TABLE log_anchor (
	one    BIGINT PRIMARY KEY CHECK (one = 1),
	signed TEXT NOT NULL
);
