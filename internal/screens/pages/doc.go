// Package pages is « Les écrans, et l’écran »: what hangs on a wall, and who
// hangs it.
//
// It promises that a screen keeps what it last showed when the network is cut
// and says since when, and that an administrator sees which screens are silent
// and which show an alert that runs.
//
// It never asks a passer-by for anything: a screen has no button but that of its voice.
package pages
