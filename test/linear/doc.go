// Package linear holds the escrow against what it must be like while many use it
// at once: histories of operations on accounts, bonds and pools must be such as
// one clerk could have done one after the other, and of all that can end a bond
// one alone must. With deaths of the process, stops and cut connections, too.
package linear
