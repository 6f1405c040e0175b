-- The receipts outside of a bond's chain.
CREATE INDEX receipt_aside ON receipt (bond) WHERE n = 0;
