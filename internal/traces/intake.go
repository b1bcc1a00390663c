package traces

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

const (
	// knownFor is how long the list of sources is kept before it is read again.
	knownFor = 30 * time.Second
	// samplesKept is how many messages that were not understood are kept of a source.
	samplesKept = 10
	sampleBytes = 2000
)

// Speaker is a source that was recognised and may speak.
type Speaker struct {
	Source
	organisation uuid.UUID
}

// Organisation is the establishment of the source.
func (s Speaker) Organisation() uuid.UUID { return s.organisation }

// Speaker gives a source whose traces this program fetches itself. Errors:
// NotFound, also when it was retired.
func (s *Service) Speaker(ctx context.Context, organisation, source uuid.UUID) (Speaker, error) {
	known, _, err := s.speakers(ctx)
	if err != nil {
		return Speaker{}, err
	}
	for _, p := range known {
		if p.organisation == organisation && p.ID == source {
			return Speaker(p), nil
		}
	}
	return Speaker{}, fault.New(fault.NotFound, "traces.source.unknown")
}

// hearing is what a source said since it was last written down.
type hearing struct {
	organisation     uuid.UUID
	events, failures int64
	first, last, at  int64
	// ahead is the sum of the differences of clocks, over timed events, µs.
	ahead, timed int64
	hours        map[int64]*Hour
	samples      []Sample
}

// forget has the sources read again: one of them changed.
func (s *Service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knownAt = time.Time{}
}

// speakers gives the sources that speak, read at most every knownFor.
func (s *Service) speakers(ctx context.Context) ([]placed, map[string]int, error) {
	now := s.opt.Clock.Now()
	s.mu.Lock()
	known, tokens, fresh := s.known, s.tokens, !s.knownAt.IsZero() && now.Sub(s.knownAt) < knownFor
	s.mu.Unlock()
	if fresh {
		return known, tokens, nil
	}
	tokens = map[string]int{}
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		var err error
		if known, err = readSources(ctx, tx, `retired_us IS NULL ORDER BY organisation_id, id`); err != nil {
			return err
		}
		place := make(map[uuid.UUID]int, len(known))
		for i, p := range known {
			place[p.ID] = i
		}
		return tx.Query(ctx, `SELECT id, token_hash FROM traces_sources WHERE retired_us IS NULL`, nil, func(row func(...any) error) error {
			var id uuid.UUID
			var hash []byte
			if err := row(&id, &hash); err != nil {
				return err
			}
			if i, ok := place[id]; ok {
				tokens[string(hash)] = i
			}
			return nil
		})
	})
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known, s.tokens, s.knownAt = known, tokens, now
	return known, tokens, nil
}

// Spoken tells whether any source may speak.
func (s *Service) Spoken(ctx context.Context) (bool, error) {
	known, _, err := s.speakers(ctx)
	return len(known) > 0, err
}

// ByToken recognises a source. Errors: Unauthenticated.
func (s *Service) ByToken(ctx context.Context, token string) (Speaker, error) {
	refused := fault.New(fault.Unauthenticated, "traces.intake.token")
	if token == "" || len(token) > 200 {
		return Speaker{}, refused
	}
	known, tokens, err := s.speakers(ctx)
	if err != nil {
		return Speaker{}, err
	}
	i, ok := tokens[string(vault.Digest(token))]
	if !ok {
		return Speaker{}, refused
	}
	return Speaker{known[i].Source, known[i].organisation}, nil
}

// ByAddress recognises the source of one of some formats that speaks from an
// address without a token: the one whose network is the narrowest. Errors:
// Unauthenticated when none is, or when two are equally near.
func (s *Service) ByAddress(ctx context.Context, from netip.Addr, formats ...string) (Speaker, error) {
	refused := fault.New(fault.Unauthenticated, "traces.intake.address", "address", from.Unmap().String())
	known, _, err := s.speakers(ctx)
	if err != nil {
		return Speaker{}, err
	}
	best, narrowest, shared := -1, -1, false
	for i, p := range known {
		if !oneOf(p.Format, formats) {
			continue
		}
		for _, n := range p.Addresses {
			switch {
			case !n.Contains(from.Unmap()) || n.Bits() < narrowest:
			case n.Bits() == narrowest && best != i:
				shared = true
			default:
				best, narrowest, shared = i, n.Bits(), false
			}
		}
	}
	if best < 0 || shared {
		return Speaker{}, refused
	}
	return Speaker{known[best].Source, known[best].organisation}, nil
}

