package otlp_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/otlp"
)

const received = int64(1796047506000000) // 2026-11-30T14:05:06Z

// A writer of protocol buffers, so that the reader is not tested by itself.

func num(field int, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3), v)
}

func fixed(field int, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.AppendUvarint(nil, uint64(field)<<3|1), v)
}

func sub(field int, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3|2), uint64(len(body))), body...)
}

func str(field int, s string) []byte { return sub(field, []byte(s)) }

func attr(field int, key string, value []byte) []byte { return sub(field, str(1, key), sub(2, value)) }

func logRecord() []byte {
	return bytes.Join([][]byte{
		fixed(1, 1796047500123456789), num(2, 10), str(3, "Information"), sub(5, str(1, "Dossier ouvert")),
		attr(6, "user.name", str(1, "a.martin")), attr(6, "ipp", str(1, "8001")), attr(6, "n", num(3, 42)), attr(6, "neg", num(3, ^uint64(6))),
		attr(6, "ok", num(2, 1)), attr(6, "pi", fixed(4, math.Float64bits(3.5))), attr(6, "tags", sub(5, sub(1, str(1, "a")), sub(1, str(1, "b")))),
		attr(6, "http", sub(6, attr(1, "code", num(3, 200)))), attr(6, "bin", sub(7, []byte{0, 1})),
		sub(9, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}), sub(10, make([]byte, 8)), str(12, "consultation"),
	}, nil)
}

func request() []byte {
	return sub(1, sub(1, attr(1, "service.name", str(1, "DPI")), attr(1, "host.name", str(1, "srv1"))),
		sub(2, sub(1, str(1, "audit"), str(2, "1.0")), sub(2, logRecord()), sub(2, fixed(11, 1796047501000000000), sub(5, str(1, "deux")))))
}

const requestJSON = `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"DPI"}},{"key":"host.name","value":{"stringValue":"srv1"}}]},
"scopeLogs":[{"scope":{"name":"audit","version":"1.0"},"logRecords":[{"timeUnixNano":"1796047500123456789","severityNumber":10,"severityText":"Information","eventName":"consultation","body":{"stringValue":"Dossier ouvert"},
"attributes":[{"key":"user.name","value":{"stringValue":"a.martin"}},{"key":"ipp","value":{"stringValue":"8001"}},{"key":"n","value":{"intValue":"42"}},{"key":"neg","value":{"intValue":-7}},{"key":"ok","value":{"boolValue":true}},{"key":"pi","value":{"doubleValue":3.5}},{"key":"tags","value":{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}}},{"key":"http","value":{"kvlistValue":{"values":[{"key":"code","value":{"intValue":200}}]}}},{"key":"bin","value":{"bytesValue":"AAE="}}],
"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0000000000000000"},{"observedTimeUnixNano":1796047501000000000,"severityNumber":"SEVERITY_NUMBER_WARN","body":{"stringValue":"deux"}}]}]}]}`

