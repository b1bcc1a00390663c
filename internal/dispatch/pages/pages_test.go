package pages_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
	"tocsin/internal/channels/sms"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/dispatch/pages"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// airWords are the sentences of the medium in memory.
func airWords() fstest.MapFS {
	text := "channels.air-sms: \"Air\"\nchannels.air-sms.peer: \"Pair\"\nchannels.air-sms.password: \"Secret\"\nchannels.air-sms.senders: \"Expediteurs\"\n"
	return fstest.MapFS{"locales/fr.yaml": {Data: []byte(text)}, "locales/en.yaml": {Data: []byte(text)}}
}

// desk is the pages in front of one visitor, over an outbox with the real
// kinds and a medium in memory.
type desk struct {
	t      *testing.T
	db     *storage.DB
	d      *dispatch.Dispatch
	air    *dispatchtest.Air
	clock  *clock.Fake
	scope  access.Scope
	router *ui.Router
}

func newDesk(t *testing.T, roles ...access.Role) *desk {
	t.Helper()
	t.Parallel()
	s := &desk{
		t: t, db: storagetest.SQLite(t, dispatchtest.Migrations()...), air: dispatchtest.NewAir(channels.SMS), clock: clock.NewFake(uitest.Noon()),
		scope: access.System(uitest.Establishment(), "test"),
	}
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	s.d = dispatch.New(dispatch.Options{
		DB: s.db, Guard: guard, Vault: dispatchtest.OpenVault{}, Clock: s.clock,
		Registry: channels.NewRegistry(s.air, sms.Kind{}, email.Kind{}),
	})
	s.router = s.as(roles...)
	return s
}

func (s *desk) as(roles ...access.Role) *ui.Router {
	r := uitest.House(s.t, uitest.As(roles...), func(o *ui.Options) { o.Clock = s.clock }, pages.Locales, dispatch.Locales, channels.Locales, sms.Locales, email.Locales, airWords())
	pages.Routes(r, pages.Options{Service: s.d})
	return r
}

func (s *desk) get(path string) *uitest.Page {
	s.t.Helper()
	return uitest.Get(s.t, s.router, path, uitest.With("Accept-Language", "fr"))
}

func (s *desk) post(path string, fields ...string) *uitest.Page {
	s.t.Helper()
	return uitest.Post(s.t, s.router, path, fields, uitest.With("Accept-Language", "fr"))
}

func (s *desk) gateway(priority int, peer string) string {
	s.t.Helper()
	return pages.GatewayPath(dispatchtest.Gateway(s.t, s.d, s.scope, s.clock.Now(), s.air, priority, channels.Settings{"peer": peer, "password": "un-secret"}).ID)
}

// smpp are the fields a person fills for an operator's gateway.
func smpp(more ...string) []string {
	return append([]string{
		"sorte", "smpp", "name", "SMS opérateur", "host", "127.0.0.1", "system_id", "tocsin", "password", "mot-de-passe", "priority", "1", "enabled", "oui",
		"port", "1", "source_ton", "auto", "source_npi", "auto", "dest_ton", "auto", "dest_npi", "auto", "bind_mode", "transceiver", "binds", "1", "window", "50", "rate", "0",
		"long", "udh8", "id_format", "auto", "receipts", "all", "validity", "relative", "connect_timeout", "2", "response_timeout", "2", "enquire_link", "30",
	}, more...)
}

func TestEmptyListSaysThatNothingLeaves(t *testing.T) {
	s := newDesk(t, access.Administrator)
	s.get(pages.Path).Want(200).Whole().Says(".empty", "aucun message ne peut partir").Has("a[href='/administration/canaux/nouveau']")
	uitest.Get(t, s.as(access.Auditor), pages.Path).Want(200).Whole().Has(".empty").Lacks("a[href='/administration/canaux/nouveau']")
}

