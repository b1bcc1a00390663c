package traces

import (
	"encoding/binary"
	"errors"

	"github.com/google/uuid"
)

// recordVersion opens every record of the spool. A program that meets a version
// it does not know stops and says so: it never guesses.
const recordVersion = 1

// ErrRecord is a record that cannot be read: damaged, or of a newer program.
var ErrRecord = errors.New("unreadable record of the spool")

// texts lists the texts of an event in the order of the record. New ones come
// at the end, with the next version.
func (e *Event) texts() [23]*string {
	return [...]*string{
		&e.Collector, &e.Key, &e.Account, &e.Person, &e.Function, &e.Delegate, &e.Verb,
		&e.IPP, &e.INS, &e.PatientName, &e.Stay, &e.Document, &e.Object, &e.Parameter, &e.Device,
		&e.Application, &e.Workstation, &e.Address, &e.Site, &e.Service, &e.Purpose, &e.Relation, &e.Message,
	}
}

// AppendRecord adds the record of an event to dst: a version, fixed numbers,
// then each text, pair and the original with their lengths as varints.
func AppendRecord(dst []byte, e *Event) []byte {
	dst = append(dst, recordVersion)
	dst = append(dst, e.Organisation[:]...)
	dst = append(dst, e.Source[:]...)
	dst = binary.AppendVarint(dst, e.At)
	dst = binary.AppendVarint(dst, e.Received)
	guessed := byte(0)
	if e.AtGuessed {
		guessed = 1
	}
	dst = append(dst, guessed, byte(e.Class), byte(e.Action), byte(e.Outcome), byte(e.Severity))
	for _, t := range e.texts() {
		dst = appendText(dst, *t)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Extra)))
	for _, p := range e.Extra {
		dst = appendText(appendText(dst, p.Name), p.Value)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Raw)))
	return append(dst, e.Raw...)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// ReadRecord reads what AppendRecord wrote. The event shares nothing with b but
// Raw. Errors: ErrRecord.
func ReadRecord(b []byte, e *Event) error {
	r := recordReader{rest: b}
	if r.octet() != recordVersion {
		return ErrRecord
	}
	e.Organisation, e.Source = r.id(), r.id()
	e.At, e.Received = r.number(), r.number()
	e.AtGuessed = r.octet() == 1
	e.Class, e.Action, e.Outcome, e.Severity = Class(r.octet()), Action(r.octet()), Outcome(r.octet()), int8(r.octet())
	// One copy for all texts: they are most of a record.
	all := string(r.rest)
	whole := len(r.rest)
	text := func() string {
		n := r.length()
		if r.bad {
			return ""
		}
		start := whole - len(r.rest)
		r.rest = r.rest[n:]
		return all[start : start+n]
	}
	for _, t := range e.texts() {
		*t = text()
	}
	pairs := r.length()
	e.Extra = e.Extra[:0]
	for range pairs {
		if r.bad {
			return ErrRecord
		}
		e.Extra = append(e.Extra, Pair{text(), text()})
	}
	n := r.length()
	if r.bad || n != len(r.rest) {
		return ErrRecord
	}
	e.Raw = r.rest
	return nil
}

// recordReader walks a record; bad says that it ended too early.
type recordReader struct {
	rest []byte
	bad  bool
}

func (r *recordReader) octet() byte {
	if len(r.rest) == 0 {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *recordReader) id() (u uuid.UUID) {
	if len(r.rest) < len(u) {
		r.bad, r.rest = true, nil
		return u
	}
	r.rest = r.rest[copy(u[:], r.rest):]
	return u
}

func (r *recordReader) number() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// length reads a length that what is left can hold.
func (r *recordReader) length() int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > uint64(len(r.rest)-n) {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}
