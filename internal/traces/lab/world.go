package lab

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/storage"
)

// Options say how large the hospital is, and for how long. Zero values are those
// of Defaults.
type Options struct {
	Organisation uuid.UUID
	Seed         uint64
	// Start is the first midnight, in Paris.
	Start            time.Time
	Days             int
	People, Patients int
	// Events is about how many are wanted; zero lets people work as they do.
	Events int64
	// Calm is how many days pass before the first planted access: those in which a
	// detection learns.
	Calm int
	// Wrong is the number of events for each planted misbehaviour.
	Wrong int
}

// Defaults fills what is zero: 400 people for four weeks, ten of the days calm.
func (o Options) Defaults() Options {
	if o.Organisation == uuid.Nil {
		o.Organisation = uuid.MustParse("0190aaaa-0000-7000-8000-00000000001a")
	}
	if o.People == 0 {
		o.People = 400
	}
	if o.Patients == 0 {
		o.Patients = o.People * 46
	}
	if o.Days == 0 {
		o.Days = 28
	}
	if o.Calm == 0 {
		o.Calm = o.Days * 2 / 5
	}
	if o.Wrong == 0 {
		o.Wrong = 3000
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 10, 19, 0, 0, 0, 0, paris())
	}
	return o
}

func paris() *time.Location {
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return time.UTC
	}
	return l
}

// function is a profession with how it works.
type function struct {
	name    string
	pace    float64 // records opened in an hour
	shifts  bool    // in three shifts, weekends too; others work office hours
	writes  bool
	doctor  bool
	shareOf float64 // of the people of a ward
}

var wardFunctions = [...]function{
	{"IDE", 7, true, true, false, 0.38},
	{"Aide-soignant", 3, true, true, false, 0.20},
	{"Médecin", 6, false, true, true, 0.14},
	{"Interne", 7, false, true, true, 0.08},
	{"Secrétaire médicale", 7, false, false, false, 0.10},
	{"Kinésithérapeute", 3, false, true, false, 0.05},
	{"Cadre de santé", 3, false, false, false, 0.05},
}

// across are the services that work for all others.
var across = [...]struct {
	name  string
	share float64 // of all people
	function
	application string
}{
	{"Laboratoire", 0.045, function{name: "Technicien de laboratoire", pace: 14, shifts: true, writes: true}, "GLIMS"},
	{"Imagerie", 0.045, function{name: "Manipulateur", pace: 6, shifts: true, writes: true}, "Xplore"},
	{"Pharmacie", 0.03, function{name: "Pharmacien", pace: 12, writes: true}, "Pharma"},
	{"DIM", 0.012, function{name: "Technicien d’information médicale", pace: 9}, "DxCare"},
	{"Archives", 0.01, function{name: "Archiviste", pace: 8}, "DxCare"},
	{"Admissions", 0.03, function{name: "Agent des admissions", pace: 10, shifts: true, writes: true}, "Easily"},
}

const (
	laboratory = iota
	imaging
	pharmacy
	coding
	archive
	admissions
)

type service struct {
	name, folded, site, application string
	stations                        []string
	people                          []int // who work there
	doctors                         []int
	inside                          []int // the patients who stay
	beds                            int
	booked                          []int // appointments of the day
	gone                            []int // the last who left
	orders                          []int // the last prescriptions, for a service across
}

type person struct {
	account, name, surname, given, folded string
	function                              *function
	service                               int
	offset, shift                         int
	stations                              [4]int
	home                                  home
	told                                  bool // the address is in the staff's file
	left                                  int64
	record                                int // as a patient, −1: none
	recordTold                            bool
	relatives                             []int
	lent                                  bool
	near                                  []int // patients of the same street
}

type home struct {
	number, street int
}

// Folded as a file of staff and a message of care write it.
func (h home) folded() (address, postal string) {
	return fmt.Sprintf("%d rue %s", h.number, storage.Fold(surname(3000+h.street))), strconv.Itoa(69000 + h.street%60)
}

