package directory

import (
	"slices"
	"strings"

	"tocsin/internal/directory/phone"
	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
)

// Field is what a column of a staff file says. The values are stored.
type Field string

// The fields. Ignored columns are read and thrown away.
const (
	Ignored         Field = ""
	FieldKey        Field = "key" // by which a server names an entry for good
	FieldMatricule  Field = "matricule"
	FieldRPPS       Field = "rpps"
	FieldLastName   Field = "last_name"
	FieldFirstName  Field = "first_name"
	FieldFullName   Field = "full_name"
	FieldMetier     Field = "metier"
	FieldQualified  Field = "qualifications"
	FieldSite       Field = "site"
	FieldService    Field = "service"
	FieldCode       Field = "service_code"
	FieldStatus     Field = "status"
	FieldSemester   Field = "semester"
	FieldLanguage   Field = "language"
	FieldProtected  Field = "protected"
	FieldRefused    Field = "refused"
	FieldContract   Field = "contract_end"
	FieldAbsentFrom Field = "absent_from"
	FieldAbsentTo   Field = "absent_to"
	FieldMobile     Field = "mobile"
	FieldMobileOwn  Field = "mobile_private"
	FieldPhone      Field = "landline"
	FieldPhoneOwn   Field = "landline_private"
	FieldExtension  Field = "extension"
	FieldDECT       Field = "dect"
	FieldPager      Field = "pager"
	FieldChat       Field = "chat"
	FieldEmail      Field = "email"
	FieldEmailOwn   Field = "email_private"
)

// Fields lists them in the order they are proposed.
func Fields() []Field {
	return []Field{
		FieldMatricule, FieldLastName, FieldFirstName, FieldFullName, FieldMetier, FieldQualified, FieldSite, FieldService, FieldCode,
		FieldStatus, FieldSemester, FieldContract, FieldAbsentFrom, FieldAbsentTo, FieldMobile, FieldMobileOwn, FieldPhone, FieldPhoneOwn,
		FieldExtension, FieldDECT, FieldPager, FieldChat, FieldEmail, FieldEmailOwn, FieldRPPS, FieldLanguage, FieldProtected, FieldRefused, FieldKey,
	}
}

func (f Field) isPhone() bool {
	switch f {
	case FieldMobile, FieldMobileOwn, FieldPhone, FieldPhoneOwn, FieldExtension, FieldDECT:
		return true
	}
	return false
}

func (f Field) isMail() bool { return f == FieldEmail || f == FieldEmailOwn }

// repeats tells the fields that several columns may give.
func (f Field) repeats() bool {
	return f == Ignored || f.isPhone() || f.isMail() || f == FieldPager || f == FieldChat || f == FieldQualified
}

// Mapping says what each column is, in the order of the header.
type Mapping []Field

func (m Mapping) has(f Field) bool { return slices.Contains(m, f) }

// check refuses a mapping by which nobody could be recognised.
func (m Mapping) check(columns int) error {
	if len(m) != columns {
		return fault.New(fault.Invalid, "directory.import.mapping_columns").At("mapping")
	}
	seen := map[Field]bool{}
	for _, f := range m {
		if f != Ignored && !slices.Contains(Fields(), f) {
			return fault.New(fault.Invalid, "directory.import.mapping_field").At("mapping")
		}
		if seen[f] && !f.repeats() {
			return fault.New(fault.Invalid, "directory.import.mapping_twice").At(string(f))
		}
		seen[f] = true
	}
	if !seen[FieldLastName] && !seen[FieldFullName] {
		return fault.New(fault.Invalid, "directory.import.mapping_name").At("mapping")
	}
	return nil
}

// guess proposes a mapping from the header, and from the content where the
// header says nothing. Columns that may hold the reason of an absence are never read.
func guess(header []string, sample [][]string) Mapping {
	m := Mapping(assist.Guess(header, sample, fieldOf, Field.repeats))
	for i := range header {
		if m[i] != Ignored || confidential(header[i]) {
			continue
		}
		if f := fieldOfContent(i, sample); f.repeats() || !m.has(f) {
			m[i] = f
		}
	}
	if m.has(FieldLastName) && !m.has(FieldFirstName) && twoWords(slices.Index(m, FieldLastName), sample) {
		m[slices.Index(m, FieldLastName)] = FieldFullName // "Nom" alone, holding "DUPONT Marie"
	}
	return m
}

