package traces

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Options are what the room rests on.
type Options struct {
	DB    *storage.DB
	Guard *access.Guard
	Clock clock.Clock
	Log   *slog.Logger
	// Formats are those the product reads, in the order they are shown, for a
	// source whose times that name no zone are of this one.
	Formats func(zone *time.Location) []Format
	// Feeds are what sources may speak that gives no trace: it is heard by a
	// listener of its own, and kept elsewhere.
	Feeds []Description
	// Circle knows who left and who is well known; nil knows nobody.
	Circle Circle
	// Watchman is told of sources that fall silent; nil tells nobody.
	Watchman Watchman
	// Vault holds the key of the seal; Stamper is the authority that stamps it, nil
	// for none; Copies the folder outside where it is copied, empty for none.
	Vault   *vault.Vault
	Stamper Stamper
	Copies  string
}

// Watchman warns those who keep the sources. It is called in the transaction
// that makes it true, and repeated with the same id it tells nobody twice.
type Watchman interface {
	Silent(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, say func(*i18n.Localizer) (subject, text string)) error
}

// Base is what the room asks of an engine that lives elsewhere.
type Base interface {
	Reader
	Keeper
}

// Queue is where what comes in is laid before it is acknowledged.
type Queue interface {
	// Append returns once the records are on a disk. After an error they may have
	// been laid all the same.
	Append(ctx context.Context, records ...[]byte) (spool.Position, error)
	// Held is how many bytes wait there for the base.
	Held() int64
}

// Service is what can be done with traces.
type Service struct {
	opt    Options
	papers sync.Pool

	mu sync.Mutex
	// queue takes what comes in, base answers questions; nil before Connect.
	queue Queue
	base  Base
	// readers are the formats, by zone and name.
	readers map[string]map[string]Format
	// heard is what came since it was last written down, by source.
	heard map[uuid.UUID]*hearing
	// known are the sources that speak, kept for knownFor.
	known   []placed
	tokens  map[string]int
	knownAt time.Time
	// sealing is held by whoever looks for what is to be added to a log: two that
	// look at once would add it twice.
	sealing sync.Mutex
	// unstamped is when an authority last failed, by establishment.
	unstamped map[uuid.UUID]time.Time
	// paces are what consumers asked of late.
	paces map[uuid.UUID]*pace
}

// New returns the operations of the room.
func New(o Options) *Service {
	return &Service{opt: o, heard: map[uuid.UUID]*hearing{}, paces: map[uuid.UUID]*pace{}}
}

// Connect gives the room its queue and its base. Before, and in a program
// without a base, nothing is taken and nothing can be asked: Ready tells.
func (s *Service) Connect(queue Queue, base Base) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue, s.base = queue, base
}

// ReadFrom gives the room a base to read, and nothing to take.
func (s *Service) ReadFrom(base Base) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = base
}

// Disconnect takes them away: nothing is taken and nothing can be asked.
func (s *Service) Disconnect() { s.Connect(nil, nil) }

// Ready tells whether this program has a base of traces.
func (s *Service) Ready() bool {
	_, _, err := s.connected()
	return err == nil
}

// connected gives the queue and the base. Errors: Unavailable.
func (s *Service) connected() (Queue, Base, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue == nil || s.base == nil {
		return nil, nil, fault.New(fault.Unavailable, "traces.error.none")
	}
	return s.queue, s.base, nil
}

// Alive asks the base a question that finds nothing, and tells how many bytes
// wait for it on the disk. Errors: Unavailable.
func (s *Service) Alive(ctx context.Context) (held int64, err error) {
	queue, base, err := s.connected()
	if err != nil {
		return 0, err
	}
	_, err = base.Ask(ctx, uuid.Nil, Question{From: 0, To: 1, Zone: "UTC", Limit: 1})
	return queue.Held(), err
}

// Formats lists what the formats say of themselves, in the order of the product.
func (s *Service) Formats() []Description {
	var out []Description
	for _, f := range s.opt.Formats(time.UTC) {
		out = append(out, f.Describe())
	}
	return append(out, s.opt.Feeds...)
}

