package alerting

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// PayLine is a person of an alert as the payroll needs him: his recall order,
// and one line for each time he came. Nobody is listed who has neither.
type PayLine struct {
	Recipient Recipient
	Matricule string
	// Code is empty for who came without an order.
	Code            string
	IssuedAt, Until time.Time
	// Stay is zero for who has an order and did not come.
	Stay Stay
}

// Payroll gives the lines of an alert, in the order of names, and journals that
// they were taken out. Needs access.AlertPayroll. Errors: NotFound.
func (s *Service) Payroll(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID) (l Launch, out []PayLine, err error) {
	if err := s.guard.Check(scope, access.AlertPayroll); err != nil {
		return l, nil, err
	}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if l, err = readLaunch(ctx, tx, scope, launch); err != nil {
			return err
		}
		if out, err = s.payLines(ctx, tx, scope, launch); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "alert.payroll", ObjectKind: "alert", ObjectID: l.ID.String(), ObjectName: l.Title.In("fr"), After: map[string]any{"lines": len(out)},
		})
	})
	return l, out, err
}

func (s *Service) payLines(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) ([]PayLine, error) {
	orders, err := firstOrders(ctx, tx, scope, launch)
	if err != nil {
		return nil, err
	}
	stays, err := staysOf(ctx, tx, scope, launch)
	if err != nil {
		return nil, err
	}
	units, err := unitsOf(ctx, tx, scope, launch)
	if err != nil {
		return nil, err
	}
	var out []PayLine
	for last := uuid.Nil; ; {
		people, err := readPeople(ctx, tx, scope, launch, `id > $3 AND (arrived_us IS NOT NULL OR EXISTS (SELECT 1 FROM alerting_recalls r
			WHERE r.organisation_id = alerting_recipients.organisation_id AND r.launch_id = alerting_recipients.launch_id AND r.recipient_id = alerting_recipients.id))
			ORDER BY id LIMIT $4`, last, portion)
		if err != nil || len(people) == 0 {
			return out, err
		}
		persons := make([]uuid.UUID, len(people))
		for i := range people {
			persons[i] = people[i].Person
		}
		matricules, err := s.people.Matricules(ctx, tx, inside(scope), persons)
		if err != nil {
			return nil, err
		}
		for i := range people {
			p := &people[i]
			line := orders[p.ID]
			line.Recipient, line.Matricule = p.view(units), matricules[p.Person]
			for _, stay := range p.whole(stays[p.ID]) {
				line.Stay = stay
				out = append(out, line)
			}
			if line.Stay.ArrivedAt.IsZero() {
				out = append(out, line)
			}
		}
		last = people[len(people)-1].ID
	}
}

// firstOrders gives the code of each order, since when it is, and until when its last text holds.
func firstOrders(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (map[uuid.UUID]PayLine, error) {
	out := map[uuid.UUID]PayLine{}
	err := tx.Query(ctx, `SELECT recipient_id, code, MIN(issued_us), MAX(until_us) FROM alerting_recalls WHERE organisation_id = $1 AND launch_id = $2
		GROUP BY recipient_id, code`, []any{scope.Organisation(), launch}, func(row func(...any) error) error {
		var id uuid.UUID
		var line PayLine
		var issued, until int64
		err := row(&id, &line.Code, &issued, &until)
		line.IssuedAt, line.Until = storage.Time(issued), storage.Time(until)
		out[id] = line
		return err
	})
	return out, err
}

// ReportDoor is what the door and the orders say of an alert, in figures.
type ReportDoor struct {
	Orders  int `json:"orders"`
	Arrived int `json:"arrived"`
	Left    int `json:"left"`
	Inside  int `json:"inside"`
	// Stays are the comings that were not taken back; Hours what they lasted
	// together, those that last still counted until the end of the alert or the report.
	Stays int     `json:"stays"`
	Hours float64 `json:"hours"`
}

// door counts from the rows of orders and stays, not from the running figures.
func (r *Report) door(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	args := []any{scope.Organisation(), r.Launch.ID}
	if _, err := tx.Row(ctx, `SELECT COUNT(DISTINCT recipient_id) FROM alerting_recalls WHERE organisation_id = $1 AND launch_id = $2`, args, &r.Door.Orders); err != nil {
		return err
	}
	stays, err := staysOf(ctx, tx, scope, r.Launch.ID)
	if err != nil {
		return err
	}
	ticked, err := readPeople(ctx, tx, scope, r.Launch.ID, `arrived_us IS NOT NULL ORDER BY id`)
	if err != nil {
		return err
	}
	until := r.At // whose departure nobody ticked has not stayed for weeks
	if ended := r.Launch.EndedAt; !ended.IsZero() && ended.Before(until) {
		until = ended
	}
	for i := range ticked {
		p := Recipient{Stays: ticked[i].whole(stays[ticked[i].ID])}
		r.Door.Arrived++
		r.Door.Stays += len(p.Stays)
		r.Door.Hours += p.OnSite(until).Hours()
		if p.Inside() {
			r.Door.Inside++
		} else {
			r.Door.Left++
		}
	}
	r.Counters.Left, r.Counters.Orders = r.Door.Left, r.Door.Orders
	return nil
}
