package stories_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	spacepages "tocsin/internal/space/pages"
	"tocsin/test/peers/sip"
)

// ownCode is the personal code that agents choose.
const ownCode = "482957"

// keptBack has what is said by telephone reserved for its addressee, and nobody told otherwise.
func keptBack(d *alerting.Definition) {
	d.Reserved = true
	d.Waves[0].Media = []channels.Medium{channels.Voice}
}

// mobileOnly is somebody who has one telephone.
func mobileOnly(number string) func(*directory.Person) {
	return func(p *directory.Person) { p.Contacts = []directory.ContactPoint{at(directory.Mobile, number)} }
}

// choosesCode has an agent open his space and choose his code there.
func (h *hospital) choosesCode(p directory.Person) *pocket {
	h.t.Helper()
	phone := &pocket{h: h}
	if a := phone.ask(http.MethodPost, h.invited(p), nil); a.Code != http.StatusSeeOther {
		h.t.Fatalf("the space of %s: %d", p.Name(), a.Code)
	}
	h.pass(15 * time.Minute)
	for code, want := range map[string]int{"123456": http.StatusUnprocessableEntity, ownCode: http.StatusSeeOther} {
		if a := phone.ask(http.MethodPost, spacepages.Path+"/code", url.Values{"code": {code}}); a.Code != want && code == ownCode {
			h.t.Fatalf("the code %s: %d, want %d", code, a.Code, want)
		} else if strings.Contains(a.Body.String(), code) {
			h.t.Errorf("the page shows the code that was typed")
		}
	}
	return phone
}

// Four telephones ring for a reserved text. Who gives her code hears it and answers;
// who chose none, who types three wrong ones, and a voicemail are not reached, each
// for a reason that is told, and the database holds for the telephone nothing that
// the others could have heard. Then the third calls back, gives her code, and answers.
func TestAReservedTextAsksForTheCodeOfItsAddressee(t *testing.T) {
	telephones(t, sip.Persons(map[string]string{
		"0639987701": ownCode + "#,1,2,1",
		"0639987702": ",1",
		"0639987703": "111222#,222333#,333444#",
		"0639987704": "",
	}), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		knows, none, wrong, away := h.agent("Sait", "ide", mobileOnly("+33639987701")), h.agent("Sans", "ide", mobileOnly("+33639987702")),
			h.agent("Oublie", "ide", mobileOnly("+33639987703")), h.agent("Absente", "ide", mobileOnly("+33639987704"))
		for _, p := range []directory.Person{knows, wrong, away} {
			h.choosesCode(p)
		}
		sheet, err := h.Alerting.Prepare(t.Context(), h.scope, h.now(), draft(h.scenario(recall(called, keptBack))))
		if err != nil || !slices.ContainsFunc(sheet.Warnings, func(w alerting.Warning) bool {
			return w.Key == "alerting.warning.no_code" && slices.Equal(w.Args, []any{"n", 1, "all", 4})
		}) {
			t.Errorf("the sheet warns of %+v, %v", sheet.Warnings, err)
		}
		l := h.launch(recall(called, keptBack))
		if got := h.person(l, knows); got.Meaning != alerting.Coming || got.Minutes != 30 {
			t.Errorf("who gave her code: %s in %d minutes, %+v", got.Meaning, got.Minutes, got.Attempts)
		}
		for _, want := range []struct {
			who    directory.Person
			reason channels.Reason
		}{{none, channels.ReasonNoCode}, {wrong, channels.ReasonWrongCode}, {away, channels.ReasonNoKey}} {
			got := h.person(l, want.who)
			if got.State != alerting.Exhausted || len(got.Attempts) != 1 || got.Attempts[0].State != alerting.AttemptFailed || got.Attempts[0].Reason != want.reason {
				t.Errorf("%s: %s after %+v, want %s", want.who.Name(), got.State, got.Attempts, want.reason)
			}
		}
		if n := h.number(`SELECT COUNT(*) FROM dispatch_contents WHERE organisation_id = $1 AND medium = 'voice' AND (body LIKE '%Venez%' OR reserved = '')`, h.scope.Organisation()); n != 0 {
			t.Errorf("%d texts that anybody hears say what is reserved", n)
		}
		if n := h.number(`SELECT failures FROM space_code_tries WHERE organisation_id = $1 AND person_id = $2 AND way = 'call'`, h.scope.Organisation(), wrong.ID); n != 3 {
			t.Errorf("%d wrong codes are counted", n)
		}
		back := sip.Call(t, sip.Calling{Port: h.listens(), From: "0639987703", Wait: time.Second, Script: ownCode + "#,2,1"})
		if got := back.Ended(t); got != "answered bye" {
			t.Errorf("the call back: %s", got)
		}
		h.settle()
		if got := h.person(l, wrong); got.Meaning != alerting.Unavailable {
			t.Errorf("who called back: %s, %+v", got.Meaning, got.Attempts)
		}
	}, channels.Settings{"answer": "true", "reserve": "2", "channels": "8", "listen": "4"})
}