func (s *Service) knows(format string) bool {
	return slices.ContainsFunc(s.Formats(), func(d Description) bool { return d.Name == format })
}

// format gives the reader of a format for times of a zone; each is made once.
func (s *Service) format(name, zoned string) (Format, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readers == nil {
		s.readers = map[string]map[string]Format{}
	}
	if s.readers[zoned] == nil {
		l, err := zone(zoned)
		if err != nil {
			l = time.UTC
		}
		all := map[string]Format{}
		for _, f := range s.opt.Formats(l) {
			all[f.Describe().Name] = f
		}
		s.readers[zoned] = all
	}
	f, ok := s.readers[zoned][name]
	return f, ok
}

// Sources lists those that speak, then those retired, by name. Needs access.TracesRead.
func (s *Service) Sources(ctx context.Context, scope access.Scope) (out []Source, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := readSources(ctx, tx, `organisation_id = $1 ORDER BY CASE WHEN retired_us IS NULL THEN 0 ELSE 1 END, name_folded, id`, scope.Organisation())
		for _, p := range list {
			out = append(out, p.Source)
		}
		return err
	})
	return out, err
}

// Source gives one. Needs access.TracesRead. Errors: NotFound.
func (s *Service) Source(ctx context.Context, scope access.Scope, id uuid.UUID) (out Source, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readSource(ctx, tx, scope, id)
		return err
	})
	return out, err
}

// newToken is a token, shown once; only its digest is kept.
func newToken(kind string) string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // it never fails: the program stops first
	return kind + base64.RawURLEncoding.EncodeToString(b)
}

// Add makes a source and gives its token, which is shown this once. Needs
// access.TracesSource. Errors: Invalid with its field, TooMany.
func (s *Service) Add(ctx context.Context, scope access.Scope, w Wanted) (out Source, token string, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return out, "", err
	}
	if out, err = w.source(s.knows); err != nil {
		return out, "", err
	}
	now := s.opt.Clock.Now()
	out.ID, out.Created, token = storage.NewID(now), now, newToken(sourceToken)
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var n int
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM traces_sources WHERE organisation_id = $1 AND retired_us IS NULL`, []any{scope.Organisation()}, &n); err != nil {
			return err
		}
		if n >= sourcesMost {
			return fault.New(fault.TooMany, "traces.source.too_many", "most", sourcesMost)
		}
		if err := s.freeName(ctx, tx, scope, out); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_sources (organisation_id, id, name, name_folded, format, biomedical, zone, item_id, addresses, quiet_minutes, token_hash, created_us, events, failures, skew_s)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0)`,
			scope.Organisation(), out.ID, out.Name, storage.Fold(out.Name), out.Format, out.Biomedical, out.Zone, storage.NullID(out.Item), WriteAddresses(out.Addresses),
			int64(out.Quiet/time.Minute), vault.Digest(token), storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.source.add", ObjectKind: "trace_source", ObjectID: out.ID.String(), ObjectName: out.Name, After: out.noted()})
	})
	s.forget()
	return out, token, err
}

// freeName refuses two sources of one name: an answer must say which spoke.
func (s *Service) freeName(ctx context.Context, tx *storage.Tx, scope access.Scope, w Source) error {
	var other uuid.UUID
	found, err := tx.Row(ctx, `SELECT id FROM traces_sources WHERE organisation_id = $1 AND name_folded = $2 AND id <> $3 AND retired_us IS NULL`,
		[]any{scope.Organisation(), storage.Fold(w.Name), w.ID}, &other)
	if err == nil && found {
		return fault.New(fault.Conflict, "traces.source.taken", "name", w.Name).At("name")
	}
	return err
}

