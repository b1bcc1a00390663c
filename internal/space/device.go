package space

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

const (
	// DeviceLife is how long a device stays open without a new invitation.
	DeviceLife = 365 * 24 * time.Hour
	// devicesMost is how many devices a person may have.
	devicesMost = 5
	// seenEvery is how often the last visit of a device is written.
	seenEvery = 10 * time.Minute
)

// Device is a browser that shows the space of a person.
type Device struct {
	ID, Person          uuid.UUID
	Name                string
	Made, Expires, Seen time.Time
	// Notified tells that it receives notifications; Failed is since when they
	// do not arrive, zero when they do.
	Notified bool
	Failed   time.Time
}

// Holder is who shows a device that is open.
type Holder struct {
	Device Device
	scope  access.Scope
}

// Organisation is the establishment of the holder.
func (h Holder) Organisation() uuid.UUID { return h.scope.Organisation() }

// agent is the holder as the journal names him: by the device, without a role.
func (h Holder) agent(from string) access.Scope {
	return access.For(h.scope.Organisation(), access.Actor{Kind: access.Agent, ID: h.Device.ID, From: from}, false)
}

const deviceColumns = `organisation_id, id, person_id, name, made_us, expires_us, seen_us, endpoint, failed_us`

func readDevices(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Holder, err error) {
	err = tx.Query(ctx, `SELECT `+deviceColumns+` FROM space_devices WHERE `+which, args, func(row func(...any) error) error {
		var h Holder
		var org uuid.UUID
		var made, expires, seen int64
		var endpoint string
		var failed sql.NullInt64
		err := row(&org, &h.Device.ID, &h.Device.Person, &h.Device.Name, &made, &expires, &seen, &endpoint, &failed)
		h.Device.Made, h.Device.Expires, h.Device.Seen = storage.Time(made), storage.Time(expires), storage.Time(seen)
		h.Device.Notified, h.Device.Failed = endpoint != "", storage.NullTime(failed)
		h.scope = access.System(org, worker)
		out = append(out, h)
		return err
	})
	return out, err
}

// worker names the room where it reads what is the holder's own.
const worker = "space"

// Open tells whose device shows a token. Errors: Unauthenticated when nobody's,
// no longer, or when its owner left.
func (s *Service) Open(ctx context.Context, token string, now time.Time) (Holder, error) {
	shut := fault.New(fault.Unauthenticated, "space.shut")
	if token == "" || len(token) > 100 {
		return Holder{}, shut
	}
	var found []Holder
	if err := s.opt.DB.Read(ctx, access.Instance(worker), func(tx *storage.Tx) (err error) {
		found, err = readDevices(ctx, tx, `token_hash = $1 AND expires_us > $2`, vault.Digest(token), storage.Micros(now))
		return err
	}); err != nil {
		return Holder{}, err
	}
	if len(found) != 1 {
		return Holder{}, shut
	}
	h := found[0]
	here, err := s.works(ctx, h.scope, h.Device.Person, now)
	if err != nil {
		return Holder{}, err
	}
	if !here {
		return Holder{}, shut
	}
	if now.Sub(h.Device.Seen) < seenEvery {
		return h, nil
	}
	return h, s.opt.DB.Write(ctx, h.scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE space_devices SET seen_us = $3 WHERE organisation_id = $1 AND id = $2`, h.scope.Organisation(), h.Device.ID, storage.Micros(now))
		return err
	})
}

// works tells whether somebody still belongs to the establishment.
func (s *Service) works(ctx context.Context, scope access.Scope, person uuid.UUID, now time.Time) (bool, error) {
	p, err := s.opt.Directory.Person(ctx, scope, person)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	gone := !p.Departed.IsZero() || !p.ContractEnd.IsZero() && p.ContractEnd.Before(now)
	return !gone, err
}

// Devices lists those of a person, the last seen first. Needs access.DirectoryRead.
func (s *Service) Devices(ctx context.Context, scope access.Scope, person uuid.UUID) (out []Device, err error) {
	if err := s.opt.Guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	if _, err := s.opt.Directory.Person(ctx, scope, person); err != nil {
		return nil, err
	}
	return s.devices(ctx, scope, person)
}

func (s *Service) devices(ctx context.Context, scope access.Scope, person uuid.UUID) (out []Device, err error) {
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := readDevices(ctx, tx, `organisation_id = $1 AND person_id = $2 ORDER BY seen_us DESC, id`, scope.Organisation(), person)
		for _, h := range list {
			out = append(out, h.Device)
		}
		return err
	})
	return out, err
}

// Revoke shuts a device of a person. Needs access.DirectoryWrite. Errors: NotFound.
func (s *Service) Revoke(ctx context.Context, scope access.Scope, person, id uuid.UUID) error {
	if err := s.opt.Guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	return s.revoke(ctx, scope, scope, person, id)
}

// RevokeOwn shuts a device of the holder, this one included. Errors: NotFound.
func (s *Service) RevokeOwn(ctx context.Context, h Holder, id uuid.UUID, from string) error {
	return s.revoke(ctx, h.scope, h.agent(from), h.Device.Person, id)
}

func (s *Service) revoke(ctx context.Context, scope, as access.Scope, person, id uuid.UUID) error {
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM space_devices WHERE organisation_id = $1 AND person_id = $2 AND id = $3`, scope.Organisation(), person, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "space.device.unknown")
		}
		return journal.Append(ctx, tx, as, now, journal.Entry{Action: "space.device.revoke", ObjectKind: "person", ObjectID: person.String()})
	})
}

// Sweep shuts what is over: devices past their end or whose owner left, with his
// code, and invitations that nobody used. It seals what an earlier version left in plain. It suits jobs.Task.
func (s *Service) Sweep(ctx context.Context, now time.Time) (bool, error) {
	if err := s.sealOld(ctx); err != nil {
		return false, err
	}
	instance := access.Instance(worker)
	var list []Holder
	if err := s.opt.DB.Read(ctx, instance, func(tx *storage.Tx) (err error) {
		list, err = readDevices(ctx, tx, `TRUE`)
		return err
	}); err != nil {
		return false, err
	}
	for _, h := range list {
		here, err := s.works(ctx, h.scope, h.Device.Person, now)
		if err != nil {
			return false, err
		}
		if here && now.Before(h.Device.Expires) {
			continue
		}
		err = s.revoke(ctx, h.scope, h.scope, h.Device.Person, h.Device.ID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return false, err
		}
	}
	if err := s.sweepCodes(ctx, now); err != nil {
		return false, err
	}
	return false, s.opt.DB.Write(ctx, instance, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM space_invitations WHERE expires_us < $1`, storage.Micros(now.Add(-24*time.Hour)))
		return err
	})
}

// named is what a browser says of itself, as its owner would say it.
func named(agent string) string {
	system := "?"
	for _, s := range [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Macintosh", "Mac"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, s[0]) {
			system = s[1]
			break
		}
	}
	for _, b := range [][2]string{{"Firefox/", "Firefox"}, {"Edg/", "Edge"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(agent, b[0]) {
			return b[1] + " · " + system
		}
	}
	return system
}
