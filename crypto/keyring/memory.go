package keyring

import "context"

// OpenMemory returns a ring that forgets all when the process ends. It is for
// the sandbox, which says so, and for tests.
func OpenMemory() *Ring {
	return &Ring{kind: KindMemory, store: memory{}, gate: newGate(0)}
}

type memory map[string]string

func (m memory) set(_ context.Context, name, item string) error {
	m[name] = item
	return nil
}

func (m memory) get(_ context.Context, name string) (string, error) {
	item, ok := m[name]
	if !ok {
		return "", ErrNotFound
	}
	return item, nil
}

func (m memory) remove(_ context.Context, name string) error {
	delete(m, name)
	return nil
}
