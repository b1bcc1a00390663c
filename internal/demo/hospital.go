package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Name is the name of the invented hospital, Domain of its mail.
const (
	Name   = "Centre hospitalier Sainte-Aurore"
	Domain = "sainte-aurore.example"
)

// Establishment is the invented hospital.
type Establishment struct {
	Name, Zone, Colour string
	People             []Person
}

// Person is one row of the staff file, written as the human resources write it.
type Person struct {
	Matricule, LastName, FirstName string
	// Metier is the code of the reference; Job what the file says of it.
	Metier, Job      string
	Qualifications   []string
	Site, Service    string
	Code             string
	Status, Semester string
	// Dates of the file, "dd/mm/yyyy" or empty.
	ContractEnd, AbsentFrom, AbsentTo string
	Mobile, MobileOwn, Landline       string
	Extension, DECT, Email            string
	Language                          string
	Protected, Nights                 bool
	// Refused are media in the file's words.
	Refused string
}

// Hospital invents the hospital of a seed. Absences and contracts lie around
// today, read in the hospital's zone.
func Hospital(seed uint64, today time.Time) Establishment {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err) // the zones are inside the program
	}
	i := &inventor{random: rand.New(rand.NewPCG(seed, 0x5a17e)), today: today.In(zone), taken: map[string]int{}}
	i.mobiles = i.random.Perm(10_000)
	i.last, i.first = words("lists/lastnames.txt"), words("lists/firstnames.txt")
	i.jobs = jobs()
	h := Establishment{Name: Name, Zone: "Europe/Paris", Colour: "#1f4e79"}
	for n, u := range units() {
		i.unit(u, n)
	}
	h.People = i.people
	i.dirt()
	return h
}

// words reads one of the lists.
func words(name string) []string {
	text, err := lists.ReadFile(name)
	if err != nil {
		panic(err) // the lists are inside the program
	}
	out := strings.Fields(string(text))
	for n, w := range out {
		// In the lists a dash ties what is one name: "El-Amrani", "Le-Goff".
		if before, after, tied := strings.Cut(w, "-"); tied && (before == "El" || before == "Le" || before == "Da" || before == "De" || before == "Dos") {
			out[n] = before + " " + after
		}
	}
	return out
}

// inventor holds what is being put together.
type inventor struct {
	random      *rand.Rand
	today       time.Time
	last, first []string
	jobs        map[string][]string
	mobiles     []int
	homes       int
	taken       map[string]int
	people      []Person
}

// chance is true n times in a thousand.
func (i *inventor) chance(perMille int) bool { return i.random.IntN(1000) < perMille }

// unit hires the people of a service.
func (i *inventor) unit(u unit, rank int) {
	line := fmt.Sprintf("01 99 00 %02d %02d", 10+rank, i.random.IntN(100))
	dect := 4000 + rank*20
	for _, seat := range seats(u.staff.team(), u.people) {
		for n := range seat.parts {
			p := i.person(seat.metier)
			p.Site, p.Service, p.Code = u.site, u.name, fmt.Sprintf("%04d", 1010+rank*10)
			p.Nights = u.staff.nights() && n%4 == 3
			p.Landline = i.serviceLine(line, seat.metier)
			if u.staff.nights() && carries(seat.metier) && i.chance(180) {
				p.DECT = fmt.Sprintf("DECT %d", dect+n%6) // one handset, several pockets
			}
			if desk(seat.metier) && i.chance(850) {
				p.Extension = fmt.Sprintf("poste %d", 2000+len(i.people)%2000)
			}
			i.people = append(i.people, p)
		}
	}
}

// nights are the services that never close.
func (s staff) nights() bool {
	switch s {
	case emergency, samu, criticalCare, theatre, ward, surgery, maternity, paediatrics, psychiatry, elderly, rehabilitation,
		imaging, laboratory, security, telephone, transport:
		return true
	}
	return false
}

func (i *inventor) person(metier string) Person {
	p := Person{
		Matricule: fmt.Sprintf("S%06d", 100_000+len(i.people)*7+i.random.IntN(7)),
		LastName:  i.last[i.random.IntN(len(i.last))], FirstName: i.first[i.random.IntN(len(i.first))],
		Metier: metier, Job: i.job(metier), Status: i.status(metier), Qualifications: i.qualified(metier), Language: "fr",
		Protected: metier == "regulateur_samu" || metier == "standardiste",
	}
	p.Email = i.mail(p)
	p.MobileOwn = i.written(i.mobile())
	if metier == "directeur" || metier == "administrateur_garde" || metier == "cadre_superieur" || i.chance(40) {
		p.Mobile = i.written(i.mobile())
	}
	if i.chance(60) {
		p.Language = "en"
	}
	if p.Language == "en" && i.chance(800) {
		p.Language = "fr" // one in a hundred reads English better
	}
	i.contract(&p)
	i.leave(&p)
	return p
}

// mobile gives a number of the range 06 39 98 xx xx, each once. When the ten
// thousand are used up nobody is given one.
func (i *inventor) mobile() string {
	if len(i.mobiles) == 0 {
		return ""
	}
	n := i.mobiles[0]
	i.mobiles = i.mobiles[1:]
	return fmt.Sprintf("063998%04d", n)
}

// home gives a landline of the range 02 61 91 xx xx.
func (i *inventor) home() string {
	i.homes++
	return fmt.Sprintf("02 61 91 %02d %02d", i.homes/100%100, i.homes%100)
}

// written is a number as people type it in a form.
func (i *inventor) written(number string) string {
	if number == "" {
		return ""
	}
	pairs := []string{number[0:2], number[2:4], number[4:6], number[6:8], number[8:10]}
	switch roll := i.random.IntN(100); {
	case roll < 70:
		return strings.Join(pairs, " ")
	case roll < 82:
		return number
	case roll < 90:
		return strings.Join(pairs, ".")
	case roll < 94:
		return "+33 " + number[1:2] + " " + strings.Join(pairs[1:], " ")
	case roll < 97:
		return "+33 (0)" + number[1:2] + " " + strings.Join(pairs[1:], " ")
	}
	return strings.Join(pairs, " ") + " (perso)"
}

// serviceLine is the telephone of the office, for those who have one.
func (i *inventor) serviceLine(line, metier string) string {
	if desk(metier) || metier == "cadre" {
		return line
	}
	return ""
}

// mail gives each person an address of their own.
func (i *inventor) mail(p Person) string {
	box := address(p.FirstName) + "." + address(p.LastName)
	i.taken[box]++
	if n := i.taken[box]; n > 1 {
		box = fmt.Sprintf("%s%d", box, n)
	}
	return box + "@" + Domain
}