type patient struct {
	ipp, ins, name         string
	surname, birth, given  string
	home                   home
	wellKnown              bool
	staff                  int // who works here, −1
	staffTold              bool
	stay                   string
	ward                   int // where the patient is now, −1
	leaves                 int64
	to                     int
	relations              []relation
	missing                bool // no message tells of the stay that runs
	openStay, openPharmacy int  // the relations that run, −1
}

// Hospital gives events in the order in which they happen, and answers for the
// care and the staff as they are known at that time.
type Hospital struct {
	opt      Options
	rng      *rand.Rand
	zone     *time.Location
	people   []person
	patients []patient
	services []service
	wards    int
	accounts map[string]int
	ipps     map[string]int
	inss     map[string]int
	sources  map[string]uuid.UUID
	leavers  []int
	famous   []int
	streets  map[int][]int

	hourAt  time.Time
	scale   float64
	begun   bool
	whole   bool // no relation is forgotten: they are written at the end
	now     int64
	debt    float64
	given   int64
	stays   int
	former  []int
	ready   []labelled
	next    int
	raw     []byte
	planted []Planted
	deck    []Kind
	duty    []int // who works in the hour that is made
}

// New builds the hospital.
func New(opt Options) *Hospital {
	opt = opt.Defaults()
	h := &Hospital{
		opt: opt, rng: rand.New(rand.NewPCG(opt.Seed, 0x1ab)), zone: paris(), accounts: map[string]int{}, ipps: map[string]int{}, inss: map[string]int{}, //nolint:gosec // an invented hospital, no secret
		sources: map[string]uuid.UUID{}, streets: map[int][]int{}, hourAt: opt.Start,
	}
	for i, a := range [...]string{"DxCare", "GLIMS", "Xplore", "Pharma", "Easily"} {
		h.sources[a] = uuid.UUID{0x01, 0x90, 0xaa, 0xaa, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, byte(i + 1)}
	}
	h.buildServices()
	h.buildPatients()
	h.buildPeople()
	h.tie()
	h.scale = 1
	if opt.Events > 0 {
		h.scale = float64(opt.Events) / (h.workload() * float64(opt.Days) / 7)
	}
	return h
}

func (h *Hospital) buildServices() {
	h.wards = max(3, h.opt.People/42)
	for i := range h.wards + len(across) {
		s := service{site: "Site " + string(rune('A'+i%3)), application: "DxCare", beds: 22 + h.rng.IntN(10)}
		switch {
		case i == 0:
			s.name, s.beds = "Urgences", 30
		case i < h.wards:
			s.name = specialties[(i-1)%len(specialties)]
			if n := (i - 1) / len(specialties); n > 0 {
				s.name += " " + strconv.Itoa(n+1)
			}
		default:
			s.name, s.application = across[i-h.wards].name, across[i-h.wards].application
		}
		s.folded = storage.Fold(s.name)
		for j := range 16 {
			s.stations = append(s.stations, fmt.Sprintf("PC-%03d-%02d", i, j))
		}
		h.services = append(h.services, s)
	}
}

func (h *Hospital) home() home {
	return home{1 + h.rng.IntN(90), h.rng.IntN(max(30, h.opt.Patients/60))}
}

func (h *Hospital) buildPatients() {
	h.patients = make([]patient, h.opt.Patients)
	for i := range h.patients {
		p := &h.patients[i]
		*p = patient{ipp: strconv.Itoa(800000000 + i*7 + h.rng.IntN(7)), given: given(h.rng), surname: surname(h.rank()), home: h.home(), staff: -1, ward: -1, openStay: -1, openPharmacy: -1}
		p.birth = p.surname
		if h.rng.IntN(4) == 0 {
			p.birth = surname(h.rank())
		}
		if h.rng.IntN(10) < 7 {
			p.ins = fmt.Sprintf("%d%02d%02d%02d%03d%03d%02d", 1+h.rng.IntN(2), h.rng.IntN(100), 1+h.rng.IntN(12), 1+h.rng.IntN(95), h.rng.IntN(1000), h.rng.IntN(1000), 1+h.rng.IntN(97))
		}
	}
	for range 6 {
		i := h.rng.IntN(len(h.patients))
		h.patients[i].wellKnown = true
		h.famous = append(h.famous, i)
	}
}

