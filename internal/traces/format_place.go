package traces

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/wire/stamp"
)

// Place is a field of the model that a mapping can fill, by its name: what the
// files, the pulls and the JSON of an application say is put into places.
type Place uint8

// The places. Their names travel in saved mappings.
const (
	PlaceNone Place = iota // kept in Extra
	PlaceAt
	PlaceKey
	PlaceAccount
	PlacePerson
	PlaceFunction
	PlaceDelegate
	PlaceAction
	PlaceVerb
	PlaceIPP
	PlaceINS
	PlacePatientName
	PlaceStay
	PlaceDocument
	PlaceObject
	PlaceParameter
	PlaceDevice
	PlaceApplication
	PlaceWorkstation
	PlaceAddress
	PlaceSite
	PlaceService
	PlacePurpose
	PlaceRelation
	PlaceOutcome
	PlaceSeverity
	PlaceMessage
	PlaceIgnored // said elsewhere already: kept in Raw only
)

var placeNames = [...]string{
	"", "at", "key", "account", "person", "function", "delegate", "action", "verb",
	"ipp", "ins", "patient_name", "stay", "document", "object", "parameter", "device",
	"application", "workstation", "address", "site", "service", "purpose", "relation",
	"outcome", "severity", "message", "ignored",
}

// Places lists what a mapping can fill, in the order of the model.
func Places() []Place {
	out := make([]Place, 0, len(placeNames)-1)
	for i := 1; i < len(placeNames); i++ {
		out = append(out, Place(i))
	}
	return out
}

// String is the name of the place, "" for PlaceNone and for an unknown one.
func (p Place) String() string {
	if int(p) >= len(placeNames) {
		return ""
	}
	return placeNames[p]
}

// ParsePlace reads a name.
func ParsePlace(name string) (Place, bool) {
	i := slices.Index(placeNames[1:], name) + 1
	return Place(i), i > 0
}

// Text gives the text that a place is, nil when the place is no plain text (the
// time, the action, the outcome, the severity) or is none.
func (e *Event) Text(p Place) *string {
	switch p {
	case PlaceKey:
		return &e.Key
	case PlaceAccount:
		return &e.Account
	case PlacePerson:
		return &e.Person
	case PlaceFunction:
		return &e.Function
	case PlaceDelegate:
		return &e.Delegate
	case PlaceVerb:
		return &e.Verb
	case PlaceIPP:
		return &e.IPP
	case PlaceINS:
		return &e.INS
	case PlacePatientName:
		return &e.PatientName
	case PlaceStay:
		return &e.Stay
	case PlaceDocument:
		return &e.Document
	case PlaceObject:
		return &e.Object
	case PlaceParameter:
		return &e.Parameter
	case PlaceDevice:
		return &e.Device
	case PlaceApplication:
		return &e.Application
	case PlaceWorkstation:
		return &e.Workstation
	case PlaceAddress:
		return &e.Address
	case PlaceSite:
		return &e.Site
	case PlaceService:
		return &e.Service
	case PlacePurpose:
		return &e.Purpose
	case PlaceRelation:
		return &e.Relation
	case PlaceMessage:
		return &e.Message
	}
	return nil
}

// actionWords are the words by which programs, in French and in English, and
// the letters of CRUDE name actions. What is not here stays in Verb.
var actionWords = map[string]Action{
	"c": Create, "create": Create, "creation": Create, "création": Create, "créer": Create, "creer": Create, "add": Create, "ajout": Create, "insert": Create, "new": Create, "saisie": Create, "admission": Create,
	"r": Read, "read": Read, "view": Read, "open": Read, "access": Read, "lecture": Read, "consultation": Read, "consulter": Read, "ouverture": Read, "visualisation": Read, "accès": Read, "acces": Read, "affichage": Read, "consult": Read, "select": Read,
	"u": Update, "update": Update, "modify": Update, "modification": Update, "modifier": Update, "mise à jour": Update, "maj": Update, "change": Update, "edit": Update, "write": Update, "écriture": Update, "validation": Update,
	"d": Delete, "delete": Delete, "deletion": Delete, "suppression": Delete, "supprimer": Delete, "remove": Delete, "effacement": Delete,
	"e": Execute, "execute": Execute, "exécution": Execute, "execution": Execute, "run": Execute, "created-process": Execute, "launch": Execute,
	"print": Print, "impression": Print, "imprimer": Print, "edition": Print, "édition": Print,
	"export": Export, "exportation": Export, "exporter": Export, "download": Export, "téléchargement": Export, "telechargement": Export, "extraction": Export,
	"break_glass": BreakGlass, "break-glass": BreakGlass, "breakglass": BreakGlass, "bris de glace": BreakGlass, "bris_de_glace": BreakGlass, "btg": BreakGlass, "emergency access": BreakGlass, "accès d’urgence": BreakGlass, "accès d'urgence": BreakGlass,
	"login": Login, "logon": Login, "log on": Login, "log in": Login, "signin": Login, "sign-in": Login, "connexion": Login, "authentification": Login, "authentication": Login, "logged-in": Login, "logon-failed": Login, "logged-in-explicit": Login, "user_login": Login, "ssh_login": Login, "ouverture de session": Login,
	"logout": Logout, "logoff": Logout, "log off": Logout, "log out": Logout, "signout": Logout, "déconnexion": Logout, "deconnexion": Logout, "logged-out": Logout, "fermeture de session": Logout,
	"search": Search, "query": Search, "recherche": Search, "find": Search, "list": Search, "requête": Search,
	"send": Send, "envoi": Send, "transmit": Send, "upload": Send, "transmission": Send,
	"receive": Receive, "réception": Receive, "reception": Receive, "import": Receive,
	"start": Start, "démarrage": Start, "demarrage": Start, "boot": Start,
	"stop": Stop, "arrêt": Stop, "arret": Stop, "shutdown": Stop, "halt": Stop,
	"configure": Configure, "configuration": Configure, "paramétrage": Configure, "parametrage": Configure, "configuration-change": Configure, "added-user-account": Configure, "deleted-user-account": Configure, "enabled-user-account": Configure, "disabled-user-account": Configure, "modified-user-account": Configure, "added-member-to-group": Configure, "removed-member-from-group": Configure, "reset-password": Configure, "change-password": Configure, "habilitation": Configure,
	"sign": Sign, "signature": Sign, "signer": Sign,
}

