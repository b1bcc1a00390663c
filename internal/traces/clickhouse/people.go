package clickhouse

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// An identity is what an event says of a patient: his number in the
// establishment, his national identity, or both. Those that say both tie numbers
// together: what is tied is one patient. Ties are few beside events, and are kept
// in memory for as long as the table does not change.

// knownMost bounds the identities remembered as stored; then the memory begins
// again, and some are stored twice, which their table makes one.
const knownMost = 1 << 20

func (e *Engine) storeIdentities(ctx context.Context, fresh []arrival) error {
	var rows []byte
	var marks [][16]byte
	now := e.opt.Now().UnixMicro()
	batch := map[[16]byte]bool{}
	for _, a := range fresh {
		if a.IPP == "" && a.INS == "" {
			continue
		}
		mark := identityMark(&a.Event)
		if _, known := e.known[mark]; known || batch[mark] {
			continue
		}
		batch[mark], marks = true, append(marks, mark)
		rows = appendText(appendText(appendText(rows, a.Organisation.String()), a.IPP), a.INS)
		rows = appendInt64(rows, now)
	}
	if len(rows) == 0 {
		return nil
	}
	if err := e.insert(ctx, identitiesTable, rows); err != nil {
		return fmt.Errorf("patients of traces: %w", err)
	}
	if len(e.known)+len(marks) > knownMost {
		clear(e.known)
	}
	for _, m := range marks {
		e.known[m] = struct{}{}
	}
	return nil
}

func identityMark(ev *traces.Event) [16]byte {
	sum := sha256.Sum256(appendText(appendText(append([]byte(nil), ev.Organisation[:]...), ev.IPP), ev.INS))
	return [16]byte(sum[:16])
}

// people are the ties of an establishment. A number is written with a letter
// before it: "p" for one of the establishment, "n" for a national identity.
type people struct {
	version string
	group   map[string]*patient
}

// patient is what is tied together, and what it is told by: the first number of
// the establishment in the order of bytes.
type patient struct {
	numbers []string
	first   string
}

func (p *patient) add(number string) {
	p.numbers = append(p.numbers, number)
	if p.first == "" || better(number, p.first) {
		p.first = number
	}
}

func better(a, b string) bool {
	if a[0] != b[0] {
		return a[0] == 'p'
	}
	return a < b
}

// tie makes one patient of two numbers.
func (p *people) tie(a, b string) {
	left, right := p.of(a), p.of(b)
	if left == right {
		return
	}
	if len(left.numbers) < len(right.numbers) {
		left, right = right, left
	}
	for _, n := range right.numbers {
		left.add(n)
		p.group[n] = left
	}
}

func (p *people) of(number string) *patient {
	g := p.group[number]
	if g == nil {
		g = &patient{}
		g.add(number)
		p.group[number] = g
	}
	return g
}

// peopleOf gives the ties of an establishment, read again when they changed.
func (e *Engine) peopleOf(ctx context.Context, organisation uuid.UUID) (*people, error) {
	ties := " FROM " + identitiesTable + " WHERE organisation = " + own(organisation) + " AND ipp <> '' AND ins <> ''"
	r, err := e.at.query(ctx, "SELECT concat(toString(count()), ' ', toString(max(told)), ' ', toString(sum(cityHash64(ipp, ins))))"+ties)
	if err != nil {
		return nil, fmt.Errorf("patients of traces: %w", err)
	}
	version := r.text()
	if err := r.err(); err != nil {
		return nil, err
	}
	e.looking.Lock()
	known := e.people[organisation]
	e.looking.Unlock()
	if known != nil && known.version == version {
		return known, nil
	}
	if r, err = e.at.query(ctx, "SELECT DISTINCT ipp, ins"+ties); err != nil {
		return nil, fmt.Errorf("patients of traces: %w", err)
	}
	p := &people{version: version, group: map[string]*patient{}}
	for r.more() {
		p.tie("p"+r.text(), "n"+r.text())
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	e.looking.Lock()
	e.people[organisation] = p
	e.looking.Unlock()
	return p, nil
}

// spread gives, of some numbers, all that are tied with them: those of the
// establishment, and national identities.
func (p *people) spread(numbers map[string]bool) (ipps, inss []string) {
	all := maps.Clone(numbers)
	for n := range numbers {
		if g := p.group[n]; g != nil {
			for _, tied := range g.numbers {
				all[tied] = true
			}
		}
	}
	for n := range all {
		if n[0] == 'p' {
			ipps = append(ipps, n[1:])
		} else {
			inss = append(inss, n[1:])
		}
	}
	slices.Sort(ipps)
	slices.Sort(inss)
	return ipps, inss
}

// told writes by what each number that is not the first of its patient is told.
func (p *people) told() []byte {
	var out []byte
	for n, g := range p.group {
		if n != g.first {
			out = appendText(appendText(out, n), g.first)
		}
	}
	return out
}
