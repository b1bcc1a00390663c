package screens

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Options are what the room rests on.
type Options struct {
	DB           *storage.DB
	Guard        *access.Guard
	Clock        clock.Clock
	Alerting     *alerting.Service
	Organisation *organisation.Service
	// Key makes the codes; the same on every node.
	Key []byte
}

// Service is what can be done with screens.
type Service struct{ opt Options }

// New returns the operations of the room.
func New(o Options) *Service { return &Service{o} }

// Wanted is a screen to pair.
type Wanted struct {
	// Code is the one it shows, as typed.
	Code  string
	Name  string
	Place uuid.UUID
	// Speaks asks for a voice: where no patient or visitor is startled.
	Speaks bool
}

// Pair awaits the screen that shows a code. Needs access.ChannelWrite. Errors:
// Invalid with its field, Conflict for a code that is awaited already, TooMany.
func (s *Service) Pair(ctx context.Context, scope access.Scope, w Wanted) (Screen, error) {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return Screen{}, err
	}
	code, name := readCode(w.Code), strings.TrimSpace(w.Name)
	switch {
	case code == "":
		return Screen{}, fault.New(fault.Invalid, "screens.code").At("code")
	case name == "" || utf8.RuneCountInString(name) > 80:
		return Screen{}, fault.New(fault.Invalid, "screens.name", "most", 80).At("name")
	}
	now := s.opt.Clock.Now()
	out := Screen{ID: storage.NewID(now), Name: name, Place: w.Place, Speaks: w.Speaks, Made: now, Until: now.Add(CodeLife)}
	err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := s.place(ctx, tx, scope, now, w.Place); err != nil {
			return err
		}
		// What was typed and never came makes room.
		if _, err := tx.Exec(ctx, `DELETE FROM screens_screens WHERE organisation_id = $1 AND token_hash IS NULL AND code_until_us < $2`, scope.Organisation(), storage.Micros(now)); err != nil {
			return err
		}
		all, err := read(ctx, tx, `organisation_id = $1`, scope.Organisation())
		if err != nil {
			return err
		}
		if err := room(all); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO screens_screens (organisation_id, id, name, place_id, speaks, code, code_until_us, made_by, made_us, version, shown)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '') ON CONFLICT DO NOTHING`,
			scope.Organisation(), out.ID, name, storage.NullID(w.Place), w.Speaks, code, storage.Micros(out.Until), scope.Actor().Name, storage.Micros(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "screens.code_taken").At("code")
		}
		return note(ctx, tx, scope, now, "screens.pair", out)
	})
	return out, err
}

// room refuses one screen too many, and codes typed at random: each waits for its
// screen until it is over, so that few are tried in the life of a code.
func room(all []held) error {
	awaited := 0
	for _, h := range all {
		if h.Paired.IsZero() {
			awaited++
		}
	}
	switch {
	case len(all) >= screensMost:
		return fault.New(fault.TooMany, "screens.too_many", "most", screensMost)
	case awaited >= awaitedMost:
		return fault.New(fault.TooMany, "screens.too_many_awaited", "most", awaitedMost, "wait", CodeLife)
	}
	return nil
}

// place refuses a place that is not of the establishment.
func (s *Service) place(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID) error {
	if id == uuid.Nil {
		return nil
	}
	places, err := s.opt.Organisation.Places(ctx, tx, scope, now)
	if err != nil {
		return err
	}
	if _, ok := places.Get(id); !ok {
		return fault.New(fault.Invalid, "screens.place").At("place")
	}
	return nil
}

func note(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, action string, x Screen) error {
	return journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "screen", ObjectID: x.ID.String(), ObjectName: x.Name})
}

// Remove takes a screen back: it shows nothing any more. Needs access.ChannelWrite. Errors: NotFound.
func (s *Service) Remove(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := read(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.New(fault.NotFound, "screens.unknown")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM screens_screens WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id); err != nil {
			return err
		}
		return note(ctx, tx, scope, s.opt.Clock.Now(), "screens.remove", list[0].Screen)
	})
}

// Standing is a screen with what it should show now.
type Standing struct {
	Screen
	// Due are the alerts it should show.
	Due []alerting.ScreenMessage
	// PlaceName is the site or service, in words.
	PlaceName string
}

// Missing counts the alerts that the screen should show and did not say it does.
func (x Standing) Missing() (n int) {
	for _, m := range x.Due {
		if !x.Shows(m.Launch) {
			n++
		}
	}
	return n
}

// Screens lists those of the establishment by name. Needs access.ChannelRead.
func (s *Service) Screens(ctx context.Context, scope access.Scope, language string) (out []Standing, places *organisation.Places, err error) {
	if err := s.opt.Guard.Check(scope, access.ChannelRead); err != nil {
		return nil, nil, err
	}
	now := s.opt.Clock.Now()
	var list []held
	if err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		if places, err = s.opt.Organisation.Places(ctx, tx, scope, now); err != nil {
			return err
		}
		list, err = read(ctx, tx, `organisation_id = $1 AND (token_hash IS NOT NULL OR code_until_us > $2) ORDER BY name, id`, scope.Organisation(), storage.Micros(now))
		return err
	}); err != nil {
		return nil, nil, err
	}
	inside := access.System(scope.Organisation(), worker)
	for _, h := range list {
		x := Standing{Screen: h.Screen}
		if p, ok := places.Get(h.Place); ok {
			x.PlaceName = p.Name
		}
		if x.Due, err = s.opt.Alerting.OnScreens(ctx, inside, around(places, h.Place), language); err != nil {
			return nil, nil, err
		}
		out = append(out, x)
	}
	return out, places, nil
}

// around is a place and the site it is on: an alert of the site shows in its services.
func around(places *organisation.Places, id uuid.UUID) []uuid.UUID {
	out := []uuid.UUID{id}
	if p, ok := places.Get(id); ok && p.Site != uuid.Nil && p.Site != id {
		out = append(out, p.Site)
	}
	return out
}

// View is what a screen shows.
type View struct {
	Screen        Screen
	Establishment organisation.Establishment
	Messages      []alerting.ScreenMessage
}

// Visit is a screen that asks what to show and says what it shows. found is false
// for a browser that is no screen, or no longer; one whose code was typed becomes it.
func (s *Service) Visit(ctx context.Context, token, version, shown string, now time.Time) (v View, found bool, err error) {
	if token == "" || len(token) > 100 {
		return v, false, nil
	}
	h, found, err := s.find(ctx, token, now)
	if err != nil || !found {
		return v, false, err
	}
	scope := instance().Within(h.organisation)
	if err := s.seen(ctx, scope, h, version, shown, now); err != nil {
		return v, false, err
	}
	v.Screen = h.Screen
	if v.Establishment, err = s.opt.Organisation.Get(ctx, scope); err != nil {
		return v, false, err
	}
	places := []uuid.UUID{h.Place}
	if err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		all, err := s.opt.Organisation.Places(ctx, tx, scope, now)
		if err == nil {
			places = around(all, h.Place)
		}
		return err
	}); err != nil {
		return v, false, err
	}
	v.Messages, err = s.opt.Alerting.OnScreens(ctx, scope, places, v.Establishment.Language)
	return v, err == nil, err
}

// find gives the screen of a token, and pairs the one whose code was typed.
func (s *Service) find(ctx context.Context, token string, now time.Time) (h held, found bool, err error) {
	window := now.Unix() / int64(CodeLife/time.Second)
	codes := []any{s.code(token, window), s.code(token, window-1)}
	var list []held
	if err := s.opt.DB.Read(ctx, instance(), func(tx *storage.Tx) (err error) {
		if list, err = read(ctx, tx, `token_hash = $1`, vault.Digest(token)); err != nil || len(list) > 0 {
			return err
		}
		list, err = read(ctx, tx, `code IN ($1, $2) AND token_hash IS NULL AND code_until_us > $3`, codes[0], codes[1], storage.Micros(now))
		return err
	}); err != nil || len(list) == 0 {
		return h, false, err
	}
	h = list[0]
	if !h.Paired.IsZero() {
		return h, true, nil
	}
	scope := instance().Within(h.organisation)
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE screens_screens SET token_hash = $3, code = NULL, paired_us = $4, seen_us = $4 WHERE organisation_id = $1 AND id = $2 AND token_hash IS NULL`,
			h.organisation, h.ID, vault.Digest(token), storage.Micros(now))
		if err != nil || n == 0 {
			return err
		}
		h.Paired, found = now, true
		return note(ctx, tx, scope, now, "screens.paired", h.Screen)
	})
	return h, found, err
}

// seen writes the visit, and what the screen says it shows when that changed.
func (s *Service) seen(ctx context.Context, scope access.Scope, h held, version, shown string, now time.Time) error {
	ids := written(idsOf(shown))
	if now.Sub(h.Seen) < seenEvery && ids == written(h.Shown) && version == h.Version {
		return nil
	}
	if len(version) > 40 {
		version = ""
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE screens_screens SET seen_us = $3, version = $4, shown_us = CASE WHEN shown <> $5 THEN $3 ELSE shown_us END, shown = $5
			WHERE organisation_id = $1 AND id = $2`, h.organisation, h.ID, storage.Micros(now), version, ids)
		return err
	})
}
