package rules

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces/sigma"
)

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS

//go:embed own/*.yml
var ownFiles embed.FS

// Own are the rules that come with the product.
func Own() (fs.FS, error) { return fs.Sub(ownFiles, "own") }

// Options are what the rules rest on.
type Options struct {
	DB    *storage.DB
	Guard *access.Guard
	Clock clock.Clock
	Log   *slog.Logger
	// Dir is the folder of the hospital's rules; one that is not there holds none.
	Dir string
}

// RefreshEvery is how often the folder is looked at.
const RefreshEvery = 15 * time.Second

// Service keeps the rules in service.
type Service struct {
	opt Options

	mu   sync.Mutex
	book *book
	off  map[uuid.UUID]map[string]Off
	// fault is why the folder could not be read at all; the rules before serve on.
	fault error
}

// New returns rules that nothing has read yet: see Refresh.
func New(o Options) *Service { return &Service{opt: o} }

// Refresh reads the folder again when it changed, and who switched which rule off.
func (s *Service) Refresh(ctx context.Context) error {
	off, err := s.readOff(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	before := s.book
	s.off = off
	s.mu.Unlock()
	print, err := fingerprint(s.opt.Dir)
	if err == nil && before != nil && before.print == print {
		s.settle(before, nil)
		return nil
	}
	own, err2 := Own()
	if err2 != nil {
		return err2
	}
	b, err := read(own, s.opt.Dir)
	if err != nil {
		if before == nil {
			// Ours serve, whatever is wrong with the folder.
			b, err2 = read(own, "")
			if err2 != nil {
				return err2
			}
			before = b
		}
		s.settle(before, err)
		return err
	}
	s.settle(b, nil)
	s.opt.Log.Info("rules of system logs read", "rules", len(b.set.Rules()), "correlations", len(b.correlations), "refused", len(b.refused))
	return nil
}

func (s *Service) settle(b *book, fault error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.book, s.fault = b, fault
}

func (s *Service) serving() (*book, map[uuid.UUID]map[string]Off) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.book, s.off
}

// Off says who switched a rule off, when and why.
type Off struct {
	By  string
	At  time.Time
	Why string
}

func (s *Service) readOff(ctx context.Context) (map[uuid.UUID]map[string]Off, error) {
	out := map[uuid.UUID]map[string]Off{}
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		clear(out)
		return tx.Query(ctx, `SELECT organisation_id, rule, by_name, at_us, why FROM traces_rules_off`, nil, func(row func(...any) error) error {
			var organisation uuid.UUID
			var rule string
			var o Off
			var at int64
			err := row(&organisation, &rule, &o.By, &at, &o.Why)
			if o.At = storage.Time(at); out[organisation] == nil {
				out[organisation] = map[string]Off{}
			}
			out[organisation][rule] = o
			return err
		})
	})
	return out, err
}

// Rule is one that serves, as it is shown.
type Rule struct {
	// Key names it in cases and figures.
	Key, Title, Description string
	Level                   sigma.Level
	Status                  sigma.Status
	// Source is the log source it reads; empty for a correlation.
	Source         string
	FalsePositives []string
	File           string
	Line           int
	// Own tells that it came with the product.
	Own bool
	// Off says that it is switched off here; By is empty when it serves.
	Off Off
	// Hits counts those of the last thirty days.
	Hits int64
}

// Sheet is what serves, and what does not.
type Sheet struct {
	Rules   []Rule
	Refused []Refused
	// Dir is where the hospital's rules are looked for; Fault why that folder
	// could not be read, nil when it was.
	Dir   string
	Fault error
}

// shownDays is how far back hits are counted.
const shownDays = 30

// List gives the rules in the order of their files. Needs access.TracesCases.
func (s *Service) List(ctx context.Context, scope access.Scope) (Sheet, error) {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return Sheet{}, err
	}
	hits := map[string]int64{}
	since := storage.Micros(s.opt.Clock.Now().AddDate(0, 0, -shownDays))
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		clear(hits)
		return tx.Query(ctx, `SELECT rule, SUM(hits) FROM traces_hit_days WHERE organisation_id = $1 AND day_us >= $2 GROUP BY rule`, []any{scope.Organisation(), since}, func(row func(...any) error) error {
			var rule string
			var n int64
			err := row(&rule, &n)
			hits[rule] = n
			return err
		})
	})
	if err != nil {
		return Sheet{}, err
	}
	return s.sheet(scope.Organisation(), hits), nil
}

func (s *Service) sheet(organisation uuid.UUID, hits map[string]int64) Sheet {
	s.mu.Lock()
	b, off, fault := s.book, s.off[organisation], s.fault
	s.mu.Unlock()
	out := Sheet{Dir: s.opt.Dir, Fault: fault}
	if b == nil {
		return out
	}
	out.Refused = b.refused
	show := func(m *sigma.Meta, source string) {
		k := key(m)
		out.Rules = append(out.Rules, Rule{
			Key: k, Title: m.Ref(), Description: m.Description, Level: m.Level, Status: m.Status, Source: source, FalsePositives: m.FalsePositives,
			File: m.File, Line: m.Line, Own: b.own[k], Off: off[k], Hits: hits[k],
		})
	}
	for _, r := range b.set.Rules() {
		show(&r.Meta, r.Source.String())
	}
	for _, c := range b.correlations {
		show(&c.Meta, "")
	}
	return out
}

