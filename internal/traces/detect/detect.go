package detect

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// Threshold is the score from which something is told: the one at which the
// laboratory's hospitals (traces/lab, seeds 1 to 3) cost at most one alert per
// 1,000 accesses.
const Threshold = 38

// Options are what the detection rests on.
type Options struct {
	Carer traces.Carer
	Staff traces.Staff
	// Zone gives the zone of an establishment, in which hours are usual or not;
	// nil is Europe/Paris for all.
	Zone func(organisation uuid.UUID) *time.Location
	// Ours tells the sources that are Tocsin itself: a look at the traces is a
	// trace too, and no access to a record. nil: none is.
	Ours func(source uuid.UUID) bool
	// Threshold is the score from which something is told, that of this package
	// when zero.
	Threshold int
	// Patients and Accounts bound what is remembered of each, 50,000 and 30,000
	// when zero; what was unseen for longest is forgotten first.
	Patients, Accounts int
}

// How long what was asked is believed, by the clock of the events: a stay that
// begins is known within minutes, and asked again before anything is told.
const (
	second = int64(time.Second / time.Microsecond)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	patientFor = 10 * minute
	memberFor  = 30 * minute
	coverFor   = 5 * minute
)

// Detector looks at accesses to the records of patients. Its calls may come from
// several goroutines; they take their turn.
type Detector struct {
	opt Options

	mu    sync.Mutex
	clock int64 // the latest Received
	// houses are the establishments.
	houses map[uuid.UUID]*house
	// folded keeps texts folded, oncalls what Staff said of rosters.
	folded  map[string]string
	oncalls map[oncallKey]bool
	hits    []traces.Hit
}

// house is what is known of one establishment.
type house struct {
	id        uuid.UUID
	zone      *time.Location
	calendar  calendar
	covered   bool
	coveredAt int64

	patients cache[patientKey, *facts]
	actors   map[string]*actor
	names    frequencies // surnames, addresses and streets of the patients seen
	roles    map[string]*role
	glass    map[string]*tally // break-glass by service

	incidents map[incidentKey]*incident
	queue     []incidentKey

	volume    volume
	community community
	counts    map[traces.Count]*traces.Share
	cost      Cost
}

// New returns a detector that has learnt nothing yet.
func New(opt Options) *Detector {
	if opt.Threshold == 0 {
		opt.Threshold = Threshold
	}
	if opt.Patients == 0 {
		opt.Patients = 50_000
	}
	if opt.Accounts == 0 {
		opt.Accounts = 30_000
	}
	return &Detector{opt: opt, houses: map[uuid.UUID]*house{}, folded: map[string]string{}, oncalls: map[oncallKey]bool{}}
}

// Observe implements traces.Detector. Errors: those of ctx.
func (d *Detector) Observe(ctx context.Context, events []traces.Event) ([]traces.Hit, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hits = nil
	for i := range events {
		e := &events[i]
		d.clock = max(d.clock, e.Received)
		if !opens(e) || d.opt.Ours != nil && d.opt.Ours(e.Source) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return d.hits, err
		}
		d.access(ctx, e)
	}
	d.settle(ctx)
	return d.hits, nil
}

// Due tells what the silence since the last event makes ready: an access is
// judged once its session is over. now is UTC microseconds.
func (d *Detector) Due(ctx context.Context, now int64) []traces.Hit {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hits = nil
	d.clock = max(d.clock, now)
	d.settle(ctx)
	return d.hits
}

// opens tells whether an event is somebody opening the record of a patient. What
// was refused opened nothing, and a list of names found is no record.
func opens(e *traces.Event) bool {
	if e.Class != traces.PatientAccess || e.Account == "" || e.IPP == "" && e.INS == "" {
		return false
	}
	switch e.Action {
	case traces.Search, traces.Login, traces.Logout, traces.Start, traces.Stop:
		return false
	}
	return e.Outcome != traces.Denied && e.Outcome != traces.Failure
}

func (d *Detector) house(id uuid.UUID) *house {
	if h := d.houses[id]; h != nil {
		return h
	}
	h := newHouse(id, d.opt)
	d.houses[id] = h
	return h
}

func newHouse(id uuid.UUID, opt Options) *house {
	h := &house{
		id: id, actors: map[string]*actor{}, roles: map[string]*role{}, glass: map[string]*tally{},
		incidents: map[incidentKey]*incident{}, counts: map[traces.Count]*traces.Share{}, cost: Cost{Organisation: id},
		names: frequencies{of: map[uint64]uint32{}}, volume: newVolume(), community: newCommunity(), coveredAt: -coverFor,
	}
	h.patients.most = opt.Patients
	if opt.Zone != nil {
		h.zone = opt.Zone(id)
	}
	if h.zone == nil {
		var err error
		if h.zone, err = time.LoadLocation("Europe/Paris"); err != nil {
			h.zone = time.UTC // the zones are in the program (internal/clock)
		}
	}
	h.calendar.zone = h.zone
	return h
}

// access looks at one opening of a record.
func (d *Detector) access(ctx context.Context, e *traces.Event) {
	h := d.house(e.Organisation)
	h.cost.Accesses++
	slot := h.calendar.slot(e.At)
	covered, err := d.covered(ctx, h)
	if err != nil {
		h.count(d, e, notJudged)
		return
	}
	a, err := d.actor(ctx, h, e)
	if err != nil {
		h.count(d, e, notJudged)
		return
	}
	if a.member.Machine {
		return // nobody acts under it: it opens records by the thousand
	}
	p, err := d.patient(ctx, h, e)
	if err != nil {
		h.count(d, e, notJudged)
		return
	}
	why, err := d.explain(ctx, h, a, p, e)
	if err != nil {
		h.count(d, e, notJudged)
		return
	}
	unexplained := covered && why == nothing
	h.count(d, e, judged(covered, unexplained))
	left := a.gone(e.At)
	if unexplained || left {
		d.open(ctx, h, a, p, e, slot, left, unexplained)
	}
	h.learn(a, h.role(d.function(a, e)), d.ward(a, e), e, slot, covered, unexplained)
	d.breadth(h, a, p, e, slot, unexplained)
	if why != nothing {
		h.community.taught(a, p)
	}
	h.community.see(a, p, e.At)
}

// covered tells whether the establishment gives messages of care.
func (d *Detector) covered(ctx context.Context, h *house) (bool, error) {
	if d.clock-h.coveredAt < coverFor {
		return h.covered, nil
	}
	covered, err := d.opt.Carer.Covered(ctx, h.id)
	if err != nil {
		return false, err
	}
	h.covered, h.coveredAt = covered, d.clock
	return covered, nil
}

const foldedMost = 20_000

// fold folds a text; the same few come again and again. What it keeps is its
// own: the bytes of an event are the caller's again.
func (d *Detector) fold(s string) string {
	if s == "" {
		return ""
	}
	if f, ok := d.folded[s]; ok {
		return f
	}
	if len(d.folded) >= foldedMost {
		clear(d.folded)
	}
	own := clone(s)
	f := fold(own)
	d.folded[own] = f
	return f
}
