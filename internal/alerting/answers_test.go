package alerting_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

func (h *hospital) one(launch uuid.UUID) alerting.Recipient {
	h.t.Helper()
	list, err := h.Recipients(h.t.Context(), h.scope, launch, alerting.RecipientFilter{}, alerting.Page{})
	if err != nil || len(list) == 0 {
		h.t.Fatalf("recipients: %d, %v", len(list), err)
	}
	return list[0]
}

// code is the answer code in a person's link.
func (h *hospital) code(recipient uuid.UUID) string {
	h.t.Helper()
	var code string
	if err := h.db.Read(h.t.Context(), h.scope, func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), `SELECT code FROM alerting_recipients WHERE organisation_id = $1 AND id = $2`,
			[]any{h.scope.Organisation(), recipient}, &code)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return code
}

func TestAnswersTwiceThenFromTheLink(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Hésite", "iade")
		l := h.launch(recall(needs(5, "iade")))
		m := h.deliver(l.ID)[0]
		h.pass(time.Minute)
		h.reply(l.ID, m, "1 90")
		h.pass(time.Minute)
		h.reply(l.ID, m, "non désolé")
		who := h.one(l.ID)
		if who.Meaning != alerting.Unavailable || len(who.Answers) != 2 {
			t.Fatalf("the last answer counts: %s, %d kept", who.Meaning, len(who.Answers))
		}
		if n := count(h.queue(l.ID), of(alerting.UseAck, channels.SMS)); n != 2 {
			t.Errorf("%d acknowledgements of two answers", n)
		}
		code := h.code(who.ID)
		before := h.one(l.ID)
		for range 3 {
			if link, err := h.OpenLink(t.Context(), code, h.now()); err != nil || !link.Found || link.Given != alerting.Unavailable {
				t.Fatalf("link: %+v %v", link, err)
			}
		}
		if after := h.one(l.ID); len(after.Answers) != len(before.Answers) || after.State != before.State || after.ReachedAt != before.ReachedAt {
			t.Errorf("opening the link recorded something: %+v", after)
		}
		if late, err := h.AnswerByLink(t.Context(), code, alerting.Coming, 30, "192.0.2.7", h.now()); err != nil || late {
			t.Fatalf("link answer: %v %v", late, err)
		}
		who = h.one(l.ID)
		if who.Meaning != alerting.Coming || who.Minutes != 30 || !who.ETA.Equal(h.now().Add(30*time.Minute)) || len(who.Answers) != 3 {
			t.Errorf("after the link: %+v", who)
		}
		if n := count(h.queue(l.ID), of(alerting.UseAck, channels.SMS)); n != 2 {
			t.Errorf("the page acknowledges the link itself, yet %d messages", n)
		}
		b, err := h.Board(t.Context(), h.scope, l.ID, h.now())
		if err != nil || b.Counters.Coming != 1 || b.Counters.Unavailable != 0 || b.Counters.Answered != 1 || b.Quotas[0].Coming != 1 {
			t.Errorf("one person counts once: %+v %+v %v", b.Counters, b.Quotas, err)
		}
		h.pass(20 * time.Minute)
		if n := count(h.queue(l.ID), of(alerting.UseReminder, channels.Email)); n != 0 {
			t.Error("who answered is not called again")
		}
	})
}

func TestAReplyComesTwiceAndCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Écho", "ide")
		l := h.launch(recall())
		m := h.deliver(l.ID)[0]
		r := dispatch.Reply{ID: storage.NewID(h.now()), Medium: m.Medium, From: m.Address, Text: "1", At: h.now(), Campaign: l.ID, Subject: m.Subject}
		for range 3 {
			if err := h.Replies(t.Context(), h.system(), h.now(), []dispatch.Reply{r}); err != nil {
				t.Fatal(err)
			}
		}
		if who := h.one(l.ID); len(who.Answers) != 1 {
			t.Errorf("%d answers", len(who.Answers))
		}
		if n := count(h.queue(l.ID), of(alerting.UseAck, channels.SMS)); n != 1 {
			t.Errorf("acknowledged %d times", n)
		}
	})
}

func TestAnOlderAnswerThatTravelledLongerDoesNotUndo(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Lent", "ide")
		l := h.launch(recall())
		m := h.deliver(l.ID)[0]
		h.pass(2 * time.Minute)
		h.reply(l.ID, m, "non")
		old := dispatch.Reply{ID: storage.NewID(h.now()), Medium: m.Medium, From: m.Address, Text: "1", At: h.now().Add(-time.Minute), Campaign: l.ID, Subject: m.Subject}
		if err := h.Replies(t.Context(), h.system(), h.now(), []dispatch.Reply{old}); err != nil {
			t.Fatal(err)
		}
		if who := h.one(l.ID); who.Meaning != alerting.Unavailable || len(who.Answers) != 2 {
			t.Errorf("%s, %d answers", who.Meaning, len(who.Answers))
		}
	})
}

