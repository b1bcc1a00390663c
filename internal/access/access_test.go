package access_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
)

var (
	nord = uuid.MustParse("01900000-0000-7000-8000-000000000001")
	sud  = uuid.MustParse("01900000-0000-7000-8000-000000000002")
)

func guard(t *testing.T) *access.Guard {
	t.Helper()
	g, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestMatrix is the whole table of rights, role by role: a change of policy shows here.
func TestMatrix(t *testing.T) {
	everyone := []access.Action{access.OrganisationRead, access.DirectoryRead, access.ScenarioRead, access.AlertRead, access.AccountOwn, access.TracesAuditAsk, access.TracesAuditLook}
	want := map[access.Role][]access.Action{
		access.Administrator: {
			access.OrganisationWrite, access.ScenarioWrite, access.ChannelRead, access.ChannelWrite, access.AccountRead, access.AccountWrite,
			access.JournalRead, access.HealthRead, access.DirectoryWrite, access.DirectoryImport, access.DirectoryExport, access.DirectoryProve, access.DirectorySync, access.OnCallWrite, access.AlertKill,
			access.AlertGovern, access.JournalErase, access.InventoryRead, access.InventoryWrite, access.InventoryExport, access.TracesRead, access.TracesSource,
		},
		access.Launcher: {
			access.AlertLaunch, access.AlertConduct, access.AlertKill, access.AlertAnswers, access.AlertReport, access.ScenarioWrite, access.DirectoryNumbers, access.HealthRead, access.AlertPayroll, access.InventoryRead,
		},
		access.CrisisCell:         {access.AlertConduct, access.AlertKill, access.AlertAnswers, access.AlertReport, access.DirectoryNumbers, access.HealthRead, access.AlertPayroll, access.InventoryRead},
		access.DirectoryManager:   {access.DirectoryWrite, access.DirectoryImport, access.DirectoryExport, access.DirectoryProve, access.DirectorySync, access.OnCallWrite, access.DirectoryNumbers, access.OrganisationWrite, access.AlertPayroll, access.InventoryRead, access.InventoryWrite, access.InventoryExport},
		access.Reader:             {},
		access.Auditor:            {access.JournalRead, access.AlertReport, access.AccountRead, access.ChannelRead, access.HealthRead, access.InventoryRead, access.TracesRead},
		access.DataProtection:     {access.TracesRead, access.TracesAsk, access.TracesExport, access.TracesExportApprove, access.TracesHold, access.TracesCases, access.TracesCasesPatient, access.TracesGovern, access.TracesAuditAdvise},
		access.SecurityOfficer:    {access.TracesRead, access.TracesCases, access.TracesCasesSystem, access.TracesRules},
		access.Controller:         {access.TracesExportApprove, access.TracesHold, access.TracesAuditAdvise, access.TracesAuditDecide},
		access.MedicalInformation: {access.TracesAuditAdvise},
	}
	g := guard(t)
	for _, role := range access.Roles() {
		s := access.For(nord, access.Actor{Kind: access.Person, ID: uuid.New()}, true, role)
		for _, a := range access.Actions() {
			allowed := slices.Contains(everyone, a) || slices.Contains(want[role], a)
			if g.May(s, a) != allowed {
				t.Errorf("%s %s: may = %v, want %v", role, a, !allowed, allowed)
			}
			if err := g.CheckOn(s, a, sud); !fault.Is(err, fault.Denied) {
				t.Errorf("%s %s in another establishment: %v", role, a, err)
			}
		}
	}
}

func TestWithoutSecondFactor(t *testing.T) {
	g := guard(t)
	weak := access.For(nord, access.Actor{Kind: access.Person, ID: uuid.New()}, false, access.Launcher)
	if err := g.Check(weak, access.AlertLaunch); fault.As(err) == nil || fault.As(err).Key != "access.second_factor" {
		t.Errorf("launch without second factor: %v", err)
	}
	if err := g.Check(weak, access.AlertRead); err != nil {
		t.Errorf("read without second factor: %v", err)
	}
	if err := g.Check(weak, access.ChannelWrite); fault.As(err) == nil || fault.As(err).Key != "access.denied" {
		t.Errorf("what the role never allows must not promise that a second factor helps: %v", err)
	}
}

func TestNobodyAndMachines(t *testing.T) {
	g := guard(t)
	if err := g.Check(access.Scope{}, access.AlertRead); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("nobody: %v", err)
	}
	noRole := access.For(nord, access.Actor{Kind: access.Person, ID: uuid.New()}, true)
	worker := access.System(nord, "dispatch")
	for _, a := range access.Actions() {
		if g.May(noRole, a) {
			t.Errorf("a person without role may %s", a)
		}
		if err := g.Check(worker, a); err != nil {
			t.Errorf("worker %s: %v", a, err)
		}
		if err := g.CheckOn(worker, a, sud); err == nil {
			t.Errorf("a worker of one establishment may %s in another", a)
		}
	}
}

func TestScopeCannotMove(t *testing.T) {
	if got := access.System(nord, "w").Within(sud).Organisation(); got != nord {
		t.Errorf("moved to %v", got)
	}
	if got := access.Instance("w").Within(sud); got.Organisation() != sud || got.Everywhere() {
		t.Errorf("instance narrowed to %v", got)
	}
	agent := access.For(nord, access.Actor{Kind: access.Agent}, false)
	if agent.IsSystem() {
		t.Error("an agent behind a link is no worker")
	}
}

func TestBrokenPolicyIsNamed(t *testing.T) {
	_, err := access.NewGuardFrom(fstest.MapFS{"policies/x.cedar": {Data: []byte("permit (")}})
	if err == nil || !strings.Contains(err.Error(), "policies/x.cedar") {
		t.Fatalf("the error must name the file: %v", err)
	}
}

// TestPrograms: a program does what it was given and its roles permit, and
// never what changes the house, whatever it was given.
func TestPrograms(t *testing.T) {
	g := guard(t)
	for _, given := range access.Actions() {
		for _, role := range access.Roles() {
			person := access.For(nord, access.Actor{Kind: access.Person, ID: uuid.New()}, true, role)
			program := access.ForProgram(nord, access.Actor{ID: uuid.New()}, []access.Action{given}, role)
			if program.Actor().Kind != access.Program || !program.IsProgram() || program.IsSystem() {
				t.Fatalf("the scope does not say that a program acts: %+v", program.Actor())
			}
			for _, a := range access.Actions() {
				want := a == given && g.May(person, a) && slices.Contains(access.ProgramActions(), a)
				// Nobody is given these, and they hurt nobody.
				harmless := []access.Action{access.OrganisationRead, access.AlertReport, access.HealthRead}
				if a == given && slices.Contains(harmless, a) {
					want = g.May(person, a)
				}
				// Only the room of traces gives this one, and no person has it.
				if a == given && a == access.TracesConsume {
					want = role == access.DataProtection
				}
				if got := g.May(program, a); got != want {
					t.Errorf("%s given %s: may %s = %v, want %v", role, given, a, got, want)
				}
				if g.CheckOn(program, a, sud) == nil {
					t.Errorf("%s given %s may %s in another establishment", role, given, a)
				}
			}
		}
	}
	nothing := access.ForProgram(nord, access.Actor{ID: uuid.New()}, nil, access.Roles()...)
	for _, a := range access.Actions() {
		if g.May(nothing, a) {
			t.Errorf("a program given nothing may %s", a)
		}
	}
}
