package alerting_test

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

func numbered(matricule string) func(*directory.Person) {
	return func(p *directory.Person) { p.Matricule = matricule }
}

// order verifies the order of a person the way a cordon does, from her link.
func (h *hospital) order(l alerting.Launch, who alerting.Recipient) alerting.RecallCheck {
	h.t.Helper()
	c, err := h.OpenRecall(h.t.Context(), h.code(who.ID), h.now())
	if err != nil {
		h.t.Fatal(err)
	}
	if c.Order.Code == "" {
		return c
	}
	same, err := h.CheckRecall(h.t.Context(), c.Order.Code, h.now())
	if err != nil || same.Status != c.Status || same.Order.Text != c.Order.Text {
		h.t.Fatalf("the person sees %s, the cordon %s: %v", c.Status, same.Status, err)
	}
	return c
}

func (h *hospital) wantOrder(l alerting.Launch, status alerting.RecallStatus, reason alerting.RecallReason) alerting.RecallOrder {
	h.t.Helper()
	c := h.order(l, h.one(l.ID))
	if c.Status != status || c.Reason != reason {
		h.t.Errorf("the order is %s %s, want %s %s", c.Status, c.Reason, status, reason)
	}
	return c.Order
}

// TestWhoComesGetsAnOrder follows one order through its life.
func TestWhoComesGetsAnOrder(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		admin := person(h.scope.Organisation(), access.Administrator)
		rules := alerting.Governance{KeepDays: 90, Recall: alerting.Recall{Entrance: alerting.Localized{"fr": "Porte B, rue du Puits"}, Roads: alerting.Localized{"fr": "Pont Neuf"}}}
		if err := h.SetGovernance(t.Context(), admin, h.now(), rules); err != nil {
			t.Fatal(err)
		}
		h.agent("Éloi", "iade", numbered("00124512"))
		l := h.launch(recall())
		m := h.deliver(l.ID)[0]
		h.wantOrder(l, alerting.RecallInvalid, alerting.RecallUnknown)
		h.reply(l.ID, m, "1 30")
		o := h.wantOrder(l, alerting.RecallValid, "")
		if o.Name != "ÉLOI Camille" || o.Matricule != "…4512" || o.Mode != alerting.Exercise || o.OrderedBy != "Dr Ordre" || o.Establishment != "CHU de Valbrume" ||
			o.Entrance != "Porte B, rue du Puits" || o.Roads != "Pont Neuf" || o.Parking != "" || !o.ETA.Equal(night.Add(30*time.Minute)) || !o.Until.Equal(night.Add(150*time.Minute)) {
			t.Errorf("%+v", o)
		}
		if strings.Contains(o.Text, "+336") || strings.Contains(o.Text, "00124512") || strings.Contains(o.Text, "@") {
			t.Errorf("a private number is on the order:\n%s", o.Text)
		}
		ack := h.queue(l.ID)
		if last := ack[len(ack)-1]; last.Purpose != alerting.UseAck || !strings.Contains(last.Text, "ordre de rappel") || strings.Count(last.Text, "{lien}") != 1 {
			t.Errorf("acknowledged with %q", last.Text)
		}
		h.clock.Advance(time.Minute)
		h.reply(l.ID, m, "1 30") // the same hour but for a minute: the order in hand is right
		if again := h.wantOrder(l, alerting.RecallValid, ""); again.Text != o.Text {
			t.Error("a second answer made another order")
		}
		h.reply(l.ID, m, "1 90")
		if again := h.wantOrder(l, alerting.RecallValid, ""); again.Code != o.Code || again.Text == o.Text || !again.ETA.After(o.ETA) {
			t.Errorf("another hour: %+v", again)
		}
		h.reply(l.ID, m, "non")
		h.wantOrder(l, alerting.RecallWithdrawn, alerting.RecallChanged)
		h.clock.Advance(time.Minute)
		h.reply(l.ID, m, "1 15")
		h.wantOrder(l, alerting.RecallValid, "")
		if b := h.board(l); b.Counters.Orders != 1 {
			t.Errorf("%d orders for one person", b.Counters.Orders)
		}
		h.clock.Advance(3 * time.Hour)
		h.wantOrder(l, alerting.RecallExpired, alerting.RecallLate)
		if err := h.End(t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
			t.Fatal(err)
		}
		h.wantOrder(l, alerting.RecallWithdrawn, alerting.RecallOver)
		h.clock.Advance(8 * 24 * time.Hour)
		h.wantOrder(l, alerting.RecallInvalid, alerting.RecallUnknown)
	})
}

