package directory

import (
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory/phone"
	"tocsin/internal/document/assist"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// ExportRows gives the header, then a row for each person, for a spreadsheet.
// With a source ("RH"), its people in the columns of its last file and, after
// them, those that only its files of before had: importing the result changes
// nothing. Without, everybody, in our own columns. Ignored columns come back
// empty: what they held was never kept.
func (d *Directory) ExportRows(ctx context.Context, scope access.Scope, source string, each func(row []string) error) error {
	if err := d.guard.Check(scope, access.DirectoryExport); err != nil {
		return err
	}
	rows := 0
	var x *export
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		if x, err = d.newExport(ctx, tx, scope, source); err != nil {
			return err
		}
		if err := each(x.header); err != nil {
			return err
		}
		return x.run(ctx, tx, func(p Person) error {
			rows++
			return each(x.row(p))
		})
	}); err != nil {
		return err
	}
	now := d.clock.Now()
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := x.remember(ctx, tx); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "directory.export", ObjectKind: "directory", ObjectName: source, After: map[string]int{"rows": rows}})
	})
}

// ExportCSV writes ExportRows as a Sheet.
func (d *Directory) ExportCSV(ctx context.Context, scope access.Scope, source string, w io.Writer) error {
	if err := d.guard.Check(scope, access.DirectoryExport); err != nil {
		return err
	}
	sheet, err := NewSheet(w)
	if err != nil {
		return err
	}
	if err := d.ExportRows(ctx, scope, source, sheet.Row); err != nil {
		return err
	}
	return sheet.End()
}

// Sheet writes rows as a CSV that French spreadsheets open: UTF-8 with its mark,
// semicolons. No cell can run as a formula.
type Sheet struct{ out *csv.Writer }

// NewSheet begins one.
func NewSheet(w io.Writer) (*Sheet, error) {
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	_, err := io.WriteString(w, "\ufeff")
	return &Sheet{out}, err
}

// Row writes one.
func (s *Sheet) Row(cells []string) error {
	written := make([]string, len(cells))
	for n, cell := range cells {
		written[n] = assist.Harmless(cell)
	}
	return s.out.Write(written)
}

// End writes what is left.
func (s *Sheet) End() error {
	s.out.Flush()
	return s.out.Error()
}

// export writes people in the columns of a file.
type export struct {
	scope   access.Scope
	source  string
	header  []string
	mapping Mapping
	// gathered is the instant of the last file when columns of older ones follow its own.
	gathered time.Time
	origins  []string
	c        *compiler
	zone     *time.Location
	ref      *Reference
}

func (d *Directory) newExport(ctx context.Context, tx *storage.Tx, scope access.Scope, source string) (*export, error) {
	c, err := d.newCompiler(ctx, tx, scope, d.clock.Now())
	if err != nil {
		return nil, err
	}
	x := &export{scope: scope, source: oneLine(source), c: c, ref: d.reference}
	if x.zone, err = time.LoadLocation(c.places.Zone); err != nil {
		return nil, err
	}
	if x.header, x.mapping, x.gathered, err = exportColumns(ctx, tx, scope, x.source); err != nil {
		return nil, err
	}
	x.origins = origins(x.mapping)
	return x, nil
}

// run reads people by portions, in the order they came.
func (x *export) run(ctx context.Context, tx *storage.Tx, each func(Person) error) error {
	where, args := working, slices.Clone(x.c.args)
	if x.source != "" {
		args = append(args, x.source)
		where += ` AND p.source = $4`
	}
	where += ` AND p.id > $` + strconv.Itoa(len(args)+1) + ` ORDER BY p.id LIMIT ` + strconv.Itoa(lookupPage)
	g, _ := x.c.args[1].(int64)
	for last := uuid.Nil; ; {
		var people []Person
		var ids []uuid.UUID
		if err := tx.Query(ctx, `SELECT `+personColumns+` FROM directory_people p WHERE `+where, append(slices.Clone(args), last), func(row func(...any) error) error {
			p, err := scanPerson(row)
			people, ids = append(people, p.Person), append(ids, p.ID)
			return err
		}); err != nil || len(people) == 0 {
			return err
		}
		points, err := pointsOf(ctx, tx, x.scope, g, ids)
		if err != nil {
			return err
		}
		for _, p := range people {
			for _, k := range points[p.ID] {
				p.Contacts = append(p.Contacts, k.ContactPoint)
			}
			if err := each(p); err != nil {
				return err
			}
		}
		last = ids[len(ids)-1]
	}
}

