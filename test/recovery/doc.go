// Package recovery tests, with the real programs, what becomes of an account whose
// machine is lost.
package recovery