// rank draws a surname as common as it is: the first is that of one person in
// 300, as Martin in France.
func (h *Hospital) rank() int {
	return int(60*math.Pow(float64(surnames+60)/60, h.rng.Float64()) - 60)
}

func (h *Hospital) buildPeople() {
	for i := range h.opt.People {
		p := person{offset: h.rng.IntN(7), shift: h.rng.IntN(4), record: -1, home: h.home(), told: h.rng.IntN(4) > 0}
		p.service, p.function = h.post(i)
		p.surname, p.given = surname(h.rank()), given(h.rng)
		p.name = p.given + " " + p.surname
		p.account = "u" + strconv.Itoa(10000+i)
		p.folded = storage.Fold(p.function.name)
		for j := range p.stations {
			p.stations[j] = h.rng.IntN(16)
		}
		p.lent = p.function.name == "IDE" && p.service < h.wards && h.rng.IntN(20) == 0
		if h.rng.IntN(40) == 0 {
			p.left = h.opt.Start.AddDate(0, 0, h.opt.Calm/2+h.rng.IntN(max(1, h.opt.Days-h.opt.Calm/2))).UnixMicro()
			h.leavers = append(h.leavers, i)
		}
		s := &h.services[p.service]
		s.people = append(s.people, i)
		if p.function.doctor {
			s.doctors = append(s.doctors, i)
		}
		h.accounts[p.account] = i
		h.people = append(h.people, p)
	}
}

// post gives the service and the function of the n-th person.
func (h *Hospital) post(n int) (int, *function) {
	x := (float64(n) + 0.5) / float64(h.opt.People)
	for i := range across {
		if x < across[i].share {
			return h.wards + i, &across[i].function
		}
		x -= across[i].share
	}
	x = h.rng.Float64()
	for i := range wardFunctions {
		if x -= wardFunctions[i].shareOf; x < 0 {
			return n % h.wards, &wardFunctions[i]
		}
	}
	return n % h.wards, &wardFunctions[0]
}

// tie makes relatives, neighbours, and people who are patients of the house.
func (h *Hospital) tie() {
	for i := range h.people {
		p := &h.people[i]
		if h.rng.IntN(10) < 5 {
			p.record = h.rng.IntN(len(h.patients))
			r := &h.patients[p.record]
			r.surname, r.birth, r.given, r.home, r.staff, r.staffTold = p.surname, p.surname, p.given, p.home, i, h.rng.IntN(10) < 7
			p.recordTold = h.rng.IntN(10) < 3
		}
		for range h.rng.IntN(4) {
			k := h.rng.IntN(len(h.patients))
			if h.patients[k].staff >= 0 {
				continue
			}
			r := &h.patients[k]
			switch n := h.rng.IntN(100); {
			case n < 60:
				r.surname, r.birth = p.surname, p.surname
			case n < 75:
				r.birth = p.surname
			}
			if h.rng.IntN(2) == 0 {
				r.home = p.home
			}
			p.relatives = append(p.relatives, k)
		}
	}
	for i := range h.patients {
		p := &h.patients[i]
		p.name = p.surname + " " + p.given
		h.ipps[p.ipp] = i
		if p.ins != "" {
			h.inss[p.ins] = i
		}
		h.streets[p.home.street] = append(h.streets[p.home.street], i)
	}
	for i := range h.people {
		for _, k := range h.streets[h.people[i].home.street] {
			if h.patients[k].staff != i {
				h.people[i].near = append(h.people[i].near, k)
			}
		}
	}
}
