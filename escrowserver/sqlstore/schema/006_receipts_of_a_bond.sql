-- All receipts of a bond, those outside of the chain too.
CREATE INDEX receipt_bond ON receipt (bond, n);
