// Package api is « Alerte et mobilisation » for programs: scenarios, launches,
// what follows, and the facts of the report.
//
// It promises the same operations as the pages, under the same rules: the
// scenario's authority, the second person, one alert for two launches of the
// same thing.
//
// It never confirms as a second person, and never shows a number whole.
package api

import (
	"net/http"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/rest"
)

type api struct{ service *alerting.Service }

// Register adds the operations of this room.
func Register(d *rest.Desk, s *alerting.Service) {
	a := api{s}
	a.scenarios(d)
	a.reading(d)
	a.conducting(d)
}

func (a api) scenarios(d *rest.Desk) {
	op := rest.Operation{ID: "scenarios", Method: http.MethodGet, Path: "/scenarios", Need: access.ScenarioRead, Tag: "scenarios", Summary: "Scenarios that can be launched"}
	rest.Register(d, op, a.list)
	op.ID, op.Path, op.Tagged, op.Summary = "scenario", "/scenarios/{id}", true, "One scenario with its definition: variables, messages, audience, waves, quotas"
	rest.Register(d, op, a.one)
}

func (a api) reading(d *rest.Desk) {
	op := func(id, path, summary string) rest.Operation {
		return rest.Operation{ID: id, Method: http.MethodGet, Path: path, Need: access.AlertRead, Tag: "alerts", Summary: summary}
	}
	rest.Register(d, op("alerts", "/alerts", "Alerts, the newest first"), a.launches)
	rest.Register(d, op("alert", "/alerts/{id}", "One alert as it stands: figures, quotas, waves, media"), a.board)
	people := op("alertPeople", "/alerts/{id}/people", "People of an alert, by name, with every answer and every message")
	people.Need = access.AlertAnswers
	rest.Register(d, people, a.people)
	rest.Register(d, op("alertEvents", "/alerts/{id}/events", "What happened, the oldest first"), a.events)
	rest.Register(d, op("requests", "/requests", "Launches that wait for a second person now"), a.requests)
	rest.Register(d, op("request", "/requests/{id}", "What became of a launch that waited for a second person"), a.request)
	report := op("alertReport", "/alerts/{id}/report", "The facts of an alert, recomputed from its people, messages and answers")
	report.Need, report.Detail = access.AlertReport, "Names who was not reached, never who refused."
	rest.Register(d, report, a.report)
}

func (a api) conducting(d *rest.Desk) {
	op := func(id, path string, need access.Action, keying rest.Keying, summary string) rest.Operation {
		return rest.Operation{ID: id, Method: http.MethodPost, Path: path, Need: need, Keying: keying, Tag: "alerts", Summary: summary}
	}
	preview := op("previewAlert", "/alerts/preview", access.AlertLaunch, rest.Unkeyed, "What would leave, to how many, and who would not be reached")
	preview.Detail = "Writes nothing. Give its fingerprint to launch: a scenario that changed meanwhile is then refused."
	rest.Register(d, preview, a.preview)
	launch := op("launchAlert", "/alerts", access.AlertLaunch, rest.KeyedRepeatable, "Launch an alert")
	launch.KeyRequired, launch.Status = true, http.StatusCreated
	launch.Detail = "The same scenario, mode and values launched less than two minutes ago, by anyone, is the same alert: `already` is then true. " +
		"Above the establishment's number of people the state is `awaiting`: nothing left yet, and `id` is that of the request a second person must confirm."
	rest.Register(d, launch, a.launch)
	say := op("progressAlert", "/alerts/{id}/messages", access.AlertConduct, rest.Keyed, "Send a progress message")
	say.Status = http.StatusNoContent
	rest.Register(d, say, a.progress)
	stop := op("stopWave", "/alerts/{id}/waves/{wave}/stop", access.AlertConduct, rest.KeyedRepeatable, "Stop a wave for good")
	stop.Status = http.StatusNoContent
	rest.Register(d, stop, a.stopWave)
	arrive := op("arrivals", "/alerts/{id}/arrivals", access.AlertConduct, rest.KeyedRepeatable, "Tick people at the door, or take the tick back")
	arrive.Status = http.StatusNoContent
	rest.Register(d, arrive, a.arrivals)
	end := op("endAlert", "/alerts/{id}/end", access.AlertConduct, rest.KeyedRepeatable, "End an alert: nobody more is called, those who were called are told")
	end.Status = http.StatusNoContent
	rest.Register(d, end, a.end)
	lift := op("liftBudget", "/alerts/{id}/budget/lift", access.AlertLaunch, rest.KeyedRepeatable, "Let an alert cost more than its ceiling: what waits for money leaves at once")
	lift.Status = http.StatusNoContent
	rest.Register(d, lift, a.liftBudget)
	kill := op("killAlert", "/alerts/{id}/kill", access.AlertKill, rest.KeyedRepeatable, "Stop everything that has not left, and tell nobody")
	kill.Status = http.StatusNoContent
	rest.Register(d, kill, a.kill)
}
