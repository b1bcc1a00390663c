package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/api"
	"tocsin/internal/traces/bulk"
	"tocsin/internal/traces/fhir"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/gelf"
	"tocsin/internal/traces/jsonl"
	"tocsin/internal/traces/otlp"
)

// counter is the intake of a house of two establishments, with what its queue holds.
type counter struct {
	t      *testing.T
	h      http.Handler
	dir    string
	queue  *spool.Spool
	tokens map[string]string
	of     map[string]uuid.UUID
	s      *traces.Service
	dpo    map[string]access.Scope
	clock  *clock.Fake
	base   *archive
	// from is where requests come from.
	from string
	// within is how long a request may last; zero: as long as it likes.
	within time.Duration
}

func rooms() []fs.FS { return []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations} }

func each(t *testing.T, opt spool.Options, suite func(t *testing.T, c *counter)) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newCounter(t, db, opt)) })
}

// once is for what no base of data has a say in.
func once(t *testing.T, opt spool.Options, suite func(t *testing.T, c *counter)) {
	t.Helper()
	t.Parallel()
	suite(t, newCounter(t, storagetest.SQLite(t, rooms()...), opt))
}

func newCounter(t *testing.T, db *storage.DB, opt spool.Options, change ...func(*api.Options)) *counter {
	t.Helper()
	guard, err := access.NewGuard()
	must(t, err)
	now := clock.NewFake(time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC))
	c := &counter{t: t, dir: filepath.Join(t.TempDir(), "spool"), tokens: map[string]string{}, of: map[string]uuid.UUID{}, dpo: map[string]access.Scope{}, clock: now, base: &archive{}, from: "10.1.2.3"}
	c.queue, err = spool.Open(c.dir, opt)
	must(t, err)
	t.Cleanup(func() { must(t, c.queue.Close()) })
	s := traces.New(traces.Options{DB: db, Guard: guard, Clock: now, Log: slog.New(slog.DiscardHandler), Formats: func(zone *time.Location) []traces.Format {
		objects := jsonl.New(nil, zone)
		return []traces.Format{objects, bulk.Format{Documents: objects}, fhir.Format{Zone: zone}, otlp.Format{}, gelf.Format{}}
	}})
	s.Connect(c.queue, c.base)
	c.s = s
	houses := organisation.New(db, guard, now)
	for _, name := range []string{"nord", "sud"} {
		e, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: name})
		must(t, err)
		scope := access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "x"}, true, access.Administrator)
		_, c.tokens[name], err = s.Add(t.Context(), scope, traces.Wanted{Name: "DPI", Format: jsonl.Name, Zone: "Europe/Paris"})
		must(t, err)
		c.of[name] = e.ID
		c.dpo[name] = access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Anne DPO"}, true, access.DataProtection)
	}
	catalog, err := i18n.Load(i18n.Locales, traces.Locales, api.Locales, spool.Locales, files.Locales, jsonl.Locales, bulk.Locales, fhir.Locales, otlp.Locales, gelf.Locales)
	must(t, err)
	door := api.Options{Service: s, Catalog: catalog, Clock: now, Log: slog.New(slog.DiscardHandler), Origin: "https://tocsin.test", Zone: time.UTC, Address: func(context.Context) string { return c.from }}
	for _, f := range change {
		f(&door)
	}
	desk := files.New(files.Options{DB: db, Guard: guard, Clock: now, Log: door.Log, Traces: s, Dir: filepath.Join(c.dir, "..", "files"), Node: "one"})
	mux := http.NewServeMux()
	mux.Handle("/", api.Handler(door))
	mux.Handle(api.FilesRoot, api.FilesHandler(door, desk))
	mux.Handle(api.FilesRoot+"/", api.FilesHandler(door, desk))
	c.h = mux
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send brings a body with a header "Name: value" each, and gives status and reply.
func (c *counter) send(method, path, body string, headers ...string) (int, string, http.Header) {
	c.t.Helper()
	ctx := c.t.Context()
	if c.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.within)
		defer cancel()
	}
	r := httptest.NewRequestWithContext(ctx, method, api.Root+path, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

func (c *counter) as(name string) string { return "Authorization: Bearer " + c.tokens[name] }

// wants checks a status and words of the reply.
func (c *counter) wants(status int, words string) func(int, string, http.Header) {
	return func(got int, reply string, _ http.Header) {
		c.t.Helper()
		if got != status || !strings.Contains(reply, words) {
			c.t.Errorf("got %d %s, wanted %d with %q", got, reply, status, words)
		}
	}
}

// queued is what was taken.
func (c *counter) queued() (out []traces.Event) {
	c.t.Helper()
	r := spool.NewReader(c.dir, spool.Position{})
	for {
		b, err := r.Next(c.queue.Durable())
		if err == io.EOF {
			must(c.t, r.Close())
			return out
		}
		must(c.t, err)
		var e traces.Event
		must(c.t, traces.ReadRecord(bytes.Clone(b), &e))
		out = append(out, e)
	}
}

const line = `{"timestamp":"2026-11-30T11:59:58Z","login":"adupont","action":"read","ipp":"8001","poste":"PC-1"}`

func TestLinesAreTakenAndWhatIsUnreadIsToldAndKept(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		status, reply, _ := c.send("POST", "/events", line+"\n\n{\"login\":\r\n"+line+"\n", c.as("nord"))
		var out struct {
			Taken, Unread int
			Problems      []struct {
				Line   int
				Reason string
			}
		}
		must(t, json.Unmarshal([]byte(reply), &out))
		if status != 200 || out.Taken != 3 || out.Unread != 1 || len(out.Problems) != 1 || out.Problems[0].Line != 3 || out.Problems[0].Reason == "" {
			t.Fatalf("%d %s", status, reply)
		}
		got := c.queued()
		if len(got) != 3 || got[0].Account != "adupont" || got[0].IPP != "8001" || string(got[1].Raw) != `{"login":` || got[2].Organisation != c.of["nord"] || got[0].Class != traces.PatientAccess {
			t.Fatalf("queued %+v", got)
		}
	})
}

