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
	keys    map[Intent]string
	english bool
}

var (
	linkPattern     = regexp.MustCompile(`https?://[^\s<>"']+`)
	askPattern      = regexp.MustCompile(`(?i)\b(répondez|repondez|répondre|repondre|rép|rep|tapez|reply|answer)([^\pL]|$)`)
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
	return n
}

// intentOf reads the label of a choice; Silent when it says none we know.
func intentOf(label string) Intent {
	folded := plain(label)
	for _, words := range []struct {
		intent Intent
		any    []string
	}{
		{Unavailable, []string{"ne peux pas", "ne viens pas", "pas disponible", "indispo", "unavailable", "cannot", "can't", "can not", "not coming", "empech", "ne pas venir", "non"}},
		{CallMe, []string{"rappel", "appelez", "call_me", "call me", "call back", "joindre"}},
		{OnSite, []string{"sur place", "sur site", "on_site", "on site", "deja la", "already"}},
		{Coming, []string{"viens", "arrive", "coming", "venir", "j'y vais", "oui", "present", "disponible", "yes"}},
	} {
		for _, w := range words.any {
			if strings.Contains(folded, w) {
				return words.intent
			}
		}
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
	first := step{after: who.Delay, intent: intent, minutes: -1, link: who.Link && n.link != "" && answerable(intent)}
	if intent == Coming {
		first.minutes = who.Minutes
	}
	steps := []step{first}
	if h == heardFirst && who.Second != Silent {
		again := step{after: who.Delay + who.Again, intent: who.Second, minutes: -1, second: true}
		if who.Second == Coming {
			again.minutes = who.Minutes * 2
		}
		// Half of those who change their mind then take the other road.
		again.link = n.link != "" && first.link != (who.dice.roll("road") < 0.5)
		steps = append(steps, again)
	}
	return steps
}

// answerable tells what the page has a button for.
func answerable(i Intent) bool { return i != Unclear && i != Stop }
