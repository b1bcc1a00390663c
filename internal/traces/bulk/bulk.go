// Package bulk is « Ce que livrent les expéditeurs d'Elasticsearch »: the body of
// POST /_bulk, which Filebeat, Winlogbeat, Fluent Bit, Vector and Logstash send,
// and the reply they expect.
//
// It promises that a reply has one item for each action, in their order, and
// that a document which cannot be understood is kept and acknowledged: its
// sender would otherwise throw it away.
//
// It never updates and never deletes: those actions are refused, one by one.
package bulk

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/wire/jsonscan"
)

// Name is the key of the format.
const Name = "bulk"

// MaxItems bounds the actions of one request.
const MaxItems = 100000

// Format reads bodies of _bulk.
type Format struct {
	// Documents reads each document: the JSON format of the assembly.
	Documents traces.Format
}

// Item is what became of one action.
type Item struct {
	// Action is "index", "create", "update" or "delete"; Index and ID as given.
	Action, Index, ID string
	// Status is that of HTTP: 201 when it is kept.
	Status int
	// Kind and Reason say why not, in the words of Elasticsearch.
	Kind, Reason string
	// Problem is what could not be understood of a document that is kept.
	Problem error
}

// Describe says what is understood.
func (f Format) Describe() traces.Description {
	return traces.Description{
		Name: Name, Standard: "Elasticsearch 8, Bulk API",
		Maps: []traces.Mapping{
			{From: "index._id, create._id", To: "Key"},
			{From: "_index", To: "Extra _index"},
			{From: "document", To: "as its own format says"},
		},
	}
}

// Parse reads a body and forgets what each item is to be told. Errors: those of
// Items, or what of the documents could not be understood.
func (f Format) Parse(dst []traces.Event, body []byte, received int64) ([]traces.Event, error) {
	from := len(dst)
	dst, items, err := f.Items(dst, body, "", received)
	if err != nil && len(dst) == from {
		return append(dst, traces.Unread(Name, body, received)), err
	}
	for _, it := range items {
		if err == nil && it.Problem != nil {
			err = it.Problem
		}
	}
	return dst, err
}

// Items reads a body: the events to keep, and an item for each action. index is
// that of the address, for actions that name none. When a line of action cannot
// be read nothing of the body is kept, as Elasticsearch does: Invalid.
func (f Format) Items(dst []traces.Event, body []byte, index string, received int64) ([]traces.Event, []Item, error) {
	begin := len(dst)
	var items []Item
	line := 0
	for len(body) > 0 {
		var head []byte
		head, body = cutLine(body)
		line++
		if len(head) == 0 {
			continue
		}
		it, ok := action(string(head), index)
		if !ok {
			return dst[:begin], nil, fault.New(fault.Invalid, "traces.bulk.action", "line", line)
		}
		if len(items) == MaxItems {
			return dst[:begin], nil, fault.New(fault.Invalid, "traces.bulk.many", "max", MaxItems)
		}
		if it.Action == "delete" {
			it.refuse("documents of this store are never deleted")
			items = append(items, it)
			continue
		}
		if len(body) == 0 {
			return dst[:begin], nil, fault.New(fault.Invalid, "traces.bulk.document", "line", line)
		}
		var document []byte
		document, body = cutLine(body)
		line++
		if it.Action == "update" {
			it.refuse("documents of this store are never updated")
		} else {
			dst, it = f.document(dst, it, document, received)
		}
		items = append(items, it)
	}
	if len(items) == 0 {
		return dst[:begin], nil, fault.New(fault.Invalid, "traces.bulk.empty")
	}
	return dst, items, nil
}

func (it *Item) refuse(reason string) {
	it.Status, it.Kind, it.Reason = 400, "illegal_argument_exception", reason
}

func (f Format) document(dst []traces.Event, it Item, document []byte, received int64) ([]traces.Event, Item) {
	from := len(dst)
	dst, it.Problem = f.Documents.Parse(dst, document, received)
	it.Status = 201
	if len(dst) > from+1 {
		// Elasticsearch takes one object a line: several are kept as they are.
		dst = append(dst[:from], traces.Unread(Name, document, received))
		it.Problem = fault.New(fault.Invalid, "traces.bulk.several")
	}
	for i := from; i < len(dst); i++ {
		e := &dst[i]
		if it.ID != "" && i == from {
			e.Key = it.Index + "/" + it.ID
			if len(e.Key) > traces.MaxKey {
				e.Key = traces.Cut(it.ID, traces.MaxKey)
			}
		}
		e.Add("_index", it.Index)
	}
	return dst, it
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimRight(line, "\r"), rest
}

