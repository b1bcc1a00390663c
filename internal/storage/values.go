package storage

import (
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

// Micros is how a time is stored: UTC microseconds since 1970.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// Time reads a stored time, in UTC.
func Time(us int64) time.Time { return time.UnixMicro(us).UTC() }

// NullMicros stores the zero time as NULL.
func NullMicros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

// NullTime reads a stored time that may be NULL, which gives the zero time.
func NullTime(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return Time(us.Int64)
}

// NullID stores the nil id as NULL.
func NullID(id uuid.UUID) uuid.NullUUID {
	return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil}
}

// NewID returns a UUIDv7 (RFC 9562 § 5.7) for that instant: ids sort by time,
// also in tests whose time is moved.
func NewID(now time.Time) uuid.UUID {
	var id uuid.UUID
	// crypto/rand never fails on the systems we run on (Go 1.24: it crashes the program instead).
	_, err := rand.Read(id[6:])
	if err != nil {
		panic("storage: no randomness: " + err.Error())
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Fold gives the form in which names are searched and sorted, the same on both
// engines: lower case, no accents, ligatures opened, single spaces.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		if r == '’' || r == '\'' || r == '-' || unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		switch r {
		case 'œ':
			b.WriteString("oe")
		case 'æ':
			b.WriteString("ae")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Like escapes a text for use inside LIKE … ESCAPE '\'.
func Like(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
