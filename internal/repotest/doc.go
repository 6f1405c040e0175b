// Package repotest holds the rules of the house as tests over the source tree:
// who may import whom, what a package may not contain, how large things may
// get. Each failure gives the reason. Each rule is also tried on a small tree
// that breaks it, so that a rule that cannot fail is noticed.
package repotest
