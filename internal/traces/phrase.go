package traces

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/fault"
)

// A Phrase is a question for people who are not computer people: a sentence with
// blanks. Its words are in the locales, under traces.phrase.<key>.
type Phrase struct {
	Key    string
	Blanks []Blank
	// Group is how the answer's table is cut; Distinct what it counts, events
	// when empty.
	Group    []Field
	Distinct Field
	// Least leaves out lines that count less.
	Least int64
	// Subject is what the words of the answer count: how many accounts, patients…
	// Accounts when empty.
	Subject Field
	// Circle is the field whose values no trace tells: who left, who is well
	// known. They come from Options.Circle; empty for the other phrases.
	Circle Field

	where func(f Filling) []Condition
	// text is the words of a free search.
	text string
}

// Blank is a hole in the sentence.
type Blank struct {
	Name     string
	Kind     BlankKind
	Required bool
	// Choices are the values of a Choice, the default first.
	Choices []string
}

// BlankKind is what fits in a blank.
type BlankKind string

// The kinds of blanks. The period is a blank of every phrase.
const (
	BlankPatient BlankKind = "patient" // an IPP or an INS
	BlankText    BlankKind = "text"
	BlankChoice  BlankKind = "choice"
)

// Filling is what a person put in the blanks.
type Filling map[string]string

func (f Filling) get(name string) string { return strings.Join(strings.Fields(f[name]), " ") }

// The choices of blanks.
const (
	choiceAny     = "any"
	choiceNight   = "night"
	choiceWeekend = "weekend"
	choiceKnown   = "known"
	choiceStaff   = "staff"
)

var (
	// opened is what shows a record to somebody.
	opened  = []Action{Read, Search, Print, Export, BreakGlass}
	changed = []Action{Create, Update, Delete, Sign}
)

func keys(actions []Action) []string {
	var out []string
	for _, a := range actions {
		out = append(out, a.String())
	}
	return out
}

// doing is the condition of a blank that says what was done.
func doing(choice string) []Condition {
	switch a, known := ParseAction(choice); {
	case choice == "opened":
		return []Condition{{FieldAction, Is, keys(opened)}}
	case choice == "changed":
		return []Condition{{FieldAction, Is, keys(changed)}}
	case known && a != Unsaid:
		return []Condition{{FieldAction, Is, []string{a.String()}}}
	}
	return nil
}

var (
	onPatients = Condition{FieldClass, Is, []string{PatientAccess.String()}}
	// notOurs leaves our own looks out: they are asked for by a phrase of their own.
	notOurs = Condition{FieldCollector, IsNot, []string{OwnFormat}}
)

// nightHours are those of the hours of the day that lie outside 7 h to 20 h.
func nightHours() []string {
	return []string{"20", "21", "22", "23", "00", "01", "02", "03", "04", "05", "06"}
}

// Phrases lists the questions, in the order they are shown.
func Phrases() []Phrase {
	patient := Blank{Name: "patient", Kind: BlankPatient, Required: true}
	return append([]Phrase{
		{
			Key:    "record",
			Blanks: []Blank{{Name: "action", Kind: BlankChoice, Choices: []string{"opened", choiceAny, "read", "changed", "print", "export", "break_glass"}}, patient},
			Group:  []Field{FieldAccount, FieldPerson, FieldService, FieldApplication},
			where: func(f Filling) []Condition {
				return append(doing(f.get("action")), Condition{FieldPatient, Is, []string{f.get("patient")}}, notOurs)
			},
		},
		{
			Key: "person", Blanks: []Blank{{Name: "account", Kind: BlankText, Required: true}},
			Group: []Field{FieldPatient, FieldAction, FieldApplication}, Subject: FieldPatient,
			where: func(f Filling) []Condition {
				return []Condition{{FieldAccount, Is, []string{f.get("account")}}, notOurs}
			},
		},
		{
			Key: "break_glass", Group: []Field{FieldAccount, FieldPerson, FieldPatient, FieldApplication},
			where: func(Filling) []Condition {
				return []Condition{{FieldAction, Is, []string{BreakGlass.String()}}, {FieldPurpose, Empty, nil}}
			},
		},
		{
			Key: "hours", Blanks: []Blank{{Name: "when", Kind: BlankChoice, Choices: []string{choiceNight, choiceWeekend}}},
			Group: []Field{FieldAccount, FieldPerson, FieldService, FieldApplication},
			where: func(f Filling) []Condition {
				when := Condition{FieldHourOfDay, Is, nightHours()}
				if f.get("when") == choiceWeekend {
					when = Condition{FieldWeekday, Is, []string{"6", "7"}}
				}
				return []Condition{when, onPatients, {FieldAction, Is, keys(opened)}, notOurs}
			},
		},
		{
			Key: "relation", Group: []Field{FieldService, FieldAccount, FieldPerson, FieldApplication},
			where: func(Filling) []Condition {
				return []Condition{onPatients, {FieldAction, Is, keys(opened)}, {FieldRelation, Empty, nil}, {FieldPurpose, Empty, nil}, notOurs}
			},
		},
		{
			Key: "volume", Group: []Field{FieldAccount, FieldPerson, FieldFunction}, Distinct: FieldPatient,
			where: func(Filling) []Condition {
				return []Condition{onPatients, {FieldAction, Is, keys(opened)}, {FieldAccount, NotEmpty, nil}, notOurs}
			},
		},
		{
			Key: "exports", Blanks: []Blank{{Name: "action", Kind: BlankChoice, Choices: []string{"both", "print", "export"}}},
			Group: []Field{FieldAccount, FieldPerson, FieldApplication, FieldAction},
			where: func(f Filling) []Condition {
				if one := doing(f.get("action")); one != nil {
					return one
				}
				return []Condition{{FieldAction, Is, keys([]Action{Print, Export})}}
			},
		},
		{
			Key: "shared", Group: []Field{FieldAccount, FieldHour}, Distinct: FieldWorkstation, Least: 2,
			where: func(Filling) []Condition {
				return []Condition{{FieldAccount, NotEmpty, nil}, {FieldWorkstation, NotEmpty, nil}, notOurs}
			},
		},
		{
			Key: "logins", Group: []Field{FieldAccount, FieldWorkstation, FieldAddress, FieldApplication},
			where: func(Filling) []Condition {
				return []Condition{{FieldAction, Is, []string{Login.String()}}, {FieldOutcome, Is, []string{Failure.String(), Denied.String()}}}
			},
		},
		{
			Key: "place", Blanks: []Blank{
				{Name: "what", Kind: BlankChoice, Choices: []string{string(FieldWorkstation), string(FieldAddress), string(FieldDevice), string(FieldApplication)}},
				{Name: "name", Kind: BlankText, Required: true},
			},
			Group: []Field{FieldAccount, FieldPerson, FieldAction, FieldApplication},
			where: func(f Filling) []Condition {
				return []Condition{{Field(f.get("what")), Is, []string{f.get("name")}}, notOurs}
			},
		},
		{
			Key: "service", Blanks: []Blank{{Name: "service", Kind: BlankText, Required: true}},
			Group: []Field{FieldAccount, FieldPerson, FieldApplication, FieldAction},
			where: func(f Filling) []Condition {
				return []Condition{{FieldService, Is, []string{f.get("service")}}, onPatients, notOurs}
			},
		},
		{
			Key: "looks", Group: []Field{FieldPerson, FieldObject}, Subject: FieldPerson,
			where: func(Filling) []Condition { return []Condition{{FieldCollector, Is, []string{OwnFormat}}} },
		},
	}, circlePhrases()...)
}

