// Package sample is « Journée ordinaire »: invented events of a hospital, as its
// applications would tell them, for measurements. The same seed gives the same
// events.
//
// It promises the shape of real traces: few people, many patients, records
// opened again and again within a stay, shifts, an original of some 370 bytes of
// JSON beside each event. It plants no misbehaviour: that is the laboratory's.
package sample

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// Options say how large the hospital is. Zero values are those of the bars of
// `tocsin bench traces`.
type Options struct {
	Organisation uuid.UUID
	// People and Patients are 4,300 and 200,000 when zero, Services 40.
	People, Patients, Services int
	// Start is the time of the first event and Days the span over which Events
	// are spread evenly: 30 days when zero.
	Start  time.Time
	Days   int
	Events int64
	// Keys gives each event an id, as protocols that carry one do.
	Keys bool
	Seed uint64
}

// Hospital gives events in the order in which they are received.
type Hospital struct {
	opt      Options
	rng      *rand.Rand
	people   []person
	patients []patient
	services []service
	sources  []uuid.UUID
	step     float64
	given    int64
	raw      []byte
}

type person struct {
	account, name, function string
	service, station        int
}

type patient struct {
	ipp, ins, name, stay string
}

type service struct {
	name, site string
	stations   []station
	// present are the patients that the service opens, renewed as they leave.
	present []int
}

type station struct{ name, address string }

type application struct{ name, collector string }

var (
	applications = []application{{"DxCare", "json"}, {"Xplore", "atna"}, {"GLIMS", "json"}, {"Pharma", "json"}, {"Easily", "fhir"}, {"Chimio", "json"}}
	functions    = []string{"IDE", "AS", "Médecin", "Interne", "Cadre de santé", "Secrétaire médicale", "Pharmacien", "Manipulateur", "Technicien de laboratoire", "Kinésithérapeute"}
	firstNames   = []string{"Marie", "Jean", "Léa", "Paul", "Chloé", "Hugo", "Inès", "Louis", "Zoé", "Karim", "Aïcha", "Noël", "Agnès", "Rémi", "Fatou", "Yann"}
	lastNames    = []string{"MARTIN", "BERNARD", "DUBOIS", "THOMAS", "ROBERT", "PETIT", "DURAND", "LEROY", "MOREAU", "SIMON", "LAURENT", "LEFEBVRE", "MICHEL", "GARCIA", "DAVID", "BERTRAND", "ROUX", "VINCENT", "FOURNIER", "MOREL", "GIRARD", "ANDRÉ", "MERCIER", "DUPONT", "LAMBERT", "BONNET", "FRANÇOIS", "MARTINEZ", "LEGRAND", "GARNIER", "FAURE", "ROUSSEAU"}
	wards        = []string{"Cardiologie", "Urgences", "Réanimation", "Pédiatrie", "Maternité", "Gériatrie", "Oncologie", "Néphrologie", "Chirurgie", "Pneumologie"}
	kinds        = []string{"Compte rendu", "Prescription", "Résultat de laboratoire", "Imagerie", "Constantes", "Courrier", "Plan de soins", "Antécédents"}
	purposes     = []string{"TREAT", "TREAT", "TREAT", "TREAT", "HOPERAT", "HPAYMT"}
)

// New builds the hospital.
func New(opt Options) *Hospital {
	if opt.People == 0 {
		opt.People = 4300
	}
	if opt.Patients == 0 {
		opt.Patients = 200000
	}
	if opt.Services == 0 {
		opt.Services = 40
	}
	if opt.Days == 0 {
		opt.Days = 30
	}
	h := &Hospital{opt: opt, rng: rand.New(rand.NewPCG(opt.Seed, 5))}
	h.step = float64(opt.Days) * 24 * 3600 * 1e6 / float64(max(opt.Events, 1))
	for range applications {
		h.sources = append(h.sources, h.id())
	}
	for i := range opt.Patients {
		p := patient{ipp: strconv.Itoa(800000000 + i*7 + h.rng.IntN(7)), name: h.name(), stay: strconv.Itoa(2600000000 + i*3)}
		if h.rng.IntN(10) < 7 {
			p.ins = fmt.Sprintf("%d%02d%02d%02d%03d%03d%02d", 1+h.rng.IntN(2), h.rng.IntN(100), 1+h.rng.IntN(12), 1+h.rng.IntN(95), h.rng.IntN(1000), h.rng.IntN(1000), 1+h.rng.IntN(97))
		}
		h.patients = append(h.patients, p)
	}
	for i := range opt.Services {
		s := service{name: fmt.Sprintf("%s %d", wards[i%len(wards)], 1+i/len(wards)), site: "Site " + string(rune('A'+i%3))}
		for j := range 30 {
			s.stations = append(s.stations, station{fmt.Sprintf("PC-%03d-%02d", i, j), fmt.Sprintf("10.%d.%d.%d", i%3, i, 10+j)})
		}
		for range 60 {
			s.present = append(s.present, h.rng.IntN(opt.Patients))
		}
		h.services = append(h.services, s)
	}
	for i := range opt.People {
		n := h.name()
		h.people = append(h.people, person{account: fmt.Sprintf("u%05d", i*13%100000), name: n, function: functions[h.rng.IntN(len(functions))], service: h.rng.IntN(opt.Services), station: h.rng.IntN(30)})
	}
	return h
}

