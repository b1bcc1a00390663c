package directory

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/directory/phone"
	"tocsin/internal/document/assist"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// Problem is what a person should know of a row: an error keeps the row out, a
// warning does not.
type Problem = assist.Problem

// entry is a row of a staff file once understood.
type entry struct {
	Match          string                 `json:"match"`
	Key            string                 `json:"key,omitempty"`
	Matricule      string                 `json:"matricule,omitempty"`
	RPPS           string                 `json:"rpps,omitempty"`
	LastName       string                 `json:"last"`
	FirstName      string                 `json:"first,omitempty"`
	Metier         string                 `json:"metier,omitempty"`
	MetierLabel    string                 `json:"metier_label,omitempty"`
	Qualifications []string               `json:"qualifications,omitempty"`
	Place          organisation.PlaceName `json:"place,omitzero"`
	Status         string                 `json:"status,omitempty"`
	Semester       string                 `json:"semester,omitempty"`
	Language       string                 `json:"language,omitempty"`
	Protected      bool                   `json:"protected,omitempty"`
	Refused        []string               `json:"refused,omitempty"`
	ContractEnd    time.Time              `json:"contract_end,omitzero"`
	AbsentFrom     time.Time              `json:"absent_from,omitzero"`
	AbsentTo       time.Time              `json:"absent_to,omitzero"`
	Contacts       []entryContact         `json:"contacts,omitempty"`

	line     int
	problems []Problem
	// ruled tells that a rule kept a value against this row.
	ruled bool
}

type entryContact struct {
	Kind    string `json:"kind"`
	Address string `json:"address"`
	Label   string `json:"label,omitempty"`
	Private bool   `json:"private,omitempty"`
	Shared  bool   `json:"shared,omitempty"`
	// Origin is the column: field and rank among the columns of that field.
	Origin string `json:"origin"`
	column string
}

// reading turns the rows of one file into entries.
type reading struct {
	header    []string
	mapping   Mapping
	origins   []string
	source    string
	zone      *time.Location
	places    *organisation.Places
	reference *Reference
	serial    uint32
	// secret marks what lists said; rules are those of the fields; conflicts are those of the merges made so far.
	secret    [32]byte
	rules     map[string]Precedence
	conflicts []Conflict
}

func newReading(header []string, m Mapping, source string, places *organisation.Places, ref *Reference) (*reading, error) {
	zone, err := time.LoadLocation(places.Zone)
	if err != nil {
		return nil, err
	}
	return &reading{header: header, mapping: m, origins: origins(m), source: source, zone: zone, places: places, reference: ref}, nil
}

// origins names each column so that the export finds it again.
func origins(m Mapping) []string {
	out := make([]string, len(m))
	count := map[Field]int{}
	for i, f := range m {
		out[i] = string(f) + "#" + strconv.Itoa(count[f])
		count[f]++
	}
	return out
}

func (r *reading) complain(e *entry, column int, err bool, key string, args ...any) {
	name := ""
	if column >= 0 {
		name = r.header[column]
	}
	e.problems = append(e.problems, Problem{Column: name, Key: key, Args: args, Error: err})
}

// counted tells how many problems keep the row out, and how many do not.
func (e *entry) counted() (errs, warnings int) {
	for _, p := range e.problems {
		if p.Error {
			errs++
		} else {
			warnings++
		}
	}
	return errs, warnings
}

// read understands one row. Phones are read last: their region is that of the site.
func (r *reading) read(line int, cells []string) *entry {
	e := &entry{line: line}
	for i, f := range r.mapping {
		if i < len(cells) && !f.isPhone() {
			r.field(e, i, f, oneLine(assist.Harmed(cells[i])))
		}
	}
	zone := r.places.Zone
	if site, _ := r.places.Find(organisation.PlaceName{Site: e.Place.Site}); e.Place.Site != "" {
		if place, ok := r.places.Get(site); ok {
			zone = place.Zone
		}
	}
	for i, f := range r.mapping {
		if i < len(cells) && f.isPhone() {
			r.phones(e, i, f, cells[i], zone)
		}
	}
	slices.SortStableFunc(e.Contacts, func(a, b entryContact) int { return kindOrder(a.Kind) - kindOrder(b.Kind) })
	if e.LastName == "" {
		r.complain(e, -1, true, "directory.import.no_name")
	}
	if !e.AbsentTo.IsZero() && e.AbsentFrom.IsZero() {
		e.AbsentFrom = time.Unix(0, 0).UTC() // on leave until a date, since we do not know when
	}
	if e.Metier == "interne" && e.Status == "" && !r.mapping.has(FieldStatus) {
		e.Status = Interne
	}
	e.Match = matchKey(e.Matricule, e.LastName, e.FirstName, r.source, 0)
	if e.Matricule == "" && e.Key != "" {
		e.Match = "k:" + storage.Fold(r.source) + ":" + e.Key
	}
	return e
}

