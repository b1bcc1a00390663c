// Package pages is « Les canaux, à l’écran »: the gateways of an establishment,
// how they are, and the forms that set them.
//
// It promises that the form of a gateway follows from what its kind says of
// itself, that a secret is never shown back, and that what stops sending says
// so before it is done.
//
// It never sends a message: a test connects and goes no further.
package pages
