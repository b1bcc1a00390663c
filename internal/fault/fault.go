// Package fault is « Pannes et refus »: the one error type of the house.
//
// It promises a kind for the machine and one sentence for the person, kept as
// a catalogue key so that it exists in French and in English. Any other error
// is "erreur interne" to the person and a full line in the log.
//
// It never carries a secret or a phone number in its key, and it never decides
// how an error is shown.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is the closed list of what can go wrong, mapped to HTTP status in one place (Status).
type Kind string

// The kinds.
const (
	Invalid         Kind = "invalid"         // what was given cannot be used; 400/422
	Unauthenticated Kind = "unauthenticated" // we do not know who you are; 401
	Denied          Kind = "denied"          // you may not; 403
	NotFound        Kind = "not_found"       // it does not exist, or not for you; 404
	Conflict        Kind = "conflict"        // somebody did it before, or the state forbids it; 409
	TooMany         Kind = "too_many"        // slow down; 429
	Unavailable     Kind = "unavailable"     // a thing we rest on does not answer; 503
	Internal        Kind = "internal"        // our fault; 500
)

// Error is a fault. Key names its sentence in the catalogues; Args are pairs
// (name, value) for the sentence.
type Error struct {
	Kind  Kind
	Key   string
	Args  []any
	Field string
	cause error
}

// New returns a fault; args are pairs name, value for the sentence.
func New(kind Kind, key string, args ...any) *Error {
	return &Error{Kind: kind, Key: key, Args: args}
}

// Wrap returns a fault that keeps its cause for the log.
func Wrap(cause error, kind Kind, key string, args ...any) *Error {
	return &Error{Kind: kind, Key: key, Args: args, cause: cause}
}

// At names the field, line or column the fault is about.
func (e *Error) At(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// Error is for the log: kind, key, arguments, cause.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Kind, e.Key)
	for i := 0; i+1 < len(e.Args); i += 2 {
		fmt.Fprintf(&b, " %v=%v", e.Args[i], e.Args[i+1])
	}
	if e.Field != "" {
		fmt.Fprintf(&b, " field=%s", e.Field)
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// As returns the fault in the chain of err, or nil.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return nil
}

// KindOf returns the kind of err; Internal when it is no fault.
func KindOf(err error) Kind {
	if e := As(err); e != nil {
		return e.Kind
	}
	return Internal
}

// Is tells whether err is a fault of that kind.
func Is(err error, kind Kind) bool {
	e := As(err)
	return e != nil && e.Kind == kind
}
