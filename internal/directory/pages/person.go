package pages

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// sheet is what the page of a person shows.
type sheet struct {
	directory.Person
	metier string
	groups []directory.Group
	duty   directory.Duty
	// resting is the end of the rest time, set by hand or opened by the last shift.
	resting  time.Time
	absences []directory.Absence
	wishes   directory.Preferences
	// free are the fixed groups the person may be put in.
	free []directory.Group
}

// absentNow tells whether an alert would leave the person alone.
func (s sheet) absentNow(c *ui.Context) bool {
	return absent(s.AbsentFrom, s.AbsentTo, c.Now) || slices.ContainsFunc(s.absences, func(a directory.Absence) bool { return absent(a.From, a.To, c.Now) })
}

// read gives the person of the address, his numbers masked whoever looks.
func (p pages) read(c *ui.Context) (directory.Person, error) {
	id, err := c.ID("id")
	if err != nil {
		return directory.Person{}, err
	}
	person, err := p.d.Person(c.Ctx(), c.Scope, id)
	directory.Hide(person.Contacts)
	return person, err
}

func (p pages) sheet(c *ui.Context) (s sheet, err error) {
	if s.Person, err = p.read(c); err != nil {
		return s, err
	}
	s.metier = metierOf(p.d, c.Loc, s.Person)
	if s.groups, err = p.d.GroupsOf(c.Ctx(), c.Scope, s.ID); err != nil {
		return s, err
	}
	if s.absences, err = p.d.Absences(c.Ctx(), c.Scope, s.ID); err != nil {
		return s, err
	}
	if s.wishes, err = p.d.PreferencesOf(c.Ctx(), c.Scope, s.ID); err != nil {
		return s, err
	}
	if s.duty, s.resting, err = p.d.DutyOf(c.Ctx(), c.Scope, s.ID, c.Now); err != nil {
		return s, err
	}
	if s.RestUntil.After(s.resting) {
		s.resting = s.RestUntil
	}
	all, err := p.d.Groups(c.Ctx(), c.Scope)
	s.free = slices.DeleteFunc(all, func(g directory.Group) bool {
		return g.Rule != nil || slices.ContainsFunc(s.groups, func(in directory.Group) bool { return in.ID == g.ID })
	})
	return s, err
}

func (p pages) person(c *ui.Context) error {
	s, err := p.sheet(c)
	if err != nil {
		return err
	}
	return c.Render(personPage(c, s, c.NewForm(nil)))
}

// reveal shows one number whole, as the answer to the form itself: it is in no
// address and no history, and the journal says who asked.
func (p pages) reveal(c *ui.Context) error {
	s, err := p.sheet(c)
	if err != nil {
		return err
	}
	contact, err := c.ID("contact")
	if err != nil {
		return err
	}
	k, err := p.d.Reveal(c.Ctx(), c.Scope, s.ID, contact)
	if err != nil {
		return err
	}
	for i := range s.Contacts {
		if s.Contacts[i].ID == k.ID {
			s.Contacts[i] = k
		}
	}
	return c.Render(personPage(c, s, c.NewForm(nil)))
}

func (p pages) lift(c *ui.Context) error {
	person, err := p.read(c)
	if err != nil {
		return err
	}
	contact, err := c.ID("contact")
	if err != nil {
		return err
	}
	if err := p.d.Lift(c.Ctx(), c.Scope, person.ID, contact); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.lifted"))
	return c.Redirect(PersonPath(person.ID))
}

func (p pages) leaving(c *ui.Context) error {
	person, err := p.read(c)
	if err != nil {
		return err
	}
	return c.Render(leavePage(c, person))
}

func (p pages) depart(c *ui.Context) error {
	return p.moved(c, p.d.Depart, "directory.page.departed")
}

func (p pages) comeBack(c *ui.Context) error {
	return p.moved(c, p.d.Return, "directory.page.returned")
}

