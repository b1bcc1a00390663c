package traces

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
)

// Named is an account or the number of a patient that a question is about.
type Named struct {
	Word string
	// Since is from when the question is about it, UTC microseconds; zero: always.
	Since int64
}

// Circle knows the accounts and the patients that some questions are about, and
// that no trace tells: who left, which accounts are shared, who is well known.
type Circle interface {
	LeftAccounts(ctx context.Context, scope access.Scope) ([]Named, error)
	SharedAccounts(ctx context.Context, scope access.Scope) ([]Named, error)
	KnownPatients(ctx context.Context, scope access.Scope) ([]Named, error)
	StaffPatients(ctx context.Context, scope access.Scope) ([]Named, error)
}

// circlePhrases are the questions about people and patients that no trace tells.
func circlePhrases() []Phrase {
	return []Phrase{
		{
			Key: "left", Group: []Field{FieldAccount, FieldPerson, FieldApplication, FieldAction}, Circle: FieldAccount,
			where: func(Filling) []Condition { return []Condition{notOurs} },
		},
		{
			Key: "known", Blanks: []Blank{{Name: "whom", Kind: BlankChoice, Choices: []string{choiceKnown, choiceStaff}}},
			Group: []Field{FieldPatient, FieldAccount, FieldPerson, FieldService}, Circle: FieldPatient,
			where: func(Filling) []Condition { return []Condition{onPatients, {FieldAction, Is, keys(opened)}, notOurs} },
		},
		{
			Key: "common", Group: []Field{FieldAccount, FieldWorkstation, FieldService, FieldApplication}, Circle: FieldAccount,
			where: func(Filling) []Condition { return []Condition{onPatients, notOurs} },
		},
	}
}

// partsMost bounds the questions that one phrase becomes: a year of days on which
// somebody left, and the thousands who had left before.
const partsMost = 400

// members are those a phrase is about.
func (s *Service) members(ctx context.Context, scope access.Scope, p Phrase, f Filling) ([]Named, error) {
	c := s.opt.Circle
	switch {
	case c == nil:
		return nil, nil
	case p.Key == "left":
		return c.LeftAccounts(ctx, scope)
	case p.Key == "common":
		return c.SharedAccounts(ctx, scope)
	case f.get("whom") == choiceStaff:
		return c.StaffPatients(ctx, scope)
	}
	return c.KnownPatients(ctx, scope)
}

// around cuts a question into as many as its circle needs: MaxValues each, and
// for who left within the period one for each day, that begins at its end. n is
// how many the circle has.
func (s *Service) around(ctx context.Context, scope access.Scope, p Phrase, f Filling, base Question) (parts []Question, n int, err error) {
	list, err := s.members(ctx, scope, p, f)
	if err != nil {
		return nil, 0, err
	}
	for _, g := range sinceDays(list, base) {
		for words := range slices.Chunk(g.words, MaxValues) {
			q := base
			q.From = max(base.From, g.from)
			q.Where = append(slices.Clone(base.Where), Condition{p.Circle, Is, words})
			parts = append(parts, q)
		}
	}
	if len(parts) > partsMost {
		return nil, len(list), fault.New(fault.Invalid, "traces.error.period").At("from")
	}
	return parts, len(list), nil
}

// since is who a question is about from a time on.
type since struct {
	from  int64
	words []string
}

// sinceDays gathers a circle by the end of the day from which it is meant; who is
// meant only after the period is left out.
func sinceDays(list []Named, base Question) (out []since) {
	l, err := zone(base.Zone)
	if err != nil {
		l = time.UTC
	}
	at := map[int64]int{}
	for _, one := range list {
		from := int64(0)
		if one.Since > base.From {
			day := time.UnixMicro(one.Since).In(l)
			from = time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, l).UnixMicro()
		}
		if from >= base.To {
			continue
		}
		i, known := at[from]
		if !known {
			i = len(out)
			at[from] = i
			out = append(out, since{from: from})
		}
		out[i].words = append(out[i].words, one.Word)
	}
	return out
}

// add joins the answers of one part with those of the parts before.
func (r *Reply) add(a []Answer) {
	r.Table, r.Curve, r.Subjects = joined(r.Table, a[0]), joined(r.Curve, a[2]), joined(r.Subjects, a[3])
	r.Events.Events = append(r.Events.Events, a[1].Events...)
	r.Events.Total, r.Events.More = r.Events.Total+a[1].Total, r.Events.More || a[1].More
	r.Nameless += a[4].Total
}

// joined adds the lines of an answer to another: those of the same keys are one.
func joined(a, b Answer) Answer {
	if len(a.Groups) == 0 && a.Total == 0 {
		return b
	}
	at := make(map[string]int, len(a.Groups))
	for i, g := range a.Groups {
		at[strings.Join(g.Keys, "\x00")] = i
	}
	a.Total, a.More = a.Total+b.Total, a.More || b.More
	for _, g := range b.Groups {
		i, same := at[strings.Join(g.Keys, "\x00")]
		if !same {
			a.Groups = append(a.Groups, g)
			continue
		}
		a.Total--
		mine := &a.Groups[i]
		mine.Count, mine.First, mine.Last = mine.Count+g.Count, min(mine.First, g.First), max(mine.Last, g.Last)
	}
	return a
}

// order sets the lines of several parts as one answer would: the largest first,
// the last events first.
func (r *Reply) order(parts int) {
	if parts < 2 {
		return
	}
	for _, a := range []*Answer{&r.Table, &r.Subjects} {
		slices.SortStableFunc(a.Groups, func(x, y Group) int { return cmp.Compare(y.Count, x.Count) })
	}
	r.Table.More = r.Table.More || len(r.Table.Groups) > compared
	r.Table.Groups = r.Table.Groups[:min(len(r.Table.Groups), compared)]
	slices.SortStableFunc(r.Events.Events, func(x, y Stored) int { return cmp.Compare(y.At, x.At) })
	r.Events.More = r.Events.More || len(r.Events.Events) > listed
	r.Events.Events = r.Events.Events[:min(len(r.Events.Events), listed)]
}
