package dispatch_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

func TestGatewayLife(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS).start()
		ctx := t.Context()
		in := dispatch.GatewayInput{Kind: "air-sms", Name: " Opérateur ", Settings: channels.Settings{"password": "s3cret"}, Enabled: true}
		g, err := h.d.CreateGateway(ctx, h.scope, t0, in)
		if err != nil {
			t.Fatal(err)
		}
		if g.Name != "Opérateur" || g.Priority != 1 || g.InFlight != 512 || g.Medium != channels.SMS {
			t.Errorf("gateway %+v", g)
		}
		h.within("the running node opens it", func() bool { c := h.air.Channel("main"); return c != nil && c.Password() == "s3cret" })
		// A test made before the node has listed its channel opens one of its own.
		h.post(1)
		h.within("the running node carries by it", func() bool { return h.air.Count() == 1 })
		if err := h.d.TestGateway(ctx, h.scope, g.ID); err != nil {
			t.Error(err)
		}
		h.air.Channel("main").Cut()
		if err := h.d.TestGateway(ctx, h.scope, g.ID); err == nil {
			t.Error("a test through a cut line succeeds")
		}

		in.Settings = channels.Settings{"peer": "second"}
		if _, err := h.d.UpdateGateway(ctx, h.scope, t0, g.ID, in); err != nil {
			t.Fatal(err)
		}
		h.within("the node reopens it with the secret kept", func() bool { c := h.air.Channel("second"); return c != nil && c.Password() == "s3cret" })
		list, err := h.d.Gateways(ctx, h.scope)
		if err != nil || len(list) != 1 || list[0].Settings["peer"] != "second" || list[0].Settings["password"] != "" {
			t.Errorf("list %+v %v", list, err)
		}
		if err := h.d.DeleteGateway(ctx, h.scope, t0, g.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.d.Gateway(ctx, h.scope, g.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("a deleted gateway gives %v", err)
		}
		h.journalKnowsNoSecret()
	})
}

func (h *house) journalKnowsNoSecret() {
	h.t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		h.t.Fatal(err)
	}
	records, err := journal.NewReader(h.db, guard).Search(h.t.Context(), h.scope, journal.Filter{Action: "dispatch.gateway."})
	if err != nil || len(records) != 3 {
		h.t.Fatalf("%d records %v", len(records), err)
	}
	for _, r := range records {
		if strings.Contains(r.Before+r.After, "s3cret") {
			h.t.Errorf("the journal keeps a secret: %s", r.Action)
		}
	}
}

func TestGatewayRefusals(t *testing.T) {
	h := lite(t, channels.SMS)
	good := dispatch.GatewayInput{Kind: "air-sms", Name: "x", Enabled: true}
	for name, c := range map[string]struct {
		change func(*dispatch.GatewayInput)
		kind   fault.Kind
		field  string
	}{
		"kind":     {func(in *dispatch.GatewayInput) { in.Kind = "telex" }, fault.NotFound, ""},
		"name":     {func(in *dispatch.GatewayInput) { in.Name = " " }, fault.Invalid, "name"},
		"priority": {func(in *dispatch.GatewayInput) { in.Priority = 100 }, fault.Invalid, "priority"},
		"flight":   {func(in *dispatch.GatewayInput) { in.InFlight = 1 }, fault.Invalid, "in_flight"},
		"setting":  {func(in *dispatch.GatewayInput) { in.Settings = channels.Settings{"senders": "0"} }, fault.Invalid, "senders"},
	} {
		t.Run(name, func(t *testing.T) {
			in := good
			c.change(&in)
			_, err := h.d.CreateGateway(t.Context(), h.scope, t0, in)
			if f := fault.As(err); f == nil || f.Kind != c.kind || f.Field != c.field {
				t.Errorf("got %v", err)
			}
		})
	}
	reader := access.For(h.scope.Organisation(), access.Actor{Kind: access.Person, ID: uuid.New()}, true, access.Reader)
	if _, err := h.d.CreateGateway(t.Context(), reader, t0, good); !fault.Is(err, fault.Denied) {
		t.Errorf("a reader creates: %v", err)
	}
	g, err := h.d.CreateGateway(t.Context(), h.scope, t0, good)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := access.System(storage.NewID(t0), "test")
	if _, err := h.d.UpdateGateway(t.Context(), elsewhere, t0, g.ID, good); !fault.Is(err, fault.NotFound) {
		t.Errorf("another establishment updates: %v", err)
	}
	if err := h.d.DeleteGateway(t.Context(), reader, t0, g.ID); !fault.Is(err, fault.Denied) {
		t.Errorf("a reader deletes: %v", err)
	}
}

func TestSentences(t *testing.T) {
	i18ntest.Room(t, ".", dispatch.Locales, channels.Locales, access.Locales, os.DirFS("pages"), os.DirFS("../ui"))
	loc := i18ntest.Localizer(t, i18n.Language("fr"), dispatch.Locales, channels.Locales)
	up := channels.Health{Up: true, Since: t0}
	for want, g := range map[string]dispatch.GatewayView{
		"La passerelle « A » n’est pas en service.":                                                      {Name: "A"},
		"La passerelle « A » transmet les messages.":                                                     {Name: "A", Running: true, Carrying: true, Health: up},
		"La passerelle « A » fonctionne et se tient en réserve.":                                         {Name: "A", Running: true, Health: up},
		"La passerelle « A » ne transmet rien. La passerelle ne répond pas : aucune connexion possible.": {Name: "A", Running: true, Health: channels.Health{Reason: channels.ReasonUnreachable}},
	} {
		if got := plainSpaces(g.Sentence(loc)); got != plainSpaces(want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := (dispatch.Attempt{State: dispatch.Accepted, Double: true}).Sentence(loc); got != "Confié à l’opérateur (Doublon possible)" {
		t.Errorf("%q", got)
	}
}

func plainSpaces(s string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(s)
}

func TestMetricsAndNodes(t *testing.T) {
	h := lite(t, channels.SMS)
	if h.d.Node() == lite(t, channels.SMS).d.Node() {
		t.Error("two nodes have one name")
	}
	h.open(nil)
	c, _ := h.post(3)
	h.within("accepted", func() bool { return h.view(c).Accepted == 3 })
	if end := h.view(c).EstimatedEnd; !end.IsZero() {
		t.Errorf("a finished campaign ends at %v", end.Sub(time.Time{}))
	}
}
