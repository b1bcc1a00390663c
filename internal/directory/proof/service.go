package proof

import (
	"context"
	"embed"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// Locales holds the sentences of this package, those of its messages included.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Alarms tells whether an alert runs in an establishment: nothing is asked
// then, since an answer would be taken for one to the alert.
type Alarms interface {
	Alerted(ctx context.Context, scope access.Scope) (bool, error)
}

// Options are what the campaigns rest on.
type Options struct {
	DB           *storage.DB
	Guard        *access.Guard
	Clock        clock.Clock
	Directory    *directory.Directory
	Dispatch     *dispatch.Dispatch
	Organisation *organisation.Service
	Catalog      *i18n.Catalog
	// LinkBase is where people confirm, with its final slash: "https://tocsin.example/c/".
	LinkBase string
	// Alarms may be nil: no alert ever runs.
	Alarms Alarms
	Log    *slog.Logger
}

// Service holds the campaigns.
type Service struct {
	db       *storage.DB
	guard    *access.Guard
	clock    clock.Clock
	people   *directory.Directory
	dispatch *dispatch.Dispatch
	houses   *organisation.Service
	catalog  *i18n.Catalog
	linkBase string
	alarms   Alarms
	log      *slog.Logger
	wake     chan struct{}
}

// New returns the campaigns. Their work is done by a jobs.Runner: see Tick.
func New(o Options) *Service {
	s := &Service{
		db: o.DB, guard: o.Guard, clock: o.Clock, people: o.Directory, dispatch: o.Dispatch, houses: o.Organisation, catalog: o.Catalog,
		linkBase: o.LinkBase, alarms: o.Alarms, log: o.Log, wake: make(chan struct{}, 1),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// Wake starts Tick before its time.
func (s *Service) Wake() <-chan struct{} { return s.wake }

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// campaignNote is what the journal keeps of a campaign.
type campaignNote struct {
	Kind      Kind      `json:"kind"`
	Quota     int       `json:"quota"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	Reminders int       `json:"reminders"`
	Every     int       `json:"every_months,omitempty"`
}

func noted(d Draft) campaignNote {
	return campaignNote{d.Kind, d.Quota, d.From, d.Until, d.Reminders, d.EveryMonths}
}

// Create plans a campaign; it begins by itself at its date. One of a kind at a
// time: two would ask people twice. Errors: Denied, Invalid with its field,
// Conflict while another of the kind is open.
func (s *Service) Create(ctx context.Context, scope access.Scope, d Draft) (Campaign, error) {
	if err := s.guard.Check(scope, access.DirectoryProve); err != nil {
		return Campaign{}, err
	}
	now := s.clock.Now()
	d, err := d.tidied(now)
	if err != nil {
		return Campaign{}, err
	}
	c := Campaign{Draft: d, ID: storage.NewID(now), State: Planned, By: scope.Actor().Name, Created: now}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error { return s.create(ctx, tx, scope, now, c) })
	s.nudge()
	return c, err
}

func (s *Service) create(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, c Campaign) error {
	open, err := campaigns(ctx, tx, scope, `kind = $2 AND state IN ('planned', 'running')`, string(c.Kind))
	if err != nil {
		return err
	}
	if len(open) > 0 {
		return fault.New(fault.Conflict, "directory.proof.one_open", "title", open[0].Title)
	}
	if err := insertCampaign(ctx, tx, scope, c); err != nil {
		return err
	}
	return journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "directory.campaign.create", ObjectKind: "campaign", ObjectID: c.ID.String(), ObjectName: c.Title, After: noted(c.Draft),
	})
}

// Stop ends a campaign at once: nothing of it that waits leaves any more, on
// any node. What people answer afterwards still counts. Errors: Denied,
// NotFound, Conflict when it is over.
func (s *Service) Stop(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := s.guard.Check(scope, access.DirectoryProve); err != nil {
		return err
	}
	now := s.clock.Now()
	err := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		c, err := campaign(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if !c.Open() {
			return fault.New(fault.Conflict, "directory.proof.over")
		}
		if err := s.close(ctx, tx, scope, now, c, Stopped); err != nil {
			return err
		}
		if c.frozen {
			_, err = s.dispatch.Kill(ctx, tx, scope, now, id)
		}
		return err
	})
	s.dispatch.Wake()
	return err
}

// close ends a campaign, and plans the next one when it repeats.
func (s *Service) close(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, c Campaign, state State) error {
	if _, err := tx.Exec(ctx, `UPDATE directory_campaigns SET state = $3, closed_us = $4 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), c.ID, string(state), storage.Micros(now)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE directory_asked SET next_us = NULL WHERE organisation_id = $1 AND campaign_id = $2 AND next_us IS NOT NULL`,
		scope.Organisation(), c.ID); err != nil {
		return err
	}
	action := "directory.campaign.end"
	if state == Stopped {
		action = "directory.campaign.stop"
	}
	if err := journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "campaign", ObjectID: c.ID.String(), ObjectName: c.Title}); err != nil {
		return err
	}
	if state != Ended || c.EveryMonths == 0 {
		return nil
	}
	d := c.next()
	if d.From.Before(now) {
		d.From, d.Until = now.AddDate(0, 0, 1), now.AddDate(0, 0, 1).Add(d.Until.Sub(d.From))
	}
	return s.create(ctx, tx, scope, now, Campaign{Draft: d, ID: storage.NewID(now), State: Planned, By: c.By, Created: now})
}

// Campaigns lists those of the establishment, the latest first, 50 at most.
func (s *Service) Campaigns(ctx context.Context, scope access.Scope) (out []View, err error) {
	if err := s.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := campaigns(ctx, tx, scope, `TRUE ORDER BY created_us DESC, id DESC LIMIT 50`)
		if err != nil {
			return err
		}
		for _, c := range list {
			v, err := s.view(ctx, tx, scope, c)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// Campaign gives one with its figures. Errors: NotFound.
func (s *Service) Campaign(ctx context.Context, scope access.Scope, id uuid.UUID) (v View, err error) {
	if err := s.guard.Check(scope, access.DirectoryRead); err != nil {
		return v, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		c, err := campaign(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		v, err = s.view(ctx, tx, scope, c)
		return err
	})
	return v, err
}

// LastTest gives the discreet test that was last run or is running; found is
// false when there never was one.
func (s *Service) LastTest(ctx context.Context, scope access.Scope) (v View, found bool, err error) {
	if err := s.guard.Check(scope, access.DirectoryRead); err != nil {
		return v, false, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := campaigns(ctx, tx, scope, `kind = 'test' AND frozen ORDER BY created_us DESC, id DESC LIMIT 1`)
		if err != nil || len(list) == 0 {
			return err
		}
		found = true
		v, err = s.view(ctx, tx, scope, list[0])
		return err
	})
	return v, found, err
}
