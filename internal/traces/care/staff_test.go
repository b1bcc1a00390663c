package care_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/care"
)

func (h *house) member(account string) traces.Member {
	h.t.Helper()
	m, found, err := h.Member(h.t.Context(), h.org, account)
	h.must(err)
	if !found {
		h.t.Fatalf("the account %s is of nobody", account)
	}
	return m
}

func (h *house) nobody(account string) {
	h.t.Helper()
	if m, found, err := h.Member(h.t.Context(), h.org, account); err != nil || found {
		h.t.Errorf("the account %s is of %+v, %v", account, m, err)
	}
}

func TestAnAccountIsRecognisedAndCorrected(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		agnes := care.Worker{Person: uuid.New(), Name: "FAURE Agnès", Surname: "Faure", Given: "Agnès", Function: "IDE", Services: []string{"2101", "Cardiologie 1"}, Matricule: "70001", Mails: []string{"agnes.faure@ch.example"}}
		twin := care.Worker{Person: uuid.New(), Name: "FAURE Agnès", Surname: "Faure", Given: "Agnès", Matricule: "70002", Mails: []string{"agnes.faure@clinique.example"}}
		h.staff.workers = []care.Worker{agnes, twin}
		h.must(h.Refresh(t.Context(), h.org))
		m := h.member(`CHU\70001`)
		h.want("by matricule", m.Name+" "+strings.Join(m.Services, ","), "FAURE Agnès 2101,cardiologie 1")
		h.want("by mail", h.member("Agnes.Faure@CH.example").Person.String(), agnes.Person.String())
		h.nobody("agnes.faure") // two people may be meant
		h.nobody("u1")
		h.nobody("")
		h.must(h.Say(t.Context(), h.admin, care.Said{Account: "u1", Kind: care.OfPerson, Matricule: "70001", IPP: "8001", Address: "3 rue Haute", Postal: "01000"}))
		m = h.member("U1")
		h.want("by hand", m.Person.String()+m.IPP+m.Address, agnes.Person.String()+"80013 rue haute")
		h.tell(traces.News{What: "ADT^A31", Patient: odile()})
		h.want("who is a patient too", h.patient("8001", "", at(10, 0)).StaffAccount, "u1")
		h.must(h.Say(t.Context(), h.admin, care.Said{Account: "urg-ide", Kind: care.OfSeveral}))
		h.must(h.Say(t.Context(), h.admin, care.Said{Account: "SYSTEM", Kind: care.OfMachine}))
		if !h.member("urg-ide").Shared || !h.member("system").Machine {
			t.Error("a shared account or one of a program is of one person")
		}
		h.refused(h.Say(t.Context(), h.admin, care.Said{Account: "u2", Kind: care.OfPerson, Matricule: "999"}), fault.Invalid, "traces.care.account.unknown")
		h.refused(h.Say(t.Context(), h.admin, care.Said{Account: "u2", Kind: care.OfPerson}), fault.Invalid, "traces.care.account.nobody")
		h.refused(h.Say(t.Context(), h.admin, care.Said{Account: "u2", Kind: care.OfSeveral, Matricule: "70001"}), fault.Invalid, "traces.care.account.several")
		h.refused(h.Say(t.Context(), h.dpo, care.Said{Account: "u2", Kind: care.OfSeveral}), fault.Denied, "")
		list, err := h.Accounts(t.Context(), h.admin, "faure")
		h.must(err)
		if len(list) != 1 || list[0].Name != "u1" || list[0].How != care.TiedByHand || list[0].By == "" {
			t.Errorf("%+v", list)
		}
		known, err := h.Recognise(t.Context(), h.admin, []string{"70002", "inconnu", "urg-ide"})
		h.must(err)
		if len(known) != 2 || known["70002"].How != care.TiedByMatricule || known["70002"].PersonName != "FAURE Agnès" {
			t.Errorf("%+v", known)
		}
		h.must(h.Forget(t.Context(), h.admin, "U1"))
		h.nobody("u1")
		h.refused(h.Forget(t.Context(), h.admin, "u1"), fault.NotFound, "")
	})
}

func TestWhoLeavesKeepsTheDay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		gone := time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)
		left := care.Worker{Person: uuid.New(), Name: "ROUX Karim", Matricule: "1", Left: gone}
		stays := care.Worker{Person: uuid.New(), Name: "SIMON Zoé", Matricule: "2"}
		h.staff.workers = []care.Worker{left, stays}
		h.must(h.Refresh(t.Context(), h.org))
		if h.member("1").Left != gone.UnixMicro() || h.member("2").Left != 0 {
			t.Error("the days on which people left")
		}
		h.staff.workers = nil // both are in the directory no more
		h.must(h.Refresh(t.Context(), h.org))
		now := h.clock.Now().UnixMicro()
		h.clock.Advance(time.Hour)
		h.must(h.Refresh(t.Context(), h.org))
		if h.member("1").Left != gone.UnixMicro() || h.member("2").Left != now {
			t.Errorf("%d, %d", h.member("1").Left, h.member("2").Left)
		}
		accounts, err := h.LeftAccounts(t.Context(), h.dpo)
		h.must(err)
		if len(accounts) != 2 {
			t.Errorf("%+v", accounts)
		}
		h.staff.workers = []care.Worker{stays} // back, for another contract
		h.must(h.Refresh(t.Context(), h.org))
		if h.member("2").Left != 0 {
			t.Error("who came back has left")
		}
		writes := h.db.Writes()
		h.must(h.Refresh(t.Context(), h.org))
		if n := h.db.Writes() - writes; n != 0 {
			t.Errorf("nothing changed, and %d things were written", n)
		}
	})
}

