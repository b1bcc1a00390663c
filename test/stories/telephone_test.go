package stories_test

import (
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers/sip"
)

const phonePIN = "482957"

// pilot is a person who may do something by telephone, and her personal number.
func (h *hospital) pilot(login, mobile string, roles ...access.Role) (*identitytest.Person, string) {
	h.t.Helper()
	who := identitytest.Join(h.t, h.Accounts, h.clock, h.scope.Organisation(), login, roles...)
	h.reach(who, mobile, "")
	if err := h.Accounts.SetTelephone(h.t.Context(), who.Scope, who.Token, phonePIN); err != nil {
		h.t.Fatal(err)
	}
	own, err := h.Accounts.OwnTelephone(h.t.Context(), who.Scope)
	if err != nil {
		h.t.Fatal(err)
	}
	return who, own.Number
}

// byTelephone lets a scenario be launched without a word typed.
func byTelephone(d *alerting.Definition) {
	d.ByTelephone = true
	for i := range d.Variables {
		d.Variables[i].Default = alerting.Localized{"fr": "aux urgences", "en": "in the emergency room"}
	}
}

// The information system is down. The director on call calls the pilot number, is
// called back and launches; nothing leaves before the night supervisor called too
// and confirmed; the crisis cell hears the figures and sends the end. Who knows a
// number and a caller id, and no code, makes no telephone ring.
func TestLaunchByTelephoneWithTwoPeople(t *testing.T) {
	telephones(t, sip.Persons(map[string]string{
		"0639980901": phonePIN + "#,1,1,1,9",
		"0639980902": phonePIN + "#,3,1,9",
		"0639980903": phonePIN + "#,2,1,9",
	}), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		h.secondAbove(1)
		agent := h.agent("Un", "ide")
		h.agent("Deux", "ide")
		h.scenario(recall(byTelephone))
		_, first := h.pilot("garde@valbrume.example", "06 39 98 09 01", access.Launcher)
		_, second := h.pilot("cadre@valbrume.example", "06 39 98 09 02", access.Launcher)
		_, cell := h.pilot("cellule@valbrume.example", "06 39 98 09 03", access.CrisisCell)
		local, org := h.listens(), h.scope.Organisation()
		call := func(number, pin, from string) {
			t.Helper()
			got := sip.Call(t, sip.Calling{Port: local, Service: "0142000001", From: from, Wait: time.Second, Script: number + "#," + pin + "#"}).Ended(t)
			if got != "answered bye" {
				t.Errorf("the call to pilot: %s", got)
			}
		}
		states := func(query string, want int, what string) {
			t.Helper()
			storagetest.Eventually(t, patience, what, func() bool { return h.number(query, org) == want })
		}
		call(first, phonePIN, "anonymous")
		states(`SELECT COUNT(*) FROM alerting_requests WHERE organisation_id = $1 AND state = 'waiting'`, 1, "the launch waits for a second person")
		h.settle()
		count(t, h.sms.received(mobile(agent)), 0, "SMS before anybody confirmed")
		call(second, phonePIN, "0639980902")
		states(`SELECT COUNT(*) FROM alerting_launches WHERE organisation_id = $1 AND state = 'running'`, 1, "the alert has left")
		h.settle()
		count(t, h.sms.received(mobile(agent)), 1, "SMS once confirmed")
		call(cell, phonePIN, "0142000000")
		states(`SELECT COUNT(*) FROM alerting_launches WHERE organisation_id = $1 AND state = 'ended'`, 1, "the end is sent")
		h.settle()
		for action, want := range map[string]int{"alert.launch": 1, "alert.end": 1, "identity.telephone.call": 6} {
			if n := h.number(`SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action = $2`, org, action); n != want {
				t.Errorf("%s: %d lines in the journal, want %d", action, n, want)
			}
		}
		if n := phones.Count("invite"); n != 3 {
			t.Errorf("%d calls back, want 3", n)
		}
		forged := sip.Call(t, sip.Calling{Port: local, Service: "0142000001", From: "0639980901", Wait: time.Second, Script: first + "#,111222#," + first + "#,222111#"})
		if got := forged.Ended(t); got != "answered bye" {
			t.Errorf("the forged call: %s", got)
		}
		if n := phones.Count("invite"); n != 3 {
			t.Errorf("a forged caller id made a telephone ring: %d calls", n)
		}
	}, channels.Settings{"pilot": "01 42 00 00 01", "reserve": "6", "channels": "8", "listen": "4"})
}
