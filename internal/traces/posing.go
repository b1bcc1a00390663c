package traces

import (
	"context"
	"slices"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/fault"
)

// Reply is the answer to a phrase.
type Reply struct {
	Phrase  Phrase
	Filling Filling
	When    Period
	// Table is cut as the phrase says, Events the last that fit, Curve how many
	// a day or an hour, the oldest first.
	Table, Events, Curve Answer
	// Peers compares each line of the table with those of the same function, in
	// the order of the table; only for phrases that compare.
	Peers []Peer
}

// Peer is how a line stands among those of its function.
type Peer struct {
	// Median is that of the function; Of how many have it.
	Median int64
	Of     int
	// Far tells more than three times the median, of at least five peers.
	Far bool
}

// Pose asks a phrase. One look is traced for its three questions. Needs
// access.TracesAsk. Errors: Invalid at a blank, Unavailable.
func (s *Service) Pose(ctx context.Context, scope access.Scope, key string, in Filling, when Period, why string) (out Reply, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, err
	}
	p, ok := FindPhrase(key)
	if !ok {
		return out, fault.New(fault.NotFound, "traces.phrase.unknown")
	}
	out.Phrase, out.When = p, when
	if out.Filling, err = p.Fill(in); err != nil {
		return out, err
	}
	table, events, curve := p.questions(out.Filling, when)
	for _, q := range []Question{table, events, curve} {
		if err := q.Check(); err != nil {
			return out, err
		}
	}
	if err := s.noteLook(ctx, scope, Look{Phrase: key, Why: why}, table); err != nil {
		return out, err
	}
	_, base, err := s.connected()
	if err != nil {
		return out, err
	}
	for _, x := range []struct {
		q  Question
		to *Answer
	}{{table, &out.Table}, {events, &out.Events}, {curve, &out.Curve}} {
		if *x.to, err = base.Ask(ctx, scope.Organisation(), x.q); err != nil {
			return out, err
		}
	}
	out.least()
	out.compare()
	slices.SortFunc(out.Curve.Groups, func(a, b Group) int { return strings.Compare(a.Keys[0], b.Keys[0]) })
	return out, nil
}

// least leaves out the lines that the phrase does not ask for; the largest come
// first.
func (r *Reply) least() {
	kept := slices.DeleteFunc(r.Table.Groups, func(g Group) bool { return g.Count < r.Phrase.Least })
	if len(kept) < len(r.Table.Groups) {
		r.Table.More = false
	}
	if r.Phrase.Least > 0 {
		r.Table.Total = int64(len(kept))
	}
	r.Table.Groups = kept
}

// compare puts each line beside those of its function.
func (r *Reply) compare() {
	at := slices.Index(r.Phrase.Group, FieldFunction)
	if !r.Phrase.Many || at < 0 {
		return
	}
	counts := map[string][]int64{}
	for _, g := range r.Table.Groups {
		counts[g.Keys[at]] = append(counts[g.Keys[at]], g.Count)
	}
	for _, list := range counts {
		slices.Sort(list)
	}
	for _, g := range r.Table.Groups {
		list := counts[g.Keys[at]]
		m := list[len(list)/2]
		r.Peers = append(r.Peers, Peer{Median: m, Of: len(list), Far: len(list) >= 5 && g.Count > 3*m})
	}
}
