package directory

import (
	"slices"
	"strings"
)

// changedFields names what differs between two states of a person, without any
// value: the journal and the preview's summary say "mobile", never the number.
func changedFields(a, b Person) []string {
	var out []string
	differ := func(field string, changed bool) {
		if changed {
			out = append(out, field)
		}
	}
	differ("matricule", a.Matricule != b.Matricule)
	differ("rpps", a.RPPS != b.RPPS)
	differ("last_name", a.LastName != b.LastName)
	differ("first_name", a.FirstName != b.FirstName)
	differ("metier", a.Metier != b.Metier || a.MetierLabel != b.MetierLabel)
	differ("qualifications", !slices.Equal(a.Qualifications, b.Qualifications))
	differ("service", a.Service != b.Service)
	differ("site", a.Site != b.Site)
	differ("status", a.Status != b.Status)
	differ("semester", a.Semester != b.Semester)
	differ("language", a.Language != b.Language)
	differ("protected", a.Protected != b.Protected)
	differ("refused", !slices.Equal(a.Refused, b.Refused))
	differ("rest_until", !sameInstant(a.RestUntil, b.RestUntil))
	differ("contract_end", !sameInstant(a.ContractEnd, b.ContractEnd))
	differ("absence", !sameInstant(a.AbsentFrom, b.AbsentFrom) || !sameInstant(a.AbsentTo, b.AbsentTo))
	differ("departed", !sameInstant(a.Departed, b.Departed))
	for _, kind := range Kinds() {
		differ(kind, addresses(a.Contacts, kind) != addresses(b.Contacts, kind))
	}
	return out
}

// addresses is what counts of the contact points of a kind, in their order.
func addresses(contacts []ContactPoint, kind string) string {
	var b strings.Builder
	for _, k := range contacts {
		if k.Kind != kind {
			continue
		}
		b.WriteString(k.Address + "\x00" + k.Label)
		if k.Private {
			b.WriteString("\x01")
		}
		if k.Shared {
			b.WriteString("\x02")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