// TestATestAsksNobodyToMove: no order, and no word of one.
func TestATestAsksNobodyToMove(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Essai", "iade")
		d := h.draft(h.scenario(recall()))
		d.Mode = alerting.Test
		l, _, err := h.Launch(t.Context(), h.scope, h.now(), d)
		if err != nil {
			t.Fatal(err)
		}
		h.reply(l.ID, h.deliver(l.ID)[0], "1 30")
		h.wantOrder(l, alerting.RecallInvalid, alerting.RecallUnknown)
		for _, m := range h.queue(l.ID) {
			if strings.Contains(m.Text, "rappel,") {
				t.Errorf("a test speaks of an order: %q", m.Text)
			}
		}
	})
}

// TestForgedOrdersAreNotValid changes the tables behind the program's back.
func TestForgedOrdersAreNotValid(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Vrai", "iade")
		l := h.launch(recall())
		h.reply(l.ID, h.deliver(l.ID)[0], "1 30")
		h.wantOrder(l, alerting.RecallValid, "")
		org := h.scope.Organisation()
		for _, forgery := range []string{
			`UPDATE alerting_recalls SET body = REPLACE(body, 'Camille', 'Bernard') WHERE organisation_id = $1`,
			`UPDATE alerting_recalls SET body = REPLACE(body, 'EXERCICE', 'RÉEL') WHERE organisation_id = $1`,
			`UPDATE alerting_recalls SET body = REPLACE(body, 'Bernard', 'Camille'), signature = 'AAAA' WHERE organisation_id = $1`,
			`UPDATE alerting_recalls SET signature = 'ce n''est pas une signature' WHERE organisation_id = $1`,
		} {
			if err := h.db.Write(t.Context(), h.scope, execRow(t, forgery, org)); err != nil {
				t.Fatal(err)
			}
			c := h.order(l, h.one(l.ID))
			if c.Status != alerting.RecallInvalid || c.Reason != alerting.RecallForged || c.Order.Name != "" {
				t.Errorf("%s: %s %s shows %q", forgery, c.Status, c.Reason, c.Order.Name)
			}
		}
	})
}

// TestAnotherHouseVerifiesNothing: a node with another keyring does not take the
// order for valid, and one whose keyring was rotated still does.
func TestAnotherHouseVerifiesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Vrai", "iade")
		l := h.launch(recall())
		h.reply(l.ID, h.deliver(l.ID)[0], "1 30")
		o := h.wantOrder(l, alerting.RecallValid, "")
		mine := h.keys
		node := newHospitalOver(h)
		if c, err := node.CheckRecall(t.Context(), o.Code, h.now()); err != nil || c.Status != alerting.RecallValid {
			t.Errorf("another node with the same keyring: %s, %v", c.Status, err)
		}
		rotated, err := mine.Rotate(h.now())
		if err != nil {
			t.Fatal(err)
		}
		for name, try := range map[string]struct {
			keys *vault.Vault
			want alerting.RecallStatus
		}{"rotated": {rotated, alerting.RecallValid}, "foreign": {keyring(t), alerting.RecallInvalid}} {
			h.keys = try.keys
			if c, err := newHospitalOver(h).CheckRecall(t.Context(), o.Code, h.now()); err != nil || c.Status != try.want {
				t.Errorf("%s keyring: %s, %v", name, c.Status, err)
			}
		}
		for _, code := range []string{"", "0123456789ab", strings.Repeat("z", 5000), "0123456789a'", "../../etc"} {
			if c, err := h.CheckRecall(t.Context(), code, h.now()); err != nil || c.Status != alerting.RecallInvalid || c.Reason != alerting.RecallUnknown {
				t.Errorf("%.20q: %s %s %v", code, c.Status, c.Reason, err)
			}
		}
	})
}

// TestOpensslVerifiesIt checks text, signature and published key with a program
// that learnt nothing from us.
func TestOpensslVerifiesIt(t *testing.T) {
	t.Parallel()
	storagetestEachAt(t, night, func(t *testing.T, h *hospital) {
		h.agent("Vrai", "iade")
		l := h.launch(recall())
		h.reply(l.ID, h.deliver(l.ID)[0], "1 30")
		o := h.wantOrder(l, alerting.RecallValid, "")
		keys, err := h.RecallKeys(t.Context())
		if err != nil || len(keys) != 1 || keys[0].ID != o.Key || !keys[0].Current {
			t.Fatalf("keys %+v, %v", keys, err)
		}
		if block, rest := pem.Decode([]byte(keys[0].PEM)); block == nil || block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) > 0 {
			t.Fatalf("not one public key: %q", keys[0].PEM)
		}
		folder := t.TempDir()
		write := func(name, text string) string {
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		key, sign := write("cle.pem", keys[0].PEM), write("ordre.sig", string(o.Signature))
		verify := func(text string) error {
			return exec.CommandContext(t.Context(), "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", write("ordre.txt", text), "-sigfile", sign).Run()
		}
		if err := verify(o.Text); err != nil {
			t.Errorf("openssl refuses the order: %v", err)
		}
		if verify(strings.Replace(o.Text, "VRAI", "FAUX", 1)) == nil {
			t.Error("openssl takes a changed order")
		}
	})
}

