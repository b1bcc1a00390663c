package stories_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/directory/feed"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/directory/proof"
	"tocsin/internal/document/table"
	"tocsin/internal/hooks"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/inventory"
	"tocsin/internal/organisation"
	"tocsin/internal/space"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
	"tocsin/internal/traces/care"
	tracekept "tocsin/internal/traces/kept"
	"tocsin/internal/traces/watch"
	"tocsin/internal/ui"
)

// walk is a house with one of everything, and the people who will try its doors.
type walk struct {
	t      *testing.T
	h      *hospital
	routes []ui.Route
	people []*walker
	other  *walker
	// ids say what each parameter of a path stands for, the first that fits.
	ids []pathID
	// names must never be read by anybody from elsewhere.
	names []string
	// stolen is a form full of the ids of this establishment.
	stolen url.Values
	// member is somebody of the house whom nobody must disturb from elsewhere.
	member  *identitytest.Person
	entered int
}

type pathID struct{ under, name, value string }

func newWalk(t *testing.T, database string) *walk {
	t.Helper()
	w := &walk{t: t, h: build(t, night(), database), stolen: url.Values{}}
	w.routes = w.h.router.Routes()
	w.furnish()
	org := w.h.scope.Organisation()
	for _, role := range access.Roles() {
		who := identitytest.Join(t, w.h.Accounts, w.h.clock, org, string(role)+"@valbrume.example", role)
		w.people = append(w.people, &walker{name: string(role), who: who, roles: []access.Role{role}})
	}
	w.people = append(w.people, &walker{name: "nobody"},
		&walker{name: "who owes a second factor", who: w.owing("sansfacteur@valbrume.example", access.Roles()...), roles: access.Roles(), owes: true})
	other, err := w.h.Houses.Create(t.Context(), access.Instance("story"), organisation.Establishment{Name: "Clinique du Parc", Zone: "Europe/Paris", Language: "fr"})
	if err != nil {
		t.Fatal(err)
	}
	w.other = &walker{
		name: "the other establishment", roles: access.Roles(), elsewhere: true,
		who: identitytest.Join(t, w.h.Accounts, w.h.clock, other.ID, "directrice@parc.example", access.Roles()...),
	}
	return w
}

// owing adds somebody who chose a password and has no second factor yet.
func (w *walk) owing(login string, roles ...access.Role) *identitytest.Person {
	w.t.Helper()
	scope := access.Instance("story").Within(w.h.scope.Organisation())
	inv, err := w.h.Accounts.Add(w.t.Context(), scope, identity.NewAccount{Login: login, Name: "Sans Facteur", Roles: roles})
	if err != nil {
		w.t.Fatal(err)
	}
	step, err := w.h.Accounts.Accept(w.t.Context(), identitytest.Here(), inv.Code, identitytest.Password)
	if err != nil {
		w.t.Fatal(err)
	}
	session, err := w.h.Accounts.Session(w.t.Context(), step.Token, identitytest.Here())
	if err != nil {
		w.t.Fatal(err)
	}
	return &identitytest.Person{ID: inv.Account, Login: login, Token: step.Token, Scope: session.Scope}
}

// journal counts the lines of this establishment.
func (w *walk) journal() int {
	return w.h.number(`SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1`, w.h.scope.Organisation())
}

