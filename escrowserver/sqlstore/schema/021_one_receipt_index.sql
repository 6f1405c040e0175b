-- Step 6 made another index at first: books that took it then get the one of today.
DROP INDEX IF EXISTS receipt_bond;
CREATE INDEX IF NOT EXISTS receipt_aside ON receipt (bond) WHERE n = 0;
