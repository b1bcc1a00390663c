package reply

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"tocsin/internal/storage"
)

// Kind is what an answer means.
type Kind string

// The kinds.
const (
	Unknown     Kind = ""
	Coming      Kind = "coming"
	OnSite      Kind = "on_site"
	Unavailable Kind = "unavailable"
	CallMe      Kind = "call_me"
	Stop        Kind = "stop"
)

// Result is what was understood.
type Result struct {
	Kind Kind
	// Minutes before arrival, -1 when not said.
	Minutes int
	// Key is the digit typed, "" when none opened the answer.
	Key string
}

// longest is how much of an answer is read, in bytes.
const longest = 2000

// Parse reads an answer that names no hour of the clock.
func Parse(text string) Result { return ParseAt(text, time.Time{}, time.UTC) }

// ParseAt reads an answer sent at now, so that "vers 14h" can be counted from it in that zone.
func ParseAt(text string, now time.Time, zone *time.Location) Result {
	text = strings.ToValidUTF8(text[:min(len(text), longest)], "")
	words := strings.FieldsFunc(storage.Fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	r := Result{Minutes: -1}
	for i, w := range words {
		n, err := strconv.Atoi(w)
		switch {
		case err == nil && i == 0 && len(w) == 1:
			r.Key = w
		case err == nil && n <= 24*60 && r.Minutes < 0:
			r.Minutes = n
		case r.Kind == Unknown:
			r.Kind = kindOf(w)
		}
	}
	return r
}

func kindOf(word string) Kind {
	switch word {
	case "stop":
		return Stop
	case "oui", "yes", "ok", "viens", "arrive":
		return Coming
	case "non", "no", "indisponible", "impossible":
		return Unavailable
	}
	return Unknown
}
