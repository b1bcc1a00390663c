package lab

import (
	"math/rand/v2"
	"strings"
)

var (
	givens = [...]string{
		"Marie", "Jean", "Léa", "Paul", "Chloé", "Hugo", "Inès", "Louis", "Zoé", "Karim", "Aïcha", "Noël", "Agnès", "Rémi", "Fatou", "Yann", "Odile", "Marc", "Nadia", "Luc", "Jeanne", "Omar", "Lucie", "Théo",
		"Anne", "Gilles", "Sofia", "Denis", "Clara", "Bruno", "Maud", "Ali",
	}
	common = [...]string{
		"MARTIN", "BERNARD", "THOMAS", "PETIT", "ROBERT", "RICHARD", "DURAND", "DUBOIS", "MOREAU", "LAURENT", "SIMON", "MICHEL", "LEFEBVRE", "LEROY", "ROUX", "DAVID", "BERTRAND", "MOREL", "FOURNIER", "GIRARD",
		"BONNET", "DUPONT", "LAMBERT", "FONTAINE", "ROUSSEAU", "VINCENT", "MULLER", "LEFÈVRE", "FAURE", "ANDRÉ", "MERCIER", "BLANC", "GUÉRIN", "BOYER", "GARNIER", "CHEVALIER", "FRANÇOIS", "LEGRAND", "GAUTHIER",
		"GARCIA", "PERRIN", "ROBIN", "CLÉMENT", "MORIN", "NICOLAS", "HENRY", "ROUSSEL", "MATHIEU", "GAUTIER", "MASSON", "MARCHAND", "DUVAL", "DENIS", "DUMONT", "MARIE", "LEMAIRE", "NOËL", "MEYER", "DUFOUR", "MEUNIER",
	}
	heads       = [...]string{"BAR", "BEL", "BOU", "BRI", "CAR", "CHA", "COR", "CRE", "DAR", "DEL", "DOR", "FAL", "FER", "GAL", "GER", "GOU", "JAC", "LAN", "LER", "MAL", "MON", "NAR", "PEL", "PIC", "RAM", "SAL", "TAR", "VAL"}
	middles     = [...]string{"A", "BE", "CHE", "DI", "GO", "LA", "LE", "MI", "NA", "RO", "SA", "TI", "VE", "ZI", "QUE", "PO", "FU"}
	tails       = [...]string{"ARD", "AUD", "EAU", "ET", "EL", "IER", "IN", "OT", "OUX", "ON", "RIC", "SSE", "TTE", "VAL", "NET", "LLE", "ZAC"}
	specialties = [...]string{
		"Cardiologie", "Réanimation", "Pédiatrie", "Maternité", "Gériatrie", "Oncologie", "Néphrologie", "Chirurgie viscérale", "Pneumologie", "Neurologie", "Orthopédie", "Gastro-entérologie", "Psychiatrie",
		"Hématologie", "Diabétologie", "Rhumatologie", "Urologie", "ORL", "Dermatologie", "Soins de suite",
	}
	objects = [...]string{"Compte rendu", "Prescription", "Résultat de laboratoire", "Imagerie", "Constantes", "Courrier", "Plan de soins", "Antécédents"}
)

// surnames is how many there are.
const surnames = len(common) + len(heads)*len(middles)*len(tails)

// surname is the n-th most common.
func surname(n int) string {
	if n %= surnames; n < len(common) {
		return common[n]
	}
	// Steps prime to the count mix the syllables.
	n = (n - len(common)) * 4177 % (surnames - len(common))
	return strings.Join([]string{heads[n%len(heads)], middles[n/len(heads)%len(middles)], tails[n/len(heads)/len(middles)]}, "")
}

func given(r *rand.Rand) string { return givens[r.IntN(len(givens))] }
