package archtest

// The plan: rooms, tools and doors, as docs/building.md draws them.

// tools know no room; everyone may use them, except ui which only pages enter
// and rest which only api does.
var tools = []string{
	"access", "backup", "clock", "config", "document", "fault", "i18n", "jobs", "journal", "live", "rest", "spool", "storage", "ui", "vault", "wire",
}

// doors says which rooms a room may enter.
var doors = map[string][]string{
	"organisation":   {},
	"channels":       {},
	"dispatch":       {"organisation", "channels"},
	"directory":      {"organisation", "dispatch"},
	"inventory":      {"organisation"},
	"traces":         {"organisation", "inventory", "dispatch"},
	"identity":       {"organisation", "directory", "dispatch"},
	"alerting":       {"organisation", "channels", "directory", "dispatch"},
	"hooks":          {"alerting", "dispatch"},
	"space":          {"organisation", "channels", "directory", "dispatch", "alerting"},
	"screens":        {"organisation", "alerting"},
	"administration": {},
	"lab":            {},
}

// assembly may enter everything; only cmd and the tests import it.
var assembly = []string{"app", "demo", "bench"}
