-- An account's own postings, in the order booked.
CREATE INDEX posting_holder ON posting (holder, id);
