package otlp

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"tocsin/internal/traces"
)

// The same messages in JSON, as the specification of OTLP writes them: names in
// lowerCamelCase, 64-bit numbers as texts or not, ids in hexadecimal.

type jsonValue struct {
	String *string     `json:"stringValue"`
	Bool   *bool       `json:"boolValue"`
	Int    json.Number `json:"intValue"`
	Double json.Number `json:"doubleValue"`
	Bytes  string      `json:"bytesValue"`
	Array  *struct {
		Values []jsonValue `json:"values"`
	} `json:"arrayValue"`
	List *struct {
		Values []jsonPair `json:"values"`
	} `json:"kvlistValue"`
}

type jsonPair struct {
	Key   string    `json:"key"`
	Value jsonValue `json:"value"`
}

type jsonRecord struct {
	Time       json.Number `json:"timeUnixNano"`
	Observed   json.Number `json:"observedTimeUnixNano"`
	Level      level       `json:"severityNumber"`
	LevelText  string      `json:"severityText"`
	Event      string      `json:"eventName"`
	Body       jsonValue   `json:"body"`
	Attributes []jsonPair  `json:"attributes"`
	Trace      string      `json:"traceId"`
	Span       string      `json:"spanId"`
}

// level is a number, or the name of its enumeration.
type level uint64

// UnmarshalJSON reads 9 or "SEVERITY_NUMBER_INFO2".
func (l *level) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		*l = level(n)
		return nil
	}
	name := strings.TrimPrefix(text, "SEVERITY_NUMBER_")
	for i, prefix := range []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"} {
		if strings.HasPrefix(name, prefix) {
			*l = level(4*i + 1)
		}
	}
	return nil
}

func (r *reader) json(b []byte) error {
	var request struct {
		Resources []struct {
			Resource struct {
				Attributes []jsonPair `json:"attributes"`
			} `json:"resource"`
			Scopes []struct {
				Scope struct {
					Name       string     `json:"name"`
					Attributes []jsonPair `json:"attributes"`
				} `json:"scope"`
				Records []json.RawMessage `json:"logRecords"`
			} `json:"scopeLogs"`
		} `json:"resourceLogs"`
	}
	if err := json.Unmarshal(b, &request); err != nil {
		return err
	}
	for _, resource := range request.Resources {
		r.shared = r.shared[:0]
		addPairs(&r.shared, "", resource.Resource.Attributes, 0)
		common := min(len(r.shared), maxShared)
		for _, scope := range resource.Scopes {
			r.shared = r.shared[:common]
			if scope.Scope.Name != "" {
				r.shared = append(r.shared, pair{Name: "scope.name", Value: scope.Scope.Name})
			}
			addPairs(&r.shared, "", scope.Scope.Attributes, 0)
			for _, raw := range scope.Records {
				var j jsonRecord
				if err := json.Unmarshal(readable(raw), &j); err != nil {
					return err
				}
				rec := record{
					at: nanos(j.Time), observed: nanos(j.Observed), level: uint64(j.Level),
					levelText: j.LevelText, event: j.Event, trace: strings.TrimLeft(j.Trace, "0"), span: strings.TrimLeft(j.Span, "0"),
				}
				if rec.trace != "" {
					rec.trace = j.Trace
				}
				if rec.span != "" {
					rec.span = j.Span
				}
				addValue(&rec.body, "body", &j.Body, 0)
				addPairs(&rec.attributes, "", j.Attributes, 0)
				if err := r.finish(&rec, raw); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// readable reads a NUL, which no base likes, as U+FFFD, as every format does.
func readable(raw []byte) []byte {
	return bytes.ReplaceAll(raw, []byte(`\u0000`), []byte(`\ufffd`))
}

func nanos(n json.Number) uint64 {
	v, err := strconv.ParseUint(string(n), 10, 64)
	if err != nil {
		return 0
	}
	return v
}

func addPairs(into *[]pair, prefix string, pairs []jsonPair, depth int) {
	for i := range pairs {
		addValue(into, joined(prefix, traces.Readable([]byte(pairs[i].Key))), &pairs[i].Value, depth)
	}
}

func addValue(into *[]pair, name string, v *jsonValue, depth int) {
	if depth == maxDepth || len(*into) >= maxPairs {
		return
	}
	add := func(text string) {
		*into = append(*into, pair{Name: name, Value: traces.Readable([]byte(text))})
	}
	switch {
	case v.String != nil:
		add(*v.String)
	case v.Bool != nil:
		add(strconv.FormatBool(*v.Bool))
	case v.Int != "":
		add(string(v.Int))
	case v.Double != "":
		add(string(v.Double))
	case v.Bytes != "":
		add(v.Bytes)
	case v.Array != nil:
		for i := range v.Array.Values {
			addValue(into, name, &v.Array.Values[i], depth+1)
		}
	case v.List != nil:
		addPairs(into, name, v.List.Values, depth+1)
	}
}
