package alerting

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// CeilingMost bounds a ceiling of cost, in cents of a euro: a million euros.
const CeilingMost = 100_000_000

// microsPerCent is the unit of dispatch in ours.
const microsPerCent = 10_000

// Alarms tells people that something is wrong, by the addresses they gave for
// that; say writes it in the language of each. It is called in the transaction
// that makes it true, and repeated with the same id it tells nobody twice.
type Alarms interface {
	Alarm(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, say func(*i18n.Localizer) (subject, text string)) error
}

// ceiling is what an alert of this plan may cost, in cents: the scenario's own
// when it has one, else that of the establishment. stops tells whether messages
// with a price wait once it is reached: never where lives are at stake for real.
func (p *plan) ceiling(rules Governance) (cents int64, stops bool) {
	cents = rules.Ceiling
	if own := p.Definition.Limits.Ceiling; own > 0 {
		cents = own
	}
	return cents, !(p.Definition.LifeSafety && p.Mode == Real)
}

// campaign declares the alert to the outbox.
func (s *Service) campaign(ctx context.Context, tx *storage.Tx, scope access.Scope, p *plan, l Launch, people int) (dispatch.Campaign, error) {
	rules, err := readGovernance(ctx, tx, scope)
	limits := p.Definition.Limits
	total := limits.Total
	if total == 0 {
		total = messagesPerPerson * people
	}
	cents, stops := p.ceiling(rules)
	return dispatch.Campaign{
		ID: l.ID, Mode: string(l.Mode), MaxPerSubject: limits.PerPerson, MaxTotal: total, Ceiling: cents * microsPerCent, CeilingStops: stops,
	}, err
}

// Cost is what the first messages of an alert would cost, before it leaves, in
// millionths of a euro. Reminders and answers come on top of it.
type Cost struct {
	Routes []RouteCost
	// Segments is how many parts each SMS has.
	Segments int
	Total    int64
	// Unpriced counts the people whose SMS has no known price.
	Unpriced int
	// Ceiling is what the alert may cost; 0 is no ceiling. Stops tells that its
	// messages wait there.
	Ceiling int64
	Stops   bool
}

// RouteCost is the part of one destination of telephone numbers.
type RouteCost struct {
	// Route is one of dispatch.Routes.
	Route  string
	People int
	// Price is that of one segment.
	Price, Total int64
}

// Priced tells whether any price is known.
func (c Cost) Priced() bool { return len(c.Routes) > 0 }

// Passes tells that the first messages alone cost more than the ceiling.
func (c Cost) Passes() bool { return c.Ceiling > 0 && c.Total > c.Ceiling }

// bill adds up the SMS that a launch begins with.
type bill struct {
	tariff dispatch.Tariff
	routes map[string]*RouteCost
	free   int
}

func (b *bill) add(r rung) {
	if r.Medium != channels.SMS {
		return
	}
	route, price, known := b.tariff.Price(r.Medium, r.Address)
	if !known {
		b.free++
		return
	}
	if b.routes[route] == nil {
		b.routes[route] = &RouteCost{Route: route, Price: price}
	}
	b.routes[route].People++
}

func (b *bill) cost(segments int) Cost {
	out := Cost{Segments: max(1, segments), Unpriced: b.free}
	for _, route := range dispatch.Routes() {
		if r := b.routes[route]; r != nil {
			r.Total = int64(r.People*out.Segments) * r.Price
			out.Total += r.Total
			out.Routes = append(out.Routes, *r)
		}
	}
	return out
}

// costOf is the bill of a sheet, with the ceiling that would hold.
func (s *Service) costOf(ctx context.Context, scope access.Scope, p *plan, b *bill, segments int) (Cost, error) {
	rules, err := s.Governance(ctx, inside(scope))
	if err != nil {
		return Cost{}, err
	}
	out := b.cost(segments)
	cents, stops := p.ceiling(rules)
	out.Ceiling, out.Stops = cents*microsPerCent, stops
	return out, nil
}

// watchBudget notes, once each, that an alert nears its ceiling and that it
// reached it. What waits there is held by the outbox: this only tells.
func (s *Service) watchBudget(ctx context.Context, w job, now time.Time) error {
	var due []EventKind
	err := s.db.Read(ctx, w.scope, func(tx *storage.Tx) (err error) {
		due, _, err = s.budgetEvents(ctx, tx, w)
		return err
	})
	if err != nil || len(due) == 0 {
		return err
	}
	err = s.db.Write(ctx, w.scope, func(tx *storage.Tx) error {
		l, err := lockLaunch(ctx, tx, w.scope, w.launch)
		if err != nil {
			return err
		}
		due, spending, err := s.budgetEvents(ctx, tx, w)
		if err != nil {
			return err
		}
		for _, kind := range due {
			if err := s.tellBudget(ctx, tx, w.scope, now, l, kind, spending); err != nil {
				return err
			}
		}
		return nil
	})
	s.announced(Topic(w.launch))
	s.dispatch.Wake()
	return err
}

