package app_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/app"
	"tocsin/internal/config"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/organisation"
	"tocsin/internal/traces"
)

// freePort is an address of this machine that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// TestWhoCaresAndWhoActsAreJoined passes a message by MLLP, and asks the house who
// cares, who acts and who is on call, as the detection does.
func TestWhoCaresAndWhoActsAreJoined(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := &config.Server{Listen: "127.0.0.1:0", PublicURL: "https://tocsin.test", Data: filepath.Join(folder, "data"), KeyFile: filepath.Join(folder, "tocsin.key"), LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris", MLLPListen: freePort(t)}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	h, err := app.Build(t.Context(), app.Plan{Settings: s, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e, err := h.Houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU", Language: "fr"})
	must(err)
	scope := access.System(e.ID, "test")
	person := joined(t, h, scope)
	must(h.CareDesk.Refresh(t.Context(), e.ID))
	m, found, err := h.Staff.Member(t.Context(), e.ID, "agnes.faure")
	must(err)
	if !found || m.Person != person || !strings.Contains(strings.Join(m.Services, ","), "reanimation") {
		t.Errorf("%+v, %v", m, found)
	}
	for service, want := range map[string]bool{"Réanimation": true, "Cardiologie": false} {
		on, err := h.Staff.OnCall(t.Context(), e.ID, person, service, h.Clock.Now().UnixMicro())
		must(err)
		if on != want {
			t.Errorf("on call for %s: %v", service, on)
		}
	}
	_, _, err = h.Traces.Add(t.Context(), scope, traces.Wanted{Name: "GAM", Format: "hl7", Zone: "Europe/Paris", Addresses: "127.0.0.1"})
	must(err)
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() { done <- h.Serve(ctx, ready) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	answer := send(t, s.MLLPListen, "\x0bMSH|^~\\&|GAM|CHU|T|T|20261130||ADT^A01|1|P|2.5\rPID|||8001^^^CHU^PI\rPV1||I|REA||||||||||||||||S1\rZBE|M1|20261130080000||INSERT|N\r\x1c\r")
	if !strings.Contains(answer, "MSA|AA|1|") {
		t.Errorf("%q", answer)
	}
	answer = send(t, s.MLLPListen, "\x0bMSH|^~\\&|GAM|CHU|T|T|20261130||ADT^A01|2|P|2.5||||||UNICODE UTF-8\rPID|||8001^^^CHU^PI\r\x1c\r")
	if !strings.Contains(answer, "MSA|AE|2|Le numéro de séjour (PV1-19) manque.") {
		t.Errorf("%q", answer)
	}
	p, found, err := h.Care.Patient(t.Context(), e.ID, "8001", "", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	must(err)
	if !found || len(p.Relations) != 1 || p.Relations[0].Service != "rea" {
		t.Errorf("%+v, %v", p, found)
	}
	stop()
	must(<-done)
	must(h.Close())
}

// joined makes somebody of the intensive care who is on call for it.
func joined(t *testing.T, h *app.House, scope access.Scope) (id [16]byte) {
	t.Helper()
	var service organisation.Node
	site, err := h.Houses.AddNode(t.Context(), scope, organisation.Node{Kind: organisation.Site, Name: "Site Nord"}, [16]byte{})
	if err == nil {
		service, err = h.Houses.AddNode(t.Context(), scope, organisation.Node{Kind: organisation.CareService, Name: "Réanimation", Code: "2300"}, site.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Houses.AddNode(t.Context(), scope, organisation.Node{Kind: organisation.CareService, Name: "Cardiologie"}, site.ID); err != nil {
		t.Fatal(err)
	}
	p, err := h.Directory.Save(t.Context(), scope, directory.Person{LastName: "Faure", FirstName: "Agnès", Matricule: "70001", Service: service.ID, Contacts: []directory.ContactPoint{{Contact: directory.Contact{Kind: directory.Email, Address: "agnes.faure@ch.example"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.OnCall.Save(t.Context(), scope, oncall.Function{Name: "Astreinte réanimation", Roster: oncall.Roster{Fallback: oncall.Step{Kind: oncall.ToPerson, ID: p.ID}}}); err != nil {
		t.Fatal(err)
	}
	return p.ID
}

// send says one message and gives the answer.
func send(t *testing.T, address, message string) string {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, message); err != nil {
		t.Fatal(err)
	}
	answer, err := bufio.NewReader(c).ReadString(0x1c)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
