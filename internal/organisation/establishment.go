package organisation

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/organisation/finess"
	"tocsin/internal/storage"
)

// Establishment is a tenant of the instance.
type Establishment struct {
	// ID is the organisation of every Scope.
	ID   uuid.UUID
	Name string
	// Colour is one of Palette; it is always on the screen of people who work for several.
	Colour string
	// Zone is an IANA zone: "Europe/Paris", "Indian/Reunion".
	Zone string
	// FINESS is the number of the legal entity; zero when not given.
	FINESS finess.Number
	// Language is "fr" or "en": that of people who gave none.
	Language string
	// Word proves to staff that a message comes from here; empty when not used.
	Word    string
	Created time.Time
}

// Palette is the closed list of colours: each keeps a contrast of at least 4.5
// with white text (WCAG 2.2 § 1.4.3), and they are told apart without hue.
func Palette() []string {
	return []string{"#1f4e79", "#0b6e4f", "#8a3b12", "#6a1b9a", "#9b1c31", "#37474f", "#00607a", "#5d4037", "#4a5d00", "#3949ab"}
}

// Zones lists the zones of the French territories, metropolitan France first.
// Any other IANA zone is accepted too.
func Zones() []string {
	return []string{
		"Europe/Paris", "America/Guadeloupe", "America/Martinique", "America/Cayenne", "Indian/Reunion",
		"Indian/Mayotte", "America/Miquelon", "Pacific/Noumea", "Pacific/Tahiti", "Pacific/Wallis",
	}
}

// nameLimit is in characters; longer names break every page.
const nameLimit = 160

// WordLimit is in characters: the word is in every SMS.
const WordLimit = 12

// costly tells a character that an SMS may not carry, or carries for two.
func costly(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == ' ' || r == '-')
}

// tidied gives the establishment with defaults and no stray spaces, or says which field is wrong.
func (e Establishment) tidied() (Establishment, error) {
	e.Name = oneLine(e.Name)
	e.Word = oneLine(e.Word)
	if e.Colour == "" {
		e.Colour = Palette()[0]
	}
	if e.Zone == "" {
		e.Zone = Zones()[0]
	}
	if e.Language == "" {
		e.Language = "fr"
	}
	e.Colour = strings.ToLower(e.Colour)
	switch {
	case e.Name == "":
		return e, fault.New(fault.Invalid, "organisation.name_required").At("name")
	case utf8.RuneCountInString(e.Name) > nameLimit:
		return e, fault.New(fault.Invalid, "organisation.name_too_long", "limit", nameLimit).At("name")
	case !slices.Contains(Palette(), e.Colour):
		return e, fault.New(fault.Invalid, "organisation.colour_unknown").At("colour")
	case !isZone(e.Zone):
		return e, fault.New(fault.Invalid, "organisation.zone_unknown").At("zone")
	case e.Language != "fr" && e.Language != "en":
		return e, fault.New(fault.Invalid, "organisation.language_unknown").At("language")
	case utf8.RuneCountInString(e.Word) > WordLimit:
		return e, fault.New(fault.Invalid, "organisation.word_too_long", "limit", WordLimit).At("word")
	case strings.ContainsFunc(e.Word, costly):
		return e, fault.New(fault.Invalid, "organisation.word_letters").At("word")
	}
	return e, nil
}

// isZone refuses "Local", which would mean another place on another machine.
func isZone(name string) bool {
	if name == "" || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// same tells whether two texts name the same place: case, accents and spaces aside.
func same(a, b string) bool { return storage.Fold(oneLine(a)) == storage.Fold(oneLine(b)) }
