package lab

import (
	"regexp"
	"strings"
	"time"
)

// notice is what a person understands of a message.
type notice struct {
	// asks tells that an answer is expected: nobody answers an acknowledgement.
	asks bool
	// link is the personal page, when there is one.
	link string
	// exercise is EXERCICE or TEST at the head of the message.
	exercise bool
	// keys are the digits the message proposes.
	keys map[Intent]string
	// only is the digit to type when it stands for any answer: "Rép 1".
	only    string
	english bool
}

var (
	linkPattern     = regexp.MustCompile(`https?://[^\s<>"']+`)
	askPattern      = regexp.MustCompile(`(?i)\b(répondez|repondez|répondre|repondre|rép|rep|tapez|reply|answer)([^\pL]|$)`)
	onlyPattern     = regexp.MustCompile(`^\S+ ([0-9])\b`)
	exercisePattern = regexp.MustCompile(`(?i)^\W*(exercice|exercise|test|essai)\b`)
	keyPattern      = regexp.MustCompile(`\b([0-9])\s*[=:)\-–]?\s*([^0-9=;/|\n]+)`)
	englishPattern  = regexp.MustCompile(`(?i)\b(reply|coming|please|your answer|hospital|exercise)\b`)
)

func readNotice(text string) notice {
	n := notice{exercise: exercisePattern.MatchString(text), keys: map[Intent]string{}, english: englishPattern.MatchString(text)}
	n.link = strings.TrimRight(linkPattern.FindString(text), ".,;:!?)")
	n.asks = n.link != "" || askPattern.MatchString(text)
	// The digits to type come after the word that asks for them: those before are hours and rooms.
	proposed := linkPattern.ReplaceAllString(text, "")
	if at := askPattern.FindStringIndex(proposed); at != nil {
		proposed = proposed[at[0]:]
	}
	for _, m := range keyPattern.FindAllStringSubmatch(proposed, -1) {
		if intent := intentOf(m[2]); intent != Silent && n.keys[intent] == "" {
			n.keys[intent] = m[1]
		}
	}
	if len(n.keys) == 0 {
		if m := onlyPattern.FindStringSubmatch(proposed); m != nil {
			n.only = m[1]
		}
	}
	return n
}

// What choices say, folded. The first that matches counts: "je ne peux pas
// venir" holds "venir" too.
var (
	saysUnavailable = regexp.MustCompile(`\b(ne peux pas|ne viens pas|ne pas venir|pas dispo|indispo|empech|unavailable|cannot|can't|can not|not coming|away\b|absent|non\b|no\b)`)
	saysCallMe      = regexp.MustCompile(`\b(rappel|appelez|call[_ ](me|back)|joindre|aide\b|help\b)`)
	saysOnSite      = regexp.MustCompile(`\b(sur place|sur site|on[_ ]site|deja|already|abrite|sorti|safe\b|out\b)`)
	saysComing      = regexp.MustCompile(`\b(viens|venir|arrive|coming|come\b|j'y vais|oui\b|yes\b|present|disponible|available)`)
)

// intentOf reads the label of a choice; Silent when it says none we know.
func intentOf(label string) Intent {
	folded := plain(label)
	switch {
	case saysUnavailable.MatchString(folded):
		return Unavailable
	case saysCallMe.MatchString(folded):
		return CallMe
	case saysOnSite.MatchString(folded):
		return OnSite
	case saysComing.MatchString(folded):
		return Coming
	}
	return Silent
}

// plain folds what matters to recognise French words.
func plain(s string) string {
	return strings.NewReplacer("é", "e", "è", "e", "ê", "e", "à", "a", "â", "a", "ç", "c", "ô", "o", "î", "i", "û", "u", "’", "'", "\u00a0", " ", "\u202f", " ").
		Replace(strings.ToLower(s))
}

// hearing is how a message finds its reader.
type hearing int

const (
	heardFirst hearing = iota
	heardAgain
	heardEnough
)

// step is one thing a person does after a message.
type step struct {
	after   time.Duration
	intent  Intent
	minutes int
	link    bool
	second  bool
}

// steps are what a person does about a message: nothing, one answer, or an
// answer and another that replaces it.
func (who Person) steps(n notice, h hearing) []step {
	if h == heardEnough || n.exercise && who.LazyInExercise {
		return nil
	}
	intent := who.Intent
	if h == heardAgain {
		intent = who.Wakes
	}
	if intent == Silent {
		return nil
	}
	intent = n.suits(intent)
	first := step{after: who.Delay, intent: intent, minutes: -1, link: who.Link && n.link != "" && answerable(intent)}
	if intent == Coming {
		first.minutes = who.Minutes
	}
	steps := []step{first}
	if h == heardFirst && who.Second != Silent {
		again := step{after: who.Delay + who.Again, intent: n.suits(who.Second), minutes: -1, second: true}
		if again.intent == Coming {
			again.minutes = who.Minutes * 2
		}
		// Half of those who change their mind then take the other road.
		again.link = n.link != "" && first.link != (who.dice.roll("road") < 0.5)
		steps = append(steps, again)
	}
	return steps
}

// suits is what a person says when the message does not ask who comes: in a
// confinement, who would have come is in shelter.
func (n notice) suits(i Intent) Intent {
	if i == Coming && n.keys[Coming] == "" && n.keys[OnSite] != "" {
		return OnSite
	}
	return i
}

// answerable tells what the page has a button for.
func answerable(i Intent) bool { return i != Unclear && i != Stop }
