package inventory

import (
	"slices"

	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
)

// Field is what a column of a file says. The values are stored.
type Field string

// The fields. Ignored columns are read and thrown away.
const (
	Ignored           Field = ""
	FieldKind         Field = "kind"
	FieldName         Field = "name"
	FieldCode         Field = "code"
	FieldCriticality  Field = "criticality"
	FieldOwner        Field = "owner"
	FieldOwnerService Field = "owner_service"
	FieldService      Field = "service"
	FieldSite         Field = "site"
	FieldSupplier     Field = "supplier"
	FieldModel        Field = "model"
	FieldHost         Field = Field(Host)
	FieldIP           Field = Field(IP)
	FieldMAC          Field = Field(MAC)
	FieldSerial       Field = Field(Serial)
	FieldAETitle      Field = Field(AETitle)
	FieldNotes        Field = "notes"
)

// Fields lists them in the order they are proposed.
func Fields() []Field {
	return []Field{
		FieldKind, FieldName, FieldCode, FieldCriticality, FieldOwner, FieldOwnerService, FieldService, FieldSite, FieldSupplier, FieldModel,
		FieldHost, FieldIP, FieldMAC, FieldSerial, FieldAETitle, FieldNotes,
	}
}

// identifier is the kind of identifier of a field, when it is one.
func (f Field) identifier() (IdentifierKind, bool) {
	kind := IdentifierKind(f)
	return kind, slices.Contains(IdentifierKinds(), kind)
}

// repeats tells the fields that several columns may give.
func (f Field) repeats() bool {
	_, identifies := f.identifier()
	return f == Ignored || identifies
}

// Mapping says what each column is, in the order of the header.
type Mapping []Field

// check refuses a mapping by which nothing could be recognised.
func (m Mapping) check(columns int) error {
	if len(m) != columns {
		return fault.New(fault.Invalid, "inventory.import.mapping_columns").At("mapping")
	}
	seen := map[Field]bool{}
	for _, f := range m {
		if f != Ignored && !slices.Contains(Fields(), f) {
			return fault.New(fault.Invalid, "inventory.import.mapping_field").At("mapping")
		}
		if seen[f] && !f.repeats() {
			return fault.New(fault.Invalid, "inventory.import.mapping_twice").At(string(f))
		}
		seen[f] = true
	}
	if !seen[FieldName] {
		return fault.New(fault.Invalid, "inventory.import.mapping_name").At("mapping")
	}
	return nil
}

// guess proposes a mapping from the header.
func guess(header []string, sample [][]string) Mapping {
	words := headers()
	return assist.Guess(header, sample, func(h string) Field {
		f, _ := words.Field(h)
		return f
	}, Field.repeats)
}

// headers are those of the files of computer and biomedical departments, and ours.
func headers() assist.Words[Field] {
	return assist.Words[Field]{
		FieldKind: {"nature", "type", "kind", "categorie", "famille", "type_d_equipement", "type_equipement", "type_de_materiel", "classe", "category"},
		FieldName: {
			"nom", "name", "libelle", "designation", "intitule", "application", "logiciel", "serveur", "equipement", "nom_de_l_application", "nom_application",
			"nom_du_serveur", "nom_equipement", "denomination", "fournisseur_nom", "label",
		},
		FieldCode: {
			"code", "numero_d_inventaire", "numero_inventaire", "n_d_inventaire", "no_d_inventaire", "n_inventaire", "no_inventaire", "num_inventaire", "inventaire", "code_inventaire", "reference", "ref",
			"asset_number", "asset_tag", "asset", "identifiant", "id", "code_application", "trigramme", "n_gmao", "numero_gmao", "code_gmao", "immobilisation",
		},
		FieldCriticality: {"criticite", "criticality", "niveau_de_criticite", "niveau_criticite", "sensibilite", "importance", "classe_de_criticite"},
		FieldOwner: {
			"responsable", "owner", "proprietaire", "referent", "referent_metier", "responsable_applicatif", "responsable_metier", "referent_technique", "chef_de_projet", "contact",
		},
		FieldOwnerService: {"service_responsable", "service_proprietaire", "service_gestionnaire", "equipe", "gestionnaire", "owner_service", "moe", "service_support"},
		FieldService: {
			"service", "service_de_soins", "service_utilisateur", "uf", "unite", "unite_fonctionnelle", "libelle_uf", "affectation", "service_d_affectation",
			"department", "ward", "care_service", "pole",
		},
		FieldSite:     {"site", "etablissement", "lieu", "localisation", "batiment", "location", "campus", "site_geographique"},
		FieldSupplier: {"fournisseur", "editeur", "supplier", "vendor", "prestataire", "mainteneur", "fabricant_editeur", "societe", "tiers"},
		FieldModel: {
			"marque_et_modele", "modele", "model", "marque", "marque_modele", "version", "fabricant", "constructeur", "marque_type", "type_modele", "manufacturer",
		},
		FieldHost: {
			"nom_reseau", "hostname", "host", "nom_d_hote", "nom_hote", "nom_netbios", "fqdn", "nom_dns", "dns", "host_name", "nom_machine", "nom_de_la_machine",
		},
		FieldIP:      {"ip", "adresse_ip", "adresses_ip", "ip_address", "adresse_ipv4", "ipv4", "adresse_ipv6", "ipv6", "ip_addresses"},
		FieldMAC:     {"mac", "adresse_mac", "adresses_mac", "mac_address", "adresse_physique"},
		FieldSerial:  {"numero_de_serie", "n_de_serie", "no_de_serie", "num_serie", "numero_serie", "n_serie", "serial", "serial_number", "sn", "s_n"},
		FieldAETitle: {"ae_title", "aet", "aetitle", "ae", "titre_ae", "application_entity"},
		FieldNotes:   {"notes", "note", "commentaire", "commentaires", "remarque", "remarques", "observation", "observations", "description", "comment", "comments"},
	}
}
