// Package winevent is « Les journaux de Windows »: events in the XML of Windows,
// one or many, as wevtutil, forwarders and agents give them.
//
// It promises that the events by which Windows says who came in, who was refused
// and which rights changed are understood as such; every other is kept with all
// its data.
//
// It never resolves an identifier of security (SID): it has no network.
package winevent

import (
	"errors"
	"strconv"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/wire/stamp"
	"tocsin/internal/wire/xmlscan"
)

// Name is the key of the format.
const Name = "winevent"

// Format reads events of Windows. Their times are always UTC.
type Format struct{}

// Fits tells whether a content looks like events of Windows.
func Fits(content string) bool {
	return strings.HasPrefix(content, "<") && strings.Contains(content[:min(len(content), 512)], "schemas.microsoft.com/win/2004/08/events")
}

// Describe says what is understood.
func (Format) Describe() traces.Description {
	return traces.Description{
		Name: Name, Standard: "Windows Event Log, schema 2004/08",
		Maps: []traces.Mapping{
			{From: "System/TimeCreated", To: "At"},
			{From: "System/Computer, Channel, EventRecordID", To: "Key"},
			{From: "System/EventID", To: "Verb, Action, Outcome"},
			{From: "System/Keywords (audit)", To: "Outcome"},
			{From: "System/Level", To: "Severity"},
			{From: "System/Provider", To: "Application"},
			{From: "System/Computer, WorkstationName", To: "Workstation"},
			{From: "TargetUserName, SubjectUserName", To: "Account"},
			{From: "IpAddress, ClientAddress", To: "Address"},
			{From: "ObjectName, NewProcessName, ShareName, TargetUserName (rights)", To: "Object"},
			{From: "CommandLine, MemberName", To: "Parameter"},
			{From: "RenderingInfo/Message", To: "Message"},
			{From: "EventData, UserData", To: "Extra"},
		},
	}
}

// Parse reads one event, several one after the other, or an element Events.
func (Format) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	if len(message) > 64*traces.MaxRaw {
		return append(dst, traces.Unread(Name, message, received)), fault.New(fault.Invalid, "traces.winevent.long")
	}
	r := reader{text: traces.Readable(message), message: message, received: received, dst: dst, begin: len(dst)}
	r.same = len(r.text) == len(message)
	r.x.Reset(r.text)
	err := r.read()
	switch {
	case len(r.dst) == len(dst):
		if err == nil {
			err = errNone
		}
		return append(r.dst, traces.Unread(Name, message, received)), problem(err)
	case err != nil:
		// What was whole is kept; the rest too, as it is.
		rest := message
		if r.same {
			rest = message[min(r.last, len(message)):]
		}
		return append(r.dst, traces.Unread(Name, rest, received)), problem(err)
	case len(r.dst) == len(dst)+1:
		r.dst[len(dst)].Raw = message[:min(len(message), traces.MaxRaw)]
	}
	if r.undated {
		return r.dst, fault.New(fault.Invalid, "traces.winevent.time").At("TimeCreated")
	}
	return r.dst, nil
}

// MaxEvents bounds the events of one message; what follows is kept as it is.
const MaxEvents = 20000

var (
	errNone = errors.New("no event of Windows")
	errMany = errors.New("too many events in one message")
)

func problem(err error) error {
	switch {
	case errors.Is(err, errNone):
		return fault.New(fault.Invalid, "traces.winevent.none")
	case errors.Is(err, errMany):
		return fault.New(fault.Invalid, "traces.winevent.many", "max", MaxEvents)
	case errors.Is(err, xmlscan.ErrDoctype):
		return fault.Wrap(err, fault.Invalid, "traces.winevent.doctype")
	case errors.Is(err, xmlscan.ErrCut):
		return fault.Wrap(err, fault.Invalid, "traces.winevent.cut")
	}
	return fault.Wrap(err, fault.Invalid, "traces.winevent.xml")
}

// reader is one message on its way into events.
type reader struct {
	x        xmlscan.Scanner
	text     string
	message  []byte
	same     bool
	received int64
	dst      []traces.Event
	begin    int // how many events there were before
	last     int // where the last whole event ended
	undated  bool

	id, record, channel, computer, keywords string
	data                                    []traces.Pair
}

func (r *reader) read() error {
	x := &r.x
	for {
		switch x.Next() {
		case xmlscan.Done:
			return x.Err()
		case xmlscan.Start:
			switch x.Name() {
			case "Event":
				from, _ := x.Pos()
				if len(r.dst)-r.begin == MaxEvents {
					return errMany
				}
				if err := r.event(from); err != nil {
					return err
				}
			case "Events":
			default:
				x.Skip()
			}
		}
	}
}