// furnish makes one of everything that has an id.
func (w *walk) furnish() {
	w.t.Helper()
	h, ctx, system := w.h, w.t.Context(), access.System(w.h.scope.Organisation(), "story")
	site, err := h.Houses.AddNode(ctx, system, organisation.Node{Kind: organisation.Site, Name: "Site des Tilleuls"}, uuid.Nil)
	w.must(err)
	agent := h.agent("Zéphyrin", "iade", func(p *directory.Person) { p.Site, p.Matricule = site.ID, "T1" })
	absence, err := h.Directory.AddAbsence(ctx, system, directory.Absence{Person: agent.ID, From: h.now().AddDate(0, 1, 0), To: h.now().AddDate(0, 2, 0)})
	w.must(err)
	group := h.group("Réserve Bleuet", nil, agent)
	definition := recall()
	definition.Title["fr"], definition.Title["en"] = "Afflux Mirabelle", "Afflux Mirabelle"
	sc := h.scenario(definition)
	l := h.launch(definition)
	h.sms.answer("+33639989999", "ici Zéphyrin, j'arrive")
	imported, err := h.Directory.Stage(ctx, system, &fewRows{}, directory.File{Name: "personnel-tilleuls.csv"})
	w.must(err)
	imported, err = h.Directory.Preview(ctx, system, imported.ID)
	w.must(err)
	roster := h.staged("Matricule;Date;Horaire\n" + agent.Matricule + ";22/11/2026;07:00-19:00\n")
	function, replacement, swap, calendar, file := w.onCall(system, agent)
	gateways, err := h.Dispatch.Gateways(ctx, system)
	w.must(err)
	member := identitytest.Join(w.t, h.Accounts, h.clock, h.scope.Organisation(), "capucine@valbrume.example", access.Reader)
	w.member = member
	sessions, err := h.Accounts.Sessions(ctx, member.Scope, member.Token)
	w.must(err)
	invited, err := h.Accounts.Add(ctx, access.Instance("story").Within(h.scope.Organisation()), identity.NewAccount{Login: "invitee@valbrume.example", Name: "Invitée", Roles: []access.Role{access.Reader}})
	w.must(err)
	token, _, err := h.Accounts.CreateToken(ctx, access.Instance("story").Within(h.scope.Organisation()), identity.TokenRequest{Name: "Supervision Réglisse", Actions: []access.Action{access.AlertRead}, Days: 30})
	w.must(err)
	envelope, err := h.Accounts.MakeEnvelope(ctx, access.Instance("story").Within(h.scope.Organisation()), "Coffre des Lilas")
	w.must(err)
	request := w.request(sc)
	campaign, correction, confirm := w.campaign(system)
	subscription, _, err := h.Hooks.Subscribe(ctx, access.Instance("story").Within(h.scope.Organisation()), h.now(), hooks.SubscriptionInput{Name: "Tableau Réglisse", URL: "https://tableau.example/", Events: hooks.Kinds()})
	w.must(err)
	w.must(h.Hooks.Try(ctx, access.Instance("story").Within(h.scope.Organisation()), h.now(), subscription.ID))
	messages, err := h.Hooks.Deliveries(ctx, access.Instance("story").Within(h.scope.Organisation()), subscription.ID, uuid.Nil)
	w.must(err)
	door, _, err := h.Hooks.OpenDoor(ctx, access.Instance("story").Within(h.scope.Organisation()), h.now(), hooks.DoorInput{
		Name: "Onduleurs Réglisse", Form: hooks.Own, Scenario: sc.ID, Mode: alerting.Test, Act: hooks.Propose, Gap: time.Hour,
	})
	w.must(err)
	reader, _, err := h.Hooks.OpenReader(ctx, access.Instance("story").Within(h.scope.Organisation()), h.now(), "Préfecture Réglisse")
	w.must(err)
	server, err := h.Feeds.Save(ctx, system, feed.Feed{Kind: "ldap", Name: "Serveur Pivoine", Settings: feed.Settings{"host": "127.0.0.1", "port": "1", "base": "dc=valbrume"}})
	w.must(err)
	link := strings.TrimPrefix(h.sms.received(mobile(agent))[0].Link, identitytest.Origin().String()+"/r/")
	h.sms.answer(mobile(agent), "1 30")
	recipient := h.person(l, agent).ID
	recalled, err := h.Alerting.OpenRecall(ctx, link, h.now())
	w.must(err)
	device := w.device(agent)
	_, screen := h.hung("Couloir Glycine", site.ID)
	thing, parc := w.inventory(system)
	source := w.source(system)
	consumer := w.consumer(system)
	standing := w.standing(system)
	saved, board, asked := w.asks(system)

	w.ids = []pathID{
		{"/traces/questions/", "key", "record"},
		{"/traces/evenements/", "ref", "r1"},
		{"/traces/conservation/", "classe", "system"},
		{"/traces/sources/", "fichier", w.traceFile(system, source).String()},
		{"/traces/sources/", "id", source.String()},
		{"/traces/consommateurs/", "id", consumer.String()},
		{"/traces/gardees/", "id", saved.String()},
		{"/traces/gardees/", "reponse", saved.String()},
		{"/traces/gardees/", "format", "pdf"},
		{"/traces/tableaux/", "id", board.String()},
		{"/traces/tableaux/", "tuile", board.String()},
		{"/traces/demandes/", "id", asked.String()},
		{"/traces/demandes/", "key", "record"},
		{"/traces/demandes/", "ref", "r1"},
		{"/traces/alertes/", "id", standing.String()},
		{"/traces/seuils/", "type", "system"},
		{"/traces/regles/", "regle", "sigma:7b1f5a52-3c0e-4a64-9a53-2f6f5b8f1005"},
		{"/traces/soins/fichiers/", "id", w.careFile(system, care.Stays).String()},
		{"/traces/soins/connus/fichiers/", "id", w.careFile(system, care.WellKnowns).String()},
		{"/traces/soins/connus/", "id", uuid.Nil.String()},
		{"/traces/exports/", "id", w.exported(system).String()},
		{"/traces/gels/", "id", w.heldTraces(system).String()},
		{"/alertes/declencher/scenario/", "scenario", sc.ID.String()},
		{"/alertes/", "id", l.ID.String()},
		{"/demandes/", "demande", request.String()},
		{"/alertes/", "personne", recipient.String()},
		{"/alertes/", "service", uuid.Nil.String()},
		{"/r/", "code", link},
		{"/ordre/", "code", recalled.Order.Code},
		{"/bienvenue/", "code", "dejautilise"},
		{"/invitation/", "code", invited.Code},
		{"/scenarios/bibliotheque/", "famille", "plan_blanc"},
		{"/scenarios/", "id", sc.ID.String()},
		{"/scenarios/", "section", "textes"},
		{"/c/", "code", confirm},
		{"/annuaire/astreintes/fonctions/", "id", function.ID.String()},
		{"/annuaire/astreintes/fonctions/", "tour", function.Rotations[0].ID.String()},
		{"/annuaire/astreintes/fonctions/", "remplacement", replacement.String()},
		{"/annuaire/astreintes/fonctions/", "echange", swap.String()},
		{"/annuaire/astreintes/calendriers/", "calendrier", calendar.String()},
		{"/annuaire/astreintes/fichiers/", "id", file.String()},
		{"/agenda/", "code", "devine"},
		{"/annuaire/campagnes/", "id", campaign},
		{"/annuaire/campagnes/", "correction", correction},
		{"/annuaire/serveurs/", "id", server.ID.String()},
		{"/annuaire/conflits/", "conflit", agent.ID.String()},
		{"/annuaire/groupes/", "id", group.String()},
		{"/annuaire/import/", "id", imported.ID.String()},
		{"/annuaire/planning/", "id", roster.ID.String()},
		{"/annuaire/personnes/", "appareil", device.ID.String()},
		{"/espace/appareils/", "appareil", device.ID.String()},
		{"/espace/echanges/", "echange", swap.String()},
		{"/espace/entrer/", "code", strings.Repeat("0", 24)},
		{"/annuaire/", "id", agent.ID.String()},
		{"/annuaire/", "contact", agent.Contacts[0].ID.String()},
		{"/annuaire/", "absence", absence.ID.String()},
		{"/administration/canaux/", "id", gateways[0].ID.String()},
		{"/passerelles/", "passerelle", gateways[0].ID.String()},
		{"/passerelles/", "secret", "devine"},
		{"/administration/comptes/", "id", member.ID.String()},
		{"/administration/liaisons/entrees/", "id", door.ID.String()},
		{"/administration/liaisons/lecteurs/", "id", reader.ID.String()},
		{"/cap/", "code", "devine"},
		{"/cap/", "message", uuid.NewString()},
		{"/administration/liaisons/", "id", subscription.ID.String()},
		{"/administration/liaisons/", "message", messages[0].ID.String()},
		{"/administration/jetons/", "id", token.ID.String()},
		{"/administration/enveloppes/", "id", envelope.String()},
		{"/administration/ecrans/", "id", screen.ID.String()},
		{"/etablissement/", "id", site.ID.String()},
		{"/inventaire/import/", "id", parc.String()},
		{"/inventaire/elements/", "id", thing.String()},
		{"/compte/sessions/", "id", sessions[0].ID.String()},
		{"/compte/cle-acces/", "id", uuid.NewString()},
	}
	for name, id := range map[string]uuid.UUID{
		"id": agent.ID, "personne": recipient, "group": group, "groupe": group, "service": site.ID, "site": site.ID, "parent": site.ID, "scenario": sc.ID,
		"etablissement": h.scope.Organisation(), "organisation": h.scope.Organisation(), "person": agent.ID,
	} {
		w.stolen.Set(name, id.String())
	}
	w.stolen.Set("vers", thing.String())
	w.names = []string{"CHU de Valbrume", "Site des Tilleuls", "Zéphyrin", "Réserve Bleuet", "Afflux Mirabelle", "personnel-tilleuls", "planning-tilleuls", "Supervision Réglisse", "Tableau Réglisse", "Onduleurs Réglisse", "Préfecture Réglisse", "Capucine", "capucine@", "Coffre des Lilas", mobile(agent), mailbox(agent), "Dr Ordre", "Coordonnées Jacinthe", "Serveur Pivoine", "Garde Myosotis", "Couloir Glycine", "garde-myosotis", "Moniteur Aubépine", "parc-aubepine", "Altaïr Pervenche", "Portail Ancolie", "Nuit Achillée", "srv-achillee", "Question Sauge", "Tableau Armoise", "Objet Mélisse", "Tribunal Hellébore"}
}