func TestATokenSpeaksForItsEstablishment(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		for _, header := range []string{"", "Authorization: Bearer x", "Authorization: Bearer ", "Authorization: Digest " + c.tokens["nord"]} {
			c.wants(401, "Jeton de source")(c.send("POST", "/events", line, header, "Accept-Language: fr"))
			c.wants(401, "security_exception")(c.send("POST", "/_bulk", line, header))
			c.wants(401, "OperationOutcome")(c.send("POST", "/fhir/AuditEvent", "{}", header))
			c.wants(401, "")(c.send("POST", "/v1/logs", "{}", header))
			c.wants(401, "")(c.send("POST", "/gelf", "{}", header))
			c.wants(401, "")(c.send("GET", "/", "", header))
		}
		if got := c.queued(); len(got) > 0 {
			t.Fatalf("taken without a token: %+v", got)
		}
		c.wants(200, `"taken":1`)(c.send("POST", "/events", line, "Authorization: ApiKey "+c.tokens["sud"]))
		basic := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
		basic.SetBasicAuth("elastic", c.tokens["nord"])
		c.wants(200, `"taken":1`)(c.send("POST", "/events", line, "Authorization: "+basic.Header.Get("Authorization")))
		if got := c.queued(); len(got) != 2 || got[0].Organisation != c.of["sud"] || got[1].Organisation != c.of["nord"] {
			t.Fatalf("queued %+v", got)
		}
	})
}

func packed(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, s)
	must(t, err)
	must(t, w.Close())
	return b.String()
}

func TestWhatIsPackedAndWhatIsTooLarge(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		c.wants(200, `"taken":1`)(c.send("POST", "/events", packed(t, line), c.as("nord"), "Content-Encoding: gzip"))
		bomb := packed(t, strings.Repeat(" ", api.BodyLimit+2))
		c.wants(413, "32")(c.send("POST", "/events", bomb, c.as("nord"), "Content-Encoding: gzip"))
		c.wants(413, "32")(c.send("POST", "/events", strings.Repeat(" ", api.BodyLimit+2), c.as("nord")))
		c.wants(400, "gzip")(c.send("POST", "/events", "not packed", c.as("nord"), "Content-Encoding: gzip"))
		c.wants(400, "gzip")(c.send("POST", "/events", line, c.as("nord"), "Content-Encoding: br"))
		c.wants(400, "interrompu")(c.send("POST", "/events", packed(t, line)[:20], c.as("nord"), "Content-Encoding: gzip", "Accept-Language: fr"))
		if got := c.queued(); len(got) != 1 {
			t.Fatalf("%d taken", len(got))
		}
	})
}

func TestAFullQueueRefusesInTheWordsOfEach(t *testing.T) {
	each(t, spool.Options{MaxBytes: 100}, func(t *testing.T, c *counter) {
		c.wants(503, "file d’attente")(c.send("POST", "/events", line, c.as("nord"), "Accept-Language: fr"))
		c.wants(200, `"status":429`)(c.send("POST", "/_bulk", "{\"create\":{}}\n"+line+"\n", c.as("nord")))
		c.wants(503, "")(c.send("POST", "/gelf", `{"version":"1.1","host":"x","short_message":"y"}`, c.as("nord")))
		if got := c.queued(); len(got) > 0 {
			t.Fatalf("taken: %+v", got)
		}
	})
}