func TestGatewayIsAddedByTheFormOfItsKind(t *testing.T) {
	s := newDesk(t, access.Administrator)
	s.get(pages.Path+"/nouveau").Want(200).Whole().Count("a.card-link", 3)
	s.get(pages.Path+"/nouveau?sorte=pigeon").Want(200).Whole().Count("a.card-link", 3)
	form := s.get(pages.Path + "/nouveau?sorte=smpp").Want(200).Whole()
	form.Has("input[name=host][required]").Has("input[name=password][type=password]").Has("input[name=tls][type=checkbox]").Has("details select[name=source_ton]").
		Value("#f-window", "value", "50").Lacks("details[open]")
	s.get(pages.Path + "/nouveau?sorte=smtp").Want(200).Whole().Has("input[name=from]")
	s.post(pages.Path+"/nouveau", "sorte", "pigeon").Want(422).Whole()
	s.post(pages.Path+"/nouveau", smpp()[:len(smpp())-2]...).Want(303) // a setting left out has its default
	wrong := s.post(pages.Path+"/nouveau", "sorte", "smpp", "name", "SMS", "host", "", "system_id", "x", "password", "mot-de-passe", "priority", "1")
	wrong.Want(422).Whole().Has(".summary a[href='#f-host']").Value("#f-system_id", "value", "x").Value("#f-password", "value", "")
	if strings.Contains(wrong.Body, "mot-de-passe") {
		t.Error("the refused form shows the secret back")
	}
	s.post(pages.Path+"/nouveau", "sorte", "smpp", "name", "SMS", "host", "h", "system_id", "x", "window", "beaucoup", "priority", "1").Want(422).Has("details[open]").Has(".summary a[href='#f-window']")
	s.post(pages.Path+"/nouveau", "sorte", "smpp", "name", "SMS", "host", "h", "system_id", "x", "priority", "premier").Want(422).Has(".summary a[href='#f-priority']")
	s.post(pages.Path+"/nouveau", "sorte", "smpp", "name", "", "host", "h", "system_id", "x", "priority", "1").Want(422).Has(".summary a[href='#f-name']")
}

func TestSecretsAreNeverShownAgain(t *testing.T) {
	s := newDesk(t, access.Administrator)
	path := s.gateway(1, "main")
	for _, at := range []string{pages.Path, path, path + "/modifier", path + "/supprimer"} {
		if p := s.get(at).Want(200).Whole(); strings.Contains(p.Body, "un-secret") {
			t.Errorf("%s shows a secret", at)
		}
	}
	s.get(path).Says("dd", "Conservé chiffré")
	s.get(path+"/modifier").Value("#f-password", "value", "").Says("#f-password-hint", "Laissez vide pour le garder")
	s.post(path+"/modifier", "name", "Air", "peer", "main", "password", "", "senders", "4", "priority", "2", "in_flight", "", "enabled", "oui").Leads(path)
	s.get(path).Says("h1", "Air").Says("dd", "4")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := s.d.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer s.d.Stop()
	if got := s.air.Channel("main").Password(); got != "un-secret" {
		t.Errorf("the secret left empty became %q", got)
	}
	s.post(path+"/modifier", "name", "", "peer", "main", "senders", "1000", "priority", "2").Want(422).Whole().Has(".summary a[href='#f-name']").Value("#f-senders", "value", "1000")
	s.post(path+"/modifier", "name", "Air", "peer", "main", "senders", "1000", "priority", "2").Want(422).Whole().Has(".summary a[href='#f-senders']")
}

func TestHealthIsASentence(t *testing.T) {
	s := newDesk(t, access.Administrator)
	path := s.gateway(1, "main")
	s.get(path).Want(200).Whole().Says(".badge", "Ne démarre pas")
	if err := s.d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.d.Stop()
	storagetest.Eventually(t, 10*time.Second, "the gateway runs", func() bool {
		s.clock.Advance(time.Second)
		panels, err := s.d.Panels(t.Context(), s.scope)
		return err == nil && panels[0].View.Running && panels[0].View.Health.Up
	})
	s.get(path).Whole().Says(".badge", "Transmet").Says("p", "transmet les messages")
	s.post(path + "/essai").Leads(path)
	s.air.Channel("main").Cut()
	s.get(pages.Path).Whole().Says(".badge", "En panne").Says("p", "ne transmet rien")
	s.get(pages.Path).Says(".message", "E-mail : aucune passerelle en service")
}

