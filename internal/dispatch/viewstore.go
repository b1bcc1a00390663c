package dispatch

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// paceWindow is over how long the rate is measured, in seconds. A call lasts longer
// than that: those of a minute are counted.
const (
	paceWindow     = 10
	callPaceWindow = 60
)

// callGuess is how long a call lasts as long as none has ended.
const callGuess = 35 * time.Second

func windowOf(m channels.Medium) int64 {
	if m == channels.Voice {
		return callPaceWindow
	}
	return paceWindow
}

// View returns the progress of a campaign. Errors: Denied, NotFound.
func (d *Dispatch) View(ctx context.Context, scope access.Scope, campaign uuid.UUID, now time.Time) (CampaignView, error) {
	if err := d.guard.Check(scope, access.AlertRead); err != nil {
		return CampaignView{}, err
	}
	var v CampaignView
	media := make(map[channels.Medium]*MediumView)
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		var stopped sql.NullInt64
		found, err := tx.Row(ctx, `SELECT stopped_us FROM dispatch_campaigns WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), campaign}, &stopped)
		if err != nil {
			return err
		}
		if !found {
			return fault.New(fault.NotFound, "dispatch.campaign.unknown")
		}
		v.StoppedAt = storage.NullTime(stopped)
		if v.Spending, err = readSpending(ctx, tx, scope, campaign); err != nil {
			return err
		}
		if v.Conference, err = readConference(ctx, tx, scope, campaign, now); err != nil {
			return err
		}
		if err := readTallies(ctx, tx, scope, campaign, media); err != nil {
			return err
		}
		if err := readWaiting(ctx, tx, scope, campaign, now, media); err != nil {
			return err
		}
		return readPace(ctx, tx, scope, campaign, now, media)
	})
	if err != nil {
		return CampaignView{}, err
	}
	if v.Gateways, err = d.gatewayViews(ctx, scope); err != nil {
		return CampaignView{}, err
	}
	for _, m := range media {
		m.estimate(v.Gateways, now)
		if !v.StoppedAt.IsZero() {
			m.EstimatedEnd = time.Time{}
		}
		v.Media = append(v.Media, *m)
	}
	slices.SortFunc(v.Media, func(a, b MediumView) int { return strings.Compare(string(a.Medium), string(b.Medium)) })
	return v, nil
}

// estimate counts the lines of the medium, and tells when its queue is empty.
func (m *MediumView) estimate(gateways []GatewayView, now time.Time) {
	for _, g := range gateways {
		if g.Medium == m.Medium && g.Carrying && g.Health.Up {
			m.Lines += g.Lines
			m.Busy += g.Busy
		}
	}
	left, pace := float64(m.Queued+m.Sending), m.PerSecond
	if pace == 0 && m.Lines > 0 {
		pace = float64(m.Lines) / callGuess.Seconds()
	}
	if pace > 0 && left > 0 {
		m.EstimatedEnd = now.Add(time.Duration(left / pace * float64(time.Second)))
	}
}

func viewOf(media map[channels.Medium]*MediumView, m channels.Medium) *MediumView {
	if media[m] == nil {
		media[m] = &MediumView{Medium: m}
	}
	return media[m]
}

func readTallies(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID, media map[channels.Medium]*MediumView) error {
	return tx.Query(ctx, `SELECT medium, state, CAST(SUM(n) AS BIGINT) FROM dispatch_tallies WHERE organisation_id = $1 AND campaign_id = $2 GROUP BY medium, state`,
		[]any{scope.Organisation(), campaign}, func(row func(...any) error) error {
			var m channels.Medium
			var state string
			var n int64
			if err := row(&m, &state, &n); err != nil {
				return err
			}
			v := viewOf(media, m)
			*map[string]*int64{
				string(Queued): &v.Queued, string(Accepted): &v.Accepted, string(Delivered): &v.Delivered, string(Failed): &v.Failed,
				string(Expired): &v.Expired, string(Withdrawn): &v.Withdrawn, string(Guarded): &v.Guarded, string(Merged): &v.Merged, tallyDouble: &v.Doubles,
			}[state] = n
			return nil
		})
}

// readWaiting finds since when the oldest waits, and what gateways hold now.
func readWaiting(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID, now time.Time, media map[channels.Medium]*MediumView) error {
	err := tx.Query(ctx, `SELECT medium, MIN(due_us) FROM dispatch_lots WHERE organisation_id = $1 AND pending AND campaign_id = $2 AND holder IS NULL AND due_us <= $3 GROUP BY medium`,
		[]any{scope.Organisation(), campaign, storage.Micros(now)}, func(row func(...any) error) error {
			var m channels.Medium
			var due int64
			err := row(&m, &due)
			viewOf(media, m).OldestQueued = storage.Time(due)
			return err
		})
	if err != nil {
		return err
	}
	return tx.Query(ctx, `SELECT medium, COUNT(*) FROM dispatch_deliveries WHERE organisation_id = $1 AND state = 'queued' AND lot_id IN
		(SELECT id FROM dispatch_lots WHERE organisation_id = $1 AND pending AND campaign_id = $2 AND holder IS NOT NULL) GROUP BY medium`,
		[]any{scope.Organisation(), campaign}, func(row func(...any) error) error {
			var m channels.Medium
			var n int64
			if err := row(&m, &n); err != nil {
				return err
			}
			v := viewOf(media, m)
			v.Sending = n
			v.Queued -= n
			return nil
		})
}

func readPace(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID, now time.Time, media map[channels.Medium]*MediumView) error {
	return tx.Query(ctx, `SELECT medium, CAST(SUM(n) AS BIGINT), MIN(second) FROM dispatch_pace WHERE organisation_id = $1 AND campaign_id = $2 AND second > $3 AND (medium = 'voice' OR second > $4) GROUP BY medium`,
		[]any{scope.Organisation(), campaign, now.Unix() - callPaceWindow, now.Unix() - paceWindow}, func(row func(...any) error) error {
			var m channels.Medium
			var n, first int64
			if err := row(&m, &n, &first); err != nil {
				return err
			}
			// A campaign younger than the window is measured over its own age.
			viewOf(media, m).PerSecond = float64(n) / float64(min(windowOf(m), max(1, now.Unix()-first+1)))
			return nil
		})
}

func (d *Dispatch) gatewayViews(ctx context.Context, scope access.Scope) ([]GatewayView, error) {
	var gateways []Gateway
	var others map[uuid.UUID]elsewhere
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		if gateways, err = readGateways(ctx, tx, `organisation_id = $1 AND deleted_us IS NULL`, scope.Organisation()); err != nil {
			return err
		}
		if !d.leases.alone {
			others, err = readElsewhere(ctx, tx, scope.Organisation(), d.node)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	running := make(map[uuid.UUID]*desk)
	for _, k := range *d.office.list.Load() {
		running[k.gateway.ID] = k
	}
	out := make([]GatewayView, len(gateways))
	for i, g := range gateways {
		out[i] = GatewayView{ID: g.ID, Name: g.Name, Medium: g.Medium}
		if k := running[g.ID]; k != nil {
			routes := d.office.routesOf(k)
			out[i].Running, out[i].Carrying, out[i].Health = true, len(routes) > 0 || others[g.ID].carrying, k.health()
			if k.share.calls {
				out[i].Lines = k.share.contract.links
				out[i].Busy = min(k.using().links+others[g.ID].used, out[i].Lines)
			}
			if others[g.ID].up && !out[i].Health.Up { // by another node, which has the connections
				out[i].Health = channels.Health{Up: true, Since: out[i].Health.Since}
			}
			if k.gateway.Medium == channels.SMS && len(routes) < len(Routes())+1 {
				out[i].Routes = slices.DeleteFunc(routes, func(r string) bool { return r == "" })
			}
		}
	}
	return out, nil
}

// health is the channel's own, or what its refusals told when it thinks it is well.
func (k *desk) health() channels.Health {
	h := k.channel.Health()
	if h.Up && k.pause.isDown() {
		h.Up = false
		h.Reason, h.Detail = k.pause.why()
	}
	return h
}

// Attempts tells all that happened to one subject's deliveries in a campaign,
// oldest first. Errors: Denied.
func (d *Dispatch) Attempts(ctx context.Context, scope access.Scope, campaign, subject uuid.UUID) ([]Attempt, error) {
	if err := d.guard.Check(scope, access.AlertRead); err != nil {
		return nil, err
	}
	var out []Attempt
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		names, err := gatewayNames(ctx, tx, scope.Organisation())
		if err != nil {
			return err
		}
		err = readAttempts(ctx, tx, `SELECT d.id, d.medium, d.address, l.purpose, l.wave, d.gateway_id, d.state, d.reason, '', d.possible_double, COALESCE(d.settled_us, d.accepted_us, l.due_us)
			FROM dispatch_deliveries d JOIN dispatch_lots l ON l.organisation_id = d.organisation_id AND l.id = d.lot_id
			WHERE d.campaign_id = $1 AND d.subject_id = $2 AND d.organisation_id = $3`, names, &out, campaign, subject, scope.Organisation())
		if err != nil {
			return err
		}
		withheld, err := d.Withheld(ctx, tx, scope, campaign)
		if err != nil {
			return err
		}
		for i := range out {
			if a := &out[i]; withheld != nil && a.State == Queued && withheld(a.Medium, a.Address) {
				a.Reason = channels.ReasonBudget
			}
		}
		return readAttempts(ctx, tx, `SELECT d.id, d.medium, d.address, l.purpose, l.wave, a.gateway_id, a.state, a.reason, a.detail, d.possible_double, a.at_us
			FROM dispatch_deliveries d JOIN dispatch_lots l ON l.organisation_id = d.organisation_id AND l.id = d.lot_id
			JOIN dispatch_attempts a ON a.delivery_id = d.id AND a.organisation_id = d.organisation_id
			WHERE d.campaign_id = $1 AND d.subject_id = $2 AND d.organisation_id = $3`, names, &out, campaign, subject, scope.Organisation())
	})
	slices.SortStableFunc(out, func(a, b Attempt) int { return a.At.Compare(b.At) })
	return out, err
}

func readAttempts(ctx context.Context, tx *storage.Tx, query string, names map[uuid.UUID]string, out *[]Attempt, args ...any) error {
	return tx.Query(ctx, query, args, func(row func(...any) error) error {
		var a Attempt
		var gateway uuid.NullUUID
		var at int64
		if err := row(&a.Delivery, &a.Medium, &a.Address, &a.Purpose, &a.Wave, &gateway, &a.State, &a.Reason, &a.Detail, &a.Double, &at); err != nil {
			return err
		}
		a.Gateway, a.At = names[gateway.UUID], storage.Time(at)
		*out = append(*out, a)
		return nil
	})
}

// Unmatched returns the replies nobody could be found for since an instant,
// newest last, at most 500. Errors: Denied.
func (d *Dispatch) Unmatched(ctx context.Context, scope access.Scope, since time.Time) ([]Reply, error) {
	if err := d.guard.Check(scope, access.AlertRead); err != nil {
		return nil, err
	}
	var out []Reply
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		out, err = readReplies(ctx, tx, `organisation_id = $1 AND subject_id IS NULL AND received_us >= $2 ORDER BY received_us, id LIMIT $3`,
			scope.Organisation(), storage.Micros(since), factsPerRow)
		return err
	})
	return out, err
}
