package otlp

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"tocsin/internal/traces"
)

// maxDepth bounds values inside values.
const maxDepth = 32

// field is one of a message of protocol buffers.
type field struct {
	number int
	kind   uint64 // 0 varint, 1 eight bytes, 2 bytes, 5 four bytes
	value  uint64
	bytes  []byte
}

// next takes the first field off b.
func next(b []byte) (f field, rest []byte, err error) {
	tag, n := binary.Uvarint(b)
	if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
		return f, nil, errDamaged
	}
	b = b[n:]
	f.number, f.kind = int(tag>>3), tag&7
	switch f.kind {
	case 0:
		if f.value, n = binary.Uvarint(b); n <= 0 {
			return f, nil, errDamaged
		}
		return f, b[n:], nil
	case 1:
		if len(b) < 8 {
			return f, nil, errDamaged
		}
		f.value = binary.LittleEndian.Uint64(b)
		return f, b[8:], nil
	case 2:
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return f, nil, errDamaged
		}
		f.bytes = b[n : n+int(length)]
		return f, b[n+int(length):], nil
	case 5:
		if len(b) < 4 {
			return f, nil, errDamaged
		}
		f.value = uint64(binary.LittleEndian.Uint32(b))
		return f, b[4:], nil
	}
	return f, nil, errDamaged // groups are no part of OTLP
}

// each calls do on each field of a message.
func each(b []byte, do func(f field) error) error {
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		if err := do(f); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// request reads ExportLogsServiceRequest: resource_logs = 1.
func (r *reader) request(b []byte) error {
	if len(b) == 0 {
		return nil // an export of nothing is sound
	}
	return each(b, func(f field) error {
		if f.number != 1 || f.kind != 2 {
			return nil
		}
		return r.resource(f.bytes)
	})
}

// resource reads ResourceLogs: resource = 1 {attributes = 1}, scope_logs = 2.
func (r *reader) resource(b []byte) error {
	r.shared = r.shared[:0]
	err := each(b, func(f field) error {
		if f.number != 1 || f.kind != 2 {
			return nil
		}
		return each(f.bytes, func(f field) error { return attribute(&r.shared, f, 1) })
	})
	if err != nil {
		return err
	}
	common := min(len(r.shared), maxShared)
	return each(b, func(f field) error {
		if f.number != 2 || f.kind != 2 {
			return nil
		}
		r.shared = r.shared[:common]
		return r.scope(f.bytes)
	})
}

// scope reads ScopeLogs: scope = 1 {name = 1, version = 2, attributes = 3},
// log_records = 2.
func (r *reader) scope(b []byte) error {
	err := each(b, func(f field) error {
		if f.number != 1 || f.kind != 2 {
			return nil
		}
		return each(f.bytes, func(f field) error {
			if f.number == 1 && f.kind == 2 && len(f.bytes) > 0 {
				r.shared = append(r.shared, pair{Name: "scope.name", Value: traces.Readable(f.bytes)})
			}
			return attribute(&r.shared, f, 3)
		})
	})
	if err != nil {
		return err
	}
	return each(b, func(f field) error {
		if f.number != 2 || f.kind != 2 {
			return nil
		}
		return r.record(f.bytes)
	})
}

// record reads LogRecord.
func (r *reader) record(b []byte) error {
	var rec record
	err := each(b, func(f field) error {
		switch f.number {
		case 1:
			rec.at = f.value
		case 2:
			rec.level = f.value
		case 3:
			rec.levelText = traces.Readable(f.bytes)
		case 5:
			return value(&rec.body, "body", f.bytes, 0)
		case 6:
			return attribute(&rec.attributes, f, 6)
		case 9:
			rec.trace = hexID(f.bytes)
		case 10:
			rec.span = hexID(f.bytes)
		case 11:
			rec.observed = f.value
		case 12:
			rec.event = traces.Readable(f.bytes)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.finish(&rec, b)
}

// attribute reads KeyValue (key = 1, value = 2) when the field is that of
// attributes.
func attribute(into *[]pair, f field, number int) error {
	if f.number != number || f.kind != 2 {
		return nil
	}
	return keyValue(into, "", f.bytes, 0)
}

func keyValue(into *[]pair, prefix string, b []byte, depth int) error {
	key := ""
	var v []byte
	err := each(b, func(f field) error {
		switch {
		case f.number == 1 && f.kind == 2:
			key = traces.Readable(f.bytes)
		case f.number == 2 && f.kind == 2:
			v = f.bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	return value(into, joined(prefix, key), v, depth)
}

func joined(prefix, key string) string {
	if prefix == "" {
		return traces.Cut(key, traces.MaxKey)
	}
	return traces.Cut(prefix+"."+key, traces.MaxKey)
}

// value reads AnyValue: string = 1, bool = 2, int = 3, double = 4, array = 5,
// kvlist = 6, bytes = 7. What is inside becomes names with dots.
func value(into *[]pair, name string, b []byte, depth int) error {
	if depth == maxDepth {
		return errDamaged
	}
	add := func(text string) {
		if len(*into) < maxPairs {
			*into = append(*into, pair{Name: name, Value: text})
		}
	}
	return each(b, func(f field) error {
		switch {
		case f.number == 1 && f.kind == 2:
			add(traces.Readable(f.bytes))
		case f.number == 2 && f.kind == 0:
			add(strconv.FormatBool(f.value != 0))
		case f.number == 3 && f.kind == 0:
			add(strconv.FormatInt(int64(f.value), 10))
		case f.number == 4 && f.kind == 1:
			add(strconv.FormatFloat(math.Float64frombits(f.value), 'g', -1, 64))
		case f.number == 5 && f.kind == 2:
			return each(f.bytes, func(f field) error {
				if f.number != 1 || f.kind != 2 {
					return nil
				}
				return value(into, name, f.bytes, depth+1)
			})
		case f.number == 6 && f.kind == 2:
			return each(f.bytes, func(f field) error {
				if f.number != 1 || f.kind != 2 {
					return nil
				}
				return keyValue(into, name, f.bytes, depth+1)
			})
		case f.number == 7 && f.kind == 2:
			add(base64.StdEncoding.EncodeToString(f.bytes))
		}
		return nil
	})
}

func decimal(v int64) string { return strconv.FormatInt(v, 10) }