// kindOrder is where a kind stands in Kinds.
func kindOrder(kind string) int {
	return slices.Index(Kinds(), kind)
}

func (r *reading) field(e *entry, i int, f Field, cell string) {
	if len(cell) > 500 {
		r.complain(e, i, false, "directory.import.cut")
		cell = strings.ToValidUTF8(cell[:500], "")
	}
	switch f {
	case FieldKey:
		e.Key = cell
	case FieldMatricule:
		e.Matricule = cell
	case FieldLastName:
		e.LastName = cell
	case FieldFirstName:
		e.FirstName = cell
	case FieldFullName:
		e.LastName, e.FirstName = splitName(cell)
	case FieldMetier:
		e.MetierLabel = cell
		if cell != "" {
			e.Metier, _ = r.reference.Recognise(cell)
		}
	case FieldQualified:
		r.qualifications(e, cell)
	case FieldSite:
		e.Place.Site = cell
	case FieldService:
		e.Place.Service = cell
	case FieldCode:
		e.Place.Code = cell
	case FieldSemester:
		e.Semester = cell
	case FieldEmail, FieldEmailOwn:
		r.mails(e, i, f, cell)
	case FieldPager:
		r.pagers(e, i, cell)
	case FieldChat:
		r.chats(e, i, cell)
	default:
		r.detail(e, i, f, cell)
	}
}

// detail reads the fields that have a closed list or a format.
func (r *reading) detail(e *entry, i int, f Field, cell string) {
	if cell == "" {
		return
	}
	switch f {
	case FieldRPPS:
		e.RPPS = onlyDigits(cell)
		if len(e.RPPS) != 11 {
			r.complain(e, i, false, "directory.import.rpps")
			e.RPPS = ""
		}
	case FieldStatus:
		status, known := readStatus(cell)
		if e.Status = status; !known {
			r.complain(e, i, false, "directory.import.status", "value", cell)
		}
	case FieldLanguage:
		e.Language = readLanguage(cell)
		if e.Language == "" {
			r.complain(e, i, false, "directory.import.language", "value", cell)
		}
	case FieldProtected:
		e.Protected = yes(cell)
	case FieldRefused:
		for _, part := range split(cell) {
			medium := readMedium(part)
			if medium == "" {
				r.complain(e, i, false, "directory.import.refused", "value", part)
				continue
			}
			e.Refused = append(e.Refused, medium)
		}
		e.Refused = codes(e.Refused)
	case FieldContract:
		e.ContractEnd = r.date(e, i, cell, true)
	case FieldAbsentFrom:
		e.AbsentFrom = r.date(e, i, cell, false)
	case FieldAbsentTo:
		e.AbsentTo = r.date(e, i, cell, true)
	}
}

func (r *reading) qualifications(e *entry, cell string) {
	for _, part := range split(cell) {
		code, _ := r.reference.Recognise(part)
		e.Qualifications = append(e.Qualifications, code)
	}
	e.Qualifications = codes(e.Qualifications)
}

