package demo

// The three sites.
const (
	siteMain  = "Site Sainte-Aurore"
	siteQuay  = "Site du Quai-aux-Dames"
	siteLimes = "Site des Tilleuls"
)

// unit is a service before its people are named.
type unit struct {
	site, name string
	staff      staff
	people     int
}

// staff is the shape of a team.
type staff int

const (
	emergency staff = iota
	samu
	criticalCare
	theatre
	ward
	surgery
	maternity
	paediatrics
	imaging
	laboratory
	pharmacy
	psychiatry
	elderly
	rehabilitation
	dayCare
	security
	telephone
	computers
	biomedical
	technical
	supplies
	kitchen
	sterilisation
	cleaning
	transport
	administration
	management
	medicalRecords
)

// units are the forty services; their people add up to 4,300.
func units() []unit {
	return []unit{
		{siteMain, "Urgences adultes", emergency, 183},
		{siteMain, "SAMU – SMUR", samu, 105},
		{siteMain, "Réanimation polyvalente", criticalCare, 148},
		{siteMain, "Soins intensifs de cardiologie", criticalCare, 86},
		{siteMain, "Bloc opératoire", theatre, 200},
		{siteMain, "Anesthésie – salle de réveil", theatre, 120},
		{siteMain, "Chirurgie viscérale", surgery, 110},
		{siteMain, "Chirurgie orthopédique et traumatologie", surgery, 123},
		{siteMain, "Chirurgie ambulatoire", surgery, 78},
		{siteMain, "Cardiologie", ward, 110},
		{siteMain, "Pneumologie", ward, 99},
		{siteMain, "Hépato-gastro-entérologie", ward, 97},
		{siteMain, "Neurologie – unité neurovasculaire", ward, 116},
		{siteMain, "Néphrologie – dialyse", ward, 105},
		{siteMain, "Oncologie – hématologie", ward, 118},
		{siteMain, "Médecine interne et maladies infectieuses", ward, 105},
		{siteMain, "Court séjour gériatrique", ward, 110},
		{siteMain, "Imagerie médicale", imaging, 129},
		{siteMain, "Laboratoire de biologie médicale", laboratory, 114},
		{siteMain, "Pharmacie à usage intérieur", pharmacy, 82},
		{siteMain, "Stérilisation centrale", sterilisation, 43},
		{siteMain, "Brancardage et transports", transport, 90},
		{siteMain, "Direction générale et cabinet", management, 39},
		{siteMain, "Ressources humaines et finances", administration, 120},
		{siteMain, "Direction des systèmes d’information", computers, 58},
		{siteMain, "Département de l’information médicale", medicalRecords, 36},
		{siteMain, "Service biomédical", biomedical, 26},
		{siteMain, "Standard et accueil", telephone, 54},
		{siteMain, "Sécurité incendie et sûreté", security, 60},
		{siteMain, "Services techniques", technical, 105},
		{siteMain, "Logistique et magasins", supplies, 99},
		{siteMain, "Restauration", kitchen, 110},
		{siteMain, "Bionettoyage", cleaning, 138},
		{siteQuay, "Maternité et salle de naissance", maternity, 155},
		{siteQuay, "Pédiatrie et urgences pédiatriques", paediatrics, 133},
		{siteQuay, "Néonatologie", paediatrics, 97},
		{siteQuay, "Consultations externes", dayCare, 99},
		{siteLimes, "Psychiatrie adulte", psychiatry, 164},
		{siteLimes, "Soins médicaux et de réadaptation", rehabilitation, 120},
		{siteLimes, "EHPAD et soins de longue durée", elderly, 216},
	}
}

// portion is how many in a hundred of a team hold a métier.
type portion struct {
	metier string
	parts  int
}

