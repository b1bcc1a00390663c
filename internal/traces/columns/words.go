package columns

import (
	"strings"

	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// headerWords are the names that applications give to their columns, folded, in
// the order of trust: an exact name is worth more than one that is contained.
var headerWords = map[traces.Place][]string{
	traces.PlaceAt:          {"date heure", "date et heure", "horodatage", "horodate", "timestamp", "date acces", "date action", "date evenement", "date de l'acces", "date time", "datetime", "event time", "access time", "date", "heure", "time"},
	traces.PlaceKey:         {"id trace", "id evenement", "numero trace", "n° trace", "identifiant trace", "event id", "trace id", "log id", "audit id", "uuid", "id"},
	traces.PlaceAccount:     {"login", "identifiant utilisateur", "code utilisateur", "utilisateur", "compte", "identifiant", "matricule", "user", "username", "user name", "user id", "account", "agent", "code agent", "operateur"},
	traces.PlacePerson:      {"nom utilisateur", "nom de l'utilisateur", "nom prenom utilisateur", "nom agent", "nom complet", "nom et prenom", "nom prenom", "user full name", "full name", "professionnel", "intervenant", "nom"},
	traces.PlaceFunction:    {"fonction", "profil", "profession", "metier", "role", "specialite", "qualite", "job"},
	traces.PlaceDelegate:    {"pour le compte de", "delegue par", "delegation", "responsable", "on behalf of"},
	traces.PlaceAction:      {"action", "type action", "type d'action", "type acces", "type d'acces", "operation", "evenement", "type evenement", "event type", "event", "nature", "acte", "verbe"},
	traces.PlaceIPP:         {"ipp", "numero ipp", "n° ipp", "id patient", "identifiant patient", "numero patient", "n° patient", "code patient", "patient id", "patient number", "mrn", "nip", "dossier", "numero dossier", "n° dossier", "patient"},
	traces.PlaceINS:         {"ins", "matricule ins", "nir", "ins patient"},
	traces.PlacePatientName: {"nom patient", "nom du patient", "nom prenom patient", "patient nom", "patient name", "identite patient"},
	traces.PlaceStay:        {"iep", "nda", "sejour", "numero sejour", "n° sejour", "venue", "numero venue", "passage", "encounter", "visit", "visit number", "stay"},
	traces.PlaceDocument:    {"document", "id document", "numero document", "document id", "compte rendu"},
	traces.PlaceObject:      {"objet", "ecran", "module", "fonctionnalite", "menu", "type document", "rubrique", "ressource", "object", "screen", "resource", "formulaire"},
	traces.PlaceParameter:   {"parametre", "valeur", "parameter", "critere", "requete"},
	traces.PlaceDevice:      {"equipement", "appareil", "modalite", "device", "dispositif"},
	traces.PlaceApplication: {"application", "logiciel", "appli", "programme", "app"},
	traces.PlaceWorkstation: {"poste", "poste de travail", "station", "machine", "nom machine", "ordinateur", "workstation", "hostname", "host", "computer", "terminal"},
	traces.PlaceAddress:     {"adresse ip", "ip", "adresse", "ip address", "client ip", "ip poste", "ip source"},
	traces.PlaceSite:        {"etablissement", "site", "hopital", "entite juridique", "finess", "facility", "hospital"},
	traces.PlaceService:     {"service", "uf", "unite", "unite fonctionnelle", "pole", "code uf", "libelle uf", "ward", "department", "unit"},
	traces.PlacePurpose:     {"motif", "justification", "raison", "motif acces", "motif de l'acces", "reason", "purpose"},
	traces.PlaceRelation:    {"relation", "lien", "relation de soins", "care relation"},
	traces.PlaceOutcome:     {"resultat", "statut", "status", "etat", "succes", "outcome", "result", "code retour"},
	traces.PlaceSeverity:    {"niveau", "gravite", "severite", "level", "severity"},
	traces.PlaceMessage:     {"commentaire", "message", "libelle", "description", "detail", "details", "comment", "texte", "observation"},
}

// plain is a name of column as the words are: folded, signs as blanks.
func plain(header string) string {
	return strings.Join(strings.FieldsFunc(storage.Fold(header), func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == '/' || r == ':' || r <= ' ' }), " ")
}

// byName tells what a column is by its name, 0 to 100.
func byName(header string, place traces.Place) int {
	name := plain(header)
	if name == "" {
		return 0
	}
	best := 0
	for i, word := range headerWords[place] {
		switch {
		case name == word:
			best = max(best, 95-i/4)
		case len(word) > 3 && (strings.HasPrefix(name, word+" ") || strings.HasSuffix(name, " "+word)):
			best = max(best, 55+min(len(word), 20))
		case len(word) > 4 && strings.Contains(name, word):
			best = max(best, 45+min(len(word), 20))
		}
	}
	return best
}
