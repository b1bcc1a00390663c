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
	// Subjects tells how many of Phrase.Counted there are, with the one most
	// seen; Nameless is how many events name none.
	Subjects Answer
	Nameless int64
	// Peers compares each line of the table with those of the same function, in
	// the order of the table; only for phrases that compare.
	Peers []Peer
	// Circle is how many accounts or numbers the question was about, for phrases
	// that are about a circle: with none, nothing was asked.
	Circle int
}

// Peer is how a line stands among those of its function.
type Peer struct {
	// Median is that of the function; Of how many have it.
	Median int64
	Of     int
	// Far tells more than three times the median, of at least five peers.
	Far bool
}

// Bounds gives the first and the last event, UTC microseconds; zero for none.
func (r Reply) Bounds() (first, last int64) {
	for _, g := range r.Curve.Groups {
		if first == 0 || g.First < first {
			first = g.First
		}
		last = max(last, g.Last)
	}
	return first, last
}

// Pose asks a phrase. One look is traced for all its questions. Needs
// access.TracesAsk. Errors: Invalid at a blank, Unavailable.
func (s *Service) Pose(ctx context.Context, scope access.Scope, l Look, in Filling, when Period) (out Reply, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, err
	}
	p, ok := FindPhrase(l.Phrase)
	if !ok {
		return out, fault.New(fault.NotFound, "traces.phrase.unknown")
	}
	filling, err := p.Fill(in)
	if err != nil {
		return out, err
	}
	return s.pose(ctx, scope, l, p, filling, when)
}

// pose asks what a phrase asks, of whoever was found to be entitled.
func (s *Service) pose(ctx context.Context, scope access.Scope, l Look, p Phrase, in Filling, when Period) (out Reply, err error) {
	out.Phrase, out.When, out.Filling = p, when, in
	parts := []Question{p.base(in, when)}
	if p.Circle != "" {
		if parts, out.Circle, err = s.around(ctx, scope, p, in, parts[0]); err != nil || out.Circle == 0 {
			return out, err
		}
	}
	var questions []Question
	for _, part := range parts {
		table, events, curve := p.questions(part, when)
		named, nameless := p.subjects(events)
		questions = append(questions, table, events, curve, named, nameless)
	}
	if len(questions) == 0 {
		return out, nil
	}
	answers, err := s.ask(ctx, scope, l, questions...)
	if err != nil {
		return out, err
	}
	for i := 0; i < len(answers); i += 5 {
		out.add(answers[i : i+5])
	}
	out.order(len(parts))
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
	if at < 0 {
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