// fieldOf reads the name of a column.
func fieldOf(header string) Field {
	s := assist.Slug(header)
	if s == "" || confidential(header) {
		return Ignored
	}
	if f, ok := exactHeader(s); ok {
		return f
	}
	words := strings.Split(s, "_")
	has := func(list ...string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return slices.Contains(words, w) })
	}
	own := has("perso", "personnel", "personnelle", "prive", "privee", "domicile", "private", "personal", "home")
	switch {
	case has("matrix", "tchap", "chat") || has("messagerie") && has("instantanee"):
		return FieldChat
	case has("mail", "email", "mel", "courriel", "messagerie"):
		return either(own, FieldEmailOwn, FieldEmail)
	case has("dect"):
		return FieldDECT
	case has("bip", "beeper", "pager"):
		return FieldPager
	case has("portable", "mobile", "gsm", "cell", "cellulaire"):
		return either(own, FieldMobileOwn, FieldMobile)
	case has("poste", "extension", "interne") && !has("medecine"):
		return FieldExtension
	case has("fixe", "telephone", "tel", "phone", "telephones", "landline"):
		return either(own, FieldPhoneOwn, FieldPhone)
	case has("absence", "absent", "conge", "conges"):
		return either(has("fin", "retour", "to", "until", "jusqu", "end"), FieldAbsentTo, FieldAbsentFrom)
	case has("contrat", "contract") && has("fin", "end"):
		return FieldContract
	case has("uf") || has("code") && has("service", "unite", "ua"):
		return FieldCode
	case has("service", "affectation", "unite", "ward", "department"):
		return FieldService
	case has("prenom"):
		return FieldFirstName
	case has("nom") && !has("jeune", "fille", "naissance"):
		return FieldLastName
	}
	return Ignored
}

func either(yes bool, a, b Field) Field {
	if yes {
		return a
	}
	return b
}

// exactHeader knows the headers of common staff files, and ours.
func exactHeader(s string) (Field, bool) {
	for f, known := range map[Field][]string{
		FieldKey:       {"cle_du_serveur"},
		FieldMatricule: {"employeeid", "employeenumber", "matricule", "matricule_agent", "mat", "no_matricule", "num_matricule", "numero_matricule", "n_matricule", "n°_matricule", "identifiant", "id", "id_agent", "code_agent", "no_agent", "employee_id", "staff_id", "payroll_number", "agent"},
		FieldLastName:  {"sn", "nom", "nom_usuel", "nom_d_usage", "nom_usage", "nom_de_famille", "nom_agent", "last_name", "lastname", "surname", "family_name"},
		FieldFirstName: {"givenname", "prenom", "prenom_usuel", "prenoms", "first_name", "firstname", "given_name", "forename"},
		FieldFullName:  {"nom_prenom", "nom_et_prenom", "nom_prenoms", "nom_complet", "agent_nom_prenom", "full_name", "name", "identite"},
		FieldMetier:    {"title", "metier", "fonction", "emploi", "grade", "profession", "libelle_emploi", "libelle_grade", "libelle_metier", "libelle_fonction", "job", "job_title", "role", "occupation"},
		FieldQualified: {"qualification", "qualifications", "specialite", "specialites", "competence", "competences", "skill", "skills"},
		FieldSite:      {"physicaldeliveryofficename", "site", "etablissement", "lieu", "site_geographique", "campus", "location"},
		FieldService:   {"service", "libelle_service", "libelle_uf", "uf_libelle", "affectation", "unite", "unite_fonctionnelle", "nom_du_service", "department", "ward", "unit"},
		FieldCode:      {"uf", "code_uf", "uf_code", "no_uf", "code_service", "num_uf", "numero_uf", "service_code", "department_code"},
		FieldStatus:    {"statut", "status", "statut_agent", "type_de_contrat", "type_contrat", "position"},
		FieldSemester:  {"semestre", "semester"},
		FieldLanguage:  {"langue", "language"},
		FieldProtected: {"protege", "protected", "hors_vagues", "hors_rappel", "ne_pas_rappeler"},
		FieldRefused:   {"refus", "medias_refuses", "refuse", "moyens_refuses", "refused"},
		FieldRPPS:      {"rpps", "no_rpps", "numero_rpps", "n_rpps"},
		FieldContract:  {"fin_de_contrat", "date_fin_contrat", "date_de_fin_de_contrat", "fin_contrat", "date_sortie", "date_de_sortie", "contract_end", "end_of_contract"},
		FieldMobileOwn: {"portable_perso", "mobile_perso", "tel_perso", "telephone_personnel", "tel_personnel", "gsm_perso"},
		FieldMobile:    {"portable", "mobile", "gsm", "portable_pro", "mobile_pro", "tel_portable", "tel_mobile", "telephone_mobile", "telephone_portable", "mobile_phone"},
		FieldPhoneOwn:  {"domicile", "tel_domicile", "telephone_domicile", "fixe_domicile", "home_phone"},
		FieldPhone:     {"telephonenumber", "fixe", "tel", "telephone", "telephone_fixe", "tel_fixe", "phone", "landline", "tel_pro", "telephone_professionnel", "contact", "telephone_s", "numero", "numero_de_telephone"},
		FieldExtension: {"poste", "poste_interne", "no_poste", "numero_interne", "num_poste", "tel_interne", "extension"},
	} {
		if slices.Contains(known, s) {
			return f, true
		}
	}
	return Ignored, false
}

