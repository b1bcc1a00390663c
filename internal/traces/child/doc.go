// Package child is « Le processus des traces »: the base of traces in a process
// of its own, and the side that keeps it alive and asks it.
//
// It promises that a crash of the base takes nothing else down and loses
// nothing; that the base is started again, more and more slowly when it keeps
// dying; that it stops when the program that started it stops, however that
// happens; and that a question given up is given up there too.
//
// The process never listens on the network: the two sides speak HTTP over a socket in a
// folder that only their user may enter. Other machines come by the room nodes.
package child