func (r *reader) event(from int) error {
	x := &r.x
	r.id, r.record, r.channel, r.computer, r.keywords, r.data = "", "", "", "", "", r.data[:0]
	e := traces.Begin(Name, nil, r.received)
	for depth := x.Depth(); x.Depth() >= depth; {
		switch x.Next() {
		case xmlscan.Done:
			return x.Err()
		case xmlscan.Start:
			switch x.Name() {
			case "System":
				r.system(&e)
			case "EventData", "UserData":
				r.values()
			case "RenderingInfo":
				r.rendered(&e)
			default:
				x.Skip()
			}
		}
	}
	_, to := x.Pos()
	raw := r.message
	if r.same {
		raw = r.message[from:to]
	}
	r.last = to
	e.Raw = raw[:min(len(raw), traces.MaxRaw)]
	r.settle(&e)
	e.Bound(len(raw))
	r.dst = append(r.dst, e)
	r.undated = r.undated || e.AtGuessed
	return nil
}

func (r *reader) system(e *traces.Event) {
	x := &r.x
	for depth := x.Depth(); x.Depth() >= depth; {
		switch x.Next() {
		case xmlscan.Done:
			return
		case xmlscan.Start:
			switch x.Name() {
			case "Provider":
				e.Application = x.Attr("Name")
			case "EventID":
				r.id = strings.TrimSpace(x.Content())
			case "Level":
				e.Severity = severity(strings.TrimSpace(x.Content()))
			case "Keywords":
				r.keywords = strings.TrimSpace(x.Content())
			case "TimeCreated":
				written := x.Attr("SystemTime")
				if at, ok := stamp.Parse(written, nil); ok {
					e.Happened(at)
				} else {
					e.Add("TimeCreated", written)
				}
			case "EventRecordID":
				r.record = strings.TrimSpace(x.Content())
			case "Channel":
				r.channel = x.Content()
			case "Computer":
				r.computer = x.Content()
			case "Security":
				e.Add("UserID", x.Attr("UserID"))
			case "Execution":
				e.Add("ProcessID", x.Attr("ProcessID"))
			}
		}
	}
}

// severity turns the level of Windows into that of syslog.
func severity(level string) int8 {
	switch level {
	case "1":
		return 2
	case "2":
		return 3
	case "3":
		return 4
	case "5":
		return 7
	}
	return 6
}

// values reads <Data Name="x">y</Data>, or whatever elements UserData holds.
func (r *reader) values() {
	x := &r.x
	name, value := "", ""
	for depth := x.Depth(); x.Depth() >= depth; {
		switch x.Next() {
		case xmlscan.Done:
			return
		case xmlscan.Start:
			if name, value = x.Attr("Name"), ""; name == "" {
				name = x.Name()
			}
		case xmlscan.Text:
			value += x.Text()
		case xmlscan.End:
			if value = strings.TrimSpace(value); name != "" && value != "" && value != "-" && len(r.data) < 4*traces.MaxExtra {
				r.data = append(r.data, traces.Pair{Name: name, Value: value})
			}
			name, value = "", ""
		}
	}
}

func (r *reader) rendered(e *traces.Event) {
	x := &r.x
	for depth := x.Depth(); x.Depth() >= depth; {
		switch x.Next() {
		case xmlscan.Done:
			return
		case xmlscan.Start:
			if x.Name() == "Message" {
				e.Message = strings.TrimSpace(x.Content())
			}
		}
	}
}

// get gives the first of the named data that says something, and takes it out.
func (r *reader) get(names ...string) string {
	for _, name := range names {
		for i, p := range r.data {
			if p.Name == name {
				r.data = append(r.data[:i], r.data[i+1:]...)
				return p.Value
			}
		}
	}
	return ""
}

func (r *reader) settle(e *traces.Event) {
	e.Verb = r.id
	e.Add("event.channel", r.channel)
	if r.record != "" {
		e.Key = r.computer + "/" + r.channel + "/" + r.record + "/" + strconv.FormatInt(e.At, 36)
	}
	if k, err := strconv.ParseUint(strings.TrimPrefix(r.keywords, "0x"), 16, 64); err == nil {
		switch {
		case k&0x0010000000000000 != 0:
			e.Outcome = traces.Failure
		case k&0x0020000000000000 != 0:
			e.Outcome = traces.Success
		}
	}
	r.meaning(e)
	if e.Action == traces.Login && e.Outcome == traces.Failure {
		e.Outcome = traces.Denied
	}
	e.Address = strings.TrimPrefix(r.get("IpAddress", "ClientAddress"), "::ffff:")
	if from := r.get("WorkstationName", "Workstation", "ClientName"); from != "" && !strings.EqualFold(from, r.computer) {
		e.Workstation = strings.TrimPrefix(from, `\\`)
		e.Add("event.computer", r.computer)
	} else {
		e.Workstation = r.computer
	}
	for _, p := range r.data {
		e.Add(p.Name, p.Value)
	}
}
