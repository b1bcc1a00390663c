package bulk_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/bulk"
	"tocsin/internal/traces/jsonl"
)

const received = int64(1796047506000000) // 2026-11-30T14:05:06Z

func format() bulk.Format { return bulk.Format{Documents: jsonl.New(nil, nil)} }

// request is what shippers send, with all that may go wrong inside.
const request = `{"create":{"_index":"filebeat-8","_id":"k1"}}
{"@timestamp":"2026-11-30T14:05:06Z","user":{"name":"a"}}
{"index":{}}
{oops}
{"update":{"_id":"k2","_index":"x"}}
{"doc":{"a":1}}
{"delete":{"_id":"k3","_index":"x\"y"}}
{ "create" : { "_index" : "f" , "pipeline" : null } }
{"user":"b"}
`

func TestItems(t *testing.T) {
	t.Parallel()
	events, items, err := format().Items(nil, []byte(request), "logs", received)
	if err != nil || len(items) != 5 || len(events) != 3 {
		t.Fatal(err, len(items), len(events))
	}
	var got []string
	for _, it := range items {
		got = append(got, fmt.Sprint(it.Action, " ", it.Index, " ", it.ID, " ", it.Status, " ", it.Problem != nil))
	}
	want := `create filebeat-8 k1 201 false|index logs  201 true|update x k2 400 false|delete x"y k3 400 false|create f  201 false`
	if strings.Join(got, "|") != want {
		t.Error(got)
	}
	if events[0].Key != "filebeat-8/k1" || events[0].Account != "a" || string(events[1].Raw) != "{oops}" || events[2].Account != "b" || events[2].Key != "" {
		t.Errorf("%+v", events)
	}
	reply := bulk.Reply(nil, items, 12, false)
	var r struct {
		Took   int
		Errors bool
		Items  []map[string]struct {
			ID     string `json:"_id"`
			Index  string `json:"_index"`
			Status int
			Error  *struct{ Type, Reason string }
		}
	}
	if err := json.Unmarshal(reply, &r); err != nil || r.Took != 12 || !r.Errors || len(r.Items) != 5 || r.Items[3]["delete"].Index != `x"y` || r.Items[2]["update"].Error.Type != "illegal_argument_exception" || r.Items[0]["create"].Error != nil {
		t.Errorf("%s: %v", reply, err)
	}
	bulk.Refuse(items, 429, "es_rejected_execution_exception", "plein")
	if got := string(bulk.Reply(nil, items[:1], 0, true)); got != `{"errors":true,"items":[{"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"plein"}}}]}` {
		t.Error(got)
	}
	if items[2].Status != 400 {
		t.Error("what was refused for good is to come back")
	}
}

func TestSeveralObjectsOnALineAreNoEvents(t *testing.T) {
	t.Parallel()
	events, items, err := format().Items(nil, []byte("{\"create\":{}}\n[{},{},{}]\n"), "i", received)
	if err != nil || len(events) != 1 || string(events[0].Raw) != "[{},{},{}]" || items[0].Status != 201 || items[0].Problem == nil {
		t.Errorf("%v %d %+v", err, len(events), items)
	}
}

func TestAllWell(t *testing.T) {
	t.Parallel()
	_, items, err := format().Items(nil, []byte("{\"create\":{}}\n{\"user\":\"a\"}"), "i", received)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(bulk.Reply(nil, items, 0, true)); got != `{"errors":false,"items":[{"create":{"status":201}}]}` {
		t.Error(got)
	}
}

func TestRefusedWhole(t *testing.T) {
	t.Parallel()
	good := "{\"create\":{}}\n{\"user\":\"a\"}\n"
	for in, want := range map[string]string{
		"":                                "empty",
		"\n\n":                            "empty",
		good + "{\"user\":\"b\"}\n":       "action",
		good + "{\"create\":{}}\n":        "document",
		good + "{\"create\":1}\n{}\n":     "action",
		good + "{\"create\":{}} x\n{}\n":  "action",
		good + "create\n{}\n":             "action",
		good + "{\"create\":{\"_id\":\n1": "action",
		strings.Repeat("{\"delete\":{}}\n", bulk.MaxItems+1): "many",
	} {
		events, items, err := format().Items(nil, []byte(in), "", received)
		if f := fault.As(err); f == nil || f.Key != "traces.bulk."+want || len(events) != 0 || items != nil {
			t.Errorf("%.60q: %v", in, err)
		}
		events, err = format().Parse(nil, []byte(in), received)
		if len(events) != 1 || err == nil || string(events[0].Raw) != in[:min(len(in), traces.MaxRaw)] {
			t.Errorf("%.60q: %d events", in, len(events))
		}
	}
	var out struct {
		Error  struct{ Type, Reason string }
		Status int
	}
	if err := json.Unmarshal(bulk.Failed(nil, 400, "illegal_argument_exception", "l'\"action\"\n"), &out); err != nil || out.Status != 400 || out.Error.Reason != "l'\"action\"\n" {
		t.Error(err, out)
	}
	if !json.Valid(bulk.Hello(nil, `a"b`)) {
		t.Error("the greeting is no JSON")
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", bulk.Locales)
}

func FuzzItems(f *testing.F) {
	f.Add([]byte(request))
	f.Add([]byte("{\"create\":{}}\r\n[1,{}]\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		events, items, err := format().Items(nil, in, "i", received)
		if err != nil {
			if len(events) != 0 || !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %d events, %v", in, len(events), err)
			}
			return
		}
		if reply := bulk.Reply(nil, items, 1, false); !json.Valid(reply) {
			t.Fatalf("%q: %s", in, reply)
		}
	})
}