// split cuts a cell that lists several things.
func split(cell string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(cell, func(c rune) bool { return c == ',' || c == ';' || c == '/' || c == '|' || c == '+' }) {
		if part = oneLine(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// date reads a day; the last day of a period counts whole, so its end is the next midnight.
func (r *reading) date(e *entry, i int, cell string, last bool) time.Time {
	cell, _, _ = strings.Cut(cell, " ")
	t, ok := ReadDay(cell, r.zone)
	switch f := r.mapping[i]; {
	case ok && last:
		return t.AddDate(0, 0, 1).UTC()
	case ok:
		return t.UTC()
	case f == FieldAbsentFrom || f == FieldAbsentTo:
		r.complain(e, i, false, "directory.import.absence_date") // the word may be the reason of the absence
	default:
		r.complain(e, i, false, "directory.import.date", "value", cell)
	}
	return time.Time{}
}

func (r *reading) mails(e *entry, i int, f Field, cell string) {
	for _, part := range strings.FieldsFunc(cell, func(c rune) bool { return c == ',' || c == ';' || c == ' ' || c == '|' }) {
		if part == "/" {
			continue
		}
		address, err := readMail(part)
		if err != nil {
			if strings.ContainsAny(part, "@.") {
				r.complain(e, i, false, "directory.import.mail")
			}
			continue
		}
		r.contact(e, i, entryContact{Kind: Email, Address: address, Private: f == FieldEmailOwn})
	}
}

func (r *reading) pagers(e *entry, i int, cell string) {
	for _, part := range split(cell) {
		number, err := readPager(part)
		if err != nil {
			r.complain(e, i, false, "directory.import.pager")
			continue
		}
		r.contact(e, i, entryContact{Kind: Pager, Address: number})
	}
}

func (r *reading) chats(e *entry, i int, cell string) {
	for _, part := range strings.Fields(strings.NewReplacer(",", " ", ";", " ", "|", " ").Replace(cell)) {
		if part == "/" {
			continue
		}
		address, err := readChat(part)
		if err != nil {
			r.complain(e, i, false, "directory.import.chat")
			continue
		}
		r.contact(e, i, entryContact{Kind: Chat, Address: address})
	}
}

func (r *reading) phones(e *entry, i int, f Field, cell, zone string) {
	if cell == "" {
		return
	}
	read := phone.Parse(cell, phone.Options{Region: region(zone)})
	for _, p := range read.Problems {
		r.complain(e, i, false, p.Key, p.Args...)
	}
	for _, n := range read.Numbers {
		if n.Warning != "" {
			r.complain(e, i, false, n.Warning)
		}
		if n.Kind == phone.Short {
			continue
		}
		r.contact(e, i, entryContact{
			Kind: string(n.Kind), Address: n.E164, Label: n.Label, Shared: n.Warning == phone.WarningDECT || f == FieldDECT,
			Private: f == FieldMobileOwn || f == FieldPhoneOwn || private(n.Label),
		})
	}
	if len(read.Numbers) > 1 {
		r.complain(e, i, false, "directory.import.several", "count", len(read.Numbers))
	}
}

func (r *reading) contact(e *entry, i int, k entryContact) {
	k.Origin, k.column = r.origins[i], r.header[i]
	for _, old := range e.Contacts {
		if old.Address == k.Address && (old.Kind == Pager) == (k.Kind == Pager) {
			return // the same number in two columns of one row
		}
	}
	e.Contacts = append(e.Contacts, k)
}

func yes(cell string) bool {
	switch storage.Fold(cell) {
	case "oui", "o", "x", "1", "vrai", "true", "yes", "y":
		return true
	}
	return false
}

func readLanguage(cell string) string {
	switch s := storage.Fold(cell); {
	case strings.HasPrefix(s, "fr"):
		return "fr"
	case strings.HasPrefix(s, "en"), strings.HasPrefix(s, "ang"):
		return "en"
	}
	return ""
}

func readMedium(cell string) string {
	s := assist.Slug(cell)
	for medium, words := range map[string][]string{
		Voice: {"voice", "voix", "appel", "vocal", "telephone", "call"}, SMS: {"sms", "texto", "text"},
		Mail: {"email", "mail", "courriel", "mel"}, Beep: {"bip", "pager", "recepteur"}, Talk: {"chat", "matrix", "tchap", "instantanee"},
	} {
		for _, w := range words {
			if strings.Contains(s, w) {
				return medium
			}
		}
	}
	return ""
}

// readStatus recognises a status in the words of a staff file.
func readStatus(cell string) (status string, known bool) {
	s := assist.Slug(cell)
	for _, known := range []struct{ begin, status string }{
		{"titul", Titulaire},
		{"fonctionnaire", Titulaire},
		{"stagiaire", Stagiaire},
		{"contract", Contractuel},
		{"cdd", Contractuel},
		{"cdi", Contractuel},
		{"vacat", Contractuel},
		{"interim", Interimaire},
		{"agency", Interimaire},
		{"interne", Interne},
		{"resident", Interne},
		{"docteur_junior", Interne},
		{"ffi", Interne},
		{"externe", Externe},
		{"etudiant", Etudiant},
		{"eleve", Etudiant},
		{"student", Etudiant},
		{"apprenti", Etudiant},
		{"liber", Liberal},
		{"prestat", Prestataire},
		{"sous_trait", Prestataire},
		{"contractor", Prestataire},
		{"benevol", Benevole},
		{"volunteer", Benevole},
		{"ph", Titulaire},
		{"permanent", Titulaire},
		{"autre", Autre},
		{"other", Autre},
	} {
		if strings.HasPrefix(s, known.begin) {
			return known.status, true
		}
	}
	return Autre, false
}
