package winevent

import "tocsin/internal/traces"

// kind is what an event is about, which tells whose its names are.
type kind uint8

const (
	other   kind = iota
	session      // somebody comes in or leaves: the target is who
	rights       // accounts and rights: the subject is who, the target what
	act          // the subject did something to an object
)

// meanings are events of the log Security (Microsoft, « Advanced security audit
// policy settings ») and few of System, by their number.
var meanings = map[string]struct {
	action traces.Action
	kind   kind
}{
	"4624": {traces.Login, session}, "4625": {traces.Login, session}, "4648": {traces.Login, session}, "4768": {traces.Login, session}, "4769": {traces.Login, session},
	"4771": {traces.Login, session}, "4776": {traces.Login, session}, "4740": {traces.Login, session}, "4778": {traces.Login, session}, "4801": {traces.Login, session},
	"4634": {traces.Logout, session}, "4647": {traces.Logout, session}, "4779": {traces.Logout, session},
	"4720": {traces.Configure, rights}, "4722": {traces.Configure, rights}, "4723": {traces.Configure, rights}, "4724": {traces.Configure, rights}, "4725": {traces.Configure, rights},
	"4726": {traces.Configure, rights}, "4727": {traces.Configure, rights}, "4728": {traces.Configure, rights}, "4729": {traces.Configure, rights}, "4730": {traces.Configure, rights},
	"4731": {traces.Configure, rights}, "4732": {traces.Configure, rights}, "4733": {traces.Configure, rights}, "4734": {traces.Configure, rights}, "4735": {traces.Configure, rights},
	"4737": {traces.Configure, rights}, "4738": {traces.Configure, rights}, "4741": {traces.Configure, rights}, "4742": {traces.Configure, rights}, "4743": {traces.Configure, rights},
	"4754": {traces.Configure, rights}, "4755": {traces.Configure, rights}, "4756": {traces.Configure, rights}, "4757": {traces.Configure, rights}, "4758": {traces.Configure, rights},
	"4764": {traces.Configure, rights}, "4767": {traces.Configure, rights}, "4781": {traces.Configure, rights}, "4704": {traces.Configure, rights}, "4705": {traces.Configure, rights},
	"4717": {traces.Configure, rights}, "4718": {traces.Configure, rights}, "4719": {traces.Configure, rights}, "4616": {traces.Configure, rights},
	"4697": {traces.Configure, act}, "7045": {traces.Configure, act}, "4698": {traces.Configure, act}, "4699": {traces.Configure, act}, "4700": {traces.Configure, act}, "4701": {traces.Configure, act}, "4702": {traces.Configure, act},
	"1102": {traces.Delete, act}, "104": {traces.Delete, act},
	"4688": {traces.Execute, act}, "4656": {traces.Read, act}, "4663": {traces.Read, act}, "5140": {traces.Read, act}, "5145": {traces.Read, act}, "4660": {traces.Delete, act}, "4670": {traces.Configure, act},
	"4608": {traces.Start, other}, "6005": {traces.Start, other}, "6009": {traces.Start, other},
	"4609": {traces.Stop, other}, "6006": {traces.Stop, other}, "1074": {traces.Stop, other},
}

// meaning fills what the number of the event tells.
func (r *reader) meaning(e *traces.Event) {
	if e.Application == "Microsoft-Windows-PrintService" && r.id == "307" {
		// Param1 to 8: job, document, account, workstation, printer, port, bytes, pages.
		e.Action, e.Outcome = traces.Print, traces.Success
		e.Object, e.Account, e.Device = r.get("Param2"), r.get("Param3"), r.get("Param5")
		e.Add("event.workstation", r.get("Param4"))
		return
	}
	m := meanings[r.id]
	e.Action = m.action
	switch m.kind {
	case session:
		e.Account = r.get("TargetUserName", "AccountName", "TargetUser")
		e.Purpose = logonTypes[r.get("LogonType")]
		switch r.id {
		case "4625", "4771", "4740":
			e.Outcome = traces.Denied
		}
	case rights:
		e.Account = r.get("SubjectUserName")
		e.Object = r.get("TargetUserName", "NewTargetUserName", "SubcategoryGuid")
		e.Parameter = r.get("MemberName", "MemberSid", "PrivilegeList")
	case act, other:
		e.Account = r.get("SubjectUserName", "param7")
		e.Object = r.get("ObjectName", "NewProcessName", "RelativeTargetName", "ShareName", "ServiceName", "TaskName")
		e.Parameter = r.get("CommandLine", "ImagePath", "ServiceFileName")
		if r.id == "1102" || r.id == "104" {
			e.Object = r.channel
		}
	}
}

// logonTypes are how a session was opened, in Microsoft's words.
var logonTypes = map[string]string{
	"2": "Interactive", "3": "Network", "4": "Batch", "5": "Service", "7": "Unlock", "8": "NetworkCleartext", "9": "NewCredentials", "10": "RemoteInteractive", "11": "CachedInteractive",
}