// action reads {"create":{"_index":"x","_id":"1"}}.
func action(head, index string) (it Item, ok bool) {
	if !utf8.ValidString(head) {
		return it, false
	}
	head = strings.TrimSpace(head)
	// What has no scalar inside is not seen by a walk over scalars.
	name, rest, found := strings.Cut(strings.TrimLeft(strings.TrimPrefix(head, "{"), " \t"), `"`)
	if !strings.HasPrefix(head, "{") || name != "" || !found {
		return it, false
	}
	it.Action, rest, found = strings.Cut(rest, `"`)
	rest = strings.TrimLeft(rest, " \t")
	if !found || !strings.HasPrefix(rest, ":") || !strings.HasPrefix(strings.TrimLeft(rest[1:], " \t"), "{") {
		return it, false
	}
	switch it.Action {
	case "index", "create", "update", "delete":
	default:
		return it, false
	}
	it.Index = index
	var c jsonscan.Scanner
	c.Reset(head, 0)
	for c.Next() {
		switch name, _ := strings.CutPrefix(string(c.Path()), it.Action+"."); name {
		case "_index":
			it.Index = c.Text()
		case "_id":
			if c.Kind() != jsonscan.Null {
				it.ID = c.Text()
			}
		}
	}
	return it, c.Err() == nil && c.Pos() == len(head)
}

// Refuse marks every item that was to be kept as one that could not be, now: the
// sender comes back with it. 429 is for a queue that is full.
func Refuse(items []Item, status int, kind, reason string) {
	for i := range items {
		if items[i].Status == 201 {
			items[i].Status, items[i].Kind, items[i].Reason = status, kind, reason
		}
	}
}

// Reply writes the answer to a request that took some milliseconds. short is the
// form that Beats ask for (filter_path=errors,items.*.error,items.*.status).
func Reply(dst []byte, items []Item, took int64, short bool) []byte {
	failed := false
	for i := range items {
		failed = failed || items[i].Status >= 300
	}
	dst = append(dst, '{')
	if !short {
		dst = append(strconv.AppendInt(append(dst, `"took":`...), took, 10), ',')
	}
	dst = strconv.AppendBool(append(dst, `"errors":`...), failed)
	dst = append(dst, `,"items":[`...)
	for i := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = items[i].reply(dst, short)
	}
	return append(dst, `]}`...)
}

func (it *Item) reply(dst []byte, short bool) []byte {
	dst = append(append(append(dst, `{"`...), it.Action...), `":{`...)
	if !short {
		dst = append(appendQuoted(append(dst, `"_index":`...), it.Index), ',')
		if it.ID != "" {
			dst = append(appendQuoted(append(dst, `"_id":`...), it.ID), ',')
		}
		if it.Status == 201 {
			dst = append(dst, `"_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1,`...)
		}
	}
	dst = strconv.AppendInt(append(dst, `"status":`...), int64(it.Status), 10)
	if it.Status >= 300 {
		dst = appendQuoted(append(dst, `,"error":{"type":`...), it.Kind)
		dst = append(appendQuoted(append(dst, `,"reason":`...), it.Reason), '}')
	}
	return append(dst, `}}`...)
}

// Failed writes the answer to a request that is refused whole.
func Failed(dst []byte, status int, kind, reason string) []byte {
	dst = appendQuoted(append(dst, `{"error":{"root_cause":[],"type":`...), kind)
	dst = appendQuoted(append(dst, `,"reason":`...), reason)
	return append(strconv.AppendInt(append(dst, `},"status":`...), int64(status), 10), '}')
}

// Hello writes the answer to GET /, by which shippers know to whom they speak:
// the version is that of the API which is understood.
func Hello(dst []byte, name string) []byte {
	dst = appendQuoted(append(dst, `{"name":`...), name)
	return append(dst, `,"cluster_name":"tocsin","cluster_uuid":"tocsin","version":{"number":"8.15.0","build_flavor":"default","build_type":"tar","build_hash":"unknown","build_date":"2024-08-05T00:00:00.000000000Z","build_snapshot":false,"lucene_version":"9.11.1","minimum_wire_compatibility_version":"7.17.0","minimum_index_compatibility_version":"7.0.0"},"tagline":"You Know, for Search"}`...)
}

// appendQuoted writes a text of JSON.
func appendQuoted(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
