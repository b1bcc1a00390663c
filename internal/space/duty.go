package space

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory/oncall"
	"tocsin/internal/fault"
)

// dutiesAhead is how far on-call duties are shown.
const dutiesAhead = 60 * 24 * time.Hour

// Turn is a stretch during which somebody is on call.
type Turn struct {
	Of       uuid.UUID
	Function string
	Person   uuid.UUID
	Name     string
	From, To time.Time
}

// Duties are the holder's on-call turns of the next two months, the first first.
func (s *Service) Duties(ctx context.Context, h Holder, now time.Time) (out []Turn, err error) {
	list, err := s.opt.OnCall.Functions(ctx, h.scope)
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		turns, err := s.turns(ctx, h, f.ID, now)
		if err != nil {
			return nil, err
		}
		out = append(out, slices.DeleteFunc(turns, func(t Turn) bool { return t.Person != h.Device.Person })...)
	}
	slices.SortStableFunc(out, func(a, b Turn) int { return a.From.Compare(b.From) })
	return out, nil
}

func (s *Service) turns(ctx context.Context, h Holder, function uuid.UUID, now time.Time) (out []Turn, err error) {
	v, err := s.opt.OnCall.View(ctx, h.scope, function, now, now.Add(dutiesAhead))
	if err != nil {
		return nil, err
	}
	for _, span := range v.Spans {
		if span.Held() {
			out = append(out, Turn{v.Function.ID, v.Function.Name, span.Person, v.People[span.Person].Name, span.From, span.To})
		}
	}
	return out, nil
}

// Swappable is a turn of the holder with those of colleagues he may ask for.
type Swappable struct {
	Mine   Turn
	Theirs []Turn
}

// Swappable looks for a turn of the holder that is to come. Errors: NotFound
// when he does not hold it: the roster changed, or the link is not his.
func (s *Service) Swappable(ctx context.Context, h Holder, function uuid.UUID, from, now time.Time) (out Swappable, err error) {
	turns, err := s.turns(ctx, h, function, now)
	if err != nil {
		return out, err
	}
	for _, t := range turns {
		switch {
		case !t.From.After(now) || !t.To.Before(now.Add(dutiesAhead)): // begun, or seen in part
		case t.Person != h.Device.Person:
			out.Theirs = append(out.Theirs, t)
		case t.From.Equal(from):
			out.Mine = t
		}
	}
	if out.Mine.Of == uuid.Nil {
		return out, fault.New(fault.NotFound, "space.swap.gone")
	}
	return out, nil
}

// Propose asks a colleague for one of his turns in return of one of the holder's.
// Errors: NotFound when either is held by another meanwhile; those of oncall.ProposeOwn.
func (s *Service) Propose(ctx context.Context, h Holder, function uuid.UUID, mine time.Time, other uuid.UUID, theirs time.Time, from string, now time.Time) error {
	sw, err := s.Swappable(ctx, h, function, mine, now)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(sw.Theirs, func(t Turn) bool { return t.Person == other && t.From.Equal(theirs) })
	if i < 0 {
		return fault.New(fault.NotFound, "space.swap.gone")
	}
	in := sw.Theirs[i]
	_, err = s.opt.OnCall.ProposeOwn(ctx, h.scope, s.own(h, sw.Mine.Name, from), oncall.Swap{
		Function: function, Person: h.Device.Person, From: sw.Mine.From, To: sw.Mine.To, Other: in.Person, OtherFrom: in.From, OtherTo: in.To,
	})
	return err
}

func (s *Service) own(h Holder, name, from string) oncall.Own {
	return oncall.Own{Person: h.Device.Person, Name: name, As: h.agent(from)}
}

// Swaps are the holder's swaps that wait for an answer.
func (s *Service) Swaps(ctx context.Context, h Holder, now time.Time) ([]oncall.Waiting, error) {
	return s.opt.OnCall.Waiting(ctx, h.scope, h.Device.Person, now)
}

// Settle accepts or refuses a swap that a colleague proposed, or withdraws the
// holder's own. Errors: those of oncall.SettleOwn.
func (s *Service) Settle(ctx context.Context, h Holder, id uuid.UUID, accept bool, from string) error {
	name, err := s.Name(ctx, h.scope, h.Device.Person)
	if err != nil {
		return err
	}
	return s.opt.OnCall.SettleOwn(ctx, h.scope, s.own(h, name, from), id, accept)
}