// inventory has a thing, and a file that waits.
func (w *walk) inventory(system access.Scope) (thing, file uuid.UUID) {
	w.t.Helper()
	i, err := w.h.Inventory.Save(w.t.Context(), system, inventory.Item{Kind: inventory.Biomedical, Name: "Moniteur Aubépine", Code: "BM-1"})
	w.must(err)
	content := "Nom;Code\nMoniteur Aubépine;BM-1\nPompe Aubépine;BM-2\n"
	rows, err := table.Open(strings.NewReader(content), int64(len(content)), "parc-aubepine.csv", table.DefaultLimits())
	w.must(err)
	staged, err := w.h.Inventory.Stage(w.t.Context(), system, rows, inventory.File{Name: "parc-aubepine.csv", Kind: inventory.Biomedical})
	w.must(err)
	staged, err = w.h.Inventory.Map(w.t.Context(), system, staged.ID, staged.Mapping)
	w.must(err)
	return i.ID, staged.ID
}

// traceFile is a file that a source gave, whose content is not on this machine.
func (w *walk) traceFile(system access.Scope, source uuid.UUID) uuid.UUID {
	w.t.Helper()
	id := storage.NewID(w.h.now())
	w.must(w.h.DB.Write(w.t.Context(), system, func(tx *storage.Tx) error {
		_, err := tx.Exec(w.t.Context(), `INSERT INTO traces_files (organisation_id, id, source_id, name, origin, path, sha256, head_bytes, size, modified_us, state, reason, mapping, read_bytes, read_line, rows_read, rows_fresh, failures, given_by, given_us, holder, held_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $10, $6, $8, $8, $8, $8, $8, $8, $6, $11, $6, $8)`,
			system.Organisation(), id, source, "Export Pervenche.csv", "page", "", []byte{1}, 0, 7, "unmapped", storage.Micros(w.h.now()))
		return err
	}))
	return id
}

