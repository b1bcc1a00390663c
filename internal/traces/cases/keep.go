package cases

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/watch"
)

const (
	// window is how far apart two hits of one case may be.
	window = 7 * 24 * time.Hour
	// reasonsMost and rulesMost bound what a case keeps.
	reasonsMost = 60
	rulesMost   = 30
	textMost    = 500 // bytes of one text of a hit
)

// pile is hits of a batch that make one case.
type pile struct {
	grouping string
	hits     []*traces.Hit
}

// piles puts hits together, in the order in which they came.
func piles(hits []traces.Hit) (out []*pile) {
	at := map[string]*pile{}
	for i := range hits {
		h := &hits[i]
		g := groupingOf(h)
		id := h.Organisation.String() + g
		p := at[id]
		if p == nil {
			p = &pile{grouping: g}
			at[id] = p
			out = append(out, p)
		}
		p.hits = append(p.hits, h)
	}
	return out
}

// Keep implements watch.Keeper: each hit becomes a case, or joins one.
func (s *Service) Keep(ctx context.Context, tx *storage.Tx, now time.Time, c watch.Catch) error {
	open, err := s.InService(ctx, tx)
	if err != nil {
		return err
	}
	if err := examined(ctx, tx, c.Examined); err != nil {
		return err
	}
	if err := addShares(ctx, tx, open, c.Shares); err != nil {
		return err
	}
	// What looked at behaviour is dropped where it was switched off meanwhile.
	hits := slices.DeleteFunc(slices.Clone(c.Hits), func(h traces.Hit) bool { return kindOf(&h) == Patient && !open[h.Organisation] })
	for i := range hits {
		trim(&hits[i])
	}
	if err := counted(ctx, tx, now, hits); err != nil {
		return err
	}
	settings := map[uuid.UUID]map[Kind]Settings{}
	for _, p := range piles(hits) {
		organisation := p.hits[0].Organisation
		if settings[organisation] == nil {
			if settings[organisation], err = readSettings(ctx, tx, organisation); err != nil {
				return err
			}
		}
		if err := s.join(ctx, tx, now, p, settings[organisation][kindOf(p.hits[0])]); err != nil {
			return err
		}
	}
	return nil
}

// trim bounds the texts of a hit: they are the words of others.
func trim(h *traces.Hit) {
	for _, t := range []*string{&h.Title, &h.Account, &h.Person, &h.Function, &h.Service, &h.IPP, &h.INS, &h.PatientName, &h.Application, &h.Workstation, &h.Device} {
		*t = whole(*t)
	}
	h.Score, h.Events = min(max(h.Score, 1), 100), max(h.Events, 1)
}

// whole is a text that both engines keep.
func whole(text string) string {
	return traces.Cut(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "�"), textMost)
}

