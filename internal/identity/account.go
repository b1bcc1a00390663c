package identity

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
)

// Account is a person of the instance.
type Account struct {
	ID uuid.UUID
	// Login is an e-mail address or a short name, in lower case.
	Login string
	// Name is what colleagues read: "Camille Martin".
	Name string
	// Language is "fr" or "en".
	Language string
	Created  time.Time
	// Seen is the last sign-in, zero when there was none.
	Seen time.Time
	// Disabled is when the instance closed the account; zero when it is open.
	Disabled time.Time
	// HasPassword is false until the person followed her invitation.
	HasPassword bool
	// TOTP tells that an authenticator application is set up, Passkeys how many
	// passkeys there are.
	TOTP     bool
	Passkeys int

	password string
	lastUsed uuid.UUID
}

// HasFactor tells whether a second factor is set up.
func (a Account) HasFactor() bool { return a.TOTP || a.Passkeys > 0 }

// Member is an account as one establishment sees it.
type Member struct {
	Account
	Roles []access.Role
	// Suspended is when this establishment closed its doors to the person.
	Suspended time.Time
	// Shared tells that the person also works for another establishment of the
	// instance: only she, or the command line, changes what belongs to her.
	Shared bool
}

// Active tells whether the person may enter the establishment.
func (m Member) Active() bool { return m.Suspended.IsZero() && m.Disabled.IsZero() }

// Has tells whether the member holds the role here.
func (m Member) Has(r access.Role) bool { return slices.Contains(m.Roles, r) }

// The limits of what people type, in characters.
const (
	loginLeast = 3
	loginMost  = 120
	nameMost   = 120
)

// NewLogin parses a login: an e-mail address or a short name, folded to lower
// case. Errors: Invalid at "login".
func NewLogin(text string) (string, error) {
	login := strings.ToLower(strings.TrimSpace(text))
	if n := utf8.RuneCountInString(login); n < loginLeast || n > loginMost {
		return "", fault.New(fault.Invalid, "identity.login.length", "least", loginLeast, "most", loginMost).At("login")
	}
	for _, r := range login {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("@._+-'", r) {
			return "", fault.New(fault.Invalid, "identity.login.characters").At("login")
		}
	}
	return login, nil
}

func newName(text string) (string, error) {
	name := strings.Join(strings.Fields(text), " ")
	if name == "" {
		return "", fault.New(fault.Invalid, "identity.name.required").At("name")
	}
	if utf8.RuneCountInString(name) > nameMost {
		return "", fault.New(fault.Invalid, "identity.name.long", "most", nameMost).At("name")
	}
	return name, nil
}

func newLanguage(text string) (string, error) {
	switch text {
	case "":
		return "fr", nil
	case "fr", "en":
		return text, nil
	}
	return "", fault.New(fault.Invalid, "identity.language.unknown").At("language")
}

// newRoles keeps known roles, each once, in the order they are shown. A member
// without a role could do nothing: that is what suspending is for.
func newRoles(given []access.Role) ([]access.Role, error) {
	var out []access.Role
	for _, r := range access.Roles() {
		if slices.Contains(given, r) {
			out = append(out, r)
		}
	}
	for _, r := range given {
		if !slices.Contains(out, r) {
			return nil, fault.New(fault.Invalid, "identity.roles.unknown").At("roles")
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "identity.roles.required").At("roles")
	}
	return out, nil
}
