package rules

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/sigma"
)

// Scores of the levels of Sigma, 1 to 100.
var scores = map[sigma.Level]int{sigma.Informational: 10, sigma.Low: 25, sigma.Medium: 50, sigma.High: 75, sigma.Critical: 95}

// scoreOf is that of medium for a rule that says no level.
func scoreOf(l sigma.Level) int {
	if s, ok := scores[l]; ok {
		return s
	}
	return scores[sigma.Medium]
}

const (
	// farApart is from when the clock of a source is not believed for what adds up
	// over time.
	farApart = 5 * time.Minute
	// evidenceMost bounds the reasons of a hit, valueMost the bytes of a value.
	evidenceMost = 8
	valueMost    = 300
)

// boundsOf are what one establishment's correlations may keep: some 12 MB.
func boundsOf() sigma.Bounds {
	b := sigma.DefaultBounds()
	b.Groups, b.Entries = b.Groups/5, b.Entries/5
	return b
}

// detector asks the rules of one event after another. It serves one goroutine.
type detector struct {
	s *Service
	// Of the book in hand:
	book        *book
	matcher     *sigma.Matcher
	correlators map[uuid.UUID]*sigma.Correlator
	fields      *fields
	got         []int32
	// Of the batch in hand:
	off   map[uuid.UUID]map[string]Off
	hits  []traces.Hit
	place map[string]int
}

// Detector gives a Detector of the rules in service, for one goroutine. What
// correlations remember is lost when the folder changes.
func (s *Service) Detector() traces.Detector { return &detector{s: s, fields: newFields()} }

// Observe implements traces.Detector.
func (d *detector) Observe(ctx context.Context, events []traces.Event) ([]traces.Hit, error) {
	var b *book
	if b, d.off = d.s.serving(); b == nil {
		// Nothing is looked at before the rules were read: it would pass unseen. A
		// folder that cannot be read leaves ours.
		err := d.s.Refresh(ctx)
		if b, d.off = d.s.serving(); b == nil {
			return nil, err
		}
	}
	if b != d.book {
		d.book, d.matcher, d.correlators = b, b.set.NewMatcher(), map[uuid.UUID]*sigma.Correlator{}
	}
	d.hits, d.place = nil, map[string]int{}
	var received int64
	for i := range events {
		e := &events[i]
		received = max(received, e.Received)
		d.fields.show(e)
		if d.got = d.matcher.Match(d.fields, d.got); len(d.got) == 0 {
			continue
		}
		c, err := d.correlator(e.Organisation)
		if err != nil {
			return nil, err
		}
		d.hit(c, e, happened(e))
	}
	for organisation, c := range d.correlators {
		// Windows end by our clock, whether or not their establishment speaks.
		for _, held := range c.Advance(storage.Time(received)) {
			d.held(organisation, held, nil)
		}
	}
	return d.hits, ctx.Err()
}

func (d *detector) correlator(organisation uuid.UUID) (*sigma.Correlator, error) {
	c := d.correlators[organisation]
	if c == nil {
		var err error
		if c, err = sigma.NewCorrelator(d.book.set, d.book.correlations, boundsOf()); err != nil {
			return nil, err
		}
		d.correlators[organisation] = c
	}
	return c, nil
}

// happened is the time of an event, ours when that of its source is far from it.
func happened(e *traces.Event) time.Time {
	at, received := storage.Time(e.At), storage.Time(e.Received)
	if at.Sub(received).Abs() > farApart {
		return received
	}
	return at
}

// hit tells the rules that an event hit, and what they add up to.
func (d *detector) hit(c *sigma.Correlator, e *traces.Event, at time.Time) {
	kept := d.got[:0]
	for _, h := range d.got {
		r := d.book.set.Rules()[h]
		if _, off := d.off[e.Organisation][key(&r.Meta)]; off {
			continue
		}
		kept = append(kept, h)
		if !c.Alone(h) {
			continue
		}
		hit, known := d.of(&r.Meta, e)
		if !known {
			for _, x := range d.matcher.Evidence(h, d.fields) {
				if len(hit.Evidence) < evidenceMost {
					hit.Evidence = append(hit.Evidence, traces.Evidence{Key: "traces.rules.evidence.field", Args: map[string]string{"field": x.Field, "value": traces.Cut(x.Value, valueMost)}})
				}
			}
		}
	}
	d.got = kept
	for _, held := range c.Observe(at, d.got, d.fields) {
		d.held(e.Organisation, held, e)
	}
}

// held tells a correlation that holds, by the event that completed it or at the
// end of its window.
func (d *detector) held(organisation uuid.UUID, held sigma.Correlated, e *traces.Event) {
	m := &held.Correlation.Meta
	if _, off := d.off[organisation][key(m)]; off {
		return
	}
	if e == nil {
		e = &traces.Event{Organisation: organisation, At: storage.Micros(held.At), Account: first(held.Group, "account", "TargetUserName", "SubjectUserName"), Workstation: first(held.Group, "workstation", "Computer", "hostname"), Address: held.Group["address"]}
	}
	hit, known := d.of(m, e)
	if known {
		return
	}
	hit.Evidence = append(hit.Evidence, traces.Evidence{Key: "traces.rules.evidence.count", Args: map[string]string{"count": sigma.Number(held.Count).String(), "span": held.Correlation.Timespan.String()}})
	for _, name := range held.Correlation.GroupBy {
		hit.Evidence = append(hit.Evidence, traces.Evidence{Key: "traces.rules.evidence.group", Args: map[string]string{"field": name, "value": traces.Cut(held.Group[name], valueMost)}})
	}
}

func first(group map[string]string, names ...string) string {
	for _, n := range names {
		if group[n] != "" {
			return group[n]
		}
	}
	return ""
}

// of gives the hit of a rule that an event joins: those of a batch that are alike
// are one.
func (d *detector) of(m *sigma.Meta, e *traces.Event) (hit *traces.Hit, known bool) {
	id := strings.Join([]string{e.Organisation.String(), key(m), e.Account, e.IPP, e.INS, e.Workstation, e.Device}, "\x00")
	at, known := d.place[id]
	if known {
		hit = &d.hits[at]
		hit.First, hit.Last, hit.Events = min(hit.First, e.At), max(hit.Last, e.At), hit.Events+1
		return hit, true
	}
	d.place[id] = len(d.hits)
	d.hits = append(d.hits, traces.Hit{
		Organisation: e.Organisation, Rule: key(m), Title: m.Ref(), Score: scoreOf(m.Level),
		Account: e.Account, Person: e.Person, Function: e.Function, Service: e.Service,
		IPP: e.IPP, INS: e.INS, PatientName: e.PatientName, Application: e.Application, Workstation: cmp.Or(e.Workstation, e.Address), Device: e.Device,
		Source: e.Source, First: e.At, Last: e.At, Events: 1,
	})
	return &d.hits[len(d.hits)-1], false
}