// team gives the proportions of a sort of service.
func (s staff) team() []portion {
	switch s {
	case emergency:
		return []portion{{"ide", 38}, {"aide_soignant", 22}, {"medecin_urgentiste", 13}, {"interne", 7}, {"ash", 5}, {"brancardier", 4}, {"agent_accueil", 4}, {"cadre", 2}, {"secretaire", 3}, {"externe", 2}}
	case samu:
		return []portion{{"regulateur_samu", 30}, {"medecin_urgentiste", 24}, {"ambulancier", 20}, {"ide", 14}, {"iade", 8}, {"cadre", 2}, {"secretaire", 2}}
	case criticalCare:
		return []portion{{"ide", 46}, {"aide_soignant", 24}, {"medecin_reanimateur", 10}, {"interne", 6}, {"ash", 5}, {"kinesitherapeute", 3}, {"cadre", 2}, {"psychologue", 1}, {"secretaire", 2}, {"dieteticien", 1}}
	case theatre:
		return []portion{{"ibode", 20}, {"iade", 22}, {"ide", 14}, {"medecin_anesthesiste", 14}, {"chirurgien", 8}, {"aide_soignant", 9}, {"brancardier", 4}, {"interne", 5}, {"cadre", 2}, {"secretaire", 2}}
	case surgery:
		return []portion{{"ide", 34}, {"aide_soignant", 26}, {"chirurgien", 12}, {"interne", 7}, {"ash", 9}, {"kinesitherapeute", 2}, {"cadre", 2}, {"secretaire", 6}, {"externe", 2}}
	case ward:
		return []portion{{"ide", 34}, {"aide_soignant", 29}, {"medecin", 11}, {"interne", 6}, {"ash", 8}, {"kinesitherapeute", 2}, {"cadre", 2}, {"secretaire", 4}, {"externe", 2}, {"dieteticien", 1}, {"ipa", 1}}
	case maternity:
		return []portion{{"sage_femme", 36}, {"auxiliaire_puericulture", 20}, {"ide", 8}, {"aide_soignant", 10}, {"medecin", 10}, {"interne", 5}, {"ash", 6}, {"cadre", 2}, {"secretaire", 3}}
	case paediatrics:
		return []portion{{"puericultrice", 30}, {"ide", 16}, {"auxiliaire_puericulture", 24}, {"medecin_pediatre", 12}, {"interne", 7}, {"ash", 6}, {"cadre", 2}, {"secretaire", 3}}
	case imaging:
		return []portion{{"manipulateur_radio", 58}, {"medecin_radiologue", 13}, {"secretaire", 13}, {"brancardier", 5}, {"interne", 5}, {"aide_soignant", 3}, {"cadre", 3}}
	case laboratory:
		return []portion{{"technicien_labo", 66}, {"medecin_biologiste", 11}, {"interne", 4}, {"ash", 5}, {"secretaire", 11}, {"cadre", 3}}
	case pharmacy:
		return []portion{{"preparateur_pharmacie", 52}, {"pharmacien", 18}, {"interne", 8}, {"logistique", 15}, {"secretaire", 4}, {"cadre", 3}}
	case psychiatry:
		return []portion{{"ide", 44}, {"aide_soignant", 18}, {"medecin_psychiatre", 8}, {"psychologue", 7}, {"interne", 4}, {"ash", 8}, {"educateur", 3}, {"assistant_social", 3}, {"cadre", 2}, {"secretaire", 3}}
	case elderly:
		return []portion{{"aide_soignant", 46}, {"ide", 16}, {"aes", 9}, {"ash", 19}, {"medecin", 2}, {"kinesitherapeute", 1}, {"ergotherapeute", 1}, {"psychologue", 1}, {"cadre", 2}, {"secretaire", 2}, {"etudiant_infirmier", 1}}
	case rehabilitation:
		return []portion{{"ide", 22}, {"aide_soignant", 28}, {"kinesitherapeute", 15}, {"ergotherapeute", 8}, {"orthophoniste", 3}, {"psychomotricien", 2}, {"medecin", 6}, {"ash", 9}, {"assistant_social", 2}, {"cadre", 2}, {"secretaire", 3}}
	case dayCare:
		return []portion{{"ide", 26}, {"medecin", 26}, {"secretaire", 28}, {"aide_soignant", 10}, {"agent_accueil", 6}, {"cadre", 2}, {"ash", 2}}
	}
	return s.support()
}

// support are the services that treat nobody and without which nobody is treated.
func (s staff) support() []portion {
	switch s {
	case security:
		return []portion{{"agent_securite", 94}, {"cadre", 2}, {"administratif", 4}}
	case telephone:
		return []portion{{"standardiste", 52}, {"agent_accueil", 44}, {"administratif", 4}}
	case computers:
		return []portion{{"informaticien", 90}, {"rssi", 2}, {"administratif", 8}}
	case biomedical:
		return []portion{{"technicien_biomedical", 92}, {"administratif", 8}}
	case technical:
		return []portion{{"technique", 95}, {"administratif", 5}}
	case supplies:
		return []portion{{"logistique", 94}, {"administratif", 6}}
	case kitchen:
		return []portion{{"restauration", 93}, {"dieteticien", 4}, {"administratif", 3}}
	case sterilisation:
		return []portion{{"sterilisation", 94}, {"cadre", 4}, {"logistique", 2}}
	case cleaning:
		return []portion{{"ash", 97}, {"cadre", 2}, {"administratif", 1}}
	case transport:
		return []portion{{"brancardier", 82}, {"ambulancier", 14}, {"cadre", 2}, {"administratif", 2}}
	case management:
		return []portion{{"directeur", 22}, {"directeur_soins", 5}, {"administrateur_garde", 14}, {"cadre_superieur", 19}, {"secretaire", 24}, {"communication", 9}, {"qualite", 7}}
	case medicalRecords:
		return []portion{{"tim", 74}, {"medecin", 13}, {"administratif", 13}}
	default:
		return []portion{{"administratif", 92}, {"assistant_social", 4}, {"qualite", 4}}
	}
}

// seats divides a team of n by its proportions, to the person: the largest
// remainders take what is left.
func seats(team []portion, n int) []portion {
	total := 0
	for _, p := range team {
		total += p.parts
	}
	out := make([]portion, len(team))
	rest := make([]int, len(team))
	given := 0
	for i, p := range team {
		out[i] = portion{p.metier, n * p.parts / total}
		rest[i] = n * p.parts % total
		given += out[i].parts
	}
	for ; given < n; given++ {
		largest := 0
		for i := range rest {
			if rest[i] > rest[largest] {
				largest = i
			}
		}
		out[largest].parts++
		rest[largest] = -1
	}
	return out
}