func (h *Hospital) id() (u uuid.UUID) {
	binary.LittleEndian.PutUint64(u[:8], h.rng.Uint64())
	binary.LittleEndian.PutUint64(u[8:], h.rng.Uint64())
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

func (h *Hospital) name() string {
	return firstNames[h.rng.IntN(len(firstNames))] + " " + lastNames[h.rng.IntN(len(lastNames))]
}

// Next fills an event. Its original is valid until the next call.
func (h *Hospital) Next(e *traces.Event) {
	at := h.opt.Start.UnixMicro() + int64(float64(h.given)*h.step)
	h.given++
	who := &h.people[h.rng.IntN(len(h.people))]
	where := &h.services[who.service]
	with := where.stations[who.station]
	app := h.rng.IntN(len(applications))
	*e = traces.Event{
		Organisation: h.opt.Organisation, Source: h.sources[app], Collector: applications[app].collector,
		At: at - h.rng.Int64N(2_000_000), Received: at, Account: who.account, Person: who.name, Function: who.function,
		Application: applications[app].name, Workstation: with.name, Address: with.address, Site: where.site, Service: where.name,
		Outcome: traces.Success, Severity: -1, Extra: e.Extra[:0],
	}
	if h.opt.Keys {
		e.Key = h.id().String()
	}
	switch n := h.rng.IntN(100); {
	case n < 88:
		h.opens(e, where)
	case n < 95:
		e.Class, e.Action, e.Verb = traces.Authentication, traces.Login, "ouverture de session"
		if h.rng.IntN(20) == 0 {
			e.Outcome, e.Message = traces.Denied, "mot de passe refusé"
		}
	default:
		e.Class, e.Action, e.Severity = traces.System, traces.Execute, 6
		e.Message = fmt.Sprintf("tâche %s terminée en %d ms, %d lignes", kinds[h.rng.IntN(len(kinds))], h.rng.IntN(30000), h.rng.IntN(5000))
		e.Account, e.Person, e.Function = "SYSTEM", "", ""
	}
	h.write(e)
	e.Raw = h.raw
}

// opens is a record looked at: mostly that of a patient who is there.
func (h *Hospital) opens(e *traces.Event, where *service) {
	i := h.rng.IntN(len(where.present))
	if h.rng.IntN(40) == 0 {
		where.present[i] = h.rng.IntN(len(h.patients))
	}
	p := &h.patients[where.present[i]]
	e.Class, e.IPP, e.PatientName, e.Stay = traces.PatientAccess, p.ipp, p.name, p.stay
	if h.rng.IntN(3) == 0 {
		e.INS = p.ins
	}
	e.Action, e.Verb = traces.Read, "consultation"
	if n := h.rng.IntN(20); n == 0 {
		e.Action, e.Verb = traces.Print, "impression"
	} else if n < 5 {
		e.Action, e.Verb = traces.Update, "modification"
	}
	e.Object = kinds[h.rng.IntN(len(kinds))]
	e.Document = "D" + strconv.Itoa(40000000+where.present[i]*20+h.rng.IntN(20))
	e.Purpose = purposes[h.rng.IntN(len(purposes))]
}

// write is the original: the JSON line of an application.
func (h *Hospital) write(e *traces.Event) {
	b := append(h.raw[:0], `{"timestamp":"`...)
	b = time.UnixMicro(e.At).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	for _, f := range [...]struct{ name, value string }{
		{"id", e.Key},
		{"login", e.Account},
		{"nom", e.Person},
		{"fonction", e.Function},
		{"action", e.Verb},
		{"ipp", e.IPP},
		{"ins", e.INS},
		{"patient", e.PatientName},
		{"sejour", e.Stay},
		{"document", e.Document},
		{"type", e.Object},
		{"appli", e.Application},
		{"poste", e.Workstation},
		{"ip", e.Address},
		{"site", e.Site},
		{"uf", e.Service},
		{"motif", e.Purpose},
		{"message", e.Message},
	} {
		if f.value != "" {
			b = append(append(append(append(b, `","`...), f.name...), `":"`...), f.value...)
		}
	}
	h.raw = append(b, `","resultat":"`+e.Outcome.String()+`"}`...)
}