// source is a source of traces, of a format that this program may not read.
func (w *walk) source(system access.Scope) uuid.UUID {
	w.t.Helper()
	id := storage.NewID(w.h.now())
	w.must(w.h.DB.Write(w.t.Context(), system, func(tx *storage.Tx) error {
		_, err := tx.Exec(w.t.Context(), `INSERT INTO traces_sources (organisation_id, id, name, name_folded, format, biomedical, zone, addresses, quiet_minutes, token_hash, created_us, events, failures, skew_s)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12)`,
			system.Organisation(), id, "Altaïr Pervenche", storage.Fold("Altaïr Pervenche"), "syslog", false, "Europe/Paris", "", 0, []byte(id.String()), storage.Micros(w.h.now()), 0)
		return err
	}))
	return id
}

// consumer is an application that may search the traces.
func (w *walk) consumer(system access.Scope) uuid.UUID {
	w.t.Helper()
	day := w.h.now().AddDate(0, 6, 0).Format(time.DateOnly)
	one, _, err := w.h.Traces.Admit(w.t.Context(), system, traces.WantedConsumer{Name: "Portail Ancolie", Reason: "Visite", LastDay: day, Zone: time.UTC})
	w.must(err)
	return one.ID
}

// asks is a question that is kept, a dashboard, and a request for audit.
func (w *walk) asks(system access.Scope) (saved, board, asked uuid.UUID) {
	w.t.Helper()
	dpo := access.For(system.Organisation(), access.Actor{Kind: access.Person, ID: uuid.New(), Name: "DPO"}, true, access.DataProtection)
	q, err := w.h.Kept.Keep(w.t.Context(), dpo, tracekept.Wanted{Name: "Question Sauge", Span: tracekept.LastWeek, Why: "essai", Shared: true, Inquiry: traces.Inquiry{Phrase: "looks"}})
	w.must(err)
	b, err := w.h.Kept.AddBoard(w.t.Context(), dpo, tracekept.WantedBoard{Name: "Tableau Armoise", Why: "essai", Shared: true})
	w.must(err)
	us := storage.Micros(w.h.now())
	r, err := w.h.Audits.Ask(w.t.Context(), system, audits.Draft{Kind: audits.OfService, Subject: "Objet Mélisse", Reason: "essai", Extent: audits.Extent{Services: []string{"Cardiologie"}, From: us - 1, To: us}})
	w.must(err)
	return q.ID, b.ID, r.ID
}

