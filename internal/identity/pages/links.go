package pages

import "strings"

// FirstRunLink is the address of the first start, for the log of the first
// start and `tocsin user first-link`.
func FirstRunLink(origin, code string) string {
	return strings.TrimSuffix(origin, "/") + FirstRunPath + code
}

// InvitationLink is the address where an invitation or a reset chooses a
// password, for `tocsin user add` and `tocsin user reset`.
func InvitationLink(origin, code string) string {
	return strings.TrimSuffix(origin, "/") + InvitationPath + code
}
