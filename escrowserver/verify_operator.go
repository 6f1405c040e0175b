package escrowserver

func (a *audit) epoch(text string) error {
	epoch, err := ParseEpoch(text)
	if err != nil {
		a.fault("%v", err)
	}
	a.pools = epoch
	return nil
}

// logged holds a row of the operator's log against the one before it, and against the
// log's anchor. That rows newer than that were cut off nobody can see.
func (a *audit) logged(line AuditLine) error {
	hash, err := line.HashAfter(a.last.Hash)
	if err != nil || line.N != a.last.N+1 || line.Hash != hash {
		a.fault("row %d of the operator's log is not as it was written, or one before it is missing", line.N)
	}
	if line.N == a.anchor.N && line.Hash != a.anchor.Hash {
		a.fault("row %d of the operator's log is not the one that the escrow knew", line.N)
	}
	a.last = line
	return nil
}
