package access

// Action is one thing that can be permitted. The value is the Cedar action id.
type Action string

// The actions, by room. The policies say which role may do which.
const (
	OrganisationRead  Action = "organisation.read"
	OrganisationWrite Action = "organisation.write"

	DirectoryRead    Action = "directory.read"    // lists, with masked private numbers
	DirectoryNumbers Action = "directory.numbers" // see a private number whole
	DirectoryWrite   Action = "directory.write"
	DirectoryImport  Action = "directory.import"
	DirectoryExport  Action = "directory.export"
	DirectorySync    Action = "directory.sync"  // give the directory a list of people, by a program
	DirectoryProve   Action = "directory.prove" // write to people to prove that they can be reached

	OnCallWrite Action = "oncall.write" // say who holds on-call functions; whoever reads the directory reads who does

	InventoryRead   Action = "inventory.read" // applications, devices, their addresses
	InventoryWrite  Action = "inventory.write"
	InventoryExport Action = "inventory.export"

	ScenarioRead  Action = "scenario.read"
	ScenarioWrite Action = "scenario.write"

	AlertRead    Action = "alert.read"
	AlertLaunch  Action = "alert.launch"  // start, for real or for exercise
	AlertConduct Action = "alert.conduct" // progress message, extend, stop a wave, arrivals, manual calls, end
	AlertKill    Action = "alert.kill"    // the kill switch
	AlertAnswers Action = "alert.answers" // see what each person answered
	AlertReport  Action = "alert.report"
	AlertGovern  Action = "alert.govern" // the rules of launches: second person, retention, recall order
	// AlertPayroll is to take out, by name, recall orders and hours on site.
	AlertPayroll Action = "alert.payroll"

	ChannelRead  Action = "channel.read"
	ChannelWrite Action = "channel.write"

	AccountRead  Action = "account.read"
	AccountWrite Action = "account.write"
	AccountOwn   Action = "account.own" // one's own password, second factors, sessions

	TracesRead   Action = "traces.read"   // which sources speak, and how they are; never what they said
	TracesSource Action = "traces.source" // add, change and retire sources
	TracesAsk    Action = "traces.ask"    // put questions to the traces of people
	// TracesConsume is to search the traces as a program that who may ask them
	// admitted; no person has it, and no token of the house gives it.
	TracesConsume Action = "traces.consume"

	TracesExport        Action = "traces.export"         // ask for an archive for justice or a patient, and take it
	TracesExportApprove Action = "traces.export.approve" // approve or refuse one that somebody else asked for
	TracesHold          Action = "traces.hold"           // keep traces from purges for a court, and lift it with another person

	TracesCases        Action = "traces.cases"            // enter the cases that detection opened; which ones, the next two say
	TracesCasesPatient Action = "traces.cases.patient"    // see and handle those about records of patients
	TracesCasesSystem  Action = "traces.cases.system"     // see and handle those about systems
	TracesRules        Action = "traces.rules"            // switch rules of system logs off, and say when they alert
	TracesGovern       Action = "traces.detection.govern" // put the detection of behaviour into service, or stop it

	TracesAuditAsk    Action = "traces.audit.request" // ask for an audit of the traces, and follow one's own requests
	TracesAuditAdvise Action = "traces.audit.advise"  // see every request, and give advice on it
	TracesAuditDecide Action = "traces.audit.decide"  // decide on a request, with its scope and its end
	TracesAuditLook   Action = "traces.audit.look"    // look at the traces under a request that names one

	JournalRead  Action = "journal.read"
	JournalErase Action = "journal.erase" // the words of an entry, for the person they are about
	HealthRead   Action = "health.read"
)

// Actions lists every action.
func Actions() []Action {
	return []Action{
		OrganisationRead, OrganisationWrite,
		DirectoryRead, DirectoryNumbers, DirectoryWrite, DirectoryImport, DirectoryExport, DirectoryProve, DirectorySync, OnCallWrite,
		InventoryRead, InventoryWrite, InventoryExport,
		ScenarioRead, ScenarioWrite,
		AlertRead, AlertLaunch, AlertConduct, AlertKill, AlertAnswers, AlertReport, AlertGovern, AlertPayroll,
		ChannelRead, ChannelWrite,
		AccountRead, AccountWrite, AccountOwn,
		TracesRead, TracesSource, TracesAsk, TracesExport, TracesExportApprove, TracesHold, TracesConsume, TracesCases, TracesCasesPatient, TracesCasesSystem, TracesRules, TracesGovern,
		TracesAuditAsk, TracesAuditAdvise, TracesAuditDecide, TracesAuditLook,
		JournalRead, JournalErase, HealthRead,
	}
}

// ProgramActions lists what a program may be given; the policies refuse it the rest.
func ProgramActions() []Action {
	return []Action{
		ScenarioRead, AlertRead, AlertLaunch, AlertConduct, AlertKill, AlertAnswers, AlertReport,
		OrganisationRead, DirectoryRead, DirectoryWrite, DirectorySync, InventoryRead, HealthRead, JournalRead,
	}
}
