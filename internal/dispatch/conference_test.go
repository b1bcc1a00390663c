package dispatch_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// The register of a conference, as the telephone lines of two establishments and of
// two nodes see it: who is in, who may come in, and how it ends.
func TestTheRegisterOfAConference(t *testing.T) {
	storagetest.Each(t, dispatchtest.Migrations(), func(t *testing.T, db *storage.DB) {
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		c := clock.NewFake(t0)
		here, there := access.System(storage.NewID(t0), "test"), access.System(storage.NewID(t0), "test")
		stands := &standingOf{scope: here}
		node := func(scopes ...access.Scope) (*dispatch.Dispatch, []channels.Conferences) {
			t.Helper()
			ex := &callable{exchange{lines: 2, reached: map[string]int{}, outcome: func(channels.Message) channels.Outcome {
				return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey}
			}}, make(chan channels.Opening, 4)}
			d := dispatch.New(dispatch.Options{DB: db, Guard: guard, Vault: dispatchtest.OpenVault{}, Registry: channels.NewRegistry(ex), Clock: c})
			d.Tell(dispatchtest.NewSink())
			d.Consult(stands)
			if err := d.Start(context.WithoutCancel(t.Context())); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Stop)
			var out []channels.Conferences
			for _, scope := range scopes {
				if _, err := d.CreateGateway(t.Context(), scope, t0, dispatch.GatewayInput{Kind: "exchange", Name: "ligne " + d.Node(), Priority: 1, Enabled: true}); err != nil {
					t.Fatal(err)
				}
				d.Wake()
				out = append(out, (<-ex.openings).Conferences)
			}
			return d, out
		}
		d, lines := node(here, there)
		campaign, content, orders := dispatchtest.Mail(t0, channels.Voice, 1)
		dispatchtest.Post(t, d, db, here, t0, campaign, content, orders)
		want := func(rooms []int, joins int) {
			t.Helper()
			v, err := d.View(t.Context(), here, campaign.ID, c.Now())
			if err != nil || !slices.Equal(v.Conference.Rooms, rooms) || v.Conference.Joins != joins {
				t.Errorf("%+v %v, want %v and %d", v.Conference, err, rooms, joins)
			}
		}
		enter := func(by channels.Conferences) (context.Context, func()) {
			t.Helper()
			inside, leave, err := by.Enter(t.Context(), campaign.ID)
			if err != nil {
				t.Fatal(err)
			}
			return inside, leave
		}
		if _, _, err := lines[1].Enter(t.Context(), campaign.ID); !errors.Is(err, channels.ErrConferenceOver) {
			t.Errorf("another establishment comes in: %v", err)
		}
		_, first := enter(lines[0])
		inside, second := enter(lines[0])
		want([]int{2}, 2)
		first()
		want([]int{1}, 2)
		c.Advance(2 * time.Minute)
		want(nil, 2) // nobody said for long that it is alive: its node is dead
		_, third := enter(lines[0])
		want([]int{2}, 3)
		third()

		stands.over.Store(true)
		<-inside.Done()
		if !errors.Is(context.Cause(inside), channels.ErrConferenceOver) {
			t.Errorf("ended by %v", context.Cause(inside))
		}
		if _, _, err := lines[0].Enter(t.Context(), campaign.ID); !errors.Is(err, channels.ErrConferenceOver) {
			t.Errorf("one comes in once it is over: %v", err)
		}
		second()
		want(nil, 3)
		c.Advance(time.Second)
		stands.over.Store(false)

		inside, fourth := enter(lines[0])
		if err := db.Write(t.Context(), here, func(tx *storage.Tx) error {
			_, err := d.Kill(t.Context(), tx, here, t0, campaign.ID)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		<-inside.Done()
		if errors.Is(context.Cause(inside), channels.ErrConferenceOver) {
			t.Error("a stopped alert is said to have ended")
		}
		c.Advance(time.Second)
		fourth()
		if got := journalled(t, db, here, "dispatch.conference."); !slices.Equal(got, []string{"open", "close", "open", "close"}) {
			t.Errorf("the journal says %v", got)
		}
	})
}

