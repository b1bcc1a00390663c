package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// The rhythm of a conference: how often it is asked whether its campaign was
// killed, whether it still stands, and how often it says that it is alive. Beyond
// hallStale without a word its node is taken for dead.
const (
	hallLook  = 250 * time.Millisecond
	hallAsk   = 8  // looks
	hallRenew = 12 // looks
	hallStale = time.Minute
)

// errKilled is the cause of the end of a conference whose campaign was killed.
var errKilled = errors.New("dispatch: the campaign was stopped")

// halls are the audio conferences of this node.
type halls struct {
	d *Dispatch

	mu   sync.Mutex
	open map[uuid.UUID]*hall

	// others are the last words of the rooms of other nodes; only the task that looks
	// for the lost ones uses it.
	others *sightings[roomKey]
}

func newHalls(d *Dispatch) *halls {
	return &halls{d: d, open: make(map[uuid.UUID]*hall), others: newSightings[roomKey](lostPatience)}
}

// hall is the conference of one campaign, while somebody is in it.
type hall struct {
	d        *Dispatch
	scope    access.Scope
	campaign uuid.UUID
	flag     *stopFlag

	// Under the lock of halls: who is inside, how many came in since it opened, and
	// how many there were at most.
	inside      map[*guest]struct{}
	joins, most int

	closed  chan struct{}
	watched chan struct{}
}

// guest is one call in a conference.
type guest struct{ end context.CancelCauseFunc }

// conferences implements channels.Conferences for one gateway's establishment.
type conferences struct{ k *desk }

// Enter notes that a call of this node joins the conference of a campaign.
func (c conferences) Enter(ctx context.Context, campaign uuid.UUID) (context.Context, func(), error) {
	d := c.k.d
	if stands, err := d.stillStands(ctx, c.k.scope, campaign); err != nil || !stands {
		return nil, nil, errors.Join(channels.ErrConferenceOver, err)
	}
	inside, end := context.WithCancelCause(ctx)
	g := &guest{end}
	if err := d.halls.enter(ctx, c.k.scope, campaign, g); err != nil {
		end(err)
		return nil, nil, err
	}
	return inside, func() { d.halls.leave(campaign, g) }, nil
}

// stillStands asks the room that ordered a campaign.
func (d *Dispatch) stillStands(ctx context.Context, scope access.Scope, campaign uuid.UUID) (bool, error) {
	if d.standing == nil {
		return false, nil
	}
	return d.standing.Stands(ctx, scope, campaign, "")
}

func (s *halls) enter(ctx context.Context, scope access.Scope, campaign uuid.UUID, g *guest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.open[campaign]
	opens := h == nil
	if opens {
		h = &hall{
			d: s.d, scope: scope, campaign: campaign,
			inside: make(map[*guest]struct{}), closed: make(chan struct{}), watched: make(chan struct{}),
		}
	}
	h.inside[g] = struct{}{}
	h.joins, h.most = h.joins+1, max(h.most, len(h.inside))
	if err := h.note(ctx, 1, opens); err != nil {
		delete(h.inside, g)
		h.joins--
		return err
	}
	if opens {
		h.flag = s.d.watch.hold(campaign)
		s.open[campaign] = h
		go s.watch(h)
	}
	return nil
}

func (s *halls) leave(campaign uuid.UUID, g *guest) {
	g.end(nil)
	s.mu.Lock()
	h := s.open[campaign]
	if h == nil {
		s.mu.Unlock()
		return
	}
	delete(h.inside, g)
	closes := len(h.inside) == 0
	if err := h.note(context.Background(), 0, closes); err != nil {
		h.d.log.Error("it could not be kept that somebody left a conference", "error", err)
	}
	if closes {
		delete(s.open, campaign)
		close(h.closed)
	}
	s.mu.Unlock()
	if closes {
		<-h.watched
		s.d.watch.release(campaign)
	}
}

// note keeps who is inside; turning tells that the conference opens or closes,
// which the journal tells. The halls are locked.
func (h *hall) note(ctx context.Context, joined int, turning bool) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	now := h.d.clock.Now()
	return h.d.db.Write(ctx, h.scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO dispatch_conferences (organisation_id, campaign_id, node, present, joins, most, seen_us) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (organisation_id, campaign_id, node) DO UPDATE SET present = excluded.present, joins = dispatch_conferences.joins + excluded.joins,
			most = CASE WHEN excluded.most > dispatch_conferences.most THEN excluded.most ELSE dispatch_conferences.most END, seen_us = excluded.seen_us, lost = 0`,
			h.scope.Organisation(), h.campaign, h.d.node, len(h.inside), joined, h.most, storage.Micros(now)); err != nil || !turning {
			return err
		}
		e := journal.Entry{Action: "dispatch.conference.open", ObjectKind: "alert", ObjectID: h.campaign.String()}
		if len(h.inside) == 0 {
			e.Action, e.After = "dispatch.conference.close", map[string]int{"joins": h.joins, "most": h.most}
		}
		return journal.Append(ctx, tx, h.scope, now, e)
	})
}

// watch ends a conference with its campaign, and says that it is alive meanwhile.
func (s *halls) watch(h *hall) {
	defer close(h.watched)
	for n := 1; ; n++ {
		select {
		case <-h.closed:
			return
		case <-clock.Real().After(hallLook):
		}
		if h.flag.stopped.Load() {
			s.end(h, errKilled)
			continue
		}
		if n%hallAsk == 0 {
			stands, err := s.d.stillStands(context.Background(), h.scope, h.campaign)
			if err == nil && !stands {
				s.end(h, channels.ErrConferenceOver)
			}
		}
		if n%hallRenew == 0 {
			s.renew(h)
		}
	}
}

func (s *halls) end(h *hall, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for g := range h.inside {
		g.end(why)
	}
}

func (s *halls) renew(h *hall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(h.inside) == 0 {
		return
	}
	if err := h.note(context.Background(), 0, false); err != nil {
		h.d.log.Warn("a conference could not say that it is alive", "error", err)
	}
}

// Conference is who is in the audio conference of a campaign.
type Conference struct {
	// Rooms are how many are in it on each node that has somebody: more than one room
	// is as many conversations, that do not hear each other.
	Rooms []int
	// Joins is how often somebody came in.
	Joins int
	// Lost are those who were in a room whose node died lately, and LostAt when it last
	// spoke.
	Lost   int
	LostAt time.Time
}

// Present is how many are in it, in all its rooms.
func (c Conference) Present() (n int) {
	for _, room := range c.Rooms {
		n += room
	}
	return n
}

// readConference reads who is in the conference of a campaign.
func readConference(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID, now time.Time) (c Conference, err error) {
	err = tx.Query(ctx, `SELECT present, joins, lost, seen_us FROM dispatch_conferences WHERE organisation_id = $1 AND campaign_id = $2 ORDER BY present DESC`,
		[]any{scope.Organisation(), campaign}, func(row func(...any) error) error {
			var present, joins, lost int
			var seen int64
			if err := row(&present, &joins, &lost, &seen); err != nil {
				return err
			}
			c.Joins += joins
			if at := storage.Time(seen); lost > 0 && now.Sub(at) < lostShown {
				c.Lost += lost
				if at.After(c.LostAt) {
					c.LostAt = at
				}
			}
			if present > 0 && now.Sub(storage.Time(seen)) < hallStale {
				c.Rooms = append(c.Rooms, present)
			}
			return nil
		})
	return c, err
}
