package exports

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"unicode"

	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

const (
	// hidden stands for a name; nameLeast is the shortest word of one that is looked
	// for, and insideLeast the shortest that is looked for inside of other words.
	hidden      = "•••"
	nameLeast   = 3
	insideLeast = 5
	// seenMost bounds the words remembered.
	seenMost = 200000
)

// mask takes the members of staff out of what a patient receives.
type mask struct {
	key   []byte
	names map[string]bool
	long  []string
	seen  map[string]bool
}

func newMask(key []byte) *mask {
	return &mask{key: key, names: map[string]bool{}, seen: map[string]bool{}}
}

// learn has the names of an event hidden everywhere.
func (m *mask) learn(e *traces.Event) {
	for _, name := range []string{e.Account, e.Person, e.Delegate} {
		for _, word := range strings.FieldsFunc(storage.Fold(name), notWord) {
			if len(word) < nameLeast || m.names[word] {
				continue
			}
			m.names[word] = true
			if len(word) >= insideLeast {
				m.long = append(m.long, word)
			}
		}
	}
}

func notWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// names tells whether a word is one of a name, or holds one.
func (m *mask) hides(word string) bool {
	folded := storage.Fold(word)
	if m.names[folded] {
		return true
	}
	known, was := m.seen[folded]
	if was {
		return known
	}
	for _, name := range m.long {
		if strings.Contains(folded, name) {
			known = true
			break
		}
	}
	if len(m.seen) < seenMost {
		m.seen[folded] = known
	}
	return known
}

// clean is a text without names: word by word, so that "dr.BONNET" and
// "bonnet_y" are hidden as "Bonnet" is. A word too many rather than one too few.
func (m *mask) clean(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		end := strings.IndexFunc(text, notWord)
		if end < 0 {
			end = len(text)
		}
		if word := text[:end]; m.hides(word) {
			out.WriteString(hidden)
		} else {
			out.WriteString(word)
		}
		next := strings.IndexFunc(text[end:], func(r rune) bool { return !notWord(r) })
		if next < 0 {
			next = len(text) - end
		}
		out.WriteString(text[end : end+next])
		text = text[end+next:]
	}
	return out.String()
}

// pseudonym stands for a member of staff: the same for the same account, in each
// archive of one patient, and of no use to find the account.
func (m *mask) pseudonym(e *traces.Event) string {
	who := storage.Fold(e.Account)
	if who == "" {
		who = storage.Fold(e.Person)
	}
	if who == "" {
		return ""
	}
	h := hmac.New(sha256.New, m.key)
	h.Write([]byte(who)) // a hash does not fail
	return "P-" + base32.StdEncoding.EncodeToString(h.Sum(nil))[:8]
}
