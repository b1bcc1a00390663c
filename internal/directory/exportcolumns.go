package directory

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/storage"
)

// plainColumns are the columns of an export that no import
// described; the guess of the mapping reads them back.
func plainColumns() (header []string, m Mapping) {
	for _, c := range []struct {
		name  string
		field Field
	}{
		{"Matricule", FieldMatricule},
		{"Nom", FieldLastName},
		{"Prénom", FieldFirstName},
		{"Métier", FieldMetier},
		{"Qualifications", FieldQualified},
		{"Site", FieldSite},
		{"Service", FieldService},
		{"Code UF", FieldCode},
		{"Statut", FieldStatus},
		{"Semestre", FieldSemester},
		{"Fin de contrat", FieldContract},
		{"Portable", FieldMobile},
		{"Portable perso", FieldMobileOwn},
		{"Téléphone fixe", FieldPhone},
		{"Poste", FieldExtension},
		{"Bip", FieldPager},
		{"Messagerie instantanée", FieldChat},
		{"Courriel", FieldEmail},
		{"RPPS", FieldRPPS},
		{"Langue", FieldLanguage},
		{"Protégé", FieldProtected},
		{"Refus", FieldRefused},
	} {
		header, m = append(header, c.name), append(m, c.field)
	}
	return header, m
}

// exportColumns are those of the last file of a source, then those of its files
// of before that this one did not have: a list of telephones imported after that
// of the staff would else narrow the export to its own columns, and numbers would
// come back under another name. gathered is the instant of the last file when
// there are such columns, zero otherwise.
func exportColumns(ctx context.Context, tx *storage.Tx, scope access.Scope, source string) (header []string, m Mapping, gathered time.Time, err error) {
	if source == "" {
		header, m = plainColumns()
		return header, m, gathered, nil
	}
	var last int64
	err = tx.Query(ctx, `SELECT header, mapping, used_us FROM directory_mappings WHERE organisation_id = $1 AND source = $2 ORDER BY used_us DESC, signature`,
		[]any{scope.Organisation(), storage.Fold(source)}, func(row func(...any) error) error {
			var names []string
			var fields Mapping
			var texts [2]string
			var used int64
			if err := row(&texts[0], &texts[1], &used); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(texts[0]), &names); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(texts[1]), &fields); err != nil {
				return err
			}
			if header == nil {
				header, m, last = names, fields, used
				return nil
			}
			var more bool
			if header, m, more = widened(header, m, names, fields); more {
				gathered = storage.Time(last)
			}
			return nil
		})
	if err == nil && header == nil {
		header, m = plainColumns()
	}
	return header, m, gathered, err
}

// widened adds the columns of another file that say something the first ones do not.
func widened(header []string, m Mapping, names []string, fields Mapping) (_ []string, _ Mapping, more bool) {
	had := origins(m)
	for i, origin := range origins(fields) {
		f := fields[i]
		whole := f == FieldFullName || f == FieldFirstName && m.has(FieldFullName) // a name is written once
		if i >= len(names) || f == Ignored || f == FieldKey || whole || slices.Contains(had, origin) {
			continue
		}
		header, m, more = append(header, unlike(names[i], header)), append(m, f), true
	}
	return header, m, more
}

// unlike is a name that no column of a header has yet.
func unlike(name string, header []string) string {
	out := name
	for n := 2; slices.Contains(header, out); n++ {
		out = name + " " + strconv.Itoa(n)
	}
	return out
}

// remember keeps what the columns mean that no file had together, so that the
// export is read back as it was written. It is not newer than the last file.
func (x *export) remember(ctx context.Context, tx *storage.Tx) error {
	if x.gathered.IsZero() {
		return nil
	}
	return remember(ctx, tx, x.scope, Import{Source: x.source, Header: x.header, Mapping: x.mapping, signature: assist.Signature(x.header)}, x.gathered.Add(-time.Microsecond))
}