func TestStopIsListedAndTheNextMediumLeavesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Stop", "ide")
		l := h.launch(recall())
		m := h.deliver(l.ID)[0]
		h.reply(l.ID, m, "STOP")
		h.tick()
		list := h.fresh(l.ID)
		if len(list) != 1 || list[0].Medium != channels.Email {
			t.Errorf("another medium must be tried: %+v", list)
		}
		stopped, err := h.Recipients(t.Context(), h.scope, l.ID, alerting.RecipientFilter{Stopped: true}, alerting.Page{})
		if err != nil || len(stopped) != 1 || !stopped[0].Stopped {
			t.Errorf("listed: %+v %v", stopped, err)
		}
		for _, target := range h.everyone() {
			if target.Contacts[0].State != directory.Stopped {
				t.Errorf("the directory must know: %s", target.Contacts[0].State)
			}
		}
		b, err := h.Board(t.Context(), h.scope, l.ID, h.now())
		if err != nil || b.Counters.Stopped != 1 || !hasEvent(b.Timeline, alerting.EventStop) {
			t.Errorf("%+v %v", b.Counters, err)
		}
	})
}

func hasEvent(list []alerting.Event, kind alerting.EventKind) bool {
	for _, e := range list {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

func TestUnreadableAnswersAreListedAndHelpedOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Flou", "ide")
		l := h.launch(recall())
		m := h.deliver(l.ID)[0]
		for range 4 {
			h.reply(l.ID, m, "kezako ???")
		}
		if n := count(h.queue(l.ID), of(alerting.UseAck, channels.SMS)); n != 1 {
			t.Errorf("helped %d times", n)
		}
		list, err := h.Recipients(t.Context(), h.scope, l.ID, alerting.RecipientFilter{Unread: true}, alerting.Page{})
		if err != nil || len(list) != 1 || len(list[0].Answers) != 4 {
			t.Errorf("%+v %v", list, err)
		}
		if b, err := h.Board(t.Context(), h.scope, l.ID, h.now()); err != nil || b.Counters.Unread != 1 || b.Counters.Answered != 0 {
			t.Errorf("%+v %v", b.Counters, err)
		}
	})
}

func TestTwoMachinesThatAnswerEachOtherStop(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Robot", "ide")
		l := h.launch(recall())
		m := h.deliver(l.ID)[0]
		for range 30 {
			h.reply(l.ID, m, "1")
		}
		if n := count(h.queue(l.ID), of(alerting.UseAck, channels.SMS)); n > 8 {
			t.Errorf("%d acknowledgements to a machine", n)
		}
	})
}

func TestLateAnswerGetsACourteousWord(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Tard", "ide")
		l := h.launch(recall())
		m := h.deliver(l.ID)[0]
		h.pass(time.Minute)
		if err := h.End(t.Context(), h.scope, h.now(), l.ID, alerting.Localized{"fr": ""}); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		h.reply(l.ID, m, "1")
		who := h.one(l.ID)
		if who.Meaning != "" || len(who.Answers) != 1 || !who.Answers[0].Late {
			t.Errorf("kept and not counted: %+v", who)
		}
		if n := count(h.queue(l.ID), func(m message) bool { return contains(m.Text, "late ") }); n != 1 {
			t.Errorf("%d courteous words", n)
		}
		if late, err := h.AnswerByLink(t.Context(), h.code(who.ID), alerting.Coming, -1, "", h.now()); err != nil || !late {
			t.Errorf("link after the end: late %v, %v", late, err)
		}
		link, err := h.OpenLink(t.Context(), h.code(who.ID), h.now().Add(8*24*time.Hour))
		if err != nil || link.Found {
			t.Errorf("a week later the link is gone: %+v %v", link, err)
		}
	})
}

