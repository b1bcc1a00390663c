package care_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/care"
)

func odile() traces.Identity {
	return traces.Identity{IPP: []string{"8001"}, Surname: "Marchand", BirthName: "Lefèvre", Given: "Odile", Address: "12 rue de l’Hôtel", Postal: "01000"}
}

func in(id string, when int64, services ...string) traces.Move {
	return traces.Move{Visit: "26A", ID: id, Kind: traces.MoveIn, Class: traces.Inpatient, At: when, Services: services}
}

func TestAStayIsFollowedFromServiceToService(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		covered, err := h.Covered(t.Context(), h.org)
		h.must(err)
		if covered {
			t.Error("nothing was said, and care is said to be told")
		}
		h.tell(traces.News{What: "ADT^A01", Patient: odile(), Moves: []traces.Move{in("m1", at(10, 8), "2101", "Cardiologie 1")}})
		p := h.patient("8001", "", at(11, 0))
		h.want("arrived", h.words(p), "stay 2101 10.08→…, stay cardiologie 1 10.08→…")
		if p.Surname != "marchand" || p.BirthName != "lefevre" || p.Address != "12 rue de l hotel" || p.Postal != "01000" || p.WellKnown {
			t.Errorf("%+v", p)
		}
		h.tell(traces.News{What: "ADT^A02", Patient: odile(), Moves: []traces.Move{in("m2", at(12, 9), "2300")}})
		h.tell(traces.News{What: "ADT^A03", Patient: odile(), Moves: []traces.Move{{Visit: "26A", ID: "m3", Kind: traces.MoveOut, At: at(15, 14)}}})
		h.want("left", h.words(h.patient("8001", "", at(11, 0))), "stay 2300 12.09→15.14, stay 2101 10.08→12.09, stay cardiologie 1 10.08→12.09")
		// A transfer that was none, and a departure taken back.
		h.tell(traces.News{What: "ADT^A12", Patient: odile(), Moves: []traces.Move{{Visit: "26A", ID: "m2", Kind: traces.MoveIn, Cancelled: true, At: at(12, 9)}}})
		h.tell(traces.News{What: "ADT^A13", Patient: odile(), Moves: []traces.Move{{Visit: "26A", Kind: traces.MoveOut, Cancelled: true}}})
		h.want("taken back", h.words(h.patient("8001", "", at(11, 0))), "stay 2101 10.08→…, stay cardiologie 1 10.08→…")
		if _, found, err := h.Patient(t.Context(), h.elsewhere.Organisation(), "8001", "", at(11, 0)); err != nil || found {
			t.Errorf("another establishment sees the patient: %v, %v", found, err)
		}
		if covered, err = h.Covered(t.Context(), h.org); err != nil || !covered {
			t.Errorf("covered %v, %v", covered, err)
		}
		h.want("long after", h.words(h.patient("8001", "", at(10, 0)-40*24*3600e6)), "")
	})
}

func TestMessagesThatComeTwiceOrLateChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := traces.News{Control: "C1", What: "ADT^A01", Sent: at(10, 8), Patient: odile(), Moves: []traces.Move{in("m1", at(10, 8), "2101")}}
		h.tell(first)
		corrected := first
		corrected.Control, corrected.Sent, corrected.Moves = "C2", at(10, 9), []traces.Move{in("m1", at(10, 7), "2102")}
		h.tell(corrected)
		h.tell(first) // sent again: its acknowledgement was lost
		late := first
		late.Control = "C1bis" // kept on the way, under another number
		late.Patient.Surname = "Martin"
		h.tell(late)
		p := h.patient("8001", "", at(11, 0))
		h.want("the correction holds", h.words(p)+" "+p.Surname, "stay 2102 10.07→… marchand")
		gone := corrected
		gone.Control, gone.Sent, gone.Moves = "C3", at(10, 10), []traces.Move{{Visit: "26A", ID: "m1", Kind: traces.MoveIn, Cancelled: true}}
		h.tell(gone)
		corrected.Control = "C4"
		h.tell(corrected)
		h.want("what was cancelled stays so", h.words(h.patient("8001", "", at(11, 0))), "")
		list, err := h.Feeds(t.Context(), h.admin)
		h.must(err)
		if len(list) != 1 || list[0].Kept != 5 || list[0].Aside != 0 {
			t.Errorf("%+v", list)
		}
	})
}

func TestTwoRecordsBecomeOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.tell(traces.News{What: "ADT^A01", Patient: odile(), Moves: []traces.Move{in("m1", at(10, 8), "2101")}})
		other := traces.Identity{IPP: []string{"8009"}, Surname: "Marchand", Given: "O."}
		h.tell(traces.News{What: "ADT^A01", Patient: other, Moves: []traces.Move{{Visit: "26B", ID: "m9", Kind: traces.MoveIn, Class: traces.Inpatient, At: at(20, 8), Services: []string{"2300"}}}})
		h.must(h.Name(t.Context(), h.dpo, other, "maire"))
		h.tell(traces.News{What: "ADT^A40", Patient: odile(), Prior: []traces.Identity{{IPP: []string{"8009"}}}})
		for _, ipp := range []string{"8001", "8009"} {
			p := h.patient(ipp, "", at(21, 0))
			h.want(ipp, p.IPP+" "+h.words(p), "8001 stay 2300 20.08→…, stay 2101 10.08→…")
			if !p.WellKnown {
				t.Error("what the officer said of one record was lost")
			}
		}
		// What is still said of the old number is of the one patient.
		h.tell(traces.News{What: "ADT^A03", Patient: other, Moves: []traces.Move{{Visit: "26B", ID: "m10", Kind: traces.MoveOut, At: at(22, 8)}}})
		h.want("after", h.words(h.patient("8001", "", at(21, 0))), "stay 2300 20.08→22.08, stay 2101 10.08→…")
	})
}