// Change changes what a person said of a source. Needs access.TracesSource.
// Errors: Invalid with its field, NotFound, Conflict.
func (s *Service) Change(ctx context.Context, scope access.Scope, id uuid.UUID, w Wanted) (out Source, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return out, err
	}
	wanted, err := w.source(s.knows)
	if err != nil {
		return out, err
	}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := readSource(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		out = before
		out.Name, out.Format, out.Zone, out.Biomedical, out.Item, out.Addresses, out.Quiet = wanted.Name, wanted.Format, wanted.Zone, wanted.Biomedical, wanted.Item, wanted.Addresses, wanted.Quiet
		if err := s.freeName(ctx, tx, scope, out); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE traces_sources SET name = $3, name_folded = $4, format = $5, biomedical = $6, zone = $7, item_id = $8, addresses = $9, quiet_minutes = $10
			WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, out.Name, storage.Fold(out.Name), out.Format, out.Biomedical, out.Zone, storage.NullID(out.Item),
			WriteAddresses(out.Addresses), int64(out.Quiet/time.Minute)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, s.opt.Clock.Now(), journal.Entry{Action: "traces.source.change", ObjectKind: "trace_source", ObjectID: id.String(), ObjectName: out.Name, Before: before.noted(), After: out.noted()})
	})
	s.forget()
	return out, err
}

// Renew gives a source another token, shown this once; the old one is refused
// from the next half minute on. Needs access.TracesSource. Errors: NotFound.
func (s *Service) Renew(ctx context.Context, scope access.Scope, id uuid.UUID) (out Source, token string, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return out, "", err
	}
	token = newToken(sourceToken)
	return out, token, s.touch(ctx, scope, id, "traces.source.renew", &out, `UPDATE traces_sources SET token_hash = $3 WHERE organisation_id = $1 AND id = $2`, vault.Digest(token))
}

// Retire has a source listened to no more; what it said stays. Needs
// access.TracesSource. Errors: NotFound.
func (s *Service) Retire(ctx context.Context, scope access.Scope, id uuid.UUID) (out Source, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return out, err
	}
	return out, s.touch(ctx, scope, id, "traces.source.retire", &out, `UPDATE traces_sources SET retired_us = $3 WHERE organisation_id = $1 AND id = $2 AND retired_us IS NULL`, storage.Micros(s.opt.Clock.Now()))
}

// touch does one thing to a source and notes it.
func (s *Service) touch(ctx context.Context, scope access.Scope, id uuid.UUID, action string, out *Source, query string, value any) error {
	defer s.forget()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var err error
		if *out, err = readSource(ctx, tx, scope, id); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, query, scope.Organisation(), id, value)
		if err != nil || n == 0 {
			return err
		}
		return journal.Append(ctx, tx, scope, s.opt.Clock.Now(), journal.Entry{Action: action, ObjectKind: "trace_source", ObjectID: id.String(), ObjectName: out.Name})
	})
}

// Sample is a message of a source that could not be understood.
type Sample struct {
	Received time.Time
	// Reason is a fault as kept; Text the message, at most sampleBytes.
	Reason, Text string
}

// Hour is how much a source said in an hour.
type Hour struct {
	From             time.Time
	Events, Failures int64
}

// Sheet is a source with what is known of its speech.
type Sheet struct {
	Source
	// Hours are the last seven days that have any, the oldest first.
	Hours   []Hour
	Samples []Sample
	// Usual is what it says in an hour at this hour of the day and of the week or
	// weekend, the median of the last four weeks; -1 before three are known.
	Usual int64
}

// Sheet gives a source with its last hours and what was not understood. Needs
// access.TracesRead. Errors: NotFound.
func (s *Service) Sheet(ctx context.Context, scope access.Scope, id uuid.UUID) (out Sheet, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		if out.Source, err = readSource(ctx, tx, scope, id); err != nil {
			return err
		}
		hours, err := readHours(ctx, tx, scope, id, now.Add(-usualSpan))
		if err != nil {
			return err
		}
		out.Usual = usual(hours, now, out.Location())
		first := slices.IndexFunc(hours, func(h Hour) bool { return h.From.After(now.Add(-7 * 24 * time.Hour)) })
		if first >= 0 {
			out.Hours = hours[first:]
		}
		// What could not be understood may name patients: for those who keep the
		// sources, not for all who may see that they speak.
		if s.opt.Guard.May(scope, access.TracesSource) {
			out.Samples, err = readSamples(ctx, tx, scope, id)
		}
		return err
	})
	return out, err
}

// Location is the zone of times that say none.
func (s Source) Location() *time.Location {
	l, err := zone(s.Zone)
	if err != nil {
		return time.UTC
	}
	return l
}
