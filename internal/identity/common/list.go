package common

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed" // the list
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"tocsin/internal/storage"
)

//go:embed list.txt.gz
var packed []byte

// List knows the worn passwords.
type List struct{ worn map[string]struct{} }

// Load gives the bundled list, read once.
func Load() (*List, error) { return bundled() }

var bundled = sync.OnceValues(read)

func read() (_ *List, err error) {
	zipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("list of common passwords: %w", err)
	}
	defer func() { err = errors.Join(err, zipped.Close()) }()
	l := &List{worn: make(map[string]struct{}, 1<<16)}
	lines := bufio.NewScanner(zipped)
	for lines.Scan() {
		l.worn[lines.Text()] = struct{}{}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("list of common passwords: %w", err)
	}
	return l, nil
}

// Len is how many the list holds.
func (l *List) Len() int { return len(l.worn) }

// Has tells whether the password is worn, as it is or under its disguise.
func (l *List) Has(password string) bool {
	plain := Plain(password)
	if monotonous(plain) {
		return true
	}
	for _, form := range []string{plain, letters(plain), strings.Trim(plain, ends), letters(strings.Trim(plain, ends)), onlyLetters(plain)} {
		if l.knows(form) {
			return true
		}
	}
	return false
}

// knows finds the word itself, or the word said twice or more.
func (l *List) knows(form string) bool {
	if form == "" {
		return true // digits and signs only
	}
	if _, ok := l.worn[form]; ok {
		return true
	}
	for n := 1; n <= len(form)/2; n++ {
		if len(form)%n == 0 && strings.Repeat(form[:n], len(form)/n) == form {
			_, ok := l.worn[form[:n]]
			return ok || n <= 4
		}
	}
	return false
}

// ends are what people add to a word to please a rule.
const ends = "0123456789!?.,;:*+-_=#$@&%/()[]{}<>'\"~^|\\§£€° "

// Plain folds capitals, accents and spaces away.
func Plain(password string) string {
	return strings.ReplaceAll(storage.Fold(password), " ", "")
}

// letters reads the digits and signs that stand for letters.
func letters(plain string) string {
	return strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(plain)
}

// onlyLetters drops the years and signs that people put between and around words.
func onlyLetters(plain string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, plain)
}

// monotonous tells a row of keys or of figures: fewer than five different signs,
// or each one the neighbour of the one before.
func monotonous(plain string) bool {
	different := map[rune]bool{}
	steps, runes := 0, []rune(plain)
	for i, r := range runes {
		different[r] = true
		if i > 0 && (r-runes[i-1] == 1 || r-runes[i-1] == -1 || r == runes[i-1]) {
			steps++
		}
	}
	return len(different) < 5 || steps >= len(runes)*3/4
}
