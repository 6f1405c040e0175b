-- One bond is open of a sender and a recipient with their tags and dots folded. Of what
-- an older program let be bought several may be open: those beside the first are numbered,
-- so that none ends otherwise than it was promised. A bond that had ended has no folded
-- recipient.
ALTER TABLE bond ADD COLUMN recipient_folded TEXT NOT NULL DEFAULT '';
ALTER TABLE bond ADD COLUMN beside BIGINT NOT NULL DEFAULT 0;
UPDATE bond SET recipient_folded =
	replace(substr(recipient, 1, CASE WHEN strpos(recipient, '+') > 0 THEN strpos(recipient, '+') ELSE strpos(recipient, '@') END - 1), '.', '')
	|| substr(recipient, strpos(recipient, '@'))
	WHERE state IN ('held', 'arrived', 'rejecting');
CREATE INDEX bond_pair ON bond (sender_folded, recipient_folded) WHERE state IN ('held', 'arrived', 'rejecting');
UPDATE bond SET beside = (SELECT COUNT(*) FROM bond AS other WHERE other.sender_folded = bond.sender_folded
		AND other.recipient_folded = bond.recipient_folded AND other.state IN ('held', 'arrived', 'rejecting') AND other.id < bond.id)
	WHERE state IN ('held', 'arrived', 'rejecting');
DROP INDEX bond_pair;
DROP INDEX bond_open;
CREATE UNIQUE INDEX bond_open ON bond (sender_folded, recipient_folded, beside) WHERE state IN ('held', 'arrived', 'rejecting');
DROP INDEX bond_group;
CREATE INDEX bond_group ON bond (recipient_folded, sender_group) WHERE state = 'held';
