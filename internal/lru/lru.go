// Package lru is a memory of bounded size that forgets what was used the longest ago.
package lru

import "container/list"

// Map is a map of so many keys at most. It is for one goroutine at a time.
type Map[K comparable, V any] struct {
	most   int
	at     map[K]*list.Element
	recent *list.List // of pair[K, V], what was used last first
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

// New is a map of at most so many keys, and of one at least.
func New[K comparable, V any](most int) *Map[K, V] {
	return &Map[K, V]{most: max(most, 1), at: map[K]*list.Element{}, recent: list.New()}
}

// Get looks a key up, which uses it.
func (m *Map[K, V]) Get(key K) (value V, ok bool) {
	element, ok := m.at[key]
	if !ok {
		return value, false
	}
	m.recent.MoveToFront(element)
	return element.Value.(pair[K, V]).value, true
}

// Put sets a key's value, which uses it. Where there is no room for one more, the key that
// was used the longest ago is forgotten.
func (m *Map[K, V]) Put(key K, value V) {
	if element, ok := m.at[key]; ok {
		element.Value = pair[K, V]{key, value}
		m.recent.MoveToFront(element)
		return
	}
	if len(m.at) >= m.most {
		oldest, _, _ := m.Oldest()
		m.Forget(oldest)
	}
	m.at[key] = m.recent.PushFront(pair[K, V]{key, value})
}

// Oldest is the key that was used the longest ago; to look at it does not use it.
func (m *Map[K, V]) Oldest() (key K, value V, ok bool) {
	last := m.recent.Back()
	if last == nil {
		return key, value, false
	}
	p := last.Value.(pair[K, V])
	return p.key, p.value, true
}

// Forget drops a key.
func (m *Map[K, V]) Forget(key K) {
	if element, ok := m.at[key]; ok {
		m.recent.Remove(element)
		delete(m.at, key)
	}
}

// Len is how many keys there are.
func (m *Map[K, V]) Len() int { return len(m.at) }
