// Package controls shows of each attack's test that it can fail: the protection
// is taken out of a copy of the source (go test -overlay), and then the test that
// passes on the product must fail. It holds tests alone.
package controls