func TestBothWritings(t *testing.T) {
	t.Parallel()
	for name, in := range map[string][]byte{"protocol buffers": request(), "JSON": []byte(requestJSON)} {
		events, err := otlp.Format{}.Parse(nil, in, received)
		if err != nil || len(events) != 2 {
			t.Fatal(name, err, len(events))
		}
		e := events[0]
		got := fmt.Sprint([]any{e.At, e.AtGuessed, e.Severity, e.Message, e.Account, e.IPP, e.Action, e.Verb, e.Application, e.Workstation})
		if want := "[1796047500123456 false 6 Dossier ouvert a.martin 8001 read consultation DPI srv1]"; got != want || !bytes.Contains(in, e.Raw) {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		want := []traces.Pair{
			{Name: "n", Value: "42"},
			{Name: "neg", Value: "-7"},
			{Name: "ok", Value: "true"},
			{Name: "pi", Value: "3.5"},
			{Name: "tags", Value: "a"},
			{Name: "tags", Value: "b"},
			{Name: "http.code", Value: "200"},
			{Name: "bin", Value: "AAE="},
			{Name: "scope.name", Value: "audit"},
			{Name: "trace_id", Value: "0102030405060708090a0b0c0d0e0f10"},
		}
		if !slices.Equal(e.Extra, want) {
			t.Errorf("%s: %v", name, e.Extra)
		}
		if e := events[1]; e.At != 1796047501000000 || e.Message != "deux" || e.Application != "DPI" {
			t.Errorf("%s: %+v", name, e)
		}
	}
	mapped := otlp.Format{Fields: map[string]traces.Place{"n": traces.PlaceStay}}
	if events, _ := mapped.Parse(nil, request(), received); events[0].Stay != "42" {
		t.Error(events[0].Stay)
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	deep := str(1, "x")
	for range 40 {
		deep = sub(5, sub(1, deep))
	}
	for name, in := range map[string][]byte{
		"cut":           request()[:100],
		"JSON cut":      []byte(requestJSON[:200]),
		"too deep":      sub(1, sub(2, sub(2, sub(5, deep)))),
		"a group":       {0x0b},
		"a length":      {0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"no field":      {0x00},
		"JSON too deep": []byte(`{"resourceLogs":` + strings.Repeat("[", 20000)),
		"wrong kind":    []byte(`{"resourceLogs":1}`),
	} {
		events, err := otlp.Format{}.Parse(nil, in, received)
		if f := fault.As(err); f == nil || f.Key != "traces.otlp.request" || len(events) != 1 || !bytes.Equal(events[0].Raw, in) {
			t.Errorf("%s: %v, %d events", name, err, len(events))
		}
	}
	if events, err := (otlp.Format{}).Parse(nil, nil, received); err != nil || len(events) != 0 {
		t.Error("an export of nothing is refused")
	}
}

func TestNoEndOfRecords(t *testing.T) {
	t.Parallel()
	var attributes, records [][]byte
	for i := range 1000 {
		attributes = append(attributes, attr(1, fmt.Sprint(i), str(1, "v")))
	}
	for range otlp.MaxRecords {
		records = append(records, sub(2))
	}
	in := sub(1, sub(1, attributes...), sub(2, records...))
	events, err := otlp.Format{}.Parse(nil, in, received)
	if err != nil || len(events) != otlp.MaxRecords || len(events[7].Extra) != 50 {
		t.Error(err, len(events))
	}
	events, err = otlp.Format{}.Parse(nil, append(in, in...), received)
	if f := fault.As(err); f == nil || f.Key != "traces.otlp.many" || len(events) != 1 {
		t.Error(err, len(events))
	}
}

func TestReplies(t *testing.T) {
	t.Parallel()
	if got := otlp.Reply(false, 0, ""); len(got) != 0 {
		t.Errorf("%x", got)
	}
	if got := otlp.Reply(false, 3, "non"); !bytes.Equal(got, sub(1, num(1, 3), str(2, "non"))) {
		t.Errorf("%x", got)
	}
	if got := string(otlp.Reply(true, 0, "")); got != "{}" {
		t.Error(got)
	}
	if got := otlp.Reply(true, 3, "l'\"erreur\""); !json.Valid(got) || !bytes.Contains(got, []byte(`"rejectedLogRecords":"3"`)) {
		t.Errorf("%s", got)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", otlp.Locales)
}

func FuzzParse(f *testing.F) {
	f.Add(request())
	f.Add([]byte(requestJSON))
	f.Fuzz(func(t *testing.T, in []byte) {
		events, err := otlp.Format{}.Parse(nil, in, received)
		if err != nil && (len(events) != 1 || !fault.Is(err, fault.Invalid)) {
			t.Fatalf("%q: %d events, %v", in, len(events), err)
		}
		for _, e := range events {
			if !bytes.Contains(in, e.Raw) {
				t.Fatalf("%q: raw %q", in, e.Raw)
			}
		}
	})
}