const ins = "180067511600175"

func TestOneUnderIPPAndINS(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		// An application that only knows the national identity speaks first.
		h.tell(traces.News{What: "SIU^S12", Patient: traces.Identity{INS: ins}, Dates: []traces.Date{{Kind: traces.RelationAppointment, ID: "R1", From: at(12, 9), To: at(12, 10), Services: []string{"CS"}}}})
		both := odile()
		both.INS = ins
		h.tell(traces.News{What: "ADT^A31", Patient: both})
		h.want("by IPP", h.words(h.patient("8001", "", at(12, 9))), "appointment cs 12.09→12.10")
		h.want("by INS", h.patient("", ins, at(12, 9)).IPP, "8001")
		h.tell(traces.News{What: "SIU^S15", Patient: traces.Identity{INS: ins}, Dates: []traces.Date{{Kind: traces.RelationAppointment, ID: "R1", Cancelled: true}}})
		h.want("cancelled", h.words(h.patient("8001", "", at(12, 9))), "")
		// Two numbers with one national identity are two records until a merge says otherwise.
		h.tell(traces.News{What: "ADT^A31", Patient: traces.Identity{IPP: []string{"8002"}, INS: ins}})
		if h.patient("8001", "", at(12, 9)).IPP != "8001" || h.patient("", ins, at(12, 9)).IPP != "8002" {
			t.Error("two records were made one by their national identity alone")
		}
	})
}

func TestPassagesEndByThemselvesAndPlansAreExplained(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.tell(traces.News{What: "ADT^A04", Patient: odile(), Moves: []traces.Move{{Visit: "C1", ID: "m1", Kind: traces.MoveIn, Class: traces.Outpatient, At: at(10, 8), Services: []string{"CS"}}}})
		h.tell(traces.News{What: "ADT^A05", Sent: at(11, 8), Patient: odile(), Moves: []traces.Move{{Visit: "P1", ID: "m2", Kind: traces.MovePlan, Class: traces.Inpatient, At: at(20, 8), Services: []string{"CHIR"}}}})
		h.want("both", h.words(h.patient("8001", "", at(12, 0))), "appointment chir 11.08→21.08, stay cs 10.08→17.08")
	})
}

func TestWhoIsNamedIsGivenUnderEachAccount(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		doctor := care.Worker{Person: uuid.New(), Name: "BERTIN Loïc", Surname: "Bertin", Given: "Loïc", Function: "Médecin", Services: []string{"2101", "Cardiologie 1"}, Matricule: "M17", RPPS: "10001234567", Mails: []string{"loic.bertin@ch.example"}}
		h.staff.workers = []care.Worker{doctor}
		h.must(h.Refresh(t.Context(), h.org))
		h.must(h.Say(t.Context(), h.admin, care.Said{Account: `CHU\LBertin`, Kind: care.OfPerson, Matricule: "m17"}))
		m := in("m1", at(10, 8))
		m.People = []traces.Professional{{RPPS: "10001234567"}, {ID: "D999"}}
		h.tell(traces.News{What: "ADT^A01", Patient: odile(), Moves: []traces.Move{m}})
		var accounts []string
		for _, r := range h.patient("8001", "", at(11, 0)).Relations {
			accounts = append(accounts, r.Account)
		}
		slices.Sort(accounts)
		h.want("accounts", strings.Join(accounts, " "), `10001234567 chu\lbertin d999 loic.bertin loic.bertin@ch.example m17`)
	})
}

func TestWhatIsOldIsForgotten(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.must(h.Decide(t.Context(), h.admin, 3))
		h.refused(h.Decide(t.Context(), h.admin, 2), fault.Invalid, "traces.care.months")
		h.refused(h.Decide(t.Context(), h.dpo, 6), fault.Denied, "")
		h.tell(traces.News{What: "ADT^A01", Patient: odile(), Moves: []traces.Move{in("m1", at(10, 8), "2101"), {Visit: "26A", ID: "m2", Kind: traces.MoveOut, At: at(12, 8)}}})
		famous := traces.Identity{IPP: []string{"8002"}}
		h.must(h.Name(t.Context(), h.dpo, famous, "actrice"))
		h.clock.Advance(80 * 24 * time.Hour)
		h.purge()
		h.want("kept", h.patient("8001", "", at(11, 0)).Surname, "marchand")
		h.clock.Advance(20 * 24 * time.Hour)
		h.purge()
		if _, found, err := h.Patient(t.Context(), h.org, "8001", "", at(11, 0)); err != nil || found {
			t.Errorf("still there: %v, %v", found, err)
		}
		if !h.patient("8002", "", at(11, 0)).WellKnown {
			t.Error("whom the officer named is forgotten")
		}
		if n := h.journalled("traces.care.purge"); n != 1 {
			t.Errorf("%d purges in the journal", n)
		}
		h.count("traces_care_moves", 0)
		h.count("traces_care_numbers", 1)
		h.count("traces_care_messages", 0)
	})
}

func (h *house) purge() {
	h.t.Helper()
	more, err := h.Purge(h.t.Context(), h.clock.Now())
	h.must(err)
	if more {
		h.t.Error("a purge of a few rows is not over")
	}
}

func (h *house) count(table string, want int) {
	h.t.Helper()
	h.must(h.db.Read(h.t.Context(), h.admin, func(tx *storage.Tx) error {
		var n int
		_, err := tx.Row(h.t.Context(), `SELECT COUNT(*) FROM `+table+` WHERE organisation_id = $1`, []any{h.org}, &n)
		if n != want {
			h.t.Errorf("%d rows of %s, want %d", n, table, want)
		}
		return err
	}))
}
