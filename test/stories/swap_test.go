package stories_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/dispatch/dispatchtest"
	spacepages "tocsin/internal/space/pages"
)

// phoneOf is the telephone of somebody whose space is open.
func (h *hospital) phoneOf(p directory.Person) *pocket {
	h.t.Helper()
	phone := &pocket{h: h}
	if a := phone.ask(http.MethodPost, h.invited(p), url.Values{}); a.Code != http.StatusSeeOther {
		h.t.Fatalf("the space of %s: %d", p.Name(), a.Code)
	}
	return phone
}

var (
	proposal = regexp.MustCompile(`href="(/espace/astreintes/echange\?tour=[^"]+)"`)
	offered  = regexp.MustCompile(`name="contre" value="([^"]+)"`)
	waiting  = regexp.MustCompile(`action="(/espace/echanges/[^"]+/accepter)"`)
	refusing = regexp.MustCompile(`action="(/espace/echanges/[^"]+/refuser)"`)
)

// holder is who holds a function at an instant.
func (h *hospital) holder(f oncall.Function, at time.Time) uuid.UUID {
	h.t.Helper()
	list, err := h.OnCall.Now(h.t.Context(), h.scope, at)
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(s oncall.Standing) bool { return s.Function.ID == f.ID })
	return list[i].Agent.ID
}

// Two agents swap a duty between themselves, each from his own space: nothing
// moves before the second accepts, nobody else can, and whoever keeps the roster
// sees it with the journal.
func TestAgentsSwapTheirDuties(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		f, first, _, second := h.guarded()
		stranger := h.agent("Tiers", "ide")
		his, hers, theirs := h.phoneOf(first), h.phoneOf(second), h.phoneOf(stranger)
		duties := spacepages.Path + "/astreintes"
		link := proposal.FindStringSubmatch(his.ask(http.MethodGet, duties, nil).Body.String())
		if link == nil {
			t.Fatal("no swap is proposed for a turn to come")
		}
		page := his.ask(http.MethodGet, link[1], nil)
		choice := offered.FindStringSubmatch(page.Body.String())
		if page.Code != http.StatusOK || choice == nil || !strings.Contains(page.Body.String(), second.Name()) {
			t.Fatalf("the choice of a swap: %d", page.Code)
		}
		wanted := url.Values{"tour": {link[1][strings.Index(link[1], "=")+1:]}, "contre": {choice[1]}}
		if a := theirs.ask(http.MethodPost, duties+"/echange", wanted); a.Code != http.StatusConflict {
			t.Errorf("a turn of another is given away: %d", a.Code)
		}
		for _, wrong := range []url.Values{{}, {"tour": wanted["tour"], "contre": {uuid.NewString() + ".1"}}, {"tour": {"x.y"}, "contre": wanted["contre"]}} {
			if a := his.ask(http.MethodPost, duties+"/echange", wrong); a.Code != http.StatusConflict {
				t.Errorf("%v: %d", wrong, a.Code)
			}
		}
		for n := range 3 { // proposed, withdrawn, proposed again: she is told once
			if a := his.ask(http.MethodPost, duties+"/echange", wanted); a.Code != http.StatusSeeOther {
				t.Fatalf("the proposal: %d", a.Code)
			}
			h.settle()
			if withdraw := refusing.FindStringSubmatch(his.ask(http.MethodGet, duties, nil).Body.String()); n < 2 {
				his.ask(http.MethodPost, withdraw[1], url.Values{})
			}
		}
		h.settle()
		asked := h.mail.received(mailbox(second))
		if len(asked) != 2 || !strings.Contains(asked[0].Text, first.Name()+" vous propose un échange") || !strings.Contains(asked[0].Text, spacepages.DutiesPath) || !strings.Contains(asked[1].Text, "retire") {
			t.Errorf("who is asked is told by e-mail: %+v", asked)
		}
		if len(h.mail.received(mailbox(first)))+len(h.mail.received(mailbox(stranger))) != 0 {
			t.Error("somebody else is told")
		}
		accept := waiting.FindStringSubmatch(hers.ask(http.MethodGet, duties, nil).Body.String())
		if accept == nil || waiting.MatchString(his.ask(http.MethodGet, duties, nil).Body.String()) || strings.Contains(theirs.ask(http.MethodGet, duties, nil).Body.String(), "/espace/echanges/") {
			t.Fatalf("the swap waits for the wrong people: %v", accept)
		}
		for _, p := range []*pocket{his, theirs} {
			if a := p.ask(http.MethodPost, accept[1], url.Values{}); a.Code != http.StatusConflict {
				t.Errorf("accepted by another: %d", a.Code)
			}
		}
		// Both turns: his of the day after tomorrow, hers of tomorrow.
		v, err := h.OnCall.View(t.Context(), h.scope, f.ID, h.now(), h.now().Add(4*24*time.Hour))
		if err != nil || len(v.Swaps) != 1 {
			t.Fatalf("%d swaps, %v", len(v.Swaps), err)
		}
		x := v.Swaps[0]
		if h.holder(f, x.From) != first.ID || h.holder(f, x.OtherFrom) != second.ID {
			t.Error("the roster moved before anybody accepted")
		}
		if a := hers.ask(http.MethodPost, accept[1], url.Values{}); a.Code != http.StatusSeeOther {
			t.Fatalf("accepted: %d", a.Code)
		}
		if h.holder(f, x.From) != second.ID || h.holder(f, x.OtherFrom) != first.ID {
			t.Error("an accepted swap moved nobody")
		}
		h.settle()
		if told := h.mail.received(mailbox(first)); len(told) != 1 || !strings.Contains(told[0].Text, second.Name()+" accepte") {
			t.Errorf("who asked is told: %+v", told)
		}
		if a := hers.ask(http.MethodPost, accept[1], url.Values{}); a.Code != http.StatusConflict {
			t.Errorf("accepted twice: %d", a.Code)
		}
		for action, want := range map[string]int{"directory.oncall.swap.propose": 3, "directory.oncall.swap.accept": 1} {
			if n := h.number(`SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action = $2 AND actor_kind = 'agent'`, h.scope.Organisation(), action); n != want {
				t.Errorf("%s by an agent: %d lines of the journal", action, n)
			}
		}
	})
}

