package viewmodel

import "maps"

// A view that was taken keeps the maps that it has seen: a change makes a copy.

// set is the map with a value under a key.
func set[V any](old map[string]V, key string, value V) map[string]V {
	return setAll(old, []string{key}, value)
}

// setAll is the map with the same value under many keys: one copy for all.
func setAll[V any](old map[string]V, keys []string, value V) map[string]V {
	m := make(map[string]V, len(old)+len(keys))
	maps.Copy(m, old)
	for _, key := range keys {
		m[key] = value
	}
	return m
}

// unset is the map without a key.
func unset[V any](old map[string]V, key string) map[string]V {
	m := maps.Clone(old)
	delete(m, key)
	return m
}
