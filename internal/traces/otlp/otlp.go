// Package otlp is « OpenTelemetry »: logs of OTLP 1, in protocol buffers and in
// JSON, over HTTP and gRPC.
//
// It promises that what is damaged is refused whole, so that the sender sends it
// again, and that attributes of the resource and of the scope are with each
// record they belong to.
//
// It never listens; it reads logs only, neither metrics nor spans.
package otlp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// Name is the key of the format.
const Name = "otlp"

// Format reads a request of export, ExportLogsServiceRequest: JSON when it
// begins with a brace, protocol buffers otherwise. Its zero value knows the
// names of semantic conventions and of our model.
type Format struct {
	// Fields tells which place an attribute fills, before what is known.
	Fields map[string]traces.Place
}

// Describe says what is understood.
func (Format) Describe() traces.Description {
	return traces.Description{
		Name: Name, Standard: "OTLP 1 (logs), semantic conventions of OpenTelemetry",
		Maps: []traces.Mapping{
			{From: "time_unix_nano, observed_time_unix_nano", To: "At"},
			{From: "severity_number", To: "Severity"},
			{From: "body", To: "Message, or Extra body.*"},
			{From: "event_name, event.name", To: "Action, Verb"},
			{From: "service.name", To: "Application"},
			{From: "host.name", To: "Workstation"},
			{From: "user.name, user.id, enduser.id", To: "Account"},
			{From: "user.full_name", To: "Person"},
			{From: "client.address, source.address", To: "Address"},
			{From: "log.record.uid", To: "Key"},
			{From: "account, ipp, action… (names of the model)", To: "the field of that name"},
			{From: "trace_id, span_id, attributes", To: "Extra"},
		},
	}
}

var known = map[string]traces.Place{
	"service.name": traces.PlaceApplication, "host.name": traces.PlaceWorkstation,
	"user.name": traces.PlaceAccount, "user.id": traces.PlaceAccount, "enduser.id": traces.PlaceAccount, "user.full_name": traces.PlacePerson, "user.roles": traces.PlaceFunction, "enduser.role": traces.PlaceFunction,
	"client.address": traces.PlaceAddress, "source.address": traces.PlaceAddress, "net.peer.ip": traces.PlaceAddress,
	"event.name": traces.PlaceAction, "event.action": traces.PlaceAction, "event.outcome": traces.PlaceOutcome,
	"log.record.uid": traces.PlaceKey, "patient.ipp": traces.PlaceIPP, "patient.ins": traces.PlaceINS, "patient.id": traces.PlaceIPP, "device.id": traces.PlaceDevice,
}

// Parse reads a request. Each event has the bytes of its record in Raw.
func (f Format) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	r := reader{f: f, dst: dst, begin: len(dst), received: received}
	var err error
	if json := bytes.TrimLeft(message, " \r\n\t"); len(json) > 0 && json[0] == '{' {
		err = r.json(json)
	} else {
		err = r.request(message)
	}
	if errors.Is(err, errMany) {
		return append(dst, traces.Unread(Name, message, received)), fault.New(fault.Invalid, "traces.otlp.many", "max", MaxRecords)
	}
	if err != nil {
		return append(dst, traces.Unread(Name, message, received)), fault.Wrap(err, fault.Invalid, "traces.otlp.request")
	}
	return r.dst, nil
}

// MaxRecords bounds the records of one request: an event takes more room in
// memory than the two bytes of an empty record.
const MaxRecords = 20000

var (
	errDamaged = errors.New("damaged protocol buffers")
	errMany    = errors.New("too many records in one request")
)

// pair is an attribute, its value flat.
type pair = traces.Pair

// maxPairs bounds the attributes that one value may become.
const maxPairs = 4 * traces.MaxExtra

type reader struct {
	f        Format
	dst      []traces.Event
	begin    int // how many events there were before
	received int64
	shared   []pair // of the resource and the scope
}

// record is one log record, however it was written.
type record struct {
	at, observed     uint64 // nanoseconds
	level            uint64
	levelText, event string
	trace, span      string
	body             []pair
	attributes       []pair
}

// maxShared bounds the attributes that a resource and a scope give to each of
// their records.
const maxShared = 50

// finish puts a record into the model.
func (r *reader) finish(rec *record, raw []byte) error {
	if len(r.dst)-r.begin == MaxRecords {
		return errMany
	}
	if n := len(r.shared); n > maxShared {
		r.shared = append(r.shared[:maxShared-1], pair{Name: traces.CutName, Value: "resource " + decimal(int64(n))})
	}
	e := traces.Begin(Name, raw, r.received)
	for _, at := range []uint64{rec.at, rec.observed} {
		if at != 0 && at < 1<<63 && e.AtGuessed {
			e.Happened(int64(at / 1000))
		}
	}
	if rec.level > 0 && rec.level <= 24 {
		e.Severity = [...]int8{7, 7, 6, 4, 3, 2}[(rec.level-1)/4]
	} else {
		e.Severity = traces.SeverityOf(rec.levelText)
	}
	if rec.event != "" {
		e.Put(traces.PlaceAction, "event_name", rec.event, nil)
	}
	e.Extra = make([]pair, 0, len(r.shared)+len(rec.attributes)+2)
	for _, p := range rec.body {
		if p.Name == "body" {
			e.Fill(&e.Message, "body", p.Value)
		} else {
			r.put(&e, p)
		}
	}
	// What the record says of itself comes before what its resource says.
	for _, p := range rec.attributes {
		r.put(&e, p)
	}
	for _, p := range r.shared {
		r.put(&e, p)
	}
	e.Add("trace_id", rec.trace)
	e.Add("span_id", rec.span)
	if e.Action == traces.Login && e.Outcome == traces.Failure {
		e.Outcome = traces.Denied
	}
	e.Bound(len(raw))
	r.dst = append(r.dst, e)
	return nil
}

func (r *reader) put(e *traces.Event, p pair) {
	name := strings.TrimPrefix(p.Name, "body.")
	place, ok := r.f.Fields[name]
	if !ok {
		place, ok = known[name]
	}
	if !ok {
		place, _ = traces.ParsePlace(name)
	}
	e.Put(place, p.Name, p.Value, nil)
}

// Reply writes ExportLogsServiceResponse: empty when all was kept, else with how
// many records were refused and why.
func Reply(inJSON bool, refused int64, why string) []byte {
	if inJSON {
		if refused == 0 && why == "" {
			return []byte("{}")
		}
		words, err := json.Marshal(why)
		if err != nil {
			words = []byte(`""`)
		}
		out := append([]byte(`{"partialSuccess":{"rejectedLogRecords":"`), decimal(refused)...)
		return append(append(append(out, `","errorMessage":`...), words...), `}}`...)
	}
	if refused == 0 && why == "" {
		return []byte{}
	}
	part := binary.AppendUvarint([]byte{0x08}, uint64(refused))
	part = append(binary.AppendUvarint(append(part, 0x12), uint64(len(why))), why...)
	return append(binary.AppendUvarint([]byte{0x0a}, uint64(len(part))), part...)
}

func hexID(b []byte) string {
	if bytes.Count(b, []byte{0}) == len(b) {
		return ""
	}
	return hex.EncodeToString(b)
}