// fieldOfContent looks at the cells of a column whose header says nothing.
func fieldOfContent(column int, sample [][]string) Field {
	mails, chats, mobiles, phones, extensions, filled := 0, 0, 0, 0, 0, 0
	for _, row := range sample {
		if column >= len(row) || row[column] == "" {
			continue
		}
		filled++
		cell := row[column]
		if _, err := readChat(cell); err == nil {
			chats++
			continue
		}
		if strings.Contains(cell, "@") {
			mails++
			continue
		}
		numbers := phone.Parse(cell, phone.Options{}).Numbers
		switch {
		case len(numbers) == 0 || len(onlyDigits(cell)) < 4:
		case numbers[0].Kind == phone.Mobile:
			mobiles++
		case numbers[0].Kind == phone.Landline:
			phones++
		case strings.Contains(assist.Slug(cell), "poste") || strings.Contains(assist.Slug(cell), "dect"):
			extensions++
		}
	}
	enough := func(n int) bool { return filled > 0 && n*10 >= filled*6 }
	switch {
	case enough(chats):
		return FieldChat
	case enough(mails):
		return FieldEmail
	case enough(mobiles):
		return FieldMobile
	case enough(mobiles + phones):
		return FieldPhone
	case enough(extensions):
		return FieldExtension
	}
	return Ignored
}

// twoWords tells whether most cells of a column hold a name and a first name:
// a part in capitals, a part not.
func twoWords(column int, sample [][]string) bool {
	both, filled := 0, 0
	for _, row := range sample {
		if column < 0 || column >= len(row) || row[column] == "" {
			continue
		}
		filled++
		if last, first := splitName(row[column]); last != "" && first != "" {
			both++
		}
	}
	return filled > 0 && both*10 >= filled*8
}

// splitName cuts "LE GOFF Maëlle" or "Maëlle LE GOFF" at the capitals; without
// capitals the first word is the last name.
func splitName(full string) (last, first string) {
	words := strings.Fields(strings.ReplaceAll(full, ",", " "))
	var capitals, others []string
	for _, w := range words {
		if w == strings.ToUpper(w) && w != strings.ToLower(w) && len([]rune(w)) > 1 {
			capitals = append(capitals, w)
		} else {
			others = append(others, w)
		}
	}
	switch {
	case len(words) == 0:
		return "", ""
	case len(capitals) > 0 && len(others) > 0:
		return strings.Join(capitals, " "), strings.Join(others, " ")
	case len(words) == 1:
		return words[0], ""
	}
	return words[0], strings.Join(words[1:], " ")
}
