package demo

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// header is the first line of the staff file.
func header() []string {
	return []string{
		"Matricule", "Nom", "Prénom", "Métier", "Qualifications", "Site", "Service", "Code UF", "Statut", "Semestre", "Fin de contrat",
		"Absence début", "Absence fin", "Mobile", "Mobile perso", "Téléphone", "Poste", "DECT", "Courriel", "Langue", "Hors vagues", "Refus", "Rythme",
	}
}

// WriteCSV writes the staff file of the hospital as its human resources export
// it: semicolons, UTF-8 with its mark, one row for each person.
func (e Establishment) WriteCSV(w io.Writer) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return fmt.Errorf("write the staff file: %w", err)
	}
	c := csv.NewWriter(w)
	c.Comma, c.UseCRLF = ';', true
	if err := c.Write(header()); err != nil {
		return fmt.Errorf("write the staff file: %w", err)
	}
	for _, p := range e.People {
		if err := c.Write(p.row()); err != nil {
			return fmt.Errorf("write the staff file: %w", err)
		}
	}
	c.Flush()
	return c.Error()
}

func (p Person) row() []string {
	return []string{
		p.Matricule, p.LastName, p.FirstName, p.Job, strings.Join(p.Qualifications, ", "), p.Site, p.Service, p.Code, p.Status, p.Semester, p.ContractEnd,
		p.AbsentFrom, p.AbsentTo, p.Mobile, p.MobileOwn, p.Landline, p.Extension, p.DECT, p.Email, p.Language,
		either(p.Protected, "oui", ""), p.Refused, either(p.Nights, "nuit", "jour"),
	}
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
