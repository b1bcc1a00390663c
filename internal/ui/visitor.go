package ui

import (
	"net/http"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

// Visitors tells who sends a request. Identity answers, joined in app.
// Nobody is the zero Visitor without error, or an Unauthenticated fault.
type Visitors interface {
	Visitor(r *http.Request) (Visitor, error)
}

// Visitor is who looks at a page, and for which establishment.
type Visitor struct {
	// Scope is what every operation receives; the zero Scope for nobody.
	Scope access.Scope
	// Name is shown at the top right.
	Name string
	// Establishment is the one worked for now, Establishments all those the
	// person may switch to.
	Establishment  Establishment
	Establishments []Establishment
	// Language and Theme are the person's own choice; empty to use the browser's.
	Language i18n.Language
	Theme    Theme
	// MustSetUpSecondFactor keeps the person on the pages of her own account
	// (those that need SignedIn) until a second factor exists.
	MustSetUpSecondFactor bool
}

// SignedIn tells whether it is a person with an account.
func (v Visitor) SignedIn() bool { return v.Scope.Actor().Kind == access.Person }

// Establishment is what the frame shows of an establishment.
type Establishment struct {
	ID   uuid.UUID
	Name string
	// Colour is "#rrggbb"; anything else is shown in the neutral colour.
	Colour string
}

// Theme is light, dark, or as the device wishes.
type Theme string

// The themes.
const (
	Auto  Theme = ""
	Light Theme = "light"
	Dark  Theme = "dark"
)

// The two needs that are no action of a policy. A route needs one of them or
// an access.Action: there is no way to register a route without saying.
const (
	// Public pages are for everybody: sign-in, first start, the answer page.
	Public access.Action = "ui.public"
	// SignedIn pages are for every account, whatever its roles.
	SignedIn access.Action = "ui.signed_in"
)

// allow checks the need of a route. Errors: Unauthenticated, Denied.
func allow(guard *access.Guard, v Visitor, need access.Action) error {
	switch need {
	case Public:
		return nil
	case SignedIn:
		if !v.SignedIn() {
			return fault.New(fault.Unauthenticated, "access.sign_in")
		}
		return nil
	}
	return guard.Check(v.Scope, need)
}
