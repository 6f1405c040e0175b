// Package badinput gives the real programs what they should never get, through
// the command line as a person would, and holds what they answer: the exit code,
// and words that say what happened, what it means for mail and money, and what
// to do. It holds tests alone.
package badinput