// moved notes a departure or takes it back. What an import is writing now
// cannot be changed: the page says so.
func (p pages) moved(c *ui.Context, change changer, said string) error {
	person, err := p.read(c)
	if err != nil {
		return err
	}
	switch err := change(c.Ctx(), c.Scope, person.ID); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Alert, c.Loc.Fault(err))
	case err != nil:
		return err
	default:
		c.Flash(ui.Success, movedWords(c, said, person.Name()))
	}
	return c.Redirect(PersonPath(person.ID))
}

func (p pages) addAbsence(c *ui.Context) error {
	s, err := p.sheet(c)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require("from")
	from, last := dayOf(c, f, "from"), dayOf(c, f, "to")
	if !f.Valid() {
		return c.Refill(f, nil, personPage(c, s, f))
	}
	to := last
	if !last.IsZero() {
		to = last.AddDate(0, 0, 1) // the last day is one of absence
	}
	if _, err := p.d.AddAbsence(c.Ctx(), c.Scope, directory.Absence{Person: s.ID, From: from, To: to}); err != nil {
		return c.Refill(f, err, personPage(c, s, f))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.absence.added"))
	return c.Redirect(PersonPath(s.ID))
}

// dayOf reads a date, at the start of that day; zero when empty.
func dayOf(c *ui.Context, f *ui.Form, name string) time.Time {
	text := f.Value(name)
	if text == "" {
		return time.Time{}
	}
	day, err := time.ParseInLocation(time.DateOnly, text, c.Zone)
	if err != nil {
		f.Add(name, c.Loc.T("directory.page.date_invalid"))
	}
	return day
}

// prefer keeps by which medium the person of the address asks to be called first.
func (p pages) prefer(c *ui.Context) error {
	s, err := p.sheet(c)
	if err != nil {
		return err
	}
	f := c.Form()
	s.wishes = directory.Preferences{Day: f.Value("day"), Night: f.Value("night")}
	if err := p.d.Prefer(c.Ctx(), c.Scope, s.ID, s.wishes); err != nil {
		return c.Refill(f, err, personPage(c, s, f))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.wish.kept"))
	return c.Redirect(PersonPath(s.ID))
}

// wishChoices are the media somebody may ask for: those that he does not refuse.
func wishChoices(c *ui.Context, s sheet) []ui.Choice {
	out := []ui.Choice{{Value: "", Label: c.Loc.T("directory.page.wish.none")}}
	return append(out, slices.DeleteFunc(mediaChoices(c.Loc), func(ch ui.Choice) bool { return slices.Contains(s.Refused, ch.Value) })...)
}

// wishWords says what the person asks.
func wishWords(c *ui.Context, s sheet) string {
	say := func(medium string) string {
		for _, ch := range wishChoices(c, s) {
			if ch.Value == medium {
				return ch.Label
			}
		}
		return medium
	}
	return c.Loc.T("directory.page.wish.words", "from", directory.NightFrom, "until", directory.NightUntil, "day", say(s.wishes.Day), "night", say(s.wishes.Night))
}

// removeAbsence takes away an absence of the person of the address.
func (p pages) removeAbsence(c *ui.Context) error {
	s, err := p.sheet(c)
	if err != nil {
		return err
	}
	id, err := c.ID("absence")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(s.absences, func(a directory.Absence) bool { return a.ID == id }) {
		return fault.New(fault.NotFound, "directory.absence_not_found")
	}
	if err := p.d.RemoveAbsence(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.absence.removed"))
	return c.Redirect(PersonPath(s.ID))
}

func (p pages) joinGroup(c *ui.Context) error {
	s, err := p.sheet(c)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require("groupe")
	if !f.Valid() {
		return c.Refill(f, nil, personPage(c, s, f))
	}
	group, err := parsed(f.Value("groupe"))
	if err != nil {
		return err
	}
	if err := p.d.AddMembers(c.Ctx(), c.Scope, group, []uuid.UUID{s.ID}); err != nil {
		return c.Refill(f, err, personPage(c, s, f))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.group.joined"))
	return c.Redirect(PersonPath(s.ID))
}
