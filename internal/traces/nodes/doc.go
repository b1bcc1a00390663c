// Package nodes is « Les nœuds des traces »: several machines serve the pages,
// and one of them holds the base. The others bring it what they take in, and
// put it the questions of their users.
//
// It promises that a node acknowledges nothing before the machine of the base
// has it on its disk; that only machines that hold the keyring of the
// installation are heard, and only the machine that holds it is believed; and
// that nothing travels in clear.
//
// It never decides who may ask what: the node that asks has checked it, and
// names the establishment. It never keeps anything itself.
package nodes
