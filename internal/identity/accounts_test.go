package identity_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/journal"
)

func console() access.Scope { return access.Instance("cli") }

func TestBootstrap(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, _ uuid.UUID) {
		first, made, err := h.Identity.Bootstrap(t.Context(), h.Clock.Now())
		if err != nil || !made || first == "" {
			t.Fatalf("%q %v %v", first, made, err)
		}
		again, err := h.Identity.FirstLink(t.Context(), console())
		if err != nil || again == first {
			t.Fatalf("a second link: %q %v", again, err)
		}
		run := identity.FirstRun{Code: first, Establishment: "CH Neuf", Colour: "#0b6e4f", Name: "Ana Ruiz", Login: "ana@ch.example", Password: identitytest.Password, Launches: true}
		_, err = h.Identity.Start(t.Context(), identitytest.Here(), run)
		wantFault(t, err, fault.NotFound, "identity.link.unknown") // replaced by the second
		run.Code = again
		h.Clock.Advance(24 * time.Hour)
		_, err = h.Identity.Start(t.Context(), identitytest.Here(), run)
		wantFault(t, err, fault.NotFound, "identity.link.expired")
		if run.Code, err = h.Identity.FirstLink(t.Context(), console()); err != nil {
			t.Fatal(err)
		}
		step, err := h.Identity.Start(t.Context(), identitytest.Here(), run)
		if err != nil || !step.Done {
			t.Fatalf("%+v %v", step, err)
		}
		session, err := h.Identity.Session(t.Context(), step.Token, identitytest.Here())
		if err != nil || session.Establishment.Name != "CH Neuf" || session.Establishment.Colour != "#0b6e4f" || !session.MustSetUpFactor {
			t.Fatalf("%+v %v", session, err)
		}
		if roles := session.Scope.Roles(); !slices.Contains(roles, access.Administrator) || !slices.Contains(roles, access.Launcher) || len(roles) != 2 {
			t.Errorf("roles %v", roles)
		}
		_, err = h.Identity.Start(t.Context(), identitytest.Here(), run)
		wantFault(t, err, fault.NotFound, "identity.link.used")
		_, err = h.Identity.FirstLink(t.Context(), console())
		wantFault(t, err, fault.Conflict, "identity.link.has_administrator")
		if code, made, err := h.Identity.Bootstrap(t.Context(), h.Clock.Now()); err != nil || made || code != "" {
			t.Errorf("after the first run: %q %v %v", code, made, err)
		}
	})
}

// Two browsers follow the link at the same instant: one administrator, one establishment.
func TestFirstLinkMakesOne(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, _ uuid.UUID) {
		code, _, err := h.Identity.Bootstrap(t.Context(), h.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for _, login := range []string{"ana@ch.example", "bob@ch.example", "cleo@ch.example"} {
			wait.Go(func() {
				_, err := h.Identity.Start(t.Context(), identitytest.Here(), identity.FirstRun{Code: code, Establishment: "CH Neuf", Name: "X", Login: login, Password: identitytest.Password})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
				} else if !fault.Is(err, fault.NotFound) {
					t.Errorf("%s: %v", login, err)
				}
			})
		}
		wait.Wait()
		houses, err := h.Organisations.List(t.Context(), console())
		if err != nil || done != 1 || len(houses) != 2 { // the suite's own, and this one
			t.Errorf("%d administrators, %d establishments, %v", done, len(houses), err)
		}
	})
}

