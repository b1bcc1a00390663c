package rules

import (
	"strings"

	"tocsin/internal/traces"
	"tocsin/internal/traces/sigma"
)

// fields shows an event to the rules under the names that rules use. It is used
// again from one event to the next.
type fields struct {
	sigma.Record
	// values are cut into the values of the fields: one allocation for all.
	values []sigma.Value
}

func newFields() *fields { return &fields{Record: sigma.Record{}} }

func (f *fields) add(name, value string) {
	if value == "" {
		return
	}
	if known, ok := f.Record[name]; ok {
		f.Record[name] = append(known[:len(known):len(known)], sigma.Text(value))
		return
	}
	f.values = append(f.values, sigma.Text(value))
	f.Record[name] = f.values[len(f.values)-1 : len(f.values) : len(f.values)]
}

// Own are the words by which every event says itself which log source it is of:
// a rule for any format says « product: tocsin » and the class as category.
const ownProduct = "tocsin"

// show takes an event in: our model under its own names, what the source said
// under those of its format, and of Windows and syslog what rules call it.
func (f *fields) show(e *traces.Event) {
	clear(f.Record)
	f.values = f.values[:0]
	f.add(sigma.FieldProduct, ownProduct)
	f.add(sigma.FieldCategory, e.Class.String())
	f.add(sigma.FieldService, e.Collector)
	f.model(e)
	for _, p := range e.Extra {
		f.add(bare(p.Name), p.Value)
	}
	switch e.Collector {
	case "winevent":
		f.windows(e)
	case "syslog":
		f.add("appname", e.Application)
		f.add("hostname", e.Workstation)
	}
}

// model are the fields of docs/guides/traces.md under their names in questions.
func (f *fields) model(e *traces.Event) {
	for _, p := range [...]traces.Pair{
		{Name: "account", Value: e.Account},
		{Name: "person", Value: e.Person},
		{Name: "function", Value: e.Function},
		{Name: "delegate", Value: e.Delegate},
		{Name: "action", Value: e.Action.String()},
		{Name: "verb", Value: e.Verb},
		{Name: "outcome", Value: e.Outcome.String()},
		{Name: "stay", Value: e.Stay},
		{Name: "document", Value: e.Document},
		{Name: "object", Value: e.Object},
		{Name: "parameter", Value: e.Parameter},
		{Name: "device", Value: e.Device},
		{Name: "application", Value: e.Application},
		{Name: "workstation", Value: e.Workstation},
		{Name: "address", Value: e.Address},
		{Name: "site", Value: e.Site},
		{Name: "service", Value: e.Service},
		{Name: "purpose", Value: e.Purpose},
		{Name: "relation", Value: e.Relation},
		{Name: "message", Value: e.Message},
	} {
		f.add(p.Name, p.Value)
	}
}

// bare takes the prefix of a shipper off a name: Winlogbeat keeps under
// winlog.event_data what Windows calls by one word.
func bare(name string) string {
	switch name {
	case "event.channel", "winlog.channel":
		return "Channel"
	case "winlog.event_id", "event.code":
		return "EventID"
	case "event.computer", "winlog.computer_name":
		return "Computer"
	case "winlog.provider_name":
		return "Provider_Name"
	}
	if rest, ok := strings.CutPrefix(name, "winlog.event_data."); ok {
		return rest
	}
	return name
}

// windows gives back to an event of Windows the names that its reading turned
// into ours.
func (f *fields) windows(e *traces.Event) {
	f.add("EventID", e.Verb)
	f.add("Provider_Name", e.Application)
	f.add("Computer", e.Workstation)
	f.add("IpAddress", e.Address)
	f.add("WorkstationName", e.Workstation)
	if e.Action == traces.Login || e.Action == traces.Logout {
		f.add("TargetUserName", e.Account)
		f.add("LogonType", logonNumbers[e.Purpose])
		return
	}
	f.add("SubjectUserName", e.Account)
	for _, name := range objectNames[e.Verb] {
		f.add(name, e.Object)
	}
	for _, name := range parameterNames[e.Verb] {
		f.add(name, e.Parameter)
	}
}

// What our reading of Windows keeps as object and parameter, by number of event.
var (
	objectNames = map[string][]string{
		"4688": {"NewProcessName"}, "4656": {"ObjectName"}, "4663": {"ObjectName"}, "4660": {"ObjectName"}, "4657": {"ObjectName"}, "4670": {"ObjectName"},
		"5140": {"ShareName"}, "5145": {"RelativeTargetName"}, "4697": {"ServiceName"}, "7045": {"ServiceName"}, "4698": {"TaskName"}, "4699": {"TaskName"}, "4702": {"TaskName"},
		"4720": {"TargetUserName"}, "4722": {"TargetUserName"}, "4723": {"TargetUserName"}, "4724": {"TargetUserName"}, "4725": {"TargetUserName"}, "4726": {"TargetUserName"}, "4738": {"TargetUserName"},
		"4728": {"TargetUserName"}, "4732": {"TargetUserName"}, "4756": {"TargetUserName"}, "4729": {"TargetUserName"}, "4733": {"TargetUserName"}, "4719": {"SubcategoryGuid"},
	}
	parameterNames = map[string][]string{
		"1": {"CommandLine"}, "4688": {"CommandLine"}, "7045": {"ImagePath"}, "4697": {"ServiceFileName"},
		"4728": {"MemberName"}, "4732": {"MemberName"}, "4756": {"MemberName"}, "4704": {"PrivilegeList"}, "4672": {"PrivilegeList"},
	}
	// logonNumbers are Microsoft's numbers for the words that our reading keeps.
	logonNumbers = map[string]string{
		"Interactive": "2", "Network": "3", "Batch": "4", "Service": "5", "Unlock": "7", "NetworkCleartext": "8", "NewCredentials": "9", "RemoteInteractive": "10", "CachedInteractive": "11",
	}
)
