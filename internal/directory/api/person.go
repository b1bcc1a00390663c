package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/rest"
)

// Person is someone who works here.
type Person struct {
	ID             uuid.UUID  `json:"id" format:"uuid"`
	Matricule      string     `json:"matricule,omitempty"`
	RPPS           string     `json:"rpps,omitempty"`
	LastName       string     `json:"last_name"`
	FirstName      string     `json:"first_name"`
	Metier         string     `json:"metier,omitempty" doc:"Folded code: iade"`
	MetierLabel    string     `json:"metier_label,omitempty" doc:"As the staff file says"`
	Qualifications []string   `json:"qualifications" nullable:"false"`
	Service        *Place     `json:"service,omitempty"`
	Site           *Place     `json:"site,omitempty"`
	Status         string     `json:"status,omitempty"`
	Language       string     `json:"language,omitempty"`
	Protected      bool       `json:"protected" doc:"Left out of mass alerts: answers them elsewhere"`
	Departed       *time.Time `json:"departed,omitempty"`
	Source         string     `json:"source,omitempty" doc:"The import that owns the row; absent when entered by hand"`
	Contacts       []Contact  `json:"contacts" nullable:"false" doc:"By preference"`
	Revision       int64      `json:"revision"`
	Updated        time.Time  `json:"updated"`
}

// Place is a service or a site of the establishment.
type Place struct {
	ID   uuid.UUID `json:"id" format:"uuid"`
	Name string    `json:"name"`
}

// Contact is one way to reach a person.
type Contact struct {
	ID      uuid.UUID `json:"id" format:"uuid"`
	Kind    string    `json:"kind" enum:"mobile,landline,extension,email,pager,chat"`
	Address string    `json:"address" doc:"Masked when private"`
	Masked  bool      `json:"masked"`
	Private bool      `json:"private"`
	Shared  bool      `json:"shared"`
	State   string    `json:"state" enum:"never,delivered,answered,failed,bounced,stopped,foreign" doc:"The last thing known of it"`
}

func shown(p directory.Person) Person {
	// A list is masked for everybody; a program is never shown more.
	directory.Hide(p.Contacts)
	out := Person{
		ID: p.ID, Matricule: p.Matricule, RPPS: p.RPPS, LastName: p.LastName, FirstName: p.FirstName, Metier: p.Metier, MetierLabel: p.MetierLabel,
		Qualifications: orNone(p.Qualifications), Service: place(p.Service, p.ServiceName), Site: place(p.Site, p.SiteName), Status: p.Status, Language: p.Language,
		Protected: p.Protected, Source: p.Source, Contacts: []Contact{}, Revision: p.Revision, Updated: p.Updated,
	}
	if !p.Departed.IsZero() {
		out.Departed = &p.Departed
	}
	for _, k := range p.Contacts {
		out.Contacts = append(out.Contacts, Contact{
			ID: k.ID, Kind: k.Kind, Address: k.Address, Masked: k.Masked, Private: k.Private, Shared: k.Shared, State: string(k.State),
		})
	}
	return out
}

func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func place(id uuid.UUID, name string) *Place {
	if id == uuid.Nil {
		return nil
	}
	return &Place{id, name}
}

// Score is the quality of a set of people.
type Score struct {
	People int            `json:"people"`
	Proven int            `json:"proven" doc:"Answered from a contact point of their own in the last six months"`
	Causes map[string]int `json:"causes" doc:"How many may not be reached, by cause"`
}

// ServiceScore is the quality of one service.
type ServiceScore struct {
	Score
	Service *Place `json:"service,omitempty" doc:"Absent for people of no service"`
	Site    string `json:"site,omitempty"`
}

// Quality is the state of the directory.
type Quality struct {
	Score
	NeverProven int            `json:"services_never_proven"`
	Services    []ServiceScore `json:"services" nullable:"false" doc:"The weakest first"`
	Computed    time.Time      `json:"computed"`
}

func (a api) quality(ctx context.Context, c *rest.Call, _ *struct{}) (*rest.One[Quality], error) {
	q, err := a.directory.Quality(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	out := Quality{Score: score(q.Score), NeverProven: q.NeverProven, Services: []ServiceScore{}, Computed: q.Computed}
	for _, s := range q.Services {
		out.Services = append(out.Services, ServiceScore{Score: score(s.Score), Service: place(s.Service, s.ServiceName), Site: s.Site})
	}
	return &rest.One[Quality]{Body: out}, nil
}

func score(s directory.Score) Score {
	out := Score{People: s.People, Proven: s.Proven, Causes: map[string]int{}}
	for cause, n := range s.Causes {
		out.Causes[string(cause)] = n
	}
	return out
}