func TestWhoIsOnCallForWhat(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		one, all := uuid.New(), uuid.New()
		h.staff.calls = []care.Call{{Person: one, Services: []string{"Réanimation"}}, {Person: all}}
		for _, c := range []struct {
			person  uuid.UUID
			service string
			want    bool
		}{{one, "REANIMATION 2", true}, {one, "cardiologie 1", false}, {all, "cardiologie 1", true}, {uuid.New(), "reanimation", false}, {uuid.Nil, "reanimation", false}} {
			got, err := h.OnCall(t.Context(), h.org, c.person, c.service, at(10, 3))
			h.must(err)
			if got != c.want {
				t.Errorf("%s: %v", c.service, got)
			}
		}
		if h.staff.asked != 1 {
			t.Errorf("the roster was asked %d times for one quarter of an hour", h.staff.asked)
		}
	})
}

func TestFilesOfTheEstablishment(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.staff.workers = []care.Worker{{Person: uuid.New(), Name: "FAURE Agnès", Matricule: "70001", Services: []string{"2101"}}}
		h.must(h.Refresh(t.Context(), h.org))
		paris, err := time.LoadLocation("Europe/Paris")
		h.must(err)
		f, err := h.stage(h.admin, care.Stays, "IPP;Nom;Prénom;UF;Date entrée;Date sortie;N° séjour\n8001;Marchand;Odile;2101;10/11/2026 08:00;12/11/2026;26A\n8001;Marchand;Odile;2300;12/11/2026 10:00;;26A\n;X;Y;2101;10/11/2026;;\n8003;X;Y;2101;hier;;\n8004;X;Y;2101;12/11/2026;10/11/2026;\n")
		h.must(err)
		if f.Total != 5 || f.Refused != 3 {
			t.Errorf("%+v", f)
		}
		bad, err := h.Lines(t.Context(), h.admin, f.ID, true, 10)
		h.must(err)
		if len(bad) != 3 || bad[0].Line != 4 || bad[0].Problem.Key != "traces.care.nobody" || bad[1].Problem.Column != string(care.ColFrom) || bad[2].Problem.Key != "traces.care.file.order" {
			t.Errorf("%+v", bad)
		}
		if covered, err := h.Covered(t.Context(), h.org); err != nil || covered {
			t.Errorf("a file that waits changed something: %v", err)
		}
		for range 2 { // the same file again changes nothing
			f, err = h.Confirm(t.Context(), h.admin, f.ID, paris)
			h.must(err)
			if f.Done != 2 || f.State != care.FileApplied {
				t.Errorf("%+v", f)
			}
			h.want("stays", h.words(h.patient("8001", "", at(11, 0))), "stay 2300 12.09→…, stay 2101 10.07→12.22")
			f, err = h.stage(h.admin, care.Stays, "IPP;UF;entrée;sortie;séjour\n8001;2101;10/11/2026 08:00;12/11/2026;26A\n8001;2300;2026-11-12T10:00;;26A\n")
			h.must(err)
		}
		_, err = h.stage(h.admin, care.Stays, "IPP;Nom\n1;2\n")
		h.refused(err, fault.Invalid, "traces.care.file.column")
		h.apply(h.admin, care.Teams, "matricule;service;ipp\n70001;Soins palliatifs;\n70001;;8001\n", 2)
		h.want("team", strings.Join(h.member("70001").Services, ","), "2101,soins palliatifs")
		if got := h.words(h.patient("8001", "", at(11, 0))); !strings.Contains(got, "team 70001 01.00→…") {
			t.Error(got)
		}
		h.apply(h.admin, care.Accounts, "compte;matricule;partagé\nagfaure;70001;non\nurg;;oui\nrobot;;machine\nx;404;\n", 3)
		h.want("account", h.member("AGFAURE").Name, "FAURE Agnès")
		h.apply(h.admin, care.Appointments, "ipp;date;service;rdv\n8001;20/11/2026 9h30;CS;R1\n", 1)
		if got := h.words(h.patient("8001", "", at(20, 0))); !strings.Contains(got, "appointment cs 20.09→20.10") {
			t.Error(got)
		}
		_, err = h.stage(h.admin, care.WellKnowns, "ipp;motif\n8001;maire\n")
		h.refused(err, fault.Denied, "")
		h.apply(h.dpo, care.WellKnowns, "ipp;motif\n8001;maire\n", 1)
		_, err = h.WellKnown(t.Context(), h.admin)
		h.refused(err, fault.Denied, "")
		list, err := h.WellKnown(t.Context(), h.dpo)
		h.must(err)
		if len(list) != 1 || list[0].IPP != "8001" || list[0].Why != "maire" {
			t.Errorf("%+v", list)
		}
		files, err := h.Files(t.Context(), h.admin)
		h.must(err)
		for _, f := range files {
			if f.Kind == care.WellKnowns {
				t.Error("an administrator sees a file of well-known patients")
			}
		}
		h.must(h.Unname(t.Context(), h.dpo, list[0].ID))
		if h.patient("8001", "", at(11, 0)).WellKnown {
			t.Error("still well known")
		}
	})
}

func (h *house) apply(as access.Scope, kind care.FileKind, text string, want int) {
	h.t.Helper()
	f, err := h.stage(as, kind, text)
	h.must(err)
	f, err = h.Confirm(h.t.Context(), as, f.ID, time.UTC)
	h.must(err)
	if f.Done != want {
		h.t.Errorf("%s: %d lines, want %d", kind, f.Done, want)
	}
}
