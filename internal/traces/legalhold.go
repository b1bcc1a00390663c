package traces

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// HoldState is where a legal hold stands.
type HoldState string

// The states. What is held stays held until two people have lifted it.
const (
	HoldStands  HoldState = "standing"
	HoldLifting HoldState = "lifting" // one person asked that it be lifted
	HoldLifted  HoldState = "lifted"
)

// HoldSelection says what is held: all that is given holds together.
type HoldSelection struct {
	// Patient is an IPP or an INS, Account a login, Person a name as sources write it.
	Patient, Account, Person string
	// Source is one that spoke; Nil for all.
	Source uuid.UUID
	// From and To bound the time of the events, To excluded. To may be to come.
	From, To time.Time
	// Everything says that nothing but the period bounds it: it must be said.
	Everything bool
}

// Question is what is held, as it is asked of a base.
func (h HoldSelection) Question() Question {
	q := Question{From: storage.Micros(h.From), To: storage.Micros(h.To), Zone: "UTC", Limit: 1}
	if h.Source != uuid.Nil {
		q.Where = append(q.Where, Condition{FieldSource, Is, []string{h.Source.String()}})
	}
	for _, c := range []Condition{{FieldPatient, Is, []string{h.Patient}}, {FieldAccount, Is, []string{h.Account}}, {FieldPerson, Is, []string{h.Person}}} {
		if c.Values[0] != "" {
			q.Where = append(q.Where, c)
		}
	}
	return q
}

// HoldWanted is what somebody wants held, and for whom.
type HoldWanted struct {
	// Authority ordered it by Reference; RequestedBy says who brought it.
	Authority, Reference, RequestedBy string
	Reason                            string
	HoldSelection
}

const (
	// holdWords bounds each text of a hold, characters.
	holdWords = 500
	// holdsMost is how many stand at once in an establishment: each is part of every
	// purge.
	holdsMost = 100
	// heldEventBytes is what an event takes on the disk with its original, seal and
	// indexes, about: bench traces measures disk.parsed_bytes and disk.raw_bytes.
	heldEventBytes = 140
)

// check tidies what is wanted and tells what is wrong. Errors: Invalid with its field.
func (w *HoldWanted) check() error {
	for _, t := range []struct {
		text  *string
		field string
		must  bool
	}{
		{&w.Authority, "autorite", true},
		{&w.Reference, "reference", true},
		{&w.RequestedBy, "demandeur", true},
		{&w.Reason, "motif", true},
		{&w.Patient, "patient", false},
		{&w.Account, "compte", false},
		{&w.Person, "personne", false},
	} {
		if err := holdText(t.text, t.field, t.must); err != nil {
			return err
		}
	}
	bounded := w.Patient != "" || w.Account != "" || w.Person != "" || w.Source != uuid.Nil
	switch {
	case !bounded && !w.Everything:
		return fault.New(fault.Invalid, "traces.hold.everything").At("tout")
	case bounded && w.Everything:
		return fault.New(fault.Invalid, "traces.hold.both").At("tout")
	}
	q := w.Question()
	if err := q.Check(); err != nil {
		return fault.Wrap(err, fault.Invalid, "traces.hold.period").At("de")
	}
	return nil
}

// holdText tidies a text of a hold.
func holdText(t *string, field string, must bool) error {
	*t = strings.TrimSpace(*t)
	switch {
	case must && *t == "":
		return fault.New(fault.Invalid, "traces.hold.missing").At(field)
	case utf8.RuneCountInString(*t) > holdWords || !utf8.ValidString(*t) || strings.ContainsRune(*t, 0):
		return fault.New(fault.Invalid, "traces.hold.long", "most", holdWords).At(field)
	}
	return nil
}

// Act is who did something, and when; its zero value is nobody.
type Act struct {
	ID   uuid.UUID
	Name string
	At   time.Time
}

// LegalHold is one, with what became of it.
type LegalHold struct {
	ID uuid.UUID
	HoldWanted
	State HoldState
	// Found is how many events it held when they were last counted, at Counted; -1
	// while the base could not be asked.
	Found   int64
	Counted time.Time
	Placed  Act
	// LiftReason, LiftAsked and LiftDecided are those of the last wish to lift it;
	// LiftRefusal says why it was refused.
	LiftReason             string
	LiftAsked, LiftDecided Act
	LiftRefusal            string
}

// Standing tells whether what it names is still held.
func (h LegalHold) Standing() bool { return h.State != HoldLifted }

// Number is what those who speak of it call it by.
func (h LegalHold) Number() string { return h.ID.String() }

// noted is a hold as the journal keeps it: nobody's name or number.
func (h LegalHold) noted() map[string]any {
	fields := []string{}
	for _, c := range h.Question().Where {
		fields = append(fields, string(c.Field))
	}
	out := map[string]any{
		"state": string(h.State), "authority": h.Authority, "reference": h.Reference, "from": h.From.UTC().Format(time.DateTime), "to": h.To.UTC().Format(time.DateTime),
		"fields": fields, "everything": h.Everything,
	}
	if h.Found >= 0 {
		out["events"] = h.Found
	}
	return out
}

// WithoutNames is a hold without what names a patient or an agent, for those who may
// know that something is held, and not what.
func (h LegalHold) WithoutNames() LegalHold {
	h.Patient, h.Account, h.Person, h.Reason = "", "", "", ""
	return h
}

// Weight is what a hold would keep.
type Weight struct {
	// Events is -1 when the base cannot be asked; Bytes is about what they take.
	Events, Bytes int64
}

func weightOf(events int64) Weight {
	return Weight{Events: events, Bytes: max(events, 0) * heldEventBytes}
}

// Keeps is what the events of a hold take on the disk, about.
func (h LegalHold) Keeps() Weight { return weightOf(h.Found) }
