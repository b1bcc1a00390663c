package demo

import (
	"strings"
	"time"

	"tocsin/internal/storage"
)

// address folds a name for a mail address.
func address(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r == '-':
			return r
		case r == ' ' || r == '\'':
			return '-'
		}
		return -1
	}, strings.ReplaceAll(storage.Fold(name), "œ", "oe"))
}

// desk are those who work at a table with a telephone.
func desk(metier string) bool {
	switch metier {
	case "secretaire", "administratif", "directeur", "directeur_soins", "cadre_superieur", "cadre", "informaticien", "rssi", "tim", "qualite",
		"communication", "assistant_social", "pharmacien", "medecin_biologiste", "standardiste", "technicien_biomedical":
		return true
	}
	return false
}

// carries are those who share a handset with their colleagues.
func carries(metier string) bool {
	switch metier {
	case "ide", "iade", "ibode", "aide_soignant", "medecin_urgentiste", "medecin_reanimateur", "interne", "sage_femme", "puericultrice",
		"brancardier", "agent_securite", "medecin_anesthesiste":
		return true
	}
	return false
}

// job is how the file says a métier: not always the same way.
func (i *inventor) job(metier string) string {
	spellings := i.jobs[metier]
	if len(spellings) > 1 && i.chance(180) {
		return spellings[1+i.random.IntN(len(spellings)-1)]
	}
	return spellings[0]
}

// jobs reads how staff files write each métier: the usual way first, those of
// older files after it.
func jobs() map[string][]string {
	text, err := lists.ReadFile("lists/jobs.txt")
	if err != nil {
		panic(err) // the lists are inside the program
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		metier, spellings, _ := strings.Cut(strings.TrimSpace(line), ": ")
		out[metier] = strings.Split(spellings, " | ")
	}
	return out
}

// status is how the person is employed.
func (i *inventor) status(metier string) string {
	switch metier {
	case "interne":
		return "Interne"
	case "externe":
		return "Externe"
	case "etudiant_infirmier":
		return "Étudiant"
	}
	doctor := strings.HasPrefix(metier, "medecin") || metier == "chirurgien"
	switch roll := i.random.IntN(100); {
	case doctor && roll < 6:
		return "Libéral"
	case roll < 14:
		return "Contractuel CDD"
	case roll < 19:
		return "Contractuel CDI"
	case roll < 21 && !doctor:
		return "Intérimaire"
	case roll < 23 && (metier == "agent_securite" || metier == "restauration" || metier == "informaticien"):
		return "Prestataire"
	case roll < 25:
		return "Stagiaire de la fonction publique"
	}
	return "Titulaire"
}

// qualified gives what some can do beside their métier.
func (i *inventor) qualified(metier string) []string {
	var out []string
	add := func(perMille int, name string) {
		if i.chance(perMille) {
			out = append(out, name)
		}
	}
	switch metier {
	case "ide", "iade", "medecin_urgentiste", "medecin_anesthesiste", "aide_soignant", "ambulancier":
		add(60, "Déchocage")
		add(35, "Décontamination NRBC")
		add(120, "AFGSU niveau 2")
	case "chirurgien":
		add(200, "Damage control")
	case "medecin_reanimateur":
		add(180, "ECMO")
	case "psychologue", "medecin_psychiatre":
		add(300, "Volontaire CUMP")
	case "agent_securite", "technique", "logistique":
		add(80, "Décontamination NRBC")
	}
	add(6, "Langue des signes")
	return out
}

// contract ends those that have an end.
func (i *inventor) contract(p *Person) {
	switch p.Status {
	case "Interne":
		p.Semester, p.ContractEnd = semester(i.today)
	case "Contractuel CDD", "Intérimaire", "Étudiant", "Externe":
		p.ContractEnd = i.today.AddDate(0, 0, 10+i.random.IntN(300)).Format(day)
	}
}

const day = "02/01/2006"

// semester names the half-year of the internes and its last day: they change on
// the first of November and of May.
func semester(t time.Time) (name, end string) {
	switch {
	case t.Month() >= time.November:
		return t.Format("2006") + "-11", time.Date(t.Year()+1, time.April, 30, 0, 0, 0, 0, t.Location()).Format(day)
	case t.Month() >= time.May:
		return t.Format("2006") + "-05", time.Date(t.Year(), time.October, 31, 0, 0, 0, 0, t.Location()).Format(day)
	}
	return t.AddDate(-1, 0, 0).Format("2006") + "-11", time.Date(t.Year(), time.April, 30, 0, 0, 0, 0, t.Location()).Format(day)
}

// leave sends some away, without saying why: two months in ten thousand beds are
// nobody's business.
func (i *inventor) leave(p *Person) {
	switch roll := i.random.IntN(1000); {
	case roll < 25: // long leave
		p.AbsentFrom = i.today.AddDate(0, 0, -30-i.random.IntN(120)).Format(day)
		p.AbsentTo = i.today.AddDate(0, 0, 20+i.random.IntN(150)).Format(day)
	case roll < 75: // a week or two
		p.AbsentFrom = i.today.AddDate(0, 0, -i.random.IntN(7)).Format(day)
		p.AbsentTo = i.today.AddDate(0, 0, 1+i.random.IntN(14)).Format(day)
	case roll < 95: // announced
		p.AbsentFrom = i.today.AddDate(0, 0, 15+i.random.IntN(30)).Format(day)
		p.AbsentTo = i.today.AddDate(0, 0, 50+i.random.IntN(14)).Format(day)
	}
}

// dirt is what every real staff file holds.
func (i *inventor) dirt() {
	for n := range i.people {
		p := &i.people[n]
		switch roll := i.random.IntN(1000); {
		case roll < 45: // never gave a mobile
			p.MobileOwn = ""
		case roll < 60: // home instead
			p.MobileOwn, p.Landline = "", i.home()
		case roll < 75: // two numbers in a cell
			if p.MobileOwn != "" {
				p.MobileOwn += " / " + i.home()
			}
		case roll < 81: // the number of the person above, a couple at the same address
			if n > 0 {
				p.MobileOwn, p.LastName = i.people[n-1].MobileOwn, i.people[n-1].LastName
			}
		case roll < 84: // a digit is missing
			p.MobileOwn = strings.TrimSuffix(p.MobileOwn, lastDigit(p.MobileOwn))
		case roll < 88:
			p.Refused = "voix" // a deaf colleague
		case roll < 91:
			p.Refused = "sms"
		case roll < 111:
			p.Email = "" // works without a mailbox
		case roll < 131:
			p.LastName = strings.ToUpper(p.LastName)
		}
	}
}

func lastDigit(s string) string {
	if s == "" || s[len(s)-1] < '0' || s[len(s)-1] > '9' {
		return ""
	}
	return s[len(s)-1:]
}
