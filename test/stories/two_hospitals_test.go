package stories_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// The same nurse works for two hospitals, under one mobile. Both call her the
// same night. She tells one that she comes and the other that she cannot: each
// alert counts its own answer, only the first gives her a recall order, and
// neither hospital learns anything of what she told the other.
func TestTheSamePersonInTwoHospitals(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		other := h.establishment("Clinique du Parc", "parc")
		h.Dispatch.Wake()
		here := h.agentOf(h.scope, "Partagée", "iade", func(p *directory.Person) { p.Matricule = "CHU-7781" })
		there := h.agentOf(other, "Partagée", "iade", func(p *directory.Person) { p.Contacts[0].Address, p.Matricule = mobile(here), "PARC-12" })
		ours := h.launch(recall(needs(1, "")))
		sc, err := h.Alerting.CreateScenario(t.Context(), other, h.now(), recall(needs(1, "")))
		if err != nil {
			t.Fatal(err)
		}
		theirs, _, err := h.Alerting.Launch(t.Context(), other, h.now(), draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		h.settle()

		answer := func(scope access.Scope, l alerting.Launch, meaning alerting.Meaning, minutes int) string {
			code := h.answerCode(scope, l)
			if _, err := h.Alerting.AnswerByLink(t.Context(), code, meaning, minutes, "192.0.2.7", h.now()); err != nil {
				t.Fatal(err)
			}
			return code
		}
		first := answer(h.scope, ours, alerting.Coming, 30)
		second := answer(other, theirs, alerting.Unavailable, -1)
		h.settle()
		h.counted(h.scope, ours, alerting.Coming)
		h.counted(other, theirs, alerting.Unavailable)

		order := h.opened(first)
		if order.Status != alerting.RecallValid || order.Order.Establishment != "CHU de Valbrume" || order.Order.Matricule != "…7781" {
			t.Errorf("the order of the first: %+v", order)
		}
		if none := h.opened(second); none.Status != alerting.RecallInvalid {
			t.Errorf("who cannot come has an order of the second: %+v", none)
		}
		// She changes her mind: the second calls her too. The orders are apart.
		answer(other, theirs, alerting.Coming, 60)
		both := h.opened(second)
		if both.Order.Code == order.Order.Code || both.Order.Key == order.Order.Key || both.Order.Establishment != "Clinique du Parc" || both.Order.Matricule != "…C-12" {
			t.Errorf("the order of the second: %+v", both.Order)
		}
		h.seesNothing(other, ours, h.person(ours, here), h.scenario(recall()), here)
		h.seesNoOrder(other, ours, order.Order)
		h.pageOfOne(order.Order.Code, "CHU de Valbrume", "Clinique du Parc", there)
		h.pageOfOne(both.Order.Code, "Clinique du Parc", "CHU de Valbrume", here)
	})
}

// answerCode is the code of the only person of an alert, read where the outbox reads it.
func (h *hospital) answerCode(scope access.Scope, l alerting.Launch) (code string) {
	h.t.Helper()
	if err := h.DB.Read(h.t.Context(), scope, func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), `SELECT code FROM alerting_recipients WHERE organisation_id = $1 AND launch_id = $2`, []any{scope.Organisation(), l.ID}, &code)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return code
}

func (h *hospital) counted(scope access.Scope, l alerting.Launch, want alerting.Meaning) {
	h.t.Helper()
	list, err := h.Alerting.Recipients(h.t.Context(), scope, l.ID, alerting.RecipientFilter{}, alerting.Page{})
	if err != nil || len(list) != 1 || list[0].Meaning != want || len(list[0].Answers) != 1 {
		h.t.Errorf("counted %+v, %v; want %s", list, err, want)
	}
}

func (h *hospital) opened(code string) alerting.RecallCheck {
	h.t.Helper()
	c, err := h.Alerting.OpenRecall(h.t.Context(), code, h.now())
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// seesNoOrder: the neighbour finds no order, no stay and no payroll of ours.
func (h *hospital) seesNoOrder(other access.Scope, l alerting.Launch, o alerting.RecallOrder) {
	h.t.Helper()
	ctx := h.t.Context()
	if _, _, err := h.Alerting.Payroll(ctx, other, h.now(), l.ID); !fault.Is(err, fault.NotFound) {
		h.t.Errorf("payroll of the neighbour: %v", err)
	}
	for _, typed := range []string{o.Code, "Partag"} {
		if list, err := h.Alerting.Door(ctx, other, l.ID, alerting.DoorInside, typed, alerting.Page{}); err == nil && len(list) > 0 {
			h.t.Errorf("the neighbour finds %d people at our door", len(list))
		}
	}
	if _, err := h.Alerting.Rolls(ctx, other, l.ID); !fault.Is(err, fault.NotFound) {
		h.t.Errorf("roll of the neighbour: %v", err)
	}
}

// pageOfOne: who scans the order of one hospital reads nothing of the other.
func (h *hospital) pageOfOne(code, says, silent string, elsewhere directory.Person) {
	h.t.Helper()
	answer := httptest.NewRecorder()
	h.router.ServeHTTP(connection{answer}, httptest.NewRequestWithContext(h.t.Context(), http.MethodGet, "/ordre/"+code, nil))
	text := answer.Body.String()
	if answer.Code != http.StatusOK || !strings.Contains(text, says) || strings.Contains(text, silent) || strings.Contains(text, elsewhere.Matricule) || strings.Contains(text, mobile(elsewhere)) {
		h.t.Errorf("%d: the page of an order of %s: %s", answer.Code, says, text)
	}
}