// ActionOf reads the word of a source for an action, in French or English or by
// the letters of CRUDE, without regard to case. Unsaid when it is none we know.
func ActionOf(word string) Action {
	if a, ok := actionWords[word]; ok {
		return a
	}
	if len(word) > 40 {
		return Unsaid
	}
	return actionWords[strings.ToLower(strings.TrimSpace(word))]
}

var outcomeWords = map[string]Outcome{
	"success": Success, "succeeded": Success, "successful": Success, "ok": Success, "true": Success, "yes": Success, "oui": Success, "succès": Success, "succes": Success, "réussi": Success, "réussite": Success, "allowed": Success, "allow": Success, "accept": Success, "accepted": Success, "pass": Success, "permitted": Success, "vrai": Success,
	"failure": Failure, "failed": Failure, "fail": Failure, "error": Failure, "false": Failure, "no": Failure, "non": Failure, "échec": Failure, "echec": Failure, "erreur": Failure, "ko": Failure, "nok": Failure, "faux": Failure, "minor failure": Failure, "serious failure": Failure, "major failure": Failure,
	"denied": Denied, "deny": Denied, "refused": Denied, "refusé": Denied, "refuse": Denied, "refus": Denied, "blocked": Denied, "block": Denied, "reject": Denied, "rejected": Denied, "forbidden": Denied, "unauthorized": Denied, "interdit": Denied, "drop": Denied, "dropped": Denied,
}

// OutcomeOf reads the word of a source for an outcome, in French or English,
// without regard to case. OutcomeUnsaid when it is none we know.
func OutcomeOf(word string) Outcome {
	if o, ok := outcomeWords[word]; ok {
		return o
	}
	if len(word) > 40 {
		return OutcomeUnsaid
	}
	return outcomeWords[strings.ToLower(strings.TrimSpace(word))]
}

var severityWords = map[string]int8{
	"emergency": 0, "emerg": 0, "panic": 0,
	"alert": 1, "critical": 2, "crit": 2, "fatal": 2,
	"error": 3, "err": 3, "erreur": 3,
	"warning": 4, "warn": 4, "avertissement": 4,
	"notice": 5, "information": 6, "informational": 6, "info": 6,
	"debug": 7, "trace": 7, "verbose": 7,
	"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7,
}

// SeverityOf reads the word or the digit of a level; -1 when it is none we know.
func SeverityOf(word string) int8 {
	if v, ok := severityWords[word]; ok {
		return v
	}
	if v, ok := severityWords[strings.ToLower(strings.TrimSpace(Cut(word, 40)))]; ok {
		return v
	}
	return -1
}

// Put fills a place with what a source wrote; a place that is taken, and
// PlaceNone, keep it in Extra under name. It answers false when the text is no
// date, outcome or level, which Extra keeps too. A patient's number goes where
// it belongs: an INS under IPP is an INS. zone is that of dates without one.
func (e *Event) Put(p Place, name, value string, zone *time.Location) bool {
	if value == "" {
		return true
	}
	switch p {
	case PlaceIgnored:
	case PlaceAt:
		at, ok := stamp.Parse(value, zone)
		if ok && e.AtGuessed {
			e.Happened(at)
			return true
		}
		e.Add(name, value)
		return ok
	case PlaceAction:
		if a := ActionOf(value); a != Unsaid && e.Action == Unsaid {
			e.Action = a
		}
		e.Fill(&e.Verb, name, value)
	case PlaceOutcome:
		if value == "unknown" {
			return true // the word of ECS for what is not said
		}
		o := OutcomeOf(value)
		if o == OutcomeUnsaid || e.Outcome != OutcomeUnsaid {
			e.Add(name, value)
			return o != OutcomeUnsaid
		}
		e.Outcome = o
	case PlaceSeverity:
		v := SeverityOf(value)
		if v < 0 || e.Severity >= 0 {
			e.Add(name, value)
			return v >= 0
		}
		e.Severity = v
	case PlaceIPP:
		e.Patient(value, "")
	default:
		if t := e.Text(p); t != nil {
			e.Fill(t, name, value)
		} else {
			e.Add(name, value)
		}
	}
	return true
}
