package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/fhir"
)

// archive is a base small enough to be seen through: it knows patients and times.
type archive struct {
	traces.Base
	mu     sync.Mutex
	events []traces.Stored
	asked  []traces.Question
	// before runs before each answer.
	before func(context.Context) error
}

func (a *archive) put(of uuid.UUID, account, ipp string, at time.Time) {
	e := traces.Event{Organisation: of, Collector: "jsonl", Account: account, IPP: ipp, Action: traces.Read, Outcome: traces.Success, At: at.UnixMicro(), Received: at.UnixMicro()}
	a.events = append(a.events, traces.Stored{Event: e, Ref: fmt.Sprintf("m%d/%d", len(a.events)/3, len(a.events))})
}

func (a *archive) Ask(ctx context.Context, of uuid.UUID, q traces.Question) (out traces.Answer, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, q)
	if a.before != nil {
		if err := a.before(ctx); err != nil {
			return out, err
		}
	}
	var fit []traces.Stored
	for _, e := range a.events {
		ok := e.Organisation == of && e.At >= q.From && e.At < q.To
		for _, c := range q.Where {
			ok = ok && (c.Field != traces.FieldPatient || slices.Contains(c.Values, e.IPP))
		}
		if ok {
			fit = append(fit, e)
		}
	}
	slices.SortStableFunc(fit, func(a, b traces.Stored) int { return cmp.Compare(b.At, a.At) })
	out.Total = int64(len(fit))
	fit = fit[min(q.Skip, len(fit)):]
	out.More = len(fit) > q.Limit
	out.Events = fit[:min(q.Limit, len(fit))]
	return out, nil
}

func (a *archive) Get(_ context.Context, of uuid.UUID, ref string) (traces.Stored, error) {
	for _, e := range a.events {
		if e.Organisation == of && e.Ref == ref {
			return e, nil
		}
	}
	return traces.Stored{}, fault.New(fault.NotFound, "traces.error.base")
}

// admit lets an application search in the name of the DPO of a house, and gives
// its header.
func (c *counter) admit(house, name, addresses string) (traces.Consumer, string) {
	c.t.Helper()
	out, token, err := c.s.Admit(c.t.Context(), c.dpo[house], traces.WantedConsumer{Name: name, Reason: "Bouton « qui a ouvert ce dossier » du DPI", LastDay: "2026-12-31", Zone: time.UTC, Addresses: addresses})
	must(c.t, err)
	return out, "Authorization: Bearer " + token
}

// found is a Bundle.
type found struct {
	ResourceType, Type string
	Total              int64
	Link               []struct{ Relation, URL string }
	Entry              []struct {
		FullURL  string
		Resource struct {
			ResourceType, ID string
			Agent            []struct{ AltID string }
		}
		Search struct{ Mode string }
	}
}

func (f found) next() string {
	for _, l := range f.Link {
		if l.Relation == "next" {
			return l.URL
		}
	}
	return ""
}

const fhirRoot = "https://tocsin.test/intake"

// get searches and reads the Bundle.
func (c *counter) get(path string, headers ...string) (out found) {
	c.t.Helper()
	status, reply, header := c.send("GET", path, "", headers...)
	if status != 200 || header.Get("Content-Type") != "application/fhir+json" || header.Get("Cache-Control") != "no-store" {
		c.t.Fatalf("%s: %d %s", path, status, reply)
	}
	must(c.t, json.Unmarshal([]byte(reply), &out))
	return out
}

func (c *counter) hours(house, account, ipp string, n int) {
	for i := range n {
		c.base.put(c.of[house], account, ipp, c.clock.Now().Add(-time.Duration(i+1)*time.Hour))
	}
}

func TestASearchIsAnsweredPageByPage(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		c.hours("nord", "adupont", "8001", 7)
		c.hours("sud", "etranger", "8001", 3)
		_, me := c.admit("nord", "DPI", "")
		path, seen := "/fhir/AuditEvent?date=ge2026-11-29&date=le2026-11-30&patient.identifier="+url.QueryEscape("urn:oid:1.2|8001")+"&_count=3", map[string]bool{}
		for pages := 1; ; pages++ {
			b := c.get(path, me)
			if b.ResourceType != "Bundle" || b.Type != "searchset" || b.Total != 7 {
				t.Fatalf("page %d: %+v", pages, b)
			}
			for _, e := range b.Entry {
				if e.Resource.ResourceType != "AuditEvent" || e.Search.Mode != "match" || e.Resource.Agent[0].AltID != "adupont" || seen[e.Resource.ID] {
					t.Fatalf("page %d: %+v", pages, e)
				}
				seen[e.Resource.ID] = true
				status, reply, _ := c.send("GET", strings.TrimPrefix(e.FullURL, fhirRoot), "", me)
				if status != 200 || !strings.Contains(reply, `"id":"`+e.Resource.ID+`"`) {
					t.Fatalf("read %s: %d %s", e.FullURL, status, reply)
				}
			}
			if b.next() == "" {
				if pages != 3 {
					t.Fatalf("%d pages", pages)
				}
				break
			}
			path = strings.TrimPrefix(b.next(), fhirRoot)
		}
		if len(seen) != 7 {
			t.Fatalf("%d of 7", len(seen))
		}
		if b := c.get("/fhir/AuditEvent?date=2026-11-30&_summary=count", me); b.Total != 7 || len(b.Entry) > 0 || b.next() != "" {
			t.Fatalf("count: %+v", b)
		}
	})
}