func TestInvitation(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		boss := h.Person(t, nord, "boss@chu.example", access.Administrator)
		inv, err := h.Identity.Add(t.Context(), boss.Scope, identity.NewAccount{Login: "Lea@CHU.example", Name: " Léa  Petit ", Roles: []access.Role{access.Reader}})
		if err != nil || inv.Expires != h.Clock.Now().Add(identity.InviteLife) {
			t.Fatalf("%+v %v", inv, err)
		}
		link, err := h.Identity.ReadLink(t.Context(), inv.Code)
		if err != nil || link.Account.Login != "lea@chu.example" || link.Account.Name != "Léa Petit" || link.Account.HasPassword {
			t.Fatalf("%+v %v", link, err)
		}
		_, err = h.Identity.SignIn(t.Context(), identitytest.Here(), "lea@chu.example", identitytest.Password)
		wantFault(t, err, fault.Invalid, "identity.signin.wrong") // no password chosen yet
		_, err = h.Identity.Accept(t.Context(), identitytest.Here(), inv.Code, "trop court")
		wantFault(t, err, fault.Invalid, "identity.password.short")
		if _, err := h.Identity.Accept(t.Context(), identitytest.Here(), inv.Code, identitytest.Password); err != nil {
			t.Fatal(err)
		}
		_, err = h.Identity.Accept(t.Context(), identitytest.Here(), inv.Code, identitytest.Password+"!")
		wantFault(t, err, fault.NotFound, "identity.link.used")
		_, err = h.Identity.Add(t.Context(), boss.Scope, identity.NewAccount{Login: "lea@chu.example", Name: "Other", Roles: []access.Role{access.Reader}})
		wantFault(t, err, fault.Conflict, "identity.login.here")
		late, err := h.Identity.Add(t.Context(), boss.Scope, identity.NewAccount{Login: "max", Name: "Max", Roles: []access.Role{access.Reader}})
		if err != nil {
			t.Fatal(err)
		}
		h.Clock.Advance(identity.InviteLife)
		_, err = h.Identity.Accept(t.Context(), identitytest.Here(), late.Code, identitytest.Password)
		wantFault(t, err, fault.NotFound, "identity.link.expired")
	})
}

func TestNewAccountIsChecked(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		for _, c := range []struct {
			name, login, language string
			roles                 []access.Role
			want, field           string
		}{
			{"", "lea", "fr", []access.Role{access.Reader}, "identity.name.required", "name"},
			{"Léa", "le", "fr", []access.Role{access.Reader}, "identity.login.length", "login"},
			{"Léa", "léa petit", "fr", []access.Role{access.Reader}, "identity.login.characters", "login"},
			{"Léa", "lea", "de", []access.Role{access.Reader}, "identity.language.unknown", "language"},
			{"Léa", "lea", "fr", nil, "identity.roles.required", "roles"},
			{"Léa", "lea", "fr", []access.Role{"root"}, "identity.roles.unknown", "roles"},
		} {
			_, err := h.Identity.Add(t.Context(), access.System(nord, "test"), identity.NewAccount{Login: c.login, Name: c.name, Language: c.language, Roles: c.roles})
			wantFault(t, err, fault.Invalid, c.want)
			if got := fault.As(err).Field; got != c.field {
				t.Errorf("%s: at %q, want %q", c.want, got, c.field)
			}
		}
	})
}

func TestLastAdministratorStays(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		boss := h.Person(t, nord, "boss@chu.example", access.Administrator)
		wantFault(t, h.Identity.SetRoles(t.Context(), boss.Scope, boss.ID, []access.Role{access.Reader}), fault.Conflict, "identity.roles.last")
		wantFault(t, h.Identity.Suspend(t.Context(), boss.Scope, boss.ID, true), fault.Conflict, "identity.roles.last")
		wantFault(t, h.Identity.Disable(t.Context(), console(), boss.ID, true), fault.Conflict, "identity.roles.last")
		second := h.Person(t, nord, "second@chu.example", access.Administrator)
		var wait sync.WaitGroup
		for _, dismissed := range []uuid.UUID{boss.ID, second.ID} { // each other, at once
			wait.Go(func() {
				if err := h.Identity.SetRoles(t.Context(), access.System(nord, "test"), dismissed, []access.Role{access.Reader}); err != nil && !fault.Is(err, fault.Conflict) {
					t.Errorf("dismiss: %v", err)
				}
			})
		}
		wait.Wait()
		members, err := h.Identity.Members(t.Context(), access.System(nord, "test"))
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, m := range members {
			if m.Has(access.Administrator) && m.Active() {
				left++
			}
		}
		if left != 1 {
			t.Errorf("%d administrators left, want 1", left)
		}
	})
}