// Who has notifications on a device is told there, and nothing is paid for.
func TestASwapIsNotified(t *testing.T) {
	t.Parallel()
	air := dispatchtest.NewAir(channels.Push)
	h := build(t, night(), "", air)
	dispatchtest.Gateway(t, h.Dispatch, access.System(h.scope.Organisation(), "story"), h.now(), air, 1, channels.Settings{"peer": "main"})
	_, first, _, second := h.guarded()
	his, hers := h.phoneOf(first), h.phoneOf(second)
	if a := hers.ask(http.MethodPost, spacepages.Path+"/notifications", subscription(t, "https://updates.push.services.mozilla.com/wpush/v2/x")); a.Code != http.StatusNoContent {
		t.Fatalf("the subscription: %d", a.Code)
	}
	link := proposal.FindStringSubmatch(his.ask(http.MethodGet, spacepages.DutiesPath, nil).Body.String())
	choice := offered.FindStringSubmatch(his.ask(http.MethodGet, link[1], nil).Body.String())
	his.ask(http.MethodPost, spacepages.DutiesPath+"/echange", url.Values{"tour": {link[1][strings.Index(link[1], "=")+1:]}, "contre": {choice[1]}})
	h.settle()
	if sent := air.Sent(); len(sent) != 1 || sent[0].To != second.ID.String() || !strings.Contains(sent[0].Text, first.Name()) || len(h.mail.received(mailbox(second))) != 0 {
		t.Errorf("notified %+v", sent)
	}
}