func TestAPostedSearch(t *testing.T) {
	once(t, spool.Options{}, func(t *testing.T, c *counter) {
		c.hours("nord", "adupont", "8001", 2)
		c.hours("nord", "bmartin", "8002", 2)
		_, me := c.admit("nord", "DPI", "")
		form := "Content-Type: application/x-www-form-urlencoded; charset=utf-8"
		c.wants(200, `"total":2`)(c.send("POST", "/fhir/AuditEvent/_search?_count=1", "date=2026-11-30&patient=Patient/8001", me, form))
		c.wants(400, "OperationOutcome")(c.send("POST", "/fhir/AuditEvent/_search", "{}", me, "Content-Type: application/json"))
		c.wants(400, "OperationOutcome")(c.send("POST", "/fhir/AuditEvent/_search", "date=2026&site="+strings.Repeat("x", 70<<10), me, form))
	})
}

// Each look is a trace, in the name of the application and of who admitted it,
// and stands there before the answer.
func TestEachLookIsATrace(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		c.hours("nord", "adupont", "8001", 1)
		who, me := c.admit("nord", "DPI", "")
		c.base.before = func(context.Context) error {
			if got := c.queued(); len(got) != 1 {
				t.Errorf("asked with %d looks written", len(got))
			}
			return nil
		}
		b := c.get("/fhir/AuditEvent?date=2026-11-30&patient=8001", me)
		c.send("GET", "/fhir/AuditEvent/"+b.Entry[0].Resource.ID, "", me)
		got := c.queued()
		if len(got) != 2 {
			t.Fatalf("%d looks", len(got))
		}
		for i, want := range []traces.Action{traces.Search, traces.Read} {
			e := got[i]
			if e.Action != want || e.Account != who.ID.String() || e.Person != "DPI" || e.Delegate != "Anne DPO" || e.IPP != "8001" || e.Address != "10.1.2.3" || e.Organisation != c.of["nord"] || e.Class != traces.PatientAccess || !strings.Contains(e.Purpose, "DPI") {
				t.Errorf("look %d: %+v", i, e)
			}
		}
		// What is refused asks nothing and leaves no look.
		c.send("GET", "/fhir/AuditEvent?patient=8001", "", me)
		if len(c.queued()) != 2 || len(c.base.asked) != 1 {
			t.Error("a refused search was asked")
		}
		list, err := c.s.Consumers(t.Context(), c.dpo["nord"])
		must(t, err)
		if len(list) != 1 || !list[0].Last.Equal(c.clock.Now()) {
			t.Errorf("last search: %+v", list)
		}
	})
}

func TestWhatCannotBeTracedIsNotAnswered(t *testing.T) {
	once(t, spool.Options{MaxBytes: 100}, func(t *testing.T, c *counter) {
		c.hours("nord", "adupont", "8001", 1)
		_, me := c.admit("nord", "DPI", "")
		c.wants(503, "transient")(c.send("GET", "/fhir/AuditEvent?date=2026-11-30", "", me))
		if len(c.base.asked) > 0 {
			t.Error("asked without a trace of it")
		}
	})
}

func TestWhoMaySearch(t *testing.T) {
	each(t, spool.Options{}, func(t *testing.T, c *counter) {
		c.hours("sud", "adupont", "8001", 1)
		north, me := c.admit("nord", "DPI", "10.1.0.0/16")
		_, other := c.admit("sud", "DPI", "")
		const path = "/fhir/AuditEvent?date=2026-11-30"
		id := c.get(path, other).Entry[0].Resource.ID
		// Another establishment sees nothing of it.
		if b := c.get(path, me); b.Total != 0 {
			t.Errorf("seen across establishments: %+v", b)
		}
		c.wants(404, "not-found")(c.send("GET", "/fhir/AuditEvent/"+id, "", me))
		c.wants(200, id)(c.send("GET", "/fhir/AuditEvent/"+id, "", other))
		for _, header := range []string{"X-None: x", "Authorization: Bearer x", "Authorization: Bearer ", c.as("nord")} {
			status, reply, h := c.send("GET", path, "", header)
			if status != 401 || !strings.Contains(reply, `"login"`) || !strings.HasPrefix(h.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: %d %s", header, status, reply)
			}
		}
		c.wants(401, "source")(c.send("POST", "/events", line, me))
		c.from = "10.2.0.1"
		c.wants(403, "10.2.0.1")(c.send("GET", path, "", me))
		c.from = "::ffff:10.1.9.9"
		c.get(path, me)
		_, err := c.s.Revoke(t.Context(), c.dpo["sud"], north.ID)
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("revoked from elsewhere: %v", err)
		}
		_, err = c.s.Revoke(t.Context(), c.dpo["nord"], north.ID)
		must(t, err)
		c.wants(401, "login")(c.send("GET", path, "", me))
		c.clock.Advance(time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC).Sub(c.clock.Now()))
		c.get(path, other)
		c.clock.Advance(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).Sub(c.clock.Now()))
		c.wants(401, "login")(c.send("GET", path, "", other))
	})
}

