package app

import (
	"earnest/escrow/wire"
	"earnest/escrowserver/sqlstore"
)

// sharedNonces is the memory for nonces of all processes on the books; nil, the
// interface, where there can be one process only.
func sharedNonces(store *sqlstore.Store) wire.Shared {
	if nonces := store.Nonces(); nonces != nil {
		return nonces
	}
	return nil
}
