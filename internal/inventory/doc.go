// Package inventory is « Cartographie »: the applications, servers, devices,
// biomedical equipment with its gateways, and suppliers of the establishment:
// who answers for each, which care service lives by it, and how grave it is
// when it stops.
//
// It promises that an establishment never sees another's inventory; that a
// thing which is no longer in use is retired and never deleted by hand; that a
// host name, an address or a serial number leads to its thing; and that a file
// imported twice changes nothing, is compared before it is applied, and can be
// undone.
//
// It never asks the network what is there, and never knows people: it keeps
// their ids, and asks Owners for their names.
package inventory