func TestWhatASearchMustAndMayNotSay(t *testing.T) {
	once(t, spool.Options{}, func(t *testing.T, c *counter) {
		c.hours("nord", "adupont", "8001", 1)
		_, me := c.admit("nord", "DPI", "")
		for query, want := range map[string]string{
			"patient=8001":            "required",
			"date=hier":               "value",
			"date=2026&color=red":     "not-supported",
			"date=2026&action=Z":      "value",
			"date=2026&_offset=-1":    "value",
			"date=2026&_count=1;drop": "invalid",
			"date=2026&patient=%zz":   "invalid",
			"date=2026&site=" + strings.Repeat("x", 5000) + strings.Repeat("&site=y", 40): "invalid",
		} {
			c.wants(400, `"code":"`+want+`"`)(c.send("GET", "/fhir/AuditEvent?"+query, "", me))
		}
		// Hostile values are values.
		for _, v := range []string{"' OR 1=1 --", "8001\x00", `"};drop`, strings.Repeat("é", 300)} {
			if b := c.get("/fhir/AuditEvent?date=2026-11-30&patient="+url.QueryEscape(v), me); b.Total != 0 {
				t.Errorf("%q found %d", v, b.Total)
			}
		}
		c.clock.Advance(time.Minute)
		for header, status := range map[string]int{
			"Accept: application/fhir+xml":                              406,
			"Accept: application/fhir+json;q=0, text/html":              406,
			"Accept: application/fhir+xml, application/fhir+json;q=0.5": 200,
			"Accept: */*": 200, "Accept: application/json": 200, "X-None: x": 200,
		} {
			c.wants(status, "")(c.send("GET", "/fhir/AuditEvent?date=2026-11-30", "", me, header))
		}
		c.wants(406, "not-supported")(c.send("GET", "/fhir/AuditEvent?date=2026-11-30&_format=xml", "", me))
		c.wants(200, "Bundle")(c.send("GET", "/fhir/AuditEvent?date=2026-11-30&_format=json", "", me, "Accept: application/fhir+xml"))
		c.wants(404, "not-found")(c.send("GET", "/fhir/AuditEvent/absent", "", me))
	})
}

func TestAConsumerIsPaced(t *testing.T) {
	once(t, spool.Options{}, func(t *testing.T, c *counter) {
		_, me := c.admit("nord", "DPI", "")
		_, other := c.admit("nord", "PACS", "")
		const path = "/fhir/AuditEvent?date=2026-11-30"
		for range 60 {
			c.get(path, me)
		}
		status, reply, header := c.send("GET", path, "", me)
		if status != http.StatusTooManyRequests || !strings.Contains(reply, "throttled") || header.Get("Retry-After") == "" {
			t.Errorf("%d %s", status, reply)
		}
		c.get(path, other)
		c.clock.Advance(time.Minute)
		c.get(path, me)
	})
}

// A search that lasts is stopped, and says what to do.
func TestASearchThatLastsIsStopped(t *testing.T) {
	once(t, spool.Options{}, func(t *testing.T, c *counter) {
		_, me := c.admit("nord", "DPI", "")
		c.base.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		c.within = 20 * time.Millisecond
		c.wants(503, "too-costly")(c.send("GET", "/fhir/AuditEvent?date=2026-11-30", "", me))
	})
}

// The statement promises what the search understands, and nothing else.
func TestTheStatementIsTrue(t *testing.T) {
	t.Parallel()
	raw, err := fhir.Capability("https://x")
	must(t, err)
	var said struct {
		ResourceType, Kind, FHIRVersion string
		Rest                            []struct {
			Resource []struct {
				Type        string
				SearchParam []struct{ Name, Type string }
			}
		}
	}
	must(t, json.Unmarshal(raw, &said))
	if said.ResourceType != "CapabilityStatement" || said.Kind != "instance" || said.FHIRVersion != "4.0.1" || len(said.Rest[0].Resource[0].SearchParam) != len(fhir.Parameters()) {
		t.Fatalf("%+v", said)
	}
	good := map[string]string{"action": "R", "outcome": "0", "entity": "Patient/1", "entity-role": "1", "entity-type": "1"}
	for _, p := range said.Rest[0].Resource[0].SearchParam {
		value := cmp.Or(good[p.Name], "x")
		if p.Type == "date" {
			value = "2026-11-30"
		}
		if _, err := fhir.ParseSearch(url.Values{"date": {"2026-11-30"}, p.Name: {value}}, 0, time.UTC); err != nil {
			t.Errorf("%s is promised: %v", p.Name, err)
		}
	}
}
