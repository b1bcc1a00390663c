package inventory

import (
	"slices"

	"tocsin/internal/document/assist"
)

// Kind is what a thing is. The values are stored.
type Kind string

// The kinds, in the order they are shown.
const (
	Application Kind = "application"
	Server      Kind = "server"
	Device      Kind = "device" // workstations, printers, network equipment
	Biomedical  Kind = "biomedical"
	Gateway     Kind = "gateway" // through which biomedical equipment and others speak
	Supplier    Kind = "supplier"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Application, Server, Device, Biomedical, Gateway, Supplier} }

// Known tells whether it is one of Kinds.
func (k Kind) Known() bool { return slices.Contains(Kinds(), k) }

// Bases are the kinds on which a thing of this kind may rest, the likeliest
// first. An item names its supplier, and does not rest on it.
func (k Kind) Bases() []Kind {
	switch k {
	case Application, Server:
		return []Kind{Server, Gateway, Application, Device}
	case Device, Biomedical:
		return []Kind{Gateway, Server, Application}
	case Gateway:
		return []Kind{Server, Application, Gateway, Device}
	case Supplier:
	}
	return nil
}

// May tells whether a thing of this kind may rest on one of another.
func (k Kind) May(under Kind) bool { return slices.Contains(k.Bases(), under) }

// readKind recognises a kind in the words of a file.
func readKind(cell string) (Kind, bool) {
	words := assist.Words[Kind]{
		Application: {"application", "applications", "logiciel", "logiciels", "app", "software", "progiciel"},
		Server:      {"server", "serveur", "serveurs", "servers", "vm", "machine_virtuelle", "hyperviseur", "host"},
		Device: {
			"device", "devices", "equipement", "equipements", "materiel", "poste", "poste_de_travail", "pc", "ordinateur", "portable", "imprimante",
			"switch", "commutateur", "routeur", "pare_feu", "equipement_reseau", "workstation", "printer",
		},
		Biomedical: {"biomedical", "biomed", "equipement_biomedical", "dispositif_medical", "dm", "modalite", "automate", "medical_device", "equipement_medical"},
		Gateway:    {"gateway", "passerelle", "passerelles", "concentrateur", "eai", "middleware", "passerelle_biomedicale"},
		Supplier:   {"supplier", "suppliers", "fournisseur", "fournisseurs", "editeur", "prestataire", "mainteneur", "vendor"},
	}
	return words.Field(cell)
}

// Criticality is how grave it is when a thing stops. The values are stored.
type Criticality string

// The levels, the gravest first, in the words of hospital continuity plans.
const (
	// Unrated has not been weighed yet.
	Unrated Criticality = ""
	// Vital: a patient is in danger within the hour.
	Vital Criticality = "vital"
	// Critical: care stops within the day.
	Critical Criticality = "critical"
	// Important: care goes on by hand for some days.
	Important Criticality = "important"
	// Standard: it is a nuisance.
	Standard Criticality = "standard"
)

// Criticalities lists the levels, the gravest first; not Unrated.
func Criticalities() []Criticality { return []Criticality{Vital, Critical, Important, Standard} }

// readCriticality recognises a level in the words of a file. Figures are
// not read: the one of some is the four of others.
func readCriticality(cell string) (Criticality, bool) {
	words := assist.Words[Criticality]{
		Vital:     {"vital", "vitale", "vitaux"},
		Critical:  {"critical", "critique", "elevee", "eleve", "haute", "forte", "high"},
		Important: {"important", "importante", "majeure", "majeur", "sensible", "moyenne", "moyen", "medium"},
		Standard:  {"standard", "faible", "basse", "mineure", "mineur", "secondaire", "normale", "normal", "low"},
	}
	return words.Field(cell)
}
