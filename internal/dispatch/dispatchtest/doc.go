// Package dispatchtest is « Le banc d'essai de l'expédition »: a medium in
// memory whose peer does what a test says, and a sink that remembers.
//
// It promises that a message is seen by the test exactly as a gateway would
// have received it. It never runs in the program: tests only.
package dispatchtest
