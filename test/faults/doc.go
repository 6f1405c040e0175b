// Package faults kills the real programs at every write and shows that no money
// and no decision is lost or made; and it attacks them from outside. It holds
// tests alone.
package faults
