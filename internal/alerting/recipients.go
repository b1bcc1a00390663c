package alerting

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/directory/phone"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Recipients lists people of an alert in the order of their names, with every
// attempt and every answer of each. Addresses are masked unless the reader may
// see numbers; of an alert whose names were erased there is nobody. Needs
// access.AlertAnswers.
func (s *Service) Recipients(ctx context.Context, scope access.Scope, launch uuid.UUID, f RecipientFilter, p Page) ([]Recipient, error) {
	if err := s.guard.Check(scope, access.AlertAnswers); err != nil {
		return nil, err
	}
	whole := s.guard.May(scope, access.DirectoryNumbers)
	var out []Recipient
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if at, err := erased(ctx, tx, scope, launch); err != nil || !at.IsZero() {
			return err
		}
		units, err := unitsOf(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		where, args := f.sql(units)
		args = append(args, p.After, p.limit())
		n := len(args) + 1
		people, err := readPeople(ctx, tx, scope, launch, where+` AND id > $`+strconv.Itoa(n)+` ORDER BY id LIMIT $`+strconv.Itoa(n+1), args...)
		if err != nil {
			return err
		}
		out, err = s.detail(ctx, tx, scope, people, units, whole)
		return err
	})
	return out, err
}

// RecipientByID returns one person of an alert. Needs access.AlertAnswers. Errors:
// NotFound, also when the names of the alert were erased.
func (s *Service) RecipientByID(ctx context.Context, scope access.Scope, launch, id uuid.UUID) (r Recipient, err error) {
	if err := s.guard.Check(scope, access.AlertAnswers); err != nil {
		return r, err
	}
	whole := s.guard.May(scope, access.DirectoryNumbers)
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		at, err := erased(ctx, tx, scope, launch)
		if err == nil && !at.IsZero() {
			err = fault.New(fault.NotFound, "alerting.recipient.unknown")
		}
		if err != nil {
			return err
		}
		p, err := recipientOf(ctx, tx, scope, launch, id, "")
		if err != nil {
			return err
		}
		units, err := unitsOf(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		list, err := s.detail(ctx, tx, scope, []person{*p}, units, whole)
		if err != nil {
			return err
		}
		r = list[0]
		r.Stays, err = p.stays(ctx, tx, scope)
		return err
	})
	return r, err
}

// sql writes the condition of a filter; its parameters begin at $3.
func (f RecipientFilter) sql(units []unitKey) (string, []any) {
	var args []any
	where := []string{"TRUE"}
	add := func(condition string, v any) {
		args = append(args, v)
		where = append(where, strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(args)+2)))
	}
	if f.State != "" {
		add("state = ?", string(f.State))
	}
	if f.Meaning != "" {
		add("meaning = ?", string(f.Meaning))
	}
	if f.LeftOut != "" {
		add("left_out = ?", string(f.LeftOut))
	}
	if f.Wave > 0 {
		add("wave = ?", f.Wave-1)
	}
	if f.Skill != "" {
		add(`skills LIKE ? ESCAPE '\'`, "% "+storage.Like(f.Skill)+" %")
	}
	if f.Text != "" {
		add(`name_folded LIKE ? ESCAPE '\'`, "%"+storage.Like(storage.Fold(f.Text))+"%")
	}
	mark := 0
	if f.Stopped {
		mark |= markStopped
	}
	if f.Unread {
		mark |= markUnread
	}
	if mark != 0 {
		add("(marks & ?) <> 0", mark)
	}
	if f.Site == uuid.Nil && f.Service == uuid.Nil {
		return strings.Join(where, " AND "), args
	}
	numbers := []string{"-1"}
	for i, u := range units {
		if (f.Site == uuid.Nil || u.site == f.Site) && (f.Service == uuid.Nil || u.service == f.Service) {
			numbers = append(numbers, strconv.Itoa(i))
		}
	}
	where = append(where, "unit IN ("+strings.Join(numbers, ", ")+")")
	return strings.Join(where, " AND "), args
}

// detail adds their attempts and answers to people.
func (s *Service) detail(ctx context.Context, tx *storage.Tx, scope access.Scope, people []person, units []unitKey, whole bool) ([]Recipient, error) {
	list := make([]uuid.UUID, len(people))
	at := make(map[uuid.UUID]int, len(people))
	out := make([]Recipient, len(people))
	for i := range people {
		list[i], at[people[i].ID] = people[i].ID, i
		out[i] = people[i].view(units)
	}
	if len(people) == 0 {
		return nil, nil
	}
	withheld, err := s.dispatch.Withheld(ctx, tx, scope, people[0].Launch)
	if err != nil {
		return nil, err
	}
	attempts, err := attemptsOf(ctx, tx, scope, list)
	if err != nil {
		return nil, err
	}
	for _, a := range attempts {
		a.hold(withheld)
		r := &out[at[a.Recipient]]
		r.Attempts = append(r.Attempts, a.view(whole))
	}
	for i := range people {
		people[i].addCurrent(&out[i], whole, withheld)
	}
	answers, err := answersOf(ctx, tx, scope, list)
	for _, a := range answers {
		r := &out[at[a.Recipient]]
		r.Answers = append(r.Answers, a)
	}
	return out, err
}

