package dispatch

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// factsPerRow is also the most a Sink receives in one call.
const factsPerRow = 1000

// writeFacts puts facts in the row of their transaction: a row per event and
// message would double the work of a launch.
func writeFacts(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, facts []Fact) error {
	for len(facts) > 0 {
		n := min(factsPerRow, len(facts))
		if _, err := tx.Exec(ctx, `INSERT INTO dispatch_facts (organisation_id, id, facts) VALUES ($1, $2, $3)`,
			scope.Organisation(), storage.NewID(now), writtenFacts(facts[:n])); err != nil {
			return err
		}
		facts = facts[n:]
	}
	return nil
}

// Facts wait as lines: one says what those that follow share, each other is a
// fact. A tenth of the cost of JSON, paid twice for every message.
const (
	sharedLine  = '+'
	sharedParts = 5 // campaign, medium, purpose, wave
	factParts   = 6 // delivery, subject, kind, reason, instant, address
)

// shared is what the facts of one campaign have in common, most of the time.
type shared struct {
	campaign uuid.UUID
	medium   channels.Medium
	purpose  string
	wave     int
}

func writtenFacts(facts []Fact) string {
	b := make([]byte, 0, 32+96*len(facts))
	var said shared
	for i, f := range facts {
		if s := (shared{f.Campaign, f.Medium, f.Purpose, f.Wave}); i == 0 || s != said {
			said = s
			b = append(b, sharedLine, '\t')
			b = append(appendID(b, s.campaign), '\t')
			b = append(appendPlain(b, string(s.medium)), '\t')
			b = append(appendPlain(b, s.purpose), '\t')
			b = append(strconv.AppendInt(b, int64(s.wave), 10), '\n')
		}
		b = append(appendID(b, f.Delivery), '\t')
		b = append(appendID(b, f.Subject), '\t')
		b = append(append(b, f.Kind...), '\t')
		b = append(append(b, f.Reason...), '\t')
		b = append(strconv.AppendInt(b, storage.Micros(f.At), 10), '\t')
		b = append(appendPlain(b, f.Address), '\n')
	}
	return string(b)
}

func appendID(b []byte, id uuid.UUID) []byte { return base64.RawURLEncoding.AppendEncode(b, id[:]) }

// appendPlain writes a text of others without what ends a part or a line.
func appendPlain(b []byte, s string) []byte {
	if !strings.ContainsAny(s, "\\\t\n") {
		return append(b, s...)
	}
	return append(b, strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`).Replace(s)...)
}

func readPlain(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n").Replace(s)
}

var errFacts = errors.New("facts cannot be read")

func readFacts(text string) ([]Fact, error) {
	if strings.HasPrefix(text, "[") {
		return readFirstFacts(text)
	}
	out := make([]Fact, 0, strings.Count(text, "\n"))
	var said shared
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		var parts [factParts]string
		n := 0
		for more := true; more && n < factParts; n++ {
			parts[n], line, more = strings.Cut(line, "\t")
		}
		var err error
		switch {
		case line != "":
			err = errFacts
		case n == sharedParts && parts[0] == string(sharedLine):
			said, err = readShared(parts)
		case n == factParts:
			var f Fact
			f, err = readFact(said, parts)
			out = append(out, f)
		default:
			err = errFacts
		}
		if err != nil {
			return nil, fmt.Errorf("decode facts: %w", err)
		}
	}
	return out, nil
}

// firstFact is a fact as the first versions wrote it, in JSON: what waited when
// they were stopped is told by this one.
type firstFact struct {
	Delivery uuid.UUID       `json:"d"`
	Campaign uuid.UUID       `json:"c"`
	Subject  uuid.UUID       `json:"s"`
	Medium   channels.Medium `json:"m"`
	Address  string          `json:"a"`
	Kind     FactKind        `json:"k"`
	Reason   channels.Reason `json:"r"`
	Purpose  string          `json:"p"`
	Wave     int             `json:"w"`
	At       int64           `json:"t"`
}

func readFirstFacts(text string) ([]Fact, error) {
	var first []firstFact
	if err := json.Unmarshal([]byte(text), &first); err != nil {
		return nil, fmt.Errorf("decode facts: %w", err)
	}
	out := make([]Fact, len(first))
	for i, f := range first {
		out[i] = Fact{
			ID: factID(f.Delivery, f.Kind), Campaign: f.Campaign, Subject: f.Subject, Delivery: f.Delivery, Medium: f.Medium, Address: f.Address,
			Kind: f.Kind, Reason: f.Reason, Purpose: f.Purpose, Wave: f.Wave, At: storage.Time(f.At),
		}
	}
	return out, nil
}

func readShared(parts [factParts]string) (s shared, err error) {
	if s.campaign, err = readID(parts[1]); err != nil {
		return s, err
	}
	s.medium, s.purpose = channels.Medium(readPlain(parts[2])), readPlain(parts[3])
	s.wave, err = strconv.Atoi(parts[4])
	return s, err
}

func readFact(s shared, parts [factParts]string) (Fact, error) {
	delivery, errDelivery := readID(parts[0])
	subject, errSubject := readID(parts[1])
	at, errAt := strconv.ParseInt(parts[4], 10, 64)
	kind := FactKind(parts[2])
	return Fact{
		ID: factID(delivery, kind), Campaign: s.campaign, Subject: subject, Delivery: delivery, Medium: s.medium, Address: readPlain(parts[5]),
		Kind: kind, Reason: channels.Reason(parts[3]), Purpose: s.purpose, Wave: s.wave, At: storage.Time(at),
	}, errors.Join(errDelivery, errSubject, errAt)
}

func readID(s string) (id uuid.UUID, err error) {
	if len(s) != base64.RawURLEncoding.EncodedLen(len(id)) {
		return id, errFacts
	}
	_, err = base64.RawURLEncoding.Decode(id[:], []byte(s))
	return id, err
}

// factID names the one fact of a kind that a delivery can have. Version 8
// (RFC 9562 § 5.8) keeps it apart from the delivery's own id.
func factID(delivery uuid.UUID, k FactKind) uuid.UUID {
	id := delivery
	id[6] = id[6]&0x0f | 0x80
	id[15] ^= k.code()
	return id
}

func (k FactKind) code() byte {
	switch k {
	case FactAccepted:
		return 1
	case FactDelivered:
		return 2
	case FactFailed:
		return 3
	case FactExpired:
		return 4
	case FactWithdrawn:
		return 5
	case FactGuarded:
		return 6
	case FactMerged:
		return 7
	case FactDoublePossible:
		return 8
	}
	return 0
}
