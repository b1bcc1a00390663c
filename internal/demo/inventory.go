package demo

import (
	"encoding/csv"
	"io"
)

// WriteInventory writes what the invented hospital runs on, as its computer
// department would keep it in a spreadsheet: a gap and an unknown level included.
func (e Establishment) WriteInventory(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Comma = ';'
	if err := out.WriteAll(append([][]string{{
		"Nature", "Numéro d’inventaire", "Désignation", "Criticité", "Service responsable", "Service", "Fournisseur", "Version", "Nom réseau", "Adresse IP", "AE Title",
	}}, things()...)); err != nil {
		return err
	}
	return out.Error()
}

// things are in addresses that RFC 5737 reserves for examples.
func things() [][]string {
	const (
		computers = "Direction des systèmes d’information"
		biomed    = "Service biomédical"
	)
	return [][]string{
		{"Application", "APP-01", "Dossier patient Aurore", "Vitale", computers, "", "Altaïr Santé", "12.4", "dpi.sainte-aurore.example", "192.0.2.10", ""},
		{"Application", "APP-02", "Régulation et SAMU", "Vitale", computers, "SAMU – SMUR", "Cassiopée Logiciels", "7", "samu.sainte-aurore.example", "192.0.2.11", ""},
		{"Application", "APP-03", "Laboratoire Bételgeuse", "Critique", computers, "Laboratoire de biologie médicale", "Cassiopée Logiciels", "2025", "sil.sainte-aurore.example", "192.0.2.12", ""},
		{"Application", "APP-04", "Imagerie Orion (PACS)", "Critique", computers, "Imagerie médicale", "Orion Imagerie", "9.1", "pacs.sainte-aurore.example", "192.0.2.13", "AURORE_PACS"},
		{"Application", "APP-05", "Circuit du médicament", "Critique", computers, "Pharmacie à usage intérieur", "Altaïr Santé", "12.4", "", "", ""},
		{"Application", "APP-06", "Paie et temps de travail", "Importante", computers, "Ressources humaines et finances", "Véga Gestion", "5.2", "", "", ""},
		{"Application", "APP-07", "Commande des repas", "", computers, "Restauration", "Véga Gestion", "", "", "", ""},
		{"Serveur", "SRV-01", "srv-dpi-01", "Vitale", computers, "", "", "", "srv-dpi-01", "192.0.2.20", ""},
		{"Serveur", "SRV-02", "srv-dpi-02", "Vitale", computers, "", "", "", "srv-dpi-02", "192.0.2.21", ""},
		{"Serveur", "SRV-03", "srv-pacs-01", "Critique", computers, "", "", "", "srv-pacs-01", "192.0.2.22", ""},
		{"Passerelle", "PAS-01", "Passerelle des moniteurs", "Vitale", biomed, "Réanimation polyvalente", "Sirius Médical", "3", "pass-moniteurs", "198.51.100.5", ""},
		{"Biomédical", "BM-0101", "Moniteur réanimation lit 1", "Vitale", biomed, "Réanimation polyvalente", "Sirius Médical", "M40", "", "198.51.100.11", ""},
		{"Biomédical", "BM-0102", "Moniteur réanimation lit 2", "Vitale", biomed, "Réanimation polyvalente", "Sirius Médical", "M40", "", "198.51.100.12", ""},
		{"Biomédical", "BM-0210", "Scanner 1", "Critique", biomed, "Imagerie médicale", "Orion Imagerie", "CT-X", "scanner-1", "198.51.100.30", "SCANNER1"},
		{"Biomédical", "BM-0301", "Automate de biochimie", "Critique", biomed, "Laboratoire de biologie médicale", "Procyon Diagnostics", "B200", "", "198.51.100.40", ""},
		{"Équipement", "EQ-0007", "Poste de l’accueil des urgences", "à voir", computers, "Urgences adultes", "", "", "urg-accueil-01", "203.0.113.7", ""},
	}
}