// view is a person as pages show him.
func (p *person) view(units []unitKey) Recipient {
	r := Recipient{
		ID: p.ID, Person: p.Person, LastName: p.Last, FirstName: p.First, Language: p.Language, Wave: p.Wave + 1, State: p.State, LeftOut: p.LeftOut,
		Meaning: p.Meaning, Minutes: p.Minutes, ETA: p.ETA, CalledAt: p.Called, ReachedAt: p.Reached, AnsweredAt: p.AnsweredAt, Came: p.Arrived,
		NextAt: p.Due, Sent: p.Sent, Stopped: p.Marks&markStopped != 0, Unread: p.Marks&markUnread != 0, StoodDown: p.Marks&markStoodDown != 0,
		WentByHand: p.Marks&markByHand != 0,
	}
	if fields := strings.Fields(p.Skills); len(fields) > 0 {
		r.Metier, r.Qualifications = fields[0], fields[1:]
	}
	if p.Unit >= 0 && p.Unit < len(units) {
		r.SiteName, r.ServiceName = units[p.Unit].siteName, units[p.Unit].serviceName
	}
	return r
}

// addCurrent shows the message nothing happened to yet.
func (p *person) addCurrent(r *Recipient, whole bool, withheld func(channels.Medium, string) bool) {
	known := slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return a.ID == p.Current })
	if p.Current == uuid.Nil || known || p.Rung >= len(p.Rungs) {
		return
	}
	a := attempt{ID: p.Current, Medium: p.Rungs[p.Rung].Medium, Address: p.Rungs[p.Rung].Address, Purpose: UseAlert, State: AttemptQueued}
	if p.Sent > 1 {
		a.Purpose = UseReminder
	}
	a.hold(withheld)
	r.Attempts = append(r.Attempts, a.view(whole))
	r.Attempts[len(r.Attempts)-1].At = p.Called
}

func (a *attempt) view(whole bool) Attempt {
	v := Attempt{
		ID: a.ID, Medium: a.Medium, Purpose: a.Purpose, Address: a.Address, State: a.State, Reason: a.Reason, At: idTime(a.ID),
		SubmittedAt: a.Submitted, DeliveredAt: a.Delivered, FailedAt: a.Failed, Doubled: a.Doubled,
	}
	if !whole || a.Medium == channels.Push {
		v.Address = masked(a.Medium, a.Address)
	}
	if v.At.IsZero() {
		v.At = earliest(a.Submitted, a.Failed, a.Delivered)
	}
	return v
}

// masked hides the middle of an address.
func masked(medium channels.Medium, address string) string {
	switch medium {
	case channels.Push:
		return "…" // the id of a person says nothing to anybody
	case channels.Chat:
		name, server, _ := strings.Cut(strings.TrimPrefix(address, "@"), ":")
		if name == "" {
			return "…"
		}
		return "@" + string([]rune(name)[:1]) + "…:" + server
	case channels.Email:
	default:
		return phone.Mask(address)
	}
	name, domain, ok := strings.Cut(address, "@")
	if !ok || name == "" {
		return "…"
	}
	return string([]rune(name)[:1]) + "…@" + domain
}

// idTime is the instant in a UUIDv7, to the millisecond; zero for other ids.
func idTime(id uuid.UUID) time.Time {
	if id.Version() != 7 {
		return time.Time{}
	}
	ms := int64(0)
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

func earliest(list ...time.Time) (out time.Time) {
	for _, t := range list {
		if !t.IsZero() && (out.IsZero() || t.Before(out)) {
			out = t
		}
	}
	return out
}

const answerColumns = `id, recipient_id, at_us, source, meaning, minutes, body, noted_by, late, received_us`

func scanAnswer(row func(...any) error) (a Answer, err error) {
	var at int64
	var received sql.NullInt64
	err = row(&a.ID, &a.Recipient, &at, &a.Source, &a.Meaning, &a.Minutes, &a.Text, &a.By, &a.Late, &received)
	a.At, a.Received = storage.Time(at), storage.NullTime(received)
	return a, err
}

// answersOf reads every answer of these recipients, the oldest first.
func answersOf(ctx context.Context, tx *storage.Tx, scope access.Scope, recipients []uuid.UUID) ([]Answer, error) {
	var out []Answer
	for chunk := range slices.Chunk(recipients, 512) {
		err := tx.Query(ctx, `SELECT `+answerColumns+` FROM alerting_answers WHERE organisation_id = $1 AND recipient_id IN (`+storage.In(len(chunk), 2)+`)`,
			storage.Args(chunk, scope.Organisation()), func(row func(...any) error) error {
				a, err := scanAnswer(row)
				out = append(out, a)
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Answer) int { return cmp.Or(a.At.Compare(b.At), compareIDs(a.ID, b.ID)) })
	return out, nil
}
