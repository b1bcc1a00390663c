package lab

import (
	"strconv"
	"strings"
)

// words are what a person types: "1", "oui 30 min", "j'arrive ds 20mn", "non
// desolee". {k} is the digit the message proposes, {m} the minutes.
func (who Person) words(n notice, s step) string {
	list := sayings(s.intent, s.minutes, n)
	trait := "words"
	if s.second {
		trait = "words again"
	}
	text := list[who.dice.number(trait)%uint64(len(list))]
	if s.second && s.intent == Unavailable {
		text = "finalement non, " + strings.TrimPrefix(text, "non ")
	}
	text = strings.NewReplacer("{k}", n.keys[s.intent], "{m}", strconv.Itoa(s.minutes)).Replace(text)
	if n.exercise && who.dice.roll("says exercise") < 0.08 {
		text += " (exercice)"
	}
	return text
}

func sayings(i Intent, minutes int, n notice) []string {
	var list []string
	if n.only != "" && answerable(i) {
		return []string{n.only, n.only, n.only, n.only + ".", n.only + " ok", " " + n.only, n.only + " merci", "ok", "Bien reçu"}
	}
	if n.keys[i] != "" {
		list = append(list, "{k}", "{k}", "{k}", "{k}", " {k}", "{k}.", "{k} ", "Réponse {k}")
	}
	if n.english {
		return append(list, englishSayings(i)...)
	}
	switch i {
	case Coming:
		if n.keys[i] != "" {
			list = append(list, "{k} {m}", "{k} {m}", "{k} {m}min", "{k}. {m} mn", "{k} dans {m} min", "{k} - {m}")
		}
		return append(list, comingSayings(minutes)...)
	case OnSite:
		return append(list, "sur place", "Sur place", "déjà sur place", "je suis deja la", "deja sur site", "je suis de garde", "Je suis dans le service", "sur place depuis 19h")
	case Unavailable:
		return append(list, "non", "Non", "NON", "non désolé", "non desolee", "Non, désolée", "nn dsl", "pas dispo", "Pas disponible", "indisponible", "je ne peux pas",
			"Je ne peux pas venir", "je peux pas dsl", "impossible je garde les enfants", "Impossible, en congés", "non je suis a 400 km", "Malheureusement non", "pas possible ce soir")
	case CallMe:
		return append(list, "rappelez moi", "Rappelez-moi svp", "pouvez vous me rappeler ?", "appelez moi", "A rappeler")
	case Stop:
		return []string{"STOP", "Stop", "STOP SMS", "stop"}
	default:
		return []string{"?", "C'est qui ?", "Bonjour, vous vous trompez de numéro je crois", "c koi ce message", "Je demande à mon cadre", "pardon ?", "Mauvais numéro"}
	}
}

func comingSayings(minutes int) []string {
	list := []string{
		"oui", "Oui", "OUI", "ok", "ok j'arrive", "j'arrive", "J’arrive", "jarrive", "je viens", "Je viens", "Présent", "👍",
		"oui {m} min", "oui {m}mn", "OUI {m}", "Oui, dans {m} minutes", "j'arrive ds {m}mn", "j'arrive dans {m} min", "jarive ds {m} min", "je viens, {m} min",
		"je suis là dans {m} minutes", "ok {m} min", "en route, {m}mn", "🚗 {m} min", "je pars, la dans {m}min",
	}
	switch minutes {
	case 30:
		list = append(list, "oui dans une demi heure", "1/2h", "ds une demi-heure", "j'arrive dans 1/2 heure")
	case 60:
		list = append(list, "oui 1h", "j'arrive dans une heure", "ds 1h", "oui d'ici 1 heure")
	case 90:
		list = append(list, "oui 1h30", "dans 1h30", "j'arrive ds 1 h 30", "une heure et demie")
	case 15:
		list = append(list, "oui dans un quart d'heure", "1/4h", "ds un quart d heure")
	case 45:
		list = append(list, "trois quarts d'heure", "oui 3/4h")
	}
	return list
}

func englishSayings(i Intent) []string {
	switch i {
	case Coming:
		return []string{"yes", "Yes", "yes {m} min", "coming in {m} minutes", "on my way, {m} min", "I'm coming", "ok {m}"}
	case OnSite:
		return []string{"on site", "already here", "I am on site"}
	case Unavailable:
		return []string{"no", "No sorry", "cannot come", "not available", "sorry can't"}
	case CallMe:
		return []string{"call me", "please call me back"}
	case Stop:
		return []string{"STOP", "stop"}
	default:
		return []string{"?", "who is this?", "wrong number"}
	}
}