// A test of a real gateway that is not there says why, and leads back to its page.
func TestCheckSaysWhy(t *testing.T) {
	s := newDesk(t, access.Administrator)
	path := s.post(pages.Path+"/nouveau", smpp()...).Header.Get("Location")
	p := s.post(path + "/essai")
	p.Leads(path)
	after := uitest.Get(t, s.router, path, func() []uitest.RequestOption {
		var out []uitest.RequestOption
		for _, c := range p.Cookies() {
			out = append(out, uitest.Cookie(c))
		}
		return append(out, uitest.With("Accept-Language", "fr"))
	}()...)
	after.Want(200).Whole().Says("#notices", "injoignable")
}

func TestTakingAwaySaysWhatItWillDo(t *testing.T) {
	s := newDesk(t, access.Administrator)
	path := s.gateway(1, "main")
	campaign, content, orders := dispatchtest.Mail(s.clock.Now(), channels.SMS, 2)
	dispatchtest.Post(t, s.d, s.db, s.scope, s.clock.Now(), campaign, content, orders)
	s.get(path+"/desactiver").Want(200).Whole().Says(".message", "dernière passerelle en service").Says("li", "2 messages en attente ne partiront pas")
	second := s.gateway(2, "secours")
	s.get(path+"/supprimer").Want(200).Whole().Says("li", "« passerelle secours » prend le relais").Says("li", "2 messages en attente partiront")
	s.post(path + "/desactiver").Leads(path)
	s.get(path).Whole().Says(".badge", "Hors service").Has("form[action$='/activer']")
	s.get(path+"/supprimer").Whole().Says("li", "déjà hors service")
	s.post(path + "/activer").Leads(path)
	s.get(path).Whole().Lacks("form[action$='/activer']").Has("a[href$='/desactiver']")
	s.post(path + "/supprimer").Leads(pages.Path)
	s.get(path).Want(404)
	s.get(pages.Path).Whole().Count("section.card", 1).Has("a[href='" + second + "']")
}

func TestAuditorsSeeAndChangeNothing(t *testing.T) {
	s := newDesk(t, access.Auditor)
	path := s.gateway(1, "main")
	s.get(pages.Path).Want(200).Whole().Lacks("main form").Lacks("a[href$='/modifier']")
	s.get(path).Want(200).Whole().Lacks("main form")
	for _, at := range []string{pages.Path + "/nouveau", path + "/modifier", path + "/desactiver", path + "/supprimer"} {
		s.get(at).Want(403)
		s.post(at, "name", "x").Want(403)
	}
	s.post(path + "/essai").Want(403)
	s.post(path + "/activer").Want(403)
	reader := s.as(access.Reader, access.Launcher, access.DirectoryManager)
	uitest.Get(t, reader, pages.Path).Want(403)
	uitest.Get(t, reader, path).Want(403)
}

func TestOtherIDsDoNotExist(t *testing.T) {
	s := newDesk(t, access.Administrator)
	theirs := dispatchtest.Gateway(t, s.d, access.System(uuid.New(), "test"), s.clock.Now(), s.air, 1, channels.Settings{"peer": "main"})
	for _, id := range []string{theirs.ID.String(), uuid.NewString(), "nimporte"} {
		for _, under := range []string{"", "/modifier", "/desactiver", "/supprimer"} {
			s.get(pages.Path + "/" + id + under).Want(404).Whole()
		}
		for _, under := range []string{"/modifier", "/essai", "/activer", "/desactiver", "/supprimer"} {
			s.post(pages.Path+"/"+id+under, "name", "x", "peer", "main").Want(404)
		}
	}
	s.get(pages.Path).Has(".empty")
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", pages.Locales, dispatch.Locales, channels.Locales, ui.Locales)
	for _, item := range pages.Rail() {
		if !i18ntest.Localizer(t, "en", pages.Locales).Has(item.Label) {
			t.Errorf("no sentence for %s", item.Label)
		}
	}
}
