package pages_test

import (
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/ui/uitest"
)

// An improvised alert is addressed to whoever holds an on-call function.
func TestImprovisedAlertForAnOnCallFunction(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	function := uuid.New()
	uitest.Post(t, h.as(access.Launcher), "/alertes/improviser", []string{
		"texte", "Panne du bloc", "profil", "rappel", "mode", "exercice", "astreinte", function.String(),
	}).Want(303)
	list, err := h.Scenarios(t.Context(), h.scope(access.Launcher), alerting.ScenarioFilter{Improvised: true})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	_, def, err := h.Service.Scenario(t.Context(), h.scope(access.Launcher), list[0].ID)
	if err != nil || len(def.Audience.Include.OnCall) != 1 || def.Audience.Include.OnCall[0] != function {
		t.Errorf("%+v %v", def.Audience.Include, err)
	}
}