// exported is a request for an archive that waits for its approval.
func (w *walk) exported(system access.Scope) uuid.UUID {
	w.t.Helper()
	id := storage.NewID(w.h.now())
	w.must(w.h.DB.Write(w.t.Context(), system, func(tx *storage.Tx) error {
		_, err := tx.Exec(w.t.Context(), `INSERT INTO traces_exports (organisation_id, id, kind, authority, reference, identity_check, reason, exception, selection_json, found, state, asked_id, asked_name, asked_us, expires_us,
			decided_name, decision, tries, events, bytes, sha256, problem, taken) VALUES ($1, $2, 'patient', '', '', 'carte vue', 'droit d’accès', '', '{"patient":"8001"}', 2, 'asked', $3, 'Nuit Achillée', $4, $5, '', '', 0, 0, 0, '', '', 0)`,
			system.Organisation(), id, uuid.Nil, storage.Micros(w.h.now()), storage.Micros(w.h.now().AddDate(0, 0, 14)))
		return err
	}))
	return id
}

// heldTraces is a legal hold that somebody asked to lift.
func (w *walk) heldTraces(system access.Scope) uuid.UUID {
	w.t.Helper()
	id, now := storage.NewID(w.h.now()), storage.Micros(w.h.now())
	w.must(w.h.DB.Write(w.t.Context(), system, func(tx *storage.Tx) error {
		_, err := tx.Exec(w.t.Context(), `INSERT INTO traces_holds (organisation_id, id, authority, reference, reason, requested_by, patient, account, person, everything, from_us, to_us, state, found, counted_us,
			placed_id, placed_name, placed_us, lift_reason, lift_asked_id, lift_asked_name, lift_asked_us, lift_decided_name, lift_refusal)
			VALUES ($1, $2, 'Tribunal Hellébore', '26/1042', 'réquisition', 'OPJ', '8001', '', '', FALSE, 0, $3, 'lifting', 2, $3, $4, 'Nuit Achillée', $3, 'classement', $4, 'Nuit Achillée', $3, '', '')`,
			system.Organisation(), id, now, uuid.New())
		return err
	}))
	return id
}

