package space

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory/oncall"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
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
	n, err := s.news(ctx, h, swapAsked, sw.Mine.Name, sw.Mine.Function, in.Person)
	if err != nil {
		return err
	}
	_, err = s.opt.OnCall.ProposeOwn(ctx, h.scope, s.own(h, sw.Mine.Name, from, &n, now), oncall.Swap{
		Function: function, Person: h.Device.Person, From: sw.Mine.From, To: sw.Mine.To, Other: in.Person, OtherFrom: in.From, OtherTo: in.To,
	})
	s.opt.Dispatch.Wake()
	return err
}

// own is the holder, who has the other told the news, if there are any.
func (s *Service) own(h Holder, name, from string, n *news, now time.Time) oncall.Own {
	who := oncall.Own{Person: h.Device.Person, Name: name, As: h.agent(from)}
	if n != nil {
		who.Tell = func(ctx context.Context, tx *storage.Tx, x oncall.Swap) error { return s.tell(ctx, tx, h, *n, x, now) }
	}
	return who
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
	now := s.opt.Clock.Now()
	n, err := s.settling(ctx, h, id, name, accept, now)
	if err != nil {
		return err
	}
	err = s.opt.OnCall.SettleOwn(ctx, h.scope, s.own(h, name, from, n, now), id, accept)
	s.opt.Dispatch.Wake()
	return err
}

// settling are the news of a swap that the holder settles; nil when it does not wait.
func (s *Service) settling(ctx context.Context, h Holder, id uuid.UUID, name string, accept bool, now time.Time) (*news, error) {
	list, err := s.Swaps(ctx, h, now)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(w oncall.Waiting) bool { return w.ID == id })
	if i < 0 {
		return nil, nil
	}
	x, kind, to := list[i], swapRefused, list[i].Person
	switch {
	case x.Person == h.Device.Person:
		kind, to = swapWithdrawn, x.Other
	case accept:
		kind = swapAccepted
	}
	n, err := s.news(ctx, h, kind, name, x.FunctionName, to)
	return &n, err
}