// standingOf says that the campaigns of one establishment stand.
type standingOf struct {
	standing
	scope access.Scope
}

func (s *standingOf) Stands(_ context.Context, scope access.Scope, _ uuid.UUID, _ string) (bool, error) {
	return scope.Organisation() == s.scope.Organisation() && !s.over.Load(), nil
}

// journalled are the ends of the actions that begin so, in order.
func journalled(t *testing.T, db *storage.DB, scope access.Scope, prefix string) (out []string) {
	t.Helper()
	err := db.Read(t.Context(), scope, func(tx *storage.Tx) error {
		return tx.Query(t.Context(), `SELECT action FROM journal_entries WHERE organisation_id = $1 AND action LIKE $2 ORDER BY at_us, id`,
			[]any{scope.Organisation(), prefix + "%"}, func(row func(...any) error) error {
				var action string
				err := row(&action)
				out = append(out, action[len(prefix):])
				return err
			})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A node dies with a conference: the others say that its people are gone, once, and
// no more when it was only slow to speak.
func TestAConferenceDiesWithItsNode(t *testing.T) {
	storagetest.Each(t, dispatchtest.Migrations(), func(t *testing.T, db *storage.DB) {
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		c := clock.NewFake(t0)
		here := access.System(storage.NewID(t0), "test")
		ex := &callable{exchange{lines: 2, reached: map[string]int{}, outcome: func(channels.Message) channels.Outcome {
			return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey}
		}}, make(chan channels.Opening, 4)}
		d := dispatch.New(dispatch.Options{DB: db, Guard: guard, Vault: dispatchtest.OpenVault{}, Registry: channels.NewRegistry(ex), Clock: c})
		d.Tell(dispatchtest.NewSink())
		d.Consult(&standingOf{scope: here})
		if err := d.Start(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Stop)
		if _, err := d.CreateGateway(t.Context(), here, t0, dispatch.GatewayInput{Kind: "exchange", Name: "ligne", Priority: 1, Enabled: true}); err != nil {
			t.Fatal(err)
		}
		d.Wake()
		line := (<-ex.openings).Conferences
		campaign, content, orders := dispatchtest.Mail(t0, channels.Voice, 1)
		dispatchtest.Post(t, d, db, here, t0, campaign, content, orders)
		_, first, err := line.Enter(t.Context(), campaign.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, second, err := line.Enter(t.Context(), campaign.ID)
		if err != nil {
			t.Fatal(err)
		}
		other := dispatch.New(dispatch.Options{DB: db, Guard: guard, Vault: dispatchtest.OpenVault{}, Registry: channels.NewRegistry(ex), Clock: c})
		want := func(present, lost int) {
			t.Helper()
			if err := other.LookForLost(t.Context()); err != nil {
				t.Fatal(err)
			}
			v, err := d.View(t.Context(), here, campaign.ID, c.Now())
			if err != nil || v.Conference.Present() != present || v.Conference.Lost != lost {
				t.Errorf("%+v %v, want %d inside and %d lost", v.Conference, err, present, lost)
			}
		}
		if db.Engine() == storage.PostgreSQL { // on SQLite nobody else is alive
			want(2, 0)
			c.Advance(16 * time.Second)
		}
		want(0, 2)
		want(0, 2)
		// The clock stands still: their order is that of their random part.
		if got := slices.Sorted(slices.Values(journalled(t, db, here, "dispatch.conference."))); !slices.Equal(got, []string{"lost", "open"}) {
			t.Errorf("the journal says %v", got)
		}
		c.Advance(time.Second)
		first() // it lived: it says so
		v, err := d.View(t.Context(), here, campaign.ID, c.Now())
		if err != nil || v.Conference.Present() != 1 || v.Conference.Lost != 0 {
			t.Errorf("back: %+v %v", v.Conference, err)
		}
		second()
	})
}