func TestSuspension(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		boss, p := h.Person(t, nord, "boss@chu.example", access.Administrator), h.Person(t, nord, "lea@chu.example", access.Reader)
		if err := h.Identity.Suspend(t.Context(), boss.Scope, p.ID, true); err != nil {
			t.Fatal(err)
		}
		_, err := h.Identity.Session(t.Context(), p.Token, identitytest.Here())
		wantFault(t, err, fault.Unauthenticated, "access.sign_in")
		_, err = h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password)
		wantFault(t, err, fault.Denied, "identity.signin.closed")
		_, err = h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, "not her password")
		wantFault(t, err, fault.Invalid, "identity.signin.wrong") // who does not know the password learns nothing
		if err := h.Identity.Suspend(t.Context(), boss.Scope, p.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password); err != nil {
			t.Errorf("restored: %v", err)
		}
	})
}

func TestRolesApplyFromTheNextPage(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		boss, p := h.Person(t, nord, "boss@chu.example", access.Administrator), h.Person(t, nord, "lea@chu.example", access.Reader)
		if err := h.Identity.SetRoles(t.Context(), boss.Scope, p.ID, []access.Role{access.Launcher, access.Auditor}); err != nil {
			t.Fatal(err)
		}
		session, err := h.Identity.Session(t.Context(), p.Token, identitytest.Here())
		if err != nil || session.Scope.Has(access.Reader) || !session.Scope.Has(access.Launcher) || session.Scope.Strong() || !session.MustSetUpFactor {
			t.Errorf("%+v %v", session, err)
		}
		records, err := h.Journal.Search(t.Context(), boss.Scope, journal.Filter{Action: "identity.roles"})
		if err != nil || len(records) != 1 || records[0].Before != `{"roles":["lecteur"]}` || records[0].After != `{"roles":["declencheur","auditeur"]}` || records[0].Actor.ID != boss.ID {
			t.Errorf("%+v %v", records, err)
		}
	})
}

func TestReset(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		boss, p := h.Person(t, nord, "boss@chu.example", access.Administrator), h.Person(t, nord, "ana@chu.example", access.Launcher)
		inv, err := h.Identity.Reset(t.Context(), boss.Scope, p.ID, identity.ResetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Identity.Session(t.Context(), p.Token, identitytest.Here())
		wantFault(t, err, fault.Unauthenticated, "access.sign_in")
		_, err = h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password)
		wantFault(t, err, fault.Invalid, "identity.signin.wrong")
		step, err := h.Identity.Accept(t.Context(), identitytest.Here(), inv.Code, "un tout autre mot de passe")
		if err != nil || step.Done {
			t.Fatalf("the second factor is still asked for: %+v %v", step, err)
		}
		if inv, err = h.Identity.Reset(t.Context(), boss.Scope, p.ID, identity.ResetOptions{Factors: true}); err != nil {
			t.Fatal(err)
		}
		step, err = h.Identity.Accept(t.Context(), identitytest.Here(), inv.Code, "encore un autre mot de passe")
		if err != nil || !step.Done {
			t.Fatalf("the telephone is lost: %+v %v", step, err)
		}
		session, err := h.Identity.Session(t.Context(), step.Token, identitytest.Here())
		if err != nil || !session.MustSetUpFactor || session.Scope.Strong() {
			t.Errorf("%+v %v", session, err)
		}
	})
}

