package exports

import (
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"time"

	"tocsin/internal/document/parquet"
	"tocsin/internal/document/xlsx"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// column is one of the two tables: its name in Parquet, its title in CSV, and what
// it says of an event. Those of a patient are chosen one by one: what is not on the
// list, such as free text or a workstation, may name somebody and stays here.
type column struct {
	name, title string
	of          func(r *row) string
}

// row is an event on its way out.
type row struct {
	traces.Brought
	number   int
	original string
	mask     *mask
}

// exact is how an instant is written in the CSV.
const exact = "2006-01-02T15:04:05.000000Z07:00"

// open are the columns of an archive that names everybody.
func open() []column {
	return []column{
		{"account", "Compte", func(r *row) string { return r.Account }},
		{"person", "Personne", func(r *row) string { return r.Person }},
		{"function", "Fonction", func(r *row) string { return r.Function }},
		{"delegate", "Pour le compte de", func(r *row) string { return r.Delegate }},
		{"action", "Action", func(r *row) string { return r.Action.String() }},
		{"verb", "Verbe de la source", func(r *row) string { return r.Verb }},
		{"outcome", "Issue", func(r *row) string { return r.Outcome.String() }},
		{"ipp", "IPP", func(r *row) string { return r.IPP }},
		{"ins", "INS", func(r *row) string { return r.INS }},
		{"patient_name", "Nom du patient", func(r *row) string { return r.PatientName }},
		{"stay", "Séjour", func(r *row) string { return r.Stay }},
		{"document", "Document", func(r *row) string { return r.Document }},
		{"object", "Objet", func(r *row) string { return r.Object }},
		{"parameter", "Paramètre", func(r *row) string { return r.Parameter }},
		{"device", "Équipement", func(r *row) string { return r.Device }},
		{"application", "Application", func(r *row) string { return r.Application }},
		{"workstation", "Poste", func(r *row) string { return r.Workstation }},
		{"address", "Adresse réseau", func(r *row) string { return r.Address }},
		{"site", "Site", func(r *row) string { return r.Site }},
		{"service", "Service", func(r *row) string { return r.Service }},
		{"purpose", "Motif", func(r *row) string { return r.Purpose }},
		{"relation", "Relation de soins", func(r *row) string { return r.Relation }},
		{"message", "Message", func(r *row) string { return r.Message }},
		{"rest", "Reste", func(r *row) string { return r.Rest }},
		{"format", "Format", func(r *row) string { return r.Collector }},
		{"source", "Source", func(r *row) string { return r.Source.String() }},
		{"reference", "Référence", func(r *row) string { return r.Ref }},
		{"original", "Original", func(r *row) string { return r.original }},
	}
}

// masked are the columns of what a patient receives.
func masked() []column {
	return []column{
		{"who", "Professionnel", func(r *row) string { return r.mask.pseudonym(&r.Event) }},
		{"function", "Fonction", func(r *row) string { return r.mask.clean(r.Function) }},
		{"service", "Service", func(r *row) string { return r.mask.clean(r.Service) }},
		{"site", "Site", func(r *row) string { return r.mask.clean(r.Site) }},
		{"action", "Action", func(r *row) string { return r.Action.String() }},
		{"outcome", "Issue", func(r *row) string { return r.Outcome.String() }},
		{"ipp", "IPP", func(r *row) string { return r.IPP }},
		{"ins", "INS", func(r *row) string { return r.INS }},
		{"stay", "Séjour", func(r *row) string { return r.mask.clean(r.Stay) }},
		{"object", "Objet", func(r *row) string { return r.mask.clean(r.Object) }},
		{"device", "Équipement", func(r *row) string { return r.mask.clean(r.Device) }},
		{"application", "Application", func(r *row) string { return r.mask.clean(r.Application) }},
		{"purpose", "Motif", func(r *row) string { return r.mask.clean(r.Purpose) }},
		{"relation", "Relation de soins", func(r *row) string { return r.mask.clean(r.Relation) }},
		{"digest", "Empreinte scellée", func(r *row) string { return hex.EncodeToString(r.Digest) }},
	}
}

// tables writes the same rows as CSV and as Parquet.
type tables struct {
	columns []column
	zone    *time.Location
	csv     *xlsx.CSV
	parquet *parquet.Writer
}

func newTables(columns []column, zone *time.Location, text, columnar io.Writer) (*tables, error) {
	t := &tables{columns: columns, zone: zone}
	titles := []any{"N°", "Date et heure", "Reçu le"}
	named := []parquet.Column{{Name: "number", Kind: parquet.Number}, {Name: "at", Kind: parquet.Instant}, {Name: "received", Kind: parquet.Instant}}
	for _, c := range columns {
		titles, named = append(titles, c.title), append(named, parquet.Column{Name: c.name})
	}
	var err error
	if t.csv, err = xlsx.NewCSV(text, xlsx.CSVOptions{}); err != nil {
		return nil, err
	}
	if err := t.csv.Row(titles...); err != nil {
		return nil, err
	}
	t.parquet, err = parquet.New(columnar, named)
	return t, err
}

func (t *tables) add(r *row) error {
	text := []any{strconv.Itoa(r.number), storage.Time(r.At).In(t.zone).Format(exact), storage.Time(r.Received).In(t.zone).Format(exact)}
	columnar := []any{int64(r.number), r.At, r.Received}
	for _, c := range t.columns {
		v := c.of(r)
		text, columnar = append(text, v), append(columnar, v)
	}
	return errors.Join(t.csv.Row(text...), t.parquet.Row(columnar...))
}

func (t *tables) close() error { return errors.Join(t.csv.Flush(), t.parquet.Close()) }