func (x *export) row(p Person) []string {
	out := make([]string, len(x.mapping))
	qualified := slices.Index(x.mapping, FieldQualified)
	service, _ := x.c.places.Get(p.Service)
	site, _ := x.c.places.Get(p.Site)
	for i, f := range x.mapping {
		switch {
		case f.isPhone() || f.isMail() || f == FieldPager || f == FieldChat:
		case f == FieldQualified && i != qualified: // all of them are in the first column
		default:
			out[i] = x.cell(p, f, service, site)
		}
	}
	for _, k := range p.Contacts {
		if i := x.column(k); i >= 0 {
			if out[i] != "" {
				out[i] += " / "
			}
			out[i] += written(k)
		}
	}
	return out
}

func (x *export) cell(p Person, f Field, service, site organisation.Place) string {
	switch f {
	case FieldMatricule:
		return p.Matricule
	case FieldRPPS:
		return p.RPPS
	case FieldLastName:
		return p.LastName
	case FieldFirstName:
		return p.FirstName
	case FieldFullName:
		return p.Name()
	case FieldMetier:
		if p.MetierLabel == "" && p.Metier != "" {
			return x.ref.Label(p.Metier, "fr")
		}
		return p.MetierLabel
	case FieldQualified:
		return strings.Join(p.Qualifications, ", ")
	case FieldSite:
		return site.Name
	case FieldService:
		return service.Name
	case FieldCode:
		return service.Code
	}
	return x.detail(p, f)
}

func (x *export) detail(p Person, f Field) string {
	switch f {
	case FieldStatus:
		return p.Status
	case FieldSemester:
		return p.Semester
	case FieldLanguage:
		return p.Language
	case FieldProtected:
		if p.Protected {
			return "oui"
		}
	case FieldRefused:
		return strings.Join(p.Refused, ", ")
	case FieldContract:
		return day(p.ContractEnd, x.zone, true)
	case FieldAbsentFrom:
		return day(p.AbsentFrom, x.zone, false)
	case FieldAbsentTo:
		return day(p.AbsentTo, x.zone, true)
	}
	return ""
}

// column is where a contact point goes: the column it came from, else one of
// its kind, else any that holds numbers (or mails); -1 when there is none.
func (x *export) column(k ContactPoint) int {
	if i := slices.Index(x.origins, k.origin); i >= 0 && k.origin != "" && (k.Source == x.source || x.source == "") {
		return i
	}
	fields := map[string][]Field{
		Mobile: {FieldMobile, FieldMobileOwn}, Landline: {FieldPhone, FieldPhoneOwn}, Extension: {FieldExtension, FieldDECT},
		Email: {FieldEmail, FieldEmailOwn}, Pager: {FieldPager}, Chat: {FieldChat},
	}[k.Kind]
	if k.Private && len(fields) == 2 {
		slices.Reverse(fields)
	}
	for _, f := range fields {
		if i := slices.Index(x.mapping, f); i >= 0 {
			return i
		}
	}
	if k.Kind == Email || k.Kind == Pager || k.Kind == Chat {
		return -1
	}
	return slices.IndexFunc(x.mapping, Field.isPhone)
}

// written is a contact point as the parsers read it back.
func written(k ContactPoint) string {
	if k.Kind == Email || k.Kind == Chat {
		return k.Address
	}
	if k.Label == "" {
		return phone.Format(k.Address)
	}
	return phone.Format(k.Address) + " (" + k.Label + ")"
}
