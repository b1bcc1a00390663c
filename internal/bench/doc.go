// Package bench is « Banc d'essai »: it measures the product and says the figures.
//
// It promises the real product (the house that app builds, in a process of its
// own, its data on a disk) against peers in other processes of the same
// machine, and beside each figure the raw limit measured in the same run: the
// same client without a database, the same file without a directory, the same
// server without a page. Every step says on the error output what it saw.
//
// It never leaves the loopback, never touches the data of an installation, and
// never judges: a bar is a figure to look at, not an assertion.
package bench
