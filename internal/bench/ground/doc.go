// Package ground is « Le terrain »: what measurements and hard-luck tests stand
// on: a private PostgreSQL, a road to a peer that can be cut, a machine of its
// own for a node.
//
// It promises that everything it starts ends with its caller, that nothing
// leaves this machine, and that only what it made is removed.
//
// It never knows the product.
package ground