// budgetEvents are what the spending of an alert calls for and was not noted yet.
func (s *Service) budgetEvents(ctx context.Context, tx *storage.Tx, w job) (due []EventKind, spending dispatch.Spending, err error) {
	if spending, err = s.dispatch.Spending(ctx, tx, w.scope, w.launch); err != nil || !spending.Near() {
		return nil, spending, err
	}
	noted, err := readEvents(ctx, tx, w.scope, w.launch)
	if err != nil {
		return nil, spending, err
	}
	want := EventBudgetNear
	switch {
	case spending.Reached() && spending.Stops:
		want = EventBudgetReached
	case spending.Reached():
		want = EventBudgetPassed
	}
	if slices.ContainsFunc(noted, func(e Event) bool {
		return e.Kind == want || want == EventBudgetNear && (e.Kind == EventBudgetReached || e.Kind == EventBudgetPassed)
	}) {
		return nil, spending, nil
	}
	return []EventKind{want}, spending, nil
}

// tellBudget writes one news of the budget in the timeline and the journal, and
// to the people who may do something about it.
func (s *Service) tellBudget(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, kind EventKind, spending dispatch.Spending) error {
	if err := s.event(ctx, tx, scope, now, l.ID, Event{Kind: kind}); err != nil {
		return err
	}
	if err := journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "alert." + string(kind), ObjectKind: "alert", ObjectID: l.ID.String(), ObjectName: l.Title.In("fr"), After: traceBudget(spending),
	}); err != nil {
		return err
	}
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil || s.alarms == nil {
		return err
	}
	return s.alarms.Alarm(ctx, tx, scope, now, uuid.NewSHA1(l.ID, []byte(kind)), func(loc *i18n.Localizer) (subject, text string) {
		words := []any{
			"house", p.Setting.Establishment, "alert", l.Title.In(string(loc.Language())), "spent", Euros(loc, spending.Micros), "ceiling", Euros(loc, spending.Ceiling),
		}
		return loc.T("alerting.alarm.subject", words...), loc.T("alerting.alarm."+string(kind), words...)
	})
}

// traceBudget is what the journal keeps of the money, in cents.
func traceBudget(s dispatch.Spending) map[string]any {
	out := map[string]any{"spent_cents": s.Micros / microsPerCent, "ceiling_cents": s.Ceiling / microsPerCent}
	if !s.LiftedAt.IsZero() {
		out["ceiling_cents"] = nil
	}
	return out
}

// Euros writes an amount of millionths of a euro.
func Euros(loc *i18n.Localizer, micros int64) string {
	return loc.T("alerting.euros", "amount", loc.Decimal(float64(micros)/1e6, 2))
}

// LiftCeiling lets an alert cost more than its ceiling, with the reason: what
// waits leaves at once. It may be done after the end too, for the words of the
// end. Needs access.AlertLaunch. Errors: Conflict when the alert has no ceiling
// or it was lifted already, Invalid at "reason".
func (s *Service) LiftCeiling(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, reason string) error {
	open := func(l Launch) bool { return l.State != Killed }
	return s.conducted(ctx, scope, now, access.AlertLaunch, launch, open, func(tx *storage.Tx, l Launch, _ *plan) (journal.Entry, error) {
		why, err := newReason(reason)
		if err != nil {
			return journal.Entry{}, err
		}
		before, err := s.dispatch.Spending(ctx, tx, scope, l.ID)
		if err != nil {
			return journal.Entry{}, err
		}
		lifted, err := s.dispatch.LiftCeiling(ctx, tx, scope, now, l.ID)
		if err == nil && !lifted {
			err = fault.New(fault.Conflict, "alerting.ceiling.none")
		}
		if err != nil {
			return journal.Entry{}, err
		}
		after := map[string]any{"ceiling_cents": nil, "reason": why}
		return journal.Entry{Action: "alert.budget_lifted", Before: traceBudget(before), After: after},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventBudgetLifted, By: scope.Actor().Name, Text: why})
	})
}

// hold gives its reason to a message that waits for money.
func (a *attempt) hold(withheld func(channels.Medium, string) bool) {
	if withheld != nil && a.State == AttemptQueued && withheld(a.Medium, a.Address) {
		a.Reason = channels.ReasonBudget
	}
}

// ReportCost is what an alert has cost, in millionths of a euro.
type ReportCost struct {
	// Segments are the parts of SMS that gateways accepted at a known price, Micros what they cost.
	Segments int64 `json:"segments"`
	Micros   int64 `json:"micro_euros"`
	// Ceiling is what it might cost; 0 is no ceiling.
	Ceiling int64 `json:"ceiling_micro_euros"`
	// LiftedAt is when a person let messages pass beyond the ceiling; zero if not.
	LiftedAt time.Time `json:"lifted_at,omitzero"`
}

func (s *Service) reportCost(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (ReportCost, error) {
	spent, err := s.dispatch.Spending(ctx, tx, scope, launch)
	return ReportCost{Segments: spent.Segments, Micros: spent.Micros, Ceiling: spent.Ceiling, LiftedAt: spent.LiftedAt}, err
}
