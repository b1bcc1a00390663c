package directory

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// The statuses of a person. The values are stored.
const (
	Titulaire   = "titulaire"
	Stagiaire   = "stagiaire"
	Contractuel = "contractuel"
	Interne     = "interne"
	Externe     = "externe"
	Interimaire = "interimaire"
	Etudiant    = "etudiant"
	Liberal     = "liberal"
	Prestataire = "prestataire"
	Benevole    = "benevole"
	Autre       = "autre"
)

// Statuses lists them in the order they are shown.
func Statuses() []string {
	return []string{Titulaire, Stagiaire, Contractuel, Interne, Externe, Interimaire, Etudiant, Liberal, Prestataire, Benevole, Autre}
}

// Media lists the media a person may refuse.
func Media() []string { return []string{SMS, Voice, Mail, Talk, Beep} }

// Person is someone who works here, in whatever status.
type Person struct {
	ID, Human           uuid.UUID
	Matricule           string
	RPPS                string // national number of a health professional, 11 digits
	LastName, FirstName string
	// Metier is a folded code of the reference, or the establishment's own;
	// MetierLabel is what the staff file says.
	Metier, MetierLabel   string
	Qualifications        []string
	Service, Site         uuid.UUID
	ServiceName, SiteName string // read only
	Status                string
	Semester              string // of an interne: "2026-11"
	Language              string
	Protected             bool
	Refused               []string
	RestUntil             time.Time
	ContractEnd           time.Time
	AbsentFrom, AbsentTo  time.Time // as the staff file says; see also Absences
	// Departed is when the person left; zero for those who work here.
	Departed time.Time
	// Source is the import that owns the row ("RH"); empty when entered by hand.
	Source   string
	Contacts []ContactPoint
	// Revision guards against two people editing at once.
	Revision         int64
	Created, Updated time.Time
}

// ContactPoint is a Contact with what was learnt of it.
type ContactPoint struct {
	Contact
	Label string // "perso", "DECT", as the file says
	// Source is the import that gave it; empty when entered by hand.
	Source string
	// Masked tells that Address hides its middle: the reader may not see it whole.
	Masked              bool
	StateAt             time.Time
	Delivered, Answered time.Time
	Failures            int

	origin string // column of the file it came from
}

// Name gives "NOM Prénom".
func (p Person) Name() string { return strings.TrimSpace(p.LastName + " " + p.FirstName) }

const (
	nameLimit  = 100
	labelLimit = 120
)

func (p Person) tidied(ref *Reference) (Person, error) {
	p.LastName, p.FirstName = oneLine(p.LastName), oneLine(p.FirstName)
	p.Matricule, p.MetierLabel, p.Semester = oneLine(p.Matricule), oneLine(p.MetierLabel), oneLine(p.Semester)
	p.RPPS = onlyDigits(p.RPPS)
	if p.Metier == "" && p.MetierLabel != "" {
		p.Metier, _ = ref.Recognise(p.MetierLabel)
	}
	if p.Language == "" {
		p.Language = "fr"
	}
	if p.Status == "" {
		p.Status = Autre
	}
	p.Qualifications = codes(p.Qualifications)
	p.Refused = codes(p.Refused)
	switch {
	case p.LastName == "":
		return p, fault.New(fault.Invalid, "directory.last_name_required").At("last_name")
	case utf8.RuneCountInString(p.LastName) > nameLimit:
		return p, fault.New(fault.Invalid, "directory.too_long", "limit", nameLimit).At("last_name")
	case utf8.RuneCountInString(p.FirstName) > nameLimit:
		return p, fault.New(fault.Invalid, "directory.too_long", "limit", nameLimit).At("first_name")
	case utf8.RuneCountInString(p.MetierLabel) > labelLimit:
		return p, fault.New(fault.Invalid, "directory.too_long", "limit", labelLimit).At("metier")
	case p.RPPS != "" && len(p.RPPS) != 11:
		return p, fault.New(fault.Invalid, "directory.rpps").At("rpps")
	case !slices.Contains(Statuses(), p.Status):
		return p, fault.New(fault.Invalid, "directory.status_unknown").At("status")
	case p.Language != "fr" && p.Language != "en":
		return p, fault.New(fault.Invalid, "directory.language_unknown").At("language")
	}
	for _, medium := range p.Refused {
		if !slices.Contains(Media(), medium) {
			return p, fault.New(fault.Invalid, "directory.medium_unknown").At("refused")
		}
	}
	return p, nil
}

// matchKey is how an import recognises a person: the matricule, else the name within the source.
func matchKey(matricule, last, first, source string, nth int) string {
	if matricule != "" {
		return "m:" + storage.Fold(matricule)
	}
	key := "n:" + storage.Fold(source) + ":" + storage.Fold(last+" "+first)
	if nth > 0 {
		key += "#" + strings.Repeat("+", nth)
	}
	return key
}

// codes folds, sorts and takes doubles out.
func codes(list []string) []string {
	var out []string
	for _, c := range list {
		if c = assist.Slug(c); c != "" {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// packed writes a list of codes so that "LIKE '% code %'" finds one.
func packed(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return " " + strings.Join(list, " ") + " "
}

func unpacked(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Fields(s)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
