-- Certificates are kept until 90 days after a bond ended, or was accepted late.
DROP INDEX bond_late;
CREATE INDEX bond_kept ON bond ((CASE WHEN late_accepted_at > ended_at THEN late_accepted_at ELSE ended_at END))
	WHERE ended_at > 0 AND verification IS NOT NULL;
