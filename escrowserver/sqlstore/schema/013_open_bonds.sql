-- How many bonds of the account are open, kept with the number of its changes.
ALTER TABLE account ADD COLUMN open_bonds BIGINT NOT NULL DEFAULT 0 CHECK (open_bonds >= 0);
UPDATE account SET open_bonds = (SELECT COUNT(*) FROM bond
	WHERE bond.sender_account = account.id AND bond.state IN ('held', 'arrived', 'rejecting'));
