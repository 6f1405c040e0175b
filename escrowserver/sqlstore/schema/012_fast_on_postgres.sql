-- PostgreSQL looks up what a row names with a query of its own for each row, which
-- costs more than all the rest of a purchase. A batch has read and locked what its
-- rows name; verify looks for rows that name nothing. SQLite, where such a look-up
-- is cheap and constraints cannot be dropped, keeps them.
ALTER TABLE posting DROP CONSTRAINT posting_transfer_fkey;
ALTER TABLE operation DROP CONSTRAINT operation_account_fkey;
ALTER TABLE bond DROP CONSTRAINT bond_sender_account_fkey;
ALTER TABLE bond DROP CONSTRAINT bond_recipient_account_fkey;
ALTER TABLE bond DROP CONSTRAINT bond_key_fingerprint_fkey;
ALTER TABLE party DROP CONSTRAINT party_account_fkey;
ALTER TABLE party DROP CONSTRAINT party_bond_fkey;
ALTER TABLE sold_key DROP CONSTRAINT sold_key_bond_fkey;
ALTER TABLE sold_key DROP CONSTRAINT sold_key_batch_fkey;
ALTER TABLE receipt DROP CONSTRAINT receipt_bond_fkey;
ALTER TABLE statement DROP CONSTRAINT statement_bond_fkey;
ALTER TABLE proof DROP CONSTRAINT proof_bond_fkey;

-- Signed texts hardly get smaller by packing: rows that fit a page stay as they are.
ALTER TABLE bond SET (toast_tuple_target = 8160);
ALTER TABLE operation SET (toast_tuple_target = 8160);
ALTER TABLE receipt SET (toast_tuple_target = 8160);
ALTER TABLE statement SET (toast_tuple_target = 8160);
ALTER TABLE proof SET (toast_tuple_target = 8160);

-- These numbers only keep the order; nothing looks a row up by them.
ALTER TABLE posting DROP CONSTRAINT posting_pkey;
ALTER TABLE receipt DROP CONSTRAINT receipt_pkey;
