package pages

import "tocsin/internal/identity"

// pages are the handlers of this room.
type pages struct {
	service *identity.Service
	// origin begins the links that are handed over; secure tells https.
	origin string
	secure bool
}