// standing is a case of detection, about a system.
func (w *walk) standing(system access.Scope) (id uuid.UUID) {
	w.t.Helper()
	w.must(w.h.Rules.Refresh(w.t.Context()))
	us := storage.Micros(w.h.now())
	w.must(w.h.DB.Write(w.t.Context(), system, func(tx *storage.Tx) error {
		hit := traces.Hit{Organisation: system.Organisation(), Rule: "sigma:essai", Title: "Nuit Achillée", Score: 80, Workstation: "srv-achillee", First: us, Last: us}
		if err := w.h.Cases.Keep(w.t.Context(), tx, w.h.now(), watch.Catch{Hits: []traces.Hit{hit}}); err != nil {
			return err
		}
		_, err := tx.Row(w.t.Context(), `SELECT id FROM traces_cases WHERE organisation_id = $1`, []any{system.Organisation()}, &id)
		return err
	}))
	return id
}

// careFile stages a file of patients.
func (w *walk) careFile(system access.Scope, kind care.FileKind) uuid.UUID {
	w.t.Helper()
	const text = "ipp;uf;entrée\n8001;2101;10/11/2026\n"
	src, err := table.Open(strings.NewReader(text), int64(len(text)), "Séjours Pervenche.csv", table.DefaultLimits())
	w.must(err)
	f, err := w.h.CareDesk.Stage(w.t.Context(), system, kind, "Séjours Pervenche.csv", src, time.UTC)
	w.must(err)
	w.must(src.Close())
	return f.ID
}

// device opens the space of somebody.
func (w *walk) device(agent directory.Person) space.Device {
	w.t.Helper()
	phone := &pocket{h: w.h}
	phone.ask(http.MethodPost, w.h.invited(agent), url.Values{})
	list, err := w.h.Space.Devices(w.t.Context(), w.h.scope, agent.ID)
	w.must(err)
	if len(list) != 1 {
		w.t.Fatalf("%d devices", len(list))
	}
	return list[0]
}

// request leaves a launch waiting for a second person.
func (w *walk) request(sc alerting.Scenario) uuid.UUID {
	w.t.Helper()
	h, ctx := w.h, w.t.Context()
	rules := func(above int) {
		w.must(h.Alerting.SetGovernance(ctx, access.For(h.scope.Organisation(), h.scope.Actor(), true, access.Administrator), h.now(),
			alerting.Governance{SecondAbove: above, KeepDays: alerting.KeepDaysDefault}))
	}
	h.agent("Second", "ide")
	rules(1)
	l, _, err := h.Alerting.Launch(ctx, h.scope, h.now(), alerting.Draft{
		Scenario: sc.ID, Mode: alerting.Test, Values: map[string]string{"lieu": "à la cour"}, OrderedBy: "Dr Ordre", IdempotencyKey: uuid.NewString(),
	})
	w.must(err)
	if l.State != alerting.Awaiting {
		w.t.Fatalf("the launch is %s", l.State)
	}
	rules(0)
	return l.ID
}