// Rule gives one by its key. Needs access.TracesCases. Errors: NotFound.
func (s *Service) Rule(ctx context.Context, scope access.Scope, key string) (Rule, error) {
	all, err := s.List(ctx, scope)
	if err != nil {
		return Rule{}, err
	}
	for _, r := range all.Rules {
		if r.Key == key {
			return r, nil
		}
	}
	return Rule{}, fault.New(fault.NotFound, "traces.rules.unknown")
}

// whyMost bounds the reason, characters.
const whyMost = 300

// Switch puts a rule out of service in the establishment, with a reason, or back.
// Needs access.TracesRules. Errors: NotFound, Invalid at "why".
func (s *Service) Switch(ctx context.Context, scope access.Scope, key string, on bool, why string) error {
	if err := s.opt.Guard.Check(scope, access.TracesRules); err != nil {
		return err
	}
	r, err := s.Rule(ctx, scope, key)
	if err != nil {
		return err
	}
	if why = strings.Join(strings.Fields(why), " "); why == "" || utf8.RuneCountInString(why) > whyMost {
		return fault.New(fault.Invalid, "traces.rules.why", "most", whyMost).At("why")
	}
	now, act := s.opt.Clock.Now(), "traces.rules.on"
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		query, args := `DELETE FROM traces_rules_off WHERE organisation_id = $1 AND rule = $2`, []any{scope.Organisation(), key}
		if !on {
			act = "traces.rules.off"
			query = `INSERT INTO traces_rules_off (organisation_id, rule, by_name, at_us, why) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (organisation_id, rule) DO UPDATE SET by_name = excluded.by_name, at_us = excluded.at_us, why = excluded.why`
			args = append(args, scope.Actor().Name, storage.Micros(now), why)
		}
		if _, err := tx.Exec(ctx, query, args...); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: act, ObjectKind: "trace_rule", ObjectID: key, ObjectName: r.Title, After: map[string]any{"why": why}})
	})
	if err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Answer is what a rule says of events of a person's choice.
type Answer struct {
	// Events tells of each whether the rule hits it, and why.
	Events []Asked
	// Held tells that a correlation holds over them all.
	Held bool
}

// Asked is one event.
type Asked struct {
	Hit      bool
	Evidence []sigma.Evidence
}

// triedMost bounds the events of one try.
const triedMost = 200

// Try asks a rule, alone or with what it counts, about events in JSON. Nothing is
// kept. Needs access.TracesCases. Errors: NotFound, Invalid at "events".
func (s *Service) Try(ctx context.Context, scope access.Scope, key, events string) (Answer, error) {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return Answer{}, err
	}
	b, _ := s.serving()
	if b == nil {
		return Answer{}, fault.New(fault.NotFound, "traces.rules.unknown")
	}
	rules, found := b.about(key)
	if !found {
		return Answer{}, fault.New(fault.NotFound, "traces.rules.unknown")
	}
	return Ask(rules, []byte(events))
}

// Ask asks rules about events in JSON. Errors: Invalid at "events".
func Ask(rules sigma.Collection, events []byte) (out Answer, err error) {
	list, err := sigma.ParseEvents(events)
	if f := fault.As(err); f != nil {
		return out, f.At("events")
	}
	if err != nil {
		return out, err
	}
	if len(list) == 0 || len(list) > triedMost {
		return out, fault.New(fault.Invalid, "traces.rules.events", "most", triedMost).At("events")
	}
	hits, held, err := sigma.Try(rules, list)
	if err != nil {
		return out, err
	}
	for _, h := range hits {
		out.Events = append(out.Events, Asked{Hit: h != nil, Evidence: h})
	}
	out.Held = held
	return out, nil
}

// about gives a rule alone, or a correlation with all it rests on.
func (b *book) about(wanted string) (out sigma.Collection, found bool) {
	for _, r := range b.set.Rules() {
		if key(&r.Meta) == wanted {
			out.Rules = append(out.Rules, r)
			return out, true
		}
	}
	need := map[string]bool{}
	for _, c := range b.correlations {
		if key(&c.Meta) == wanted {
			out.Correlations, found = append(out.Correlations, c), true
			b.need(c, need)
		}
	}
	for _, r := range b.set.Rules() {
		if need[r.ID] || need[r.Name] && r.Name != "" {
			out.Rules = append(out.Rules, r)
		}
	}
	for _, c := range b.correlations {
		if key(&c.Meta) != wanted && (need[c.ID] || need[c.Name] && c.Name != "") {
			out.Correlations = append(out.Correlations, c)
		}
	}
	return out, found
}

// need notes what a correlation counts, through others too.
func (b *book) need(c *sigma.Correlation, need map[string]bool) {
	for _, ref := range c.Refs {
		if need[ref] {
			continue
		}
		need[ref] = true
		for _, other := range b.correlations {
			if other.ID == ref || other.Name == ref {
				b.need(other, need)
			}
		}
	}
}