func TestUnknownSenderIsAttachedByHand(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Autre téléphone", "iade")
		l := h.launch(recall(needs(1, "iade")))
		h.deliver(l.ID)
		r := dispatch.Reply{ID: storage.NewID(h.now()), Medium: channels.SMS, From: "+33639987654", Text: "1 20", At: h.now()}
		for range 2 {
			if err := h.Replies(t.Context(), h.system(), h.now(), []dispatch.Reply{r}); err != nil {
				t.Fatal(err)
			}
		}
		list, err := h.Unmatched(t.Context(), h.scope, night)
		if err != nil || len(list) != 1 || list[0].From != "+33639987654" {
			t.Fatalf("%+v %v", list, err)
		}
		_, err = h.Unmatched(t.Context(), person(h.scope.Organisation(), access.Reader), night)
		wantFault(t, err, "access.denied")
		who := h.one(l.ID)
		if err := h.Attach(t.Context(), h.scope, h.now(), l.ID, r.ID, who.ID); err != nil {
			t.Fatal(err)
		}
		if who = h.one(l.ID); who.Meaning != alerting.Coming || who.Minutes != 20 {
			t.Errorf("attached: %+v", who)
		}
		wantFault(t, h.Attach(t.Context(), h.scope, h.now(), l.ID, r.ID, who.ID), "alerting.unmatched.gone")
		if list, err := h.Unmatched(t.Context(), h.scope, night); err != nil || len(list) != 0 {
			t.Errorf("still listed: %+v %v", list, err)
		}
	})
}

func TestUnknownCodesOpenNothing(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		l := h.launch(recall())
		code := h.code(h.one(l.ID).ID)
		for _, c := range []string{"", "x", "000000000000", code + "0", code[:11], "' OR 1=1 --", string(make([]byte, 5000))} {
			if link, err := h.OpenLink(t.Context(), c, h.now()); err != nil || link.Found {
				t.Errorf("code %q: found %v, %v", c, link.Found, err)
			}
			if _, err := h.AnswerByLink(t.Context(), c, alerting.Coming, 5, "", h.now()); err == nil {
				t.Errorf("code %q answered", c)
			}
		}
		typed := " " + code[:4] + "-" + code[4:8] + "-" + code[8:]
		if link, err := h.OpenLink(t.Context(), typed, h.now()); err != nil || !link.Found || link.Establishment != "CHU de Valbrume" {
			t.Errorf("typed by hand: %+v %v", link, err)
		}
		_, err := h.AnswerByLink(t.Context(), code, "maybe", 5, "", h.now())
		wantFault(t, err, "alerting.answer.meaning")
		_, err = h.AnswerByLink(t.Context(), code, alerting.Coming, 5000, "", h.now())
		wantFault(t, err, "alerting.answer.minutes")
	})
}

// answers replaces what a scenario proposes.
func answers(options ...alerting.Option) func(*alerting.Definition) {
	return func(d *alerting.Definition) { d.Answers = options }
}

func TestYesWhereNobodyIsAskedToCome(t *testing.T) {
	received := alerting.Option{Key: "1", Meaning: alerting.OnSite, Label: alerting.Localized{"fr": "Bien reçu", "en": "Received"}}
	no := alerting.Option{Key: "2", Meaning: alerting.Unavailable, Label: alerting.Localized{"fr": "Non", "en": "No"}}
	call := alerting.Option{Key: "4", Meaning: alerting.CallMe, Label: alerting.Localized{"fr": "Rappelez-moi", "en": "Call me"}}
	coming := alerting.Option{Key: "5", Meaning: alerting.Coming, Label: alerting.Localized{"fr": "Je viens", "en": "Coming"}}
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Oui", "ide")
		for _, c := range []struct {
			options []alerting.Option
			text    string
			want    alerting.Meaning
		}{
			{[]alerting.Option{received, call}, "oui", alerting.OnSite},
			{[]alerting.Option{received, call}, "J'arrive dans 20 min", alerting.OnSite},
			{[]alerting.Option{received, call}, "1", alerting.OnSite},
			{[]alerting.Option{received, no, coming}, "oui", alerting.Coming},
			{[]alerting.Option{no, call}, "oui", ""},
			{[]alerting.Option{no, call}, "non", alerting.Unavailable},
		} {
			l := h.launch(recall(answers(c.options...)))
			m := h.deliver(l.ID)[0]
			h.reply(l.ID, m, c.text)
			who := h.one(l.ID)
			if who.Meaning != c.want || who.Unread != (c.want == "") || c.want == alerting.OnSite && who.Minutes != -1 {
				t.Errorf("%q among %v: %q, unread %v, %d minutes", c.text, c.options, who.Meaning, who.Unread, who.Minutes)
			}
			if n := count(h.queue(l.ID), of(alerting.UseAck, channels.SMS)); n != 1 {
				t.Errorf("%q got %d words back", c.text, n)
			}
			if err := h.Kill(t.Context(), h.scope, h.now(), l.ID, "fin"); err != nil {
				t.Fatal(err)
			}
		}
	})
}
