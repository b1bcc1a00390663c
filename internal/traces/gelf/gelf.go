// Package gelf is « GELF »: messages of the Graylog Extended Log Format 1.1, whole
// or in chunks, plain or compressed.
//
// It promises bounded memory whatever is sent: what a compressed message may
// become, how many messages wait for their chunks and for how long; what is
// given up is given back, never forgotten.
//
// It never listens and has no clock: the time is passed.
package gelf

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/wire/jsonscan"
	"tocsin/internal/wire/stamp"
)

// Name is the key of the format.
const Name = "gelf"

// Format reads whole messages. Its zero value knows the names of our model.
type Format struct {
	// Fields tells which place the additional field "_name" fills; what it does
	// not name, and is no name of a place, goes to Extra.
	Fields map[string]traces.Place
}

// Fits tells whether a content looks like GELF.
func Fits(content string) bool {
	return strings.HasPrefix(content, "{") && strings.Contains(content[:min(len(content), 4096)], `"short_message"`)
}

// Describe says what is understood.
func (Format) Describe() traces.Description {
	return traces.Description{
		Name: Name, Standard: "GELF 1.1",
		Maps: []traces.Mapping{
			{From: "timestamp", To: "At"},
			{From: "host", To: "Workstation"},
			{From: "short_message", To: "Message"},
			{From: "full_message", To: "Extra full_message"},
			{From: "level", To: "Severity"},
			{From: "facility", To: "Application"},
			{From: "_account, _ipp, _action… (names of the model)", To: "the field of that name"},
			{From: "_…", To: "Extra"},
		},
	}
}

// Parse reads one message. The original of a compressed message is what was
// compressed.
func (f Format) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	plain, err := Inflate(message)
	if err != nil {
		return append(dst, traces.Unread(Name, message, received)), err
	}
	e := traces.Begin(Name, plain, received)
	text := strings.TrimRight(traces.Readable(plain), "\x00\ufffd\r\n ")
	var c jsonscan.Scanner
	c.Reset(text, 0)
	object := strings.HasPrefix(strings.TrimLeft(text, " \r\n\t"), "{")
	var seen struct{ version, host, short bool }
	bad := ""
	for object && c.Next() {
		name := c.Name()
		switch name {
		case "version":
			seen.version = true
			continue
		case "host":
			seen.host = true
		case "short_message":
			seen.short = true
		}
		if c.Kind() != jsonscan.Null && !f.put(&e, name, c.Text()) {
			bad = name
		}
	}
	if !object || c.Err() != nil {
		return append(dst, traces.Unread(Name, plain, received)), fault.New(fault.Invalid, "traces.gelf.json")
	}
	if e.Action == traces.Login && e.Outcome == traces.Failure {
		e.Outcome = traces.Denied
	}
	e.Bound(len(plain))
	dst = append(dst, e)
	switch {
	case !seen.short:
		return dst, fault.New(fault.Invalid, "traces.gelf.missing", "field", "short_message").At("short_message")
	case !seen.host:
		return dst, fault.New(fault.Invalid, "traces.gelf.missing", "field", "host").At("host")
	case bad != "":
		return dst, fault.New(fault.Invalid, "traces.gelf.value", "field", bad).At(bad)
	}
	return dst, nil
}

func (f Format) put(e *traces.Event, name, value string) bool {
	switch name {
	case "timestamp":
		at, ok := stamp.Epoch(value)
		if !ok {
			e.Add(name, value)
			return false
		}
		e.Happened(at)
		return true
	case "host":
		e.Workstation = value
	case "short_message":
		e.Message = value
	case "level":
		return e.Put(traces.PlaceSeverity, name, value, nil)
	case "facility":
		e.Fill(&e.Application, name, value)
	default:
		bare := strings.TrimPrefix(name, "_")
		place, known := f.Fields[bare]
		if !known && bare != name {
			place, _ = traces.ParsePlace(bare)
		}
		return e.Put(place, bare, value, nil)
	}
	return true
}

// Inflate gives what a message compresses with gzip or zlib, or the message
// itself, up to the bound of an event. Errors: Invalid.
func Inflate(message []byte) ([]byte, error) {
	if len(message) < 2 {
		return message, nil
	}
	var r io.Reader
	var err error
	switch {
	case message[0] == 0x1f && message[1] == 0x8b:
		r, err = gzip.NewReader(bytes.NewReader(message))
	case message[0]&0x0f == 8 && (int(message[0])<<8|int(message[1]))%31 == 0 && message[0] != '{':
		r, err = zlib.NewReader(bytes.NewReader(message))
	default:
		return message, nil
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "traces.gelf.compressed")
	}
	plain, err := io.ReadAll(io.LimitReader(r, traces.MaxRaw+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "traces.gelf.compressed")
	}
	if len(plain) > traces.MaxRaw {
		return nil, fault.New(fault.Invalid, "traces.gelf.long")
	}
	return plain, nil
}

// Incomplete gives the event of a message whose chunks did not all come.
func (Format) Incomplete(dst []traces.Event, p Partial, received int64) ([]traces.Event, error) {
	e := traces.Unread(Name, p.Received, received)
	return append(dst, e), fault.New(fault.Invalid, "traces.gelf.incomplete", "got", p.Got, "want", p.Want)
}