// onCall has somebody hold a function, with a replacement and a swap proposed.
func (w *walk) onCall(system access.Scope, agent directory.Person) (f oncall.Function, replacement, swap, link, file uuid.UUID) {
	w.t.Helper()
	h, ctx := w.h, w.t.Context()
	second := h.agent("Relève", "iade")
	today := oncall.DayOf(h.now(), time.UTC)
	f, err := h.OnCall.Save(ctx, system, oncall.Function{Name: "Garde Myosotis", Roster: oncall.Roster{Rotations: []oncall.Rotation{
		{Start: today - 1, Every: 1, Unit: oncall.Weekly, Members: []uuid.UUID{agent.ID, second.ID}},
	}}})
	w.must(err)
	r, err := h.OnCall.Replace(ctx, system, oncall.Replacement{Function: f.ID, Person: second.ID, From: h.now().AddDate(0, 0, 1), To: h.now().AddDate(0, 0, 2)})
	w.must(err)
	x, err := h.OnCall.ProposeSwap(ctx, system, oncall.Swap{
		Function: f.ID, Person: agent.ID, From: h.now().AddDate(0, 0, 3), To: h.now().AddDate(0, 0, 4), Other: second.ID, OtherFrom: h.now().AddDate(0, 0, 8), OtherTo: h.now().AddDate(0, 0, 9),
	})
	w.must(err)
	l, _, err := h.OnCall.OpenCalendar(ctx, system, oncall.OfFunction, f.ID)
	w.must(err)
	calendar := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20270101T080000Z\r\nDTEND:20270101T180000Z\r\nSUMMARY:" + agent.Matricule + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	i, err := h.OnCall.StageCalendar(ctx, system, strings.NewReader(calendar), "garde-myosotis.ics", f.ID)
	w.must(err)
	return f, r.ID, x.ID, l.ID, i.ID
}

// campaign asks somebody whether his details are right, and has him correct them.
func (w *walk) campaign(system access.Scope) (id, correction, code string) {
	w.t.Helper()
	h, ctx := w.h, w.t.Context()
	draft := proof.Defaults(proof.Verification, h.now())
	draft.Title = "Coordonnées Jacinthe"
	c, err := h.Proof.Create(ctx, system, draft)
	w.must(err)
	_, err = h.Proof.Tick(ctx, h.now())
	w.must(err)
	w.must(h.DB.Read(ctx, system, func(tx *storage.Tx) error {
		_, err := tx.Row(ctx, `SELECT code FROM directory_asked WHERE organisation_id = $1 LIMIT 1`, []any{system.Organisation()}, &code)
		return err
	}))
	w.must(h.Proof.Correct(ctx, code, "06 39 98 76 54", "192.0.2.1", h.now()))
	list, err := h.Proof.Corrections(ctx, system, c.ID)
	w.must(err)
	return c.ID.String(), list[0].ID.String(), code
}

func (w *walk) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// fewRows is a staff file of two people.
type fewRows struct{ slowFile }

func (f *fewRows) Next() (table.Row, error) {
	f.rows, f.pause = 2, -1
	return f.slowFile.Next()
}