// What one establishment does, another neither sees nor undoes.
func TestEstablishmentsAreApart(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		sud := h.Establishment(t, "CH Sud")
		chief, boss := h.Person(t, nord, "chief@chu.example", access.Administrator), h.Person(t, sud, "boss@sud.example", access.Administrator)
		lea, max := h.Person(t, nord, "lea@chu.example", access.Reader), h.Person(t, sud, "max@sud.example", access.Reader)

		for what, err := range map[string]error{
			"roles":   h.Identity.SetRoles(t.Context(), boss.Scope, lea.ID, []access.Role{access.Administrator}),
			"suspend": h.Identity.Suspend(t.Context(), boss.Scope, lea.ID, true),
			"reset":   second(h.Identity.Reset(t.Context(), boss.Scope, lea.ID, identity.ResetOptions{})),
			"read":    second(h.Identity.Member(t.Context(), boss.Scope, lea.ID)),
		} {
			if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied) {
				t.Errorf("%s across establishments: %v", what, err)
			}
		}
		members, err := h.Identity.Members(t.Context(), boss.Scope)
		if err != nil || len(members) != 2 {
			t.Fatalf("%+v %v", members, err)
		}

		inv, err := h.Identity.Add(t.Context(), chief.Scope, identity.NewAccount{Login: max.Login, Name: "somebody", Roles: []access.Role{access.Auditor}})
		if err != nil || inv.Code != "" || inv.Account != max.ID {
			t.Fatalf("max also works in the north: %+v %v", inv, err)
		}
		m, err := h.Identity.Member(t.Context(), chief.Scope, max.ID)
		if err != nil || !m.Shared || !slices.Equal(m.Roles, []access.Role{access.Auditor}) {
			t.Errorf("%+v %v", m, err)
		}
		_, err = h.Identity.Reset(t.Context(), chief.Scope, max.ID, identity.ResetOptions{})
		wantFault(t, err, fault.Denied, "identity.account.shared") // the north would get the south's keys
		if err := h.Identity.Suspend(t.Context(), chief.Scope, max.ID, true); err != nil {
			t.Fatal(err)
		}
		session, err := h.Identity.Session(t.Context(), max.Token, identitytest.Here())
		if err != nil || session.Scope.Organisation() != sud || len(session.Establishments) != 1 {
			t.Errorf("max still works in the south: %+v %v", session, err)
		}
		if _, err := h.Identity.Reset(t.Context(), console().Within(sud), max.ID, identity.ResetOptions{}); err != nil {
			t.Errorf("the command line holds the machine: %v", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestConsole(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		boss, p := h.Person(t, nord, "boss@chu.example", access.Administrator), h.Person(t, nord, "lea@chu.example", access.Reader, access.Auditor)
		list, err := h.Identity.Accounts(t.Context(), console())
		if err != nil || len(list) != 2 || !slices.Equal(list[1].Roles[nord], []access.Role{access.Reader, access.Auditor}) {
			t.Fatalf("%+v %v", list, err)
		}
		_, err = h.Identity.Accounts(t.Context(), boss.Scope)
		wantFault(t, err, fault.Denied, "access.denied")
		found, err := h.Identity.ByLogin(t.Context(), console(), "LEA@chu.example")
		if err != nil || found.ID != p.ID {
			t.Errorf("%+v %v", found, err)
		}
		_, err = h.Identity.ByLogin(t.Context(), console(), "nobody@chu.example")
		wantFault(t, err, fault.NotFound, "identity.account.unknown")
		if err := h.Identity.Disable(t.Context(), console(), p.ID, true); err != nil {
			t.Fatal(err)
		}
		_, err = h.Identity.Session(t.Context(), p.Token, identitytest.Here())
		wantFault(t, err, fault.Unauthenticated, "access.sign_in")
		_, err = h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password)
		wantFault(t, err, fault.Denied, "identity.signin.closed")
		if err := h.Identity.Disable(t.Context(), console(), p.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password); err != nil {
			t.Error(err)
		}
	})
}
