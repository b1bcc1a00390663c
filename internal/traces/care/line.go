package care

import (
	"context"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// line is one row of a file, understood.
type line struct {
	news    *traces.News
	account *Said
	team    *team
	known   *traces.Identity
	why     string
}

type team struct {
	account, service string
	from, to         int64
}

// cells are the values of a row by column; several columns of one kind make a list.
type cells map[Column][]string

func (c cells) one(column Column) string {
	if list := c[column]; len(list) > 0 {
		return list[0]
	}
	return ""
}

func arrange(columns []Column, row []string) cells {
	out := cells{}
	for i, c := range columns {
		if i < len(row) && c != ColIgnored {
			if v := assist.OneLine(assist.Harmed(row[i])); v != "" {
				out[c] = append(out[c], v)
			}
		}
	}
	return out
}

// understand reads a row of a kind. Errors: Invalid at the column.
func (k FileKind) understand(columns []Column, row []string, zone *time.Location) (l line, err error) {
	c := arrange(columns, row)
	for column, list := range c {
		for _, v := range list {
			if len(v) > wordMost {
				return l, fault.New(fault.Invalid, "traces.care.long", "most", wordMost).At(string(column))
			}
		}
	}
	switch k {
	case Stays, Appointments:
		l.news, err = c.news(k, zone)
	case Teams:
		err = c.team(&l, zone)
	case Accounts:
		l.account, err = c.account()
	case WellKnowns:
		i, err := c.identity()
		l.known, l.why = &i, c.one(ColWhy)
		return l, err
	}
	return l, err
}

// identity reads the patient of a row. Errors: Invalid at "ipp" or "ins".
func (c cells) identity() (i traces.Identity, err error) {
	i = traces.Identity{INS: strings.ReplaceAll(c.one(ColINS), " ", ""), Surname: c.one(ColSurname), BirthName: c.one(ColBirthName), Given: c.one(ColGiven), Address: c.one(ColAddress), Postal: c.one(ColPostal)}
	if ipp := c.one(ColIPP); ipp != "" {
		i.IPP = []string{ipp}
	}
	switch {
	case len(i.IPP) == 0 && i.INS == "":
		return i, fault.New(fault.Invalid, "traces.care.nobody").At(string(ColIPP))
	case i.INS != "" && !traces.NationalIdentity(i.INS):
		return i, fault.New(fault.Invalid, "traces.care.ins").At(string(ColINS))
	}
	if i.Surname == "" {
		i.Surname = i.BirthName
	}
	return i, nil
}

// period reads the dates of a row: an end that names a day holds to its end.
func (c cells) period(zone *time.Location, needed bool) (from, to int64, err error) {
	from, _, err = moment(c.one(ColFrom), zone)
	if err == nil && from == 0 && needed {
		err = fault.New(fault.Invalid, "traces.care.file.missing")
	}
	if err != nil {
		return 0, 0, fault.As(err).At(string(ColFrom))
	}
	to, whole, err := moment(c.one(ColTo), zone)
	if err != nil {
		return 0, 0, fault.As(err).At(string(ColTo))
	}
	if whole {
		to += day - 1
	}
	if to != 0 && to < from {
		return 0, 0, fault.New(fault.Invalid, "traces.care.file.order").At(string(ColTo))
	}
	return from, to, nil
}

// appointmentLasts is how long an appointment is that says no end.
const appointmentLasts = day / 24

// news reads a stay or an appointment.
func (c cells) news(k FileKind, zone *time.Location) (*traces.News, error) {
	i, err := c.identity()
	if err != nil {
		return nil, err
	}
	d := traces.Date{Kind: traces.RelationStay, Services: c[ColService]}
	if d.From, d.To, err = c.period(zone, true); err != nil {
		return nil, err
	}
	for _, who := range c[ColProfessional] {
		d.People = append(d.People, traces.Professional{ID: who})
	}
	switch {
	case k == Stays && len(d.Services) == 0, len(d.Services)+len(d.People) == 0:
		return nil, fault.New(fault.Invalid, "traces.care.file.missing").At(string(ColService))
	}
	start := strconv.FormatInt(d.From, 10)
	if d.ID = strings.Join(append([]string{c.one(ColVisit), start}, d.Services...), "/"); k == Appointments {
		d.Kind = traces.RelationAppointment
		if d.To == 0 {
			d.To = d.From + appointmentLasts
		}
		// An appointment of a number that moved is one; without a number its hour is
		// its name.
		if d.ID = c.one(ColVisit); d.ID == "" {
			d.ID = strings.Join(append([]string{start}, d.Services...), "/")
		}
	}
	return &traces.News{What: string(k), Patient: i, Dates: []traces.Date{d}}, nil
}

// team reads who belongs to a team: of a service, or of one patient.
func (c cells) team(l *line, zone *time.Location) error {
	account := c.one(ColAccountName)
	if account == "" {
		return fault.New(fault.Invalid, "traces.care.file.missing").At(string(ColAccountName))
	}
	from, to, err := c.period(zone, false)
	if err != nil {
		return err
	}
	if c.one(ColIPP) == "" {
		service := fold(c.one(ColService))
		if service == "" {
			return fault.New(fault.Invalid, "traces.care.file.team").At(string(ColService))
		}
		l.team = &team{fold(account), service, from, to}
		return nil
	}
	i, err := c.identity()
	if err != nil {
		return err
	}
	l.news = &traces.News{What: string(Teams), Patient: i, Dates: []traces.Date{{
		Kind: traces.RelationTeam, ID: account, From: from, To: to, People: []traces.Professional{{ID: account}},
	}}}
	return nil
}

// account reads whose an account is.
func (c cells) account() (*Said, error) {
	a := Said{Account: c.one(ColAccountName), Kind: OfPerson, Matricule: c.one(ColMatricule), IPP: c.one(ColIPP), Address: c.one(ColAddress), Postal: c.one(ColPostal)}
	switch fold(c.one(ColShared)) {
	case "", "non", "no", "n", "0", "nominatif", "individuel", "personne", "person", "faux", "false":
	case "oui", "yes", "o", "y", "1", "x", "partage", "generique", "shared", "vrai", "true":
		a.Kind = OfSeveral
	case "machine", "technique", "automate", "interface", "service", "applicatif":
		a.Kind = OfMachine
	default:
		return nil, fault.New(fault.Invalid, "traces.care.file.shared").At(string(ColShared))
	}
	return &a, a.check()
}

// apply writes what a line says. Errors: Invalid, of that line alone: nothing of
// it is written.
func (l line) apply(ctx context.Context, tx *storage.Tx, scope access.Scope, now int64) error {
	switch {
	case l.news != nil:
		n := *l.news
		n.Sent = now
		return write(ctx, tx, scope, n, now)
	case l.account != nil:
		_, err := say(ctx, tx, scope, *l.account, TiedByFile, now)
		return err
	case l.team != nil:
		_, err := tx.Exec(ctx, `INSERT INTO traces_care_teams (organisation_id, account, service, from_us, to_us) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (organisation_id, account, service) DO UPDATE SET from_us = excluded.from_us, to_us = excluded.to_us`, scope.Organisation(), l.team.account, l.team.service, l.team.from, null(l.team.to))
		return err
	case l.known != nil:
		_, err := name(ctx, tx, scope, *l.known, l.why, now)
		return err
	}
	return nil
}
