package viewmodel

import "maps"

// A view that was taken keeps the maps that it has seen: a change makes a copy.

// set is the map with a value under a key.
func set[K comparable, V any](old map[K]V, key K, value V) map[K]V {
	return setAll(old, []K{key}, value)
}

// setAll is the map with the same value under many keys: one copy for all.
func setAll[K comparable, V any](old map[K]V, keys []K, value V) map[K]V {
	m := make(map[K]V, len(old)+len(keys))
	maps.Copy(m, old)
	for _, key := range keys {
		m[key] = value
	}
	return m
}

// unset is the map without a key.
func unset[K comparable, V any](old map[K]V, key K) map[K]V {
	m := maps.Clone(old)
	delete(m, key)
	return m
}