// examined adds what was looked at to the figures.
func examined(ctx context.Context, tx *storage.Tx, all map[watch.Counted]int64) error {
	for c, n := range all {
		kind := System
		if c.Patient {
			kind = Patient
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_examined_days (organisation_id, kind, day_us, events) VALUES ($1, $2, $3, $4)
			ON CONFLICT (organisation_id, kind, day_us) DO UPDATE SET events = traces_examined_days.events + excluded.events`, c.Organisation, string(kind), c.Day, n); err != nil {
			return err
		}
	}
	return nil
}

// counted adds hits to the figures of their rules.
func counted(ctx context.Context, tx *storage.Tx, now time.Time, hits []traces.Hit) error {
	type figure struct {
		organisation uuid.UUID
		rule         string
		kind         Kind
	}
	sums := map[figure]int64{}
	for i := range hits {
		h := &hits[i]
		sums[figure{h.Organisation, h.Rule, kindOf(h)}] += h.Events
	}
	day := storage.Micros(now.UTC().Truncate(24 * time.Hour))
	for f, n := range sums {
		if _, err := tx.Exec(ctx, `INSERT INTO traces_hit_days (organisation_id, rule, day_us, kind, hits) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (organisation_id, rule, day_us) DO UPDATE SET hits = traces_hit_days.hits + excluded.hits`, f.organisation, f.rule, day, string(f.kind), n); err != nil {
			return err
		}
	}
	return nil
}

// join puts a pile in its case, opens one, or only counts.
func (s *Service) join(ctx context.Context, tx *storage.Tx, now time.Time, p *pile, set Settings) error {
	h := p.hits[0]
	first, last := p.bounds()
	near, err := readCases(ctx, tx, `organisation_id = $1 AND grouping = $2 AND last_us >= $3 AND first_us <= $4 ORDER BY last_us DESC, id DESC LIMIT 5`,
		h.Organisation, p.grouping, first-window.Microseconds(), last+window.Microseconds())
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(near, func(c Case) bool { return c.State.Open() }); i >= 0 {
		return s.grow(ctx, tx, now, &near[i], p, set)
	}
	// A closed case that covers the time of these hits was about them: what is told
	// once more is not a new case.
	if i := slices.IndexFunc(near, func(c Case) bool { return storage.Micros(c.First) <= first && last <= storage.Micros(c.Last) }); i >= 0 {
		return nil
	}
	c, watched, err := s.weighed(ctx, tx, now, p)
	if err != nil {
		return err
	}
	if c.Weight < set.OpensFrom && !watched {
		return s.repeated(ctx, tx, now, c.Earlier, p)
	}
	return s.open(ctx, tx, now, c, p, set)
}

func (p *pile) bounds() (first, last int64) {
	first, last = p.hits[0].First, p.hits[0].Last
	for _, h := range p.hits {
		first, last = min(first, h.First), max(last, h.Last)
	}
	return first, last
}

// weighed is the case that a pile would open, after what was said of the same.
func (s *Service) weighed(ctx context.Context, tx *storage.Tx, now time.Time, p *pile) (*Case, bool, error) {
	c := &Case{organisation: p.hits[0].Organisation, grouping: p.grouping, Kind: kindOf(p.hits[0])}
	anyWatched := false
	for _, h := range p.hits {
		score, watched := h.Score, s.opt.Watched(h.Rule)
		r, found, err := recall(ctx, tx, now, h)
		if err != nil {
			return nil, false, err
		}
		if found {
			score = r.lighten(score, watched)
			if r.at.After(c.EarlierAt) && r.verdict == Justified {
				c.Earlier, c.EarlierAt = r.id, r.at
			}
		}
		anyWatched = anyWatched || watched
		c.take(h, score)
	}
	return c, anyWatched, nil
}

// take adds a hit to a case.
func (c *Case) take(h *traces.Hit, score int) {
	if score > c.heaviest {
		c.heaviest, c.Rule, c.Title = score, h.Rule, h.Title
	}
	if !slices.Contains(c.Rules, h.Rule) && len(c.Rules) < rulesMost {
		c.Rules = append(c.Rules, h.Rule)
	}
	c.Hits += h.Events
	for _, t := range []struct {
		mine *string
		said string
	}{
		{&c.Account, h.Account},
		{&c.Person, h.Person},
		{&c.Function, h.Function},
		{&c.Service, h.Service},
		{&c.IPP, h.IPP},
		{&c.INS, h.INS},
		{&c.PatientName, h.PatientName},
		{&c.Application, h.Application},
		{&c.Workstation, h.Workstation},
		{&c.Device, h.Device},
	} {
		if *t.mine == "" {
			*t.mine = t.said
		}
	}
	if c.Source == uuid.Nil {
		c.Source = h.Source
	}
	if first := storage.Time(h.First); c.First.IsZero() || first.Before(c.First) {
		c.First = first
	}
	if last := storage.Time(h.Last); last.After(c.Last) {
		c.Last = last
	}
	c.Weight = weigh(c.heaviest, len(c.Rules), c.Hits)
}

// repeated notes on a justified case that the same came again.
func (s *Service) repeated(ctx context.Context, tx *storage.Tx, now time.Time, id uuid.UUID, p *pile) error {
	if id == uuid.Nil {
		return nil
	}
	n := int64(0)
	for _, h := range p.hits {
		n += h.Events
	}
	_, err := tx.Exec(ctx, `UPDATE traces_cases SET repeats = repeats + $3, repeated_us = $4 WHERE organisation_id = $1 AND id = $2`, p.hits[0].Organisation, id, n, storage.Micros(now))
	return err
}

func (s *Service) open(ctx context.Context, tx *storage.Tx, now time.Time, c *Case, p *pile, set Settings) error {
	c.ID, c.State, c.Opened, c.Changed = storage.NewID(now), Waiting, now, now
	if set.due(c) {
		c.Alert = Due
	}
	if err := c.insert(ctx, tx); err != nil {
		return err
	}
	return c.noteReasons(ctx, tx, p)
}

// grow adds a pile to a case that is open.
func (s *Service) grow(ctx context.Context, tx *storage.Tx, now time.Time, c *Case, p *pile, set Settings) error {
	for _, h := range p.hits {
		r, found, err := recall(ctx, tx, now, h)
		if err != nil {
			return err
		}
		score := h.Score
		if found {
			score = r.lighten(score, s.opt.Watched(h.Rule))
		}
		c.take(h, score)
	}
	if c.Changed = now; c.Alert == NoAlert && set.due(c) {
		c.Alert = Due
	}
	if err := c.update(ctx, tx); err != nil {
		return err
	}
	return c.noteReasons(ctx, tx, p)
}

// noteReasons keeps why, each reason once with how often it was given.
func (c *Case) noteReasons(ctx context.Context, tx *storage.Tx, p *pile) error {
	var held int64
	if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM traces_case_evidence WHERE organisation_id = $1 AND case_id = $2`, []any{c.organisation, c.ID}, &held); err != nil {
		return err
	}
	noted := map[string]bool{}
	for _, h := range p.hits {
		for place, e := range h.Evidence {
			args, err := argsOf(e)
			if err != nil {
				return err
			}
			sum := sha256.Sum256([]byte(h.Rule + "\x00" + e.Key + "\x00" + args))
			id := hex.EncodeToString(sum[:12])
			query := `UPDATE traces_case_evidence SET hits = hits + $4, first_us = CASE WHEN first_us < $5 THEN first_us ELSE $5 END, last_us = CASE WHEN last_us > $6 THEN last_us ELSE $6 END
				WHERE organisation_id = $1 AND case_id = $2 AND id = $3`
			n, err := tx.Exec(ctx, query, c.organisation, c.ID, id, h.Events, h.First, h.Last)
			if err != nil {
				return err
			}
			if n > 0 || noted[id] || held >= reasonsMost {
				continue
			}
			noted[id] = true
			if _, err := tx.Exec(ctx, `INSERT INTO traces_case_evidence (organisation_id, case_id, id, rule, sentence, args_json, place, hits, first_us, last_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
				c.organisation, c.ID, id, h.Rule, e.Key, args, held+int64(place), h.Events, h.First, h.Last); err != nil {
				return err
			}
			held++
		}
	}
	return nil
}

func argsOf(e traces.Evidence) (string, error) {
	args := map[string]string{}
	for name, value := range maps.All(e.Args) {
		args[name] = whole(value)
	}
	b, err := json.Marshal(args)
	return string(b), err
}
