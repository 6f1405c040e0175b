package lru

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestWhatWasUsedTheLongestAgoIsForgotten(t *testing.T) {
	m := New[string, int](2)
	m.Put("a", 1)
	m.Put("b", 2)
	m.Get("a")
	m.Put("c", 3)
	if _, ok := m.Get("b"); ok || m.Len() != 2 {
		t.Errorf("b was used the longest ago, and is there; %d keys", m.Len())
	}
	if a, ok := m.Get("a"); !ok || a != 1 {
		t.Errorf("a is %d, %v", a, ok)
	}
}

// TestAsAListThatIsSearched: whatever is done, it is as with a list of all keys in the
// order in which they were used.
func TestAsAListThatIsSearched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(0, 5).Draw(t, "most")
		m, values := New[int, int](most), map[int]int{}
		var used []int // the longest ago first
		use := func(key int) {
			used = append(slices.DeleteFunc(used, func(k int) bool { return k == key }), key)
		}
		for i := range rapid.IntRange(0, 50).Draw(t, "steps") {
			key := rapid.IntRange(0, 7).Draw(t, "key")
			switch rapid.SampledFrom([]string{"get", "put", "forget"}).Draw(t, "do") {
			case "get":
				value, ok := m.Get(key)
				if want := slices.Contains(used, key); ok != want || ok && value != values[key] {
					t.Fatalf("%d is %d, %v; want %d, %v", key, value, ok, values[key], want)
				}
				if ok {
					use(key)
				}
			case "put":
				m.Put(key, i)
				use(key)
				values[key] = i
				used = used[max(len(used)-max(most, 1), 0):]
			case "forget":
				m.Forget(key)
				used = slices.DeleteFunc(used, func(k int) bool { return k == key })
			}
			oldest, value, ok := m.Oldest()
			if m.Len() != len(used) || m.recent.Len() != len(used) || ok != (len(used) > 0) || ok && (oldest != used[0] || value != values[oldest]) {
				t.Fatalf("%d keys, %d in the list, the oldest is %d, %v; want %v", m.Len(), m.recent.Len(), oldest, ok, used)
			}
		}
	})
}
