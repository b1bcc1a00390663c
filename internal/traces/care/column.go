package care

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
)

// FileKind is what the lines of a file are. The values are stored.
type FileKind string

// The kinds of files.
const (
	Stays        FileKind = "stays"
	Appointments FileKind = "appointments"
	Teams        FileKind = "teams"
	Accounts     FileKind = "accounts"
	WellKnowns   FileKind = "well_known"
)

// FileKinds lists them in the order they are proposed.
func FileKinds() []FileKind { return []FileKind{Stays, Appointments, Teams, Accounts, WellKnowns} }

// Known tells whether it is one of FileKinds.
func (k FileKind) Known() bool { return slices.Contains(FileKinds(), k) }

// Column is what a column of a file says. The values are stored.
type Column string

// The columns.
const (
	ColIgnored      Column = ""
	ColIPP          Column = "ipp"
	ColINS          Column = "ins"
	ColSurname      Column = "nom"
	ColBirthName    Column = "nom_naissance"
	ColGiven        Column = "prenom"
	ColAddress      Column = "adresse"
	ColPostal       Column = "code_postal"
	ColVisit        Column = "sejour"
	ColService      Column = "service"
	ColFrom         Column = "debut"
	ColTo           Column = "fin"
	ColProfessional Column = "professionnel"
	ColAccountName  Column = "compte"
	ColMatricule    Column = "matricule"
	ColShared       Column = "partage"
	ColWhy          Column = "motif"
)

// Columns are those that a kind of file may have, the needed ones first; the
// second value counts them.
func (k FileKind) Columns() (columns []Column, needed int) {
	patient := []Column{ColINS, ColSurname, ColBirthName, ColGiven, ColAddress, ColPostal}
	switch k {
	case Stays:
		return append([]Column{ColIPP, ColService, ColFrom, ColTo, ColVisit, ColProfessional}, patient...), 3
	case Appointments:
		return append([]Column{ColIPP, ColFrom, ColService, ColProfessional, ColTo, ColVisit}, patient...), 2
	case Teams:
		return []Column{ColAccountName, ColService, ColIPP, ColFrom, ColTo}, 1
	case Accounts:
		return []Column{ColAccountName, ColMatricule, ColShared, ColIPP, ColAddress, ColPostal}, 1
	case WellKnowns:
		return []Column{ColIPP, ColWhy, ColINS, ColSurname, ColGiven}, 1
	}
	return nil, 0
}

// headers are the names that files give columns.
func headers() assist.Words[Column] {
	return assist.Words[Column]{
		ColIPP:          {"ipp", "patient", "numero_patient", "id_patient", "n_patient", "identifiant_patient", "numero_ipp", "noip", "patient_id", "mrn"},
		ColINS:          {"ins", "matricule_ins", "nir", "ins_nir", "matricule_ins_nir"},
		ColSurname:      {"nom", "nom_usuel", "nom_d_usage", "nom_usage", "nom_patient", "surname", "last_name", "nom_utilise"},
		ColBirthName:    {"nom_naissance", "nom_de_naissance", "nom_naiss", "nom_jeune_fille", "birth_name"},
		ColGiven:        {"prenom", "prenoms", "prenom_patient", "given", "first_name", "prenom_utilise"},
		ColAddress:      {"adresse", "rue", "adresse_1", "voie", "address", "street"},
		ColPostal:       {"code_postal", "cp", "postal", "postal_code", "zip"},
		ColVisit:        {"sejour", "numero_sejour", "n_sejour", "num_sejour", "numero_de_sejour", "iep", "numero_dossier", "nda", "venue", "visit", "numero", "id", "numero_rdv", "n_rdv", "rdv", "id_rdv"},
		ColService:      {"service", "uf", "unite", "code_uf", "uf_soins", "unite_fonctionnelle", "code_service", "libelle_uf", "ward", "department", "service_de_soins"},
		ColFrom:         {"debut", "entree", "date_entree", "date_d_entree", "date_debut", "date", "date_rdv", "date_heure", "date_heure_rdv", "du", "from", "start", "arrivee", "date_heure_entree", "date_de_debut"},
		ColTo:           {"fin", "sortie", "date_sortie", "date_de_sortie", "date_fin", "au", "to", "end", "date_heure_sortie", "date_de_fin"},
		ColProfessional: {"professionnel", "medecin", "praticien", "intervenant", "rpps", "medecin_responsable", "professional", "doctor"},
		ColAccountName:  {"compte", "login", "identifiant", "utilisateur", "account", "user", "username", "nom_de_compte", "code_utilisateur"},
		ColMatricule:    {"matricule", "n_matricule", "numero_agent", "matricule_rh", "staff_number", "matricule_ou_rpps"},
		ColShared:       {"partage", "compte_partage", "nature", "generique", "shared", "type_de_compte", "type"},
		ColWhy:          {"motif", "raison", "pourquoi", "qualite", "reason", "commentaire"},
	}
}

// guessColumns tells what each column of a header is. Errors: Invalid when one
// that is needed is missing.
func (k FileKind) guessColumns(header []string, sample [][]string) ([]Column, error) {
	allowed, needed := k.Columns()
	words := headers()
	out := assist.Guess(header, sample, func(h string) Column {
		c, found := words.Field(h)
		if k == Teams && (c == ColMatricule || c == ColProfessional) {
			c = ColAccountName // somebody of a team may be named by any of his numbers
		}
		if found && slices.Contains(allowed, c) {
			return c
		}
		return ColIgnored
	}, func(c Column) bool { return c == ColIgnored || c == ColService || c == ColProfessional })
	for _, c := range allowed[:needed] {
		if !slices.Contains(out, c) {
			return out, fault.New(fault.Invalid, "traces.care.file.column", "column", string(c)).At("fichier")
		}
	}
	return out, nil
}

// moments are the ways in which files write a date, the day first as in France.
func moments() []string {
	return []string{
		"02/01/2006 15:04:05", "02/01/2006 15:04", "02/01/2006", "2/1/2006 15:04", "2/1/2006", "02/01/06 15:04", "02/01/06", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
		"2006-01-02T15:04:05", "2006-01-02T15:04", time.RFC3339, "02-01-2006 15:04", "02-01-2006", "20060102150405", "200601021504", "20060102", "02.01.2006",
	}
}

// moment reads a date; whole tells that it names a day without an hour. An empty
// one is zero. Errors: Invalid.
func moment(text string, zone *time.Location) (us int64, whole bool, err error) {
	text = strings.ReplaceAll(strings.ToLower(assist.OneLine(text)), " à ", " ")
	if i := strings.LastIndexByte(text, 'h'); i > 0 && i+1 < len(text) { // 8h30
		text = text[:i] + ":" + text[i+1:]
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "t", "T"), "z", "Z")
	if text == "" {
		return 0, false, nil
	}
	for _, layout := range moments() {
		t, err := time.ParseInLocation(layout, text, zone)
		if err == nil && t.Year() >= 1950 && t.Year() <= 2150 {
			return t.UnixMicro(), !strings.Contains(layout, "15"), nil
		}
	}
	return 0, false, fault.New(fault.Invalid, "traces.care.file.date", "text", cut(text))
}