func oneOf(word string, words []string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return len(words) == 0
}

// Reader gives the reader of a format that a source speaks by the door it came
// in, whatever format it was declared with; nil when the product has none.
func (s *Service) Reader(format string, from Speaker) Format {
	f, _ := s.format(format, from.Zone)
	return f
}

// Parse reads one message in the format of the source. What it could not
// understand is kept in the event and told in the fault.
func (s *Service) Parse(dst []Event, from Speaker, message []byte, received int64) ([]Event, error) {
	f, ok := s.format(from.Format, from.Zone)
	if !ok && slices.ContainsFunc(s.opt.Feeds, func(d Description) bool { return d.Name == from.Format }) {
		return dst, fault.New(fault.Invalid, "traces.intake.feed")
	}
	if !ok {
		return dst, fault.New(fault.Invalid, "traces.source.format")
	}
	return f.Parse(dst, message, received)
}

// Take keeps events of a source: it returns nil once they are on the disk. The
// reasons tell, by event, what could not be understood; nil for none. Errors:
// Unavailable when the disk or the queue takes no more.
func (s *Service) Take(ctx context.Context, from Speaker, events []Event, reasons []error) error {
	queue, _, err := s.connected()
	if err != nil {
		return err
	}
	p, ok := s.papers.Get().(*paper)
	if !ok {
		p = &paper{}
	}
	defer s.papers.Put(p)
	for i := range events {
		e := &events[i]
		e.Organisation, e.Source = from.organisation, from.ID
		e.Class = Classify(e, from.Biomedical)
		e.Bound(len(e.Raw))
	}
	if _, err := queue.Append(ctx, p.write(events)...); err != nil {
		return err
	}
	s.hear(from, events, reasons)
	return nil
}

// paper is what records are written on. The queue copies them: it serves again.
type paper struct {
	text    []byte
	records [][]byte
}

// paperMost is the largest that is kept, bytes: what one huge event needed is
// given back.
const paperMost = 8 << 20

func (p *paper) write(events []Event) [][]byte {
	if cap(p.text) > paperMost {
		p.text = nil
	}
	p.text, p.records = p.text[:0], p.records[:0]
	var ends []int
	for i := range events {
		p.text = AppendRecord(p.text, &events[i])
		ends = append(ends, len(p.text))
	}
	start := 0
	for _, end := range ends {
		p.records = append(p.records, p.text[start:end:end])
		start = end
	}
	return p.records
}

// Heard counts a message of a source that gives no trace: it was kept elsewhere,
// or could not be read, and then it is kept as a sample.
func (s *Service) Heard(from Speaker, message []byte, received int64, unread error) {
	s.hear(from, []Event{{At: received, AtGuessed: true, Received: received, Raw: message}}, []error{unread})
}

// hear counts what a source said.
func (s *Service) hear(from Speaker, events []Event, reasons []error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.heard[from.ID]
	if h == nil {
		h = &hearing{organisation: from.organisation, hours: map[int64]*Hour{}}
		s.heard[from.ID] = h
	}
	for i := range events {
		e := &events[i]
		hour := e.Received - e.Received%int64(time.Hour/time.Microsecond)
		if h.hours[hour] == nil {
			h.hours[hour] = &Hour{From: storage.Time(hour)}
		}
		h.events++
		h.hours[hour].Events++
		if h.first == 0 {
			h.first = e.Received
		}
		h.last = max(h.last, e.Received)
		if !e.AtGuessed {
			h.at = max(h.at, e.At)
			h.ahead += e.At - e.Received
			h.timed++
		}
		if i < len(reasons) && reasons[i] != nil {
			h.failures++
			h.hours[hour].Failures++
			h.samples = append(h.samples, Sample{Received: storage.Time(e.Received), Reason: reasonOf(reasons[i]), Text: Cut(string(e.Raw[:min(len(e.Raw), sampleBytes+4)]), sampleBytes)})
			if len(h.samples) > samplesKept {
				h.samples = h.samples[1:]
			}
		}
	}
}

// reasonOf is what is kept of a fault: its sentence is made when it is shown.
func reasonOf(err error) string {
	if f := fault.As(err); f != nil {
		return f.Key
	}
	return "traces.intake.unread"
}
