package escrowserver

func (a *audit) epoch(text string) error {
	epoch, err := ParseEpoch(text)
	if err != nil {
		a.fault("%v", err)
	}
	a.pools = epoch
	return nil
}

// logged holds a row of the operator's log against the one before it. That the
// newest rows were cut off nobody can see from the log alone.
func (a *audit) logged(line AuditLine) error {
	hash, err := line.HashAfter(a.last.Hash)
	if err != nil || line.N != a.last.N+1 || line.Hash != hash {
		a.fault("row %d of the operator's log is not as it was written, or one before it is missing", line.N)
	}
	a.last = line
	return nil
}