// TestWhoMayDoWhatMatters says again, apart from the routes, who may do the acts
// that wake people or change the house: a route that declares a weaker need
// than its act fails here.
func TestWhoMayDoWhatMatters(t *testing.T) {
	t.Parallel()
	w := newWalk(t, "")
	launchers := []access.Role{access.Launcher}
	cell := []access.Role{access.Launcher, access.CrisisCell}
	files := []access.Role{access.Administrator, access.DirectoryManager}
	admin := []access.Role{access.Administrator}
	for pattern, roles := range map[string][]access.Role{
		"POST /alertes/declencher/scenario/{scenario}":                         launchers,
		"POST /alertes/improviser":                                             launchers,
		"POST /demandes/{demande}/confirmer":                                   launchers,
		"POST /demandes/{demande}/passer-outre":                                launchers,
		"POST /administration/alertes":                                         admin,
		"POST /administration/enveloppes":                                      admin,
		"GET /administration/enveloppes/{id}/imprimer":                         admin,
		"POST /alertes/{id}/fin":                                               cell,
		"POST /alertes/{id}/message":                                           cell,
		"POST /alertes/{id}/elargir":                                           cell,
		"POST /alertes/{id}/arrivees":                                          cell,
		"POST /alertes/{id}/appel/{service}":                                   cell,
		"GET /alertes/{id}/paie.xlsx":                                          {access.Launcher, access.CrisisCell, access.DirectoryManager},
		"POST /alertes/{id}/arret":                                             {access.Administrator, access.Launcher, access.CrisisCell},
		"POST /alertes/{id}/plafond":                                           launchers,
		"GET /alertes/{id}/rapport.pdf":                                        {access.Launcher, access.CrisisCell, access.Auditor},
		"POST /annuaire/import":                                                files,
		"POST /annuaire/export":                                                files,
		"POST /annuaire/campagnes/nouvelle":                                    files,
		"POST /annuaire/campagnes/{id}/arreter":                                files,
		"POST /annuaire/import/{id}/confirmer":                                 files,
		"POST /annuaire/planning":                                              files,
		"POST /annuaire/planning/{id}/confirmer":                               files,
		"POST /administration/canaux/{id}/modifier":                            admin,
		"POST /administration/comptes/{id}/roles":                              admin,
		"POST /administration/comptes/{id}/reinitialiser":                      admin,
		"GET /traces/alertes":                                                  {access.DataProtection, access.SecurityOfficer},
		"POST /traces/consommateurs/{id}/revoquer":                             {access.DataProtection},
		"POST /traces/regles/{regle}/service":                                  {access.SecurityOfficer},
		"POST /traces/detection/service":                                       {access.DataProtection},
		"GET /traces/gardees":                                                  {access.DataProtection},
		"GET /traces/tableaux":                                                 {access.DataProtection},
		"POST /traces/demandes/{id}/avis":                                      {access.DataProtection, access.MedicalInformation, access.Controller},
		"POST /traces/demandes/{id}/decision":                                  {access.Controller},
		"GET /administration/journal":                                          {access.Administrator, access.Auditor},
		"POST /annuaire/astreintes/fonctions/nouvelle":                         files,
		"POST /inventaire/elements/{id}/modifier":                              files,
		"POST /inventaire/import/{id}/confirmer":                               files,
		"POST /annuaire/astreintes/fonctions/{id}/remplacement":                files,
		"POST /annuaire/astreintes/fonctions/{id}/echanges/{echange}/accepter": files,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		found := false
		for _, r := range w.routes {
			if r.Method != method || r.Pattern != path {
				continue
			}
			found = true
			for _, v := range w.people {
				want := v.who != nil && !v.owes && v.who.Scope.Has(only(roles, v))
				if got := w.ask(r, v).Code; (got != http.StatusForbidden && got != http.StatusSeeOther) != want && !(want && got == http.StatusSeeOther) {
					t.Errorf("%s as %s: %d, allowed %v", pattern, v.name, got, want)
				}
			}
		}
		if !found {
			t.Errorf("no route %s", pattern)
		}
	}
}

// only is the role among those that a walker has.
func only(roles []access.Role, v *walker) access.Role {
	for _, r := range roles {
		if v.who.Scope.Has(r) {
			return r
		}
	}
	return "none"
}

// TestASessionHalfwayIsNobody: the password alone opens nothing to who has a
// second factor.
func TestASessionHalfwayIsNobody(t *testing.T) {
	t.Parallel()
	w := newWalk(t, "")
	launcher := w.people[1].who
	w.h.clock.Advance(time.Minute)
	step, err := w.h.Accounts.SignIn(t.Context(), identitytest.Here(), launcher.Login, identitytest.Password)
	if err != nil || step.Done {
		t.Fatalf("password alone: done %v, %v", step.Done, err)
	}
	half := &walker{name: "password only", who: &identitytest.Person{Token: step.Token}}
	for _, r := range w.routes {
		if r.Need == ui.Public {
			continue
		}
		if a := w.ask(r, half); a.Code != http.StatusSeeOther || !strings.HasPrefix(a.Header().Get("Location"), "/connexion") {
			t.Errorf("%s %s: %d %s", r.Method, r.Pattern, a.Code, a.Header().Get("Location"))
		}
	}
}