func TestShippersOfElasticsearch(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		status, reply, header := c.send("GET", "/", "", c.as("nord"))
		if status != 200 || header.Get("X-Elastic-Product") != "Elasticsearch" || !strings.Contains(reply, `"number"`) {
			t.Errorf("hello: %d %s", status, reply)
		}
		c.wants(200, "active")(c.send("GET", "/_license", "", c.as("nord")))
		body := `{"create":{"_index":"logs","_id":"a1"}}` + "\n" + line + "\n" + `{"delete":{"_index":"logs","_id":"a1"}}` + "\n"
		status, reply, _ = c.send("POST", "/logs/_bulk", body, c.as("nord"))
		var out struct {
			Errors bool
			Items  []map[string]struct{ Status int }
		}
		must(t, json.Unmarshal([]byte(reply), &out))
		if status != 200 || !out.Errors || len(out.Items) != 2 || out.Items[0]["create"].Status != 201 || out.Items[1]["delete"].Status != 400 {
			t.Fatalf("%d %s", status, reply)
		}
		if got := c.queued(); len(got) != 1 || got[0].Key != "logs/a1" || got[0].Account != "adupont" {
			t.Fatalf("queued %+v", got)
		}
	})
}

func TestFHIRIsTakenWholeOrNot(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		c.wants(422, "OperationOutcome")(c.send("POST", "/fhir/AuditEvent", `{"resourceType":"AuditEvent"`, c.as("nord")))
		c.wants(422, "OperationOutcome")(c.send("POST", "/fhir/AuditEvent", `<!DOCTYPE a [<!ENTITY b "c">]><AuditEvent xmlns="http://hl7.org/fhir"/>`, c.as("nord")))
		if got := c.queued(); len(got) > 0 {
			t.Fatalf("taken: %+v", got)
		}
		good := `{"resourceType":"AuditEvent","id":"e1","type":{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest"},"action":"R","recorded":"2026-11-30T11:59:58Z","outcome":"0",` +
			`"agent":[{"altId":"adupont","requestor":true}],"source":{"observer":{"display":"DPI"}},"entity":[{"what":{"identifier":{"value":"8001"}},"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"1"},"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"1"}}]}`
		c.wants(201, "OperationOutcome")(c.send("POST", "/fhir/AuditEvent", good, c.as("nord"), "Content-Type: application/fhir+json"))
		if got := c.queued(); len(got) != 1 || got[0].Account != "adupont" || got[0].Action != traces.Read {
			t.Fatalf("queued %+v", got)
		}
	})
}

func TestOpenTelemetryAndGraylog(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		logs := `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"DPI"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795953598000000000","body":{"stringValue":"bonjour"},"attributes":[{"key":"user.name","value":{"stringValue":"adupont"}}]}]}]}]}`
		c.wants(200, "{}")(c.send("POST", "/v1/logs", logs, c.as("nord"), "Content-Type: application/json"))
		c.wants(202, "")(c.send("POST", "/gelf", `{"version":"1.1","host":"srv1","short_message":"panne"}`, c.as("nord")))
		got := c.queued()
		if len(got) != 2 || got[0].Account != "adupont" || got[0].Application != "DPI" || got[1].Message != "panne" || got[1].Workstation != "srv1" {
			t.Fatalf("queued %+v", got)
		}
		c.wants(400, "")(c.send("POST", "/v1/logs", "\xff\xff\xff", c.as("nord"), "Content-Type: application/x-protobuf"))
	})
}

func TestAddressesThatAreNone(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		c.wants(404, "Aucune entrée")(c.send("GET", "/events", "", c.as("nord"), "Accept-Language: fr"))
		c.wants(404, "Aucune entrée")(c.send("DELETE", "/logs", "", c.as("nord"), "Accept-Language: fr"))
	})
}

// TestFilesAreBrought gives files as curl does, asks where they are, and has
// another establishment try.
func TestFilesAreBrought(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		c.wants(401, "")(c.send("PUT", "/files/a.csv", "x", "Authorization: Bearer x"))
		status, reply, _ := c.send("PUT", "/files/..%2f..%2fexport.csv", "date;qui\n", c.as("nord"))
		var f struct{ ID, Name, State string }
		if must(t, json.Unmarshal([]byte(reply), &f)); status != 202 || f.Name != "export.csv" || f.State != "unmapped" {
			t.Fatalf("%d %s", status, reply)
		}
		c.wants(200, `"again":true`)(c.send("POST", "/files?name=b.csv", packed(t, "date;qui\n"), c.as("nord"), "Content-Encoding: gzip"))
		c.wants(200, f.ID)(c.send("GET", "/files/"+f.ID, "", c.as("nord")))
		c.wants(404, "")(c.send("GET", "/files/"+f.ID, "", c.as("sud")))
		c.wants(404, "")(c.send("GET", "/files/x", "", c.as("nord")))
		c.wants(400, "")(c.send("POST", "/files", "", c.as("nord")))
		c.wants(400, "")(c.send("POST", "/files", "pas du gzip", c.as("nord"), "Content-Encoding: gzip"))
		c.wants(404, "")(c.send("DELETE", "/files/"+f.ID, "", c.as("nord")))
	})
}
