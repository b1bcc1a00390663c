package screens

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

const (
	// CodeLife is how long a screen shows one code, and how long what was typed waits for it.
	CodeLife = 10 * time.Minute
	// SilentAfter is from when a screen that says nothing is shown as silent.
	SilentAfter = 30 * time.Second
	// seenEvery is how often the visit of a screen is written.
	seenEvery = 10 * time.Second
	// shownMost bounds what a screen may say that it shows.
	shownMost = 1_000
	// screensMost is how many screens an establishment may have.
	screensMost = 500
	// awaitedMost is how many codes may wait for their screen at once.
	awaitedMost = 20
)

// Screen is a screen on a wall, or one that is awaited.
type Screen struct {
	ID   uuid.UUID
	Name string
	// Place is the site or the service where it hangs; Nil shows what is for every screen.
	Place uuid.UUID
	// Speaks tells that its place allows a voice.
	Speaks bool
	Made   time.Time
	// Paired is zero for one whose browser has not come yet; until Until it may.
	Paired, Until time.Time
	// Seen is its last visit, Version the page it shows.
	Seen    time.Time
	Version string
	// Shown are the alerts that it says it shows, since ShownAt.
	Shown   []uuid.UUID
	ShownAt time.Time
}

// Silent tells a screen that was paired and says nothing any more.
func (s Screen) Silent(now time.Time) bool {
	return !s.Paired.IsZero() && now.Sub(s.Seen) > SilentAfter
}

// Shows tells whether the screen said that it shows an alert.
func (s Screen) Shows(launch uuid.UUID) bool {
	for _, id := range s.Shown {
		if id == launch {
			return true
		}
	}
	return false
}

const columns = `organisation_id, id, name, place_id, speaks, code_until_us, made_us, paired_us, seen_us, version, shown, shown_us`

// held is a screen and its establishment.
type held struct {
	Screen
	organisation uuid.UUID
}

func read(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []held, err error) {
	err = tx.Query(ctx, `SELECT `+columns+` FROM screens_screens WHERE `+which, args, func(row func(...any) error) error {
		var h held
		var place uuid.NullUUID
		var until, made int64
		var paired, seen, shownAt sql.NullInt64
		var shown string
		err := row(&h.organisation, &h.ID, &h.Name, &place, &h.Speaks, &until, &made, &paired, &seen, &h.Version, &shown, &shownAt)
		h.Place, h.Until, h.Made = place.UUID, storage.Time(until), storage.Time(made)
		h.Paired, h.Seen, h.ShownAt = storage.NullTime(paired), storage.NullTime(seen), storage.NullTime(shownAt)
		h.Shown = idsOf(shown)
		out = append(out, h)
		return err
	})
	return out, err
}

// idsOf reads a list of ids separated by spaces; what is none is left out.
func idsOf(text string) (out []uuid.UUID) {
	if len(text) > shownMost {
		return nil
	}
	for word := range strings.FieldsSeq(text) {
		if id, err := uuid.Parse(word); err == nil {
			out = append(out, id)
		}
	}
	return out
}

func written(ids []uuid.UUID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = id.String()
	}
	return strings.Join(words, " ")
}

// alphabet is Crockford's base 32: no i, l, o or u, which are misread.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLength gives 40 bits, which live ten minutes.
const codeLength = 8

// Code is what the browser of a token shows at an instant. It follows from the
// token and our key: nothing is kept of browsers that were never typed in.
func (s *Service) Code(token string, now time.Time) string {
	return s.code(token, now.Unix()/int64(CodeLife/time.Second))
}

func (s *Service) code(token string, window int64) string {
	mac := hmac.New(sha256.New, s.opt.Key)
	mac.Write([]byte(strconv.FormatInt(window, 10) + "\x00" + token))
	bits := binary.BigEndian.Uint64(mac.Sum(nil))
	var out [codeLength]byte
	for i := range out {
		out[i] = alphabet[bits&31]
		bits >>= 5
	}
	return string(out[:])
}

// readCode gives a code as it is kept from what a person typed, or "".
func readCode(typed string) string {
	if len(typed) > 40 {
		return ""
	}
	s := strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(typed))
	if len(s) != codeLength || strings.Trim(s, alphabet) != "" {
		return ""
	}
	return s
}

// worker names the room where it serves a screen.
const worker = "screens"

func instance() access.Scope { return access.Instance(worker) }