// FindPhrase gives the phrase of a key.
func FindPhrase(key string) (Phrase, bool) {
	all := Phrases()
	i := slices.IndexFunc(all, func(p Phrase) bool { return p.Key == key })
	if i < 0 {
		return Phrase{}, false
	}
	return all[i], true
}

// Fill checks what was put in the blanks, and puts the default in an empty
// choice. Errors: Invalid at the blank.
func (p Phrase) Fill(in Filling) (Filling, error) {
	out := Filling{}
	for _, b := range p.Blanks {
		v := in.get(b.Name)
		switch {
		case b.Kind == BlankChoice && v == "":
			v = b.Choices[0]
		case b.Kind == BlankChoice && !slices.Contains(b.Choices, v):
			return nil, fault.New(fault.Invalid, "traces.phrase.choice").At(b.Name)
		case b.Required && v == "":
			return nil, fault.New(fault.Invalid, "traces.phrase.missing").At(b.Name)
		case len(v) > MaxKey:
			return nil, fault.New(fault.Invalid, "traces.phrase.long", "most", MaxKey).At(b.Name)
		}
		out[b.Name] = v
	}
	return out, nil
}

// Period is when events happened, To excluded, in a zone.
type Period struct {
	From, To time.Time
	Zone     string
}

const (
	// listed is how many events an answer holds; the rest is counted.
	listed = 100
	// compared is how many lines a table holds, to be compared and taken out; the
	// pages show the first.
	compared = 5000
)

// base is what all the questions of a phrase have in common.
func (p Phrase) base(f Filling, when Period) Question {
	return Question{From: when.From.UnixMicro(), To: when.To.UnixMicro(), Zone: when.Zone, Where: p.where(f), Text: p.text}
}

// Conditions are what a filled phrase demands of events, but for what a circle adds.
func (p Phrase) Conditions(f Filling) []Condition { return p.where(f) }

// questions gives what a phrase asks of the base: the table, the last events,
// and how many a day, or an hour when the period is of two days at most.
func (p Phrase) questions(base Question, when Period) (table, events, curve Question) {
	table, events, curve = base, base, base
	table.Group, table.Distinct, table.Limit = p.Group, p.Distinct, compared
	events.Limit = listed
	curve.Group, curve.Limit = []Field{FieldDay}, 4000
	if when.To.Sub(when.From) <= 49*time.Hour {
		curve.Group = []Field{FieldHour}
	}
	return table, events, curve
}

// Counted is the field that the words of the answer count.
func (p Phrase) Counted() Field {
	if p.Subject == "" {
		return FieldAccount
	}
	return p.Subject
}

// subjects gives how many subjects there are, the one most seen first, and the
// events that name none.
func (p Phrase) subjects(base Question) (named, nameless Question) {
	base.Group, base.Distinct, base.Limit = nil, "", 1
	named, nameless = base, base
	named.Group = []Field{p.Counted()}
	named.Where = append(slices.Clone(base.Where), Condition{p.Counted(), NotEmpty, nil})
	nameless.Where = append(slices.Clone(base.Where), Condition{p.Counted(), Empty, nil})
	return named, nameless
}