// TestPayrollHasWhoWasRecalledAndWhoCame names nobody else, and says so in the journal.
func TestPayrollHasWhoWasRecalledAndWhoCame(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Attendue", "iade", numbered("M-1"))
		h.agent("Refuse", "iade", numbered("M-2"))
		h.agent("Venue", "iade", numbered("M-3"))
		l := h.launch(recall())
		for i, m := range h.deliver(l.ID) {
			h.reply(l.ID, m, []string{"1 30", "non", "1 15"}[i])
		}
		came := h.named(l, "Venue")
		h.ticks(l, came, true)
		h.clock.Advance(90 * time.Minute)
		if err := h.Leave(t.Context(), h.scope, h.now(), l.ID, came.ID, true); err != nil {
			t.Fatal(err)
		}
		_, lines, err := h.Payroll(t.Context(), h.scope, h.now(), l.ID)
		if err != nil || len(lines) != 2 {
			t.Fatalf("%d lines, %v", len(lines), err)
		}
		if a, v := lines[0], lines[1]; a.Recipient.LastName != "Attendue" || a.Code == "" || a.Matricule != "M-1" || !a.Stay.ArrivedAt.IsZero() ||
			v.Matricule != "M-3" || v.Code == "" || v.Stay.Lasted(h.now()) != 90*time.Minute {
			t.Errorf("%+v", lines)
		}
		if _, err := h.RecallOf(t.Context(), h.scope, l.ID, came.ID, h.now()); err != nil {
			t.Error(err)
		}
		if _, err := h.RecallOf(t.Context(), h.scope, l.ID, h.named(l, "Refuse").ID, h.now()); !fault.Is(err, fault.NotFound) {
			t.Errorf("who refused has an order: %v", err)
		}
		for _, role := range []access.Role{access.Reader, access.Auditor, access.Administrator} {
			if _, _, err := h.Payroll(t.Context(), person(h.scope.Organisation(), role), h.now(), l.ID); !fault.Is(err, fault.Denied) {
				t.Errorf("%s takes the payroll: %v", role, err)
			}
		}
		if _, _, err := h.Payroll(t.Context(), h.establishment("Autre"), h.now(), l.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment: %v", err)
		}
		n := 0
		if err := h.db.Read(t.Context(), h.scope, countRows(t, &n, `SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action = 'alert.payroll'`, h.scope.Organisation())); err != nil || n != 1 {
			t.Errorf("%d lines in the journal, %v", n, err)
		}
	})
}

// named finds a person of an alert by last name.
func (h *hospital) named(l alerting.Launch, last string) alerting.Recipient {
	h.t.Helper()
	list, err := h.Recipients(h.t.Context(), h.scope, l.ID, alerting.RecipientFilter{Text: last}, alerting.Page{})
	if err != nil || len(list) != 1 {
		h.t.Fatalf("%d people named %s, %v", len(list), last, err)
	}
	return list[0]
}

func (h *hospital) ticks(l alerting.Launch, who alerting.Recipient, arrived bool) {
	h.t.Helper()
	if err := h.Arrive(h.t.Context(), h.scope, h.now(), l.ID, who.ID, arrived); err != nil {
		h.t.Fatal(err)
	}
}

// TestTheAcknowledgementLeadsToTheOrder: one link, under the answer page.
func TestTheAcknowledgementLeadsToTheOrder(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Court", "iade")
		l := h.launch(recall())
		h.reply(l.ID, h.deliver(l.ID)[0], "1 30")
		var link string
		if err := h.db.Read(t.Context(), h.scope, func(tx *storage.Tx) error {
			_, err := tx.Row(t.Context(), `SELECT d.link FROM dispatch_deliveries d JOIN dispatch_lots l ON l.organisation_id = d.organisation_id AND l.id = d.lot_id
				WHERE d.organisation_id = $1 AND l.purpose = 'ack'`, []any{h.scope.Organisation()}, &link)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if want := "https://t.example/r/" + h.code(h.one(l.ID).ID) + "/ordre"; link != want {
			t.Errorf("the acknowledgement leads to %q, want %q", link, want)
		}
	})
}
