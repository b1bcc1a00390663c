package lab

import (
	"math"

	"tocsin/internal/traces"
)

// plainPeople is the method that the detection is held against: how many
// different patients each person opens in an hour, and the person's own mean.
type plainPeople struct {
	people map[string]*plainPerson
	over   []plainHour
}

type plainPerson struct {
	account       string
	hour          int64
	from, to      int64
	patients      map[string]bool
	n, sum, squar float64
}

type plainHour struct {
	account    string
	from, to   int64
	n          int
	deviations float64
}

func newPlain() *plainPeople { return &plainPeople{people: map[string]*plainPerson{}} }

func (x *plainPeople) see(e *traces.Event) {
	p := x.people[e.Account]
	if p == nil {
		p = &plainPerson{account: e.Account, patients: map[string]bool{}}
		x.people[e.Account] = p
	}
	if e.At/hour != p.hour {
		x.close(p)
		p.hour, p.from = e.At/hour, e.At
	}
	p.to = e.At
	p.patients[e.IPP] = true
}

func (x *plainPeople) close(p *plainPerson) {
	n := float64(len(p.patients))
	if n == 0 {
		return
	}
	mean := (p.sum + 5) / (p.n + 1)
	deviation := math.Sqrt(max((p.squar+5)/(p.n+1)-mean*mean*p.n/(p.n+1), 1))
	x.over = append(x.over, plainHour{p.account, p.from, p.to, len(p.patients), (n - mean) / deviation})
	p.n, p.sum, p.squar = p.n+1, p.sum+n, p.squar+n*n
	clear(p.patients)
}

func (x *plainPeople) end() {
	for _, p := range x.people {
		x.close(p)
	}
}
