package stories_test

import (
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/backup"
	"tocsin/internal/directory"
	"tocsin/internal/directory/feed"
	"tocsin/internal/dispatch"
	"tocsin/internal/hooks"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/space"
	spacepages "tocsin/internal/space/pages"
	"tocsin/internal/storage"
)

// The keyring is rotated at the machine while the program works: who signs in
// with an authenticator still does, the gateways still send, and a backup of the
// day before can still be read.
func TestKeysAreRotatedWhileTheProgramWorks(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		who := identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "garde@valbrume.example", access.Launcher)
		before := h.Vault.Keys()[0].ID
		if said := command(t, 0, h.on, "keys", "rotate"); !strings.Contains(said, "4 ") {
			t.Errorf("an authenticator, its recovery codes and the secrets of the gateways are sealed again: %s", said)
		}
		if said := command(t, 0, h.on, "keys", "list"); !strings.Contains(said, before) || len(strings.Split(strings.TrimSpace(said), "\n")) != 2 {
			t.Errorf("keys: %s", said)
		}
		// The running program reads what the new key sealed.
		step, err := h.Accounts.SignIn(t.Context(), identitytest.Here(), who.Login, identitytest.Password)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Accounts.ProveCode(t.Context(), identitytest.Here(), step.Token, who.Code(t, 30*time.Second)); err != nil {
			t.Errorf("the authenticator after the rotation: %v", err)
		}
		gateways, err := h.Dispatch.Gateways(t.Context(), access.System(h.scope.Organisation(), "story"))
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range gateways {
			if _, err := h.Dispatch.UpdateGateway(t.Context(), access.System(h.scope.Organisation(), "story"), h.now(), g.ID, dispatch.GatewayInput{
				Name: g.Name + " bis", Kind: g.Kind, Settings: g.Settings, Priority: g.Priority, InFlight: g.InFlight, Enabled: g.Enabled,
			}); err != nil {
				t.Errorf("gateway %s after the rotation: %v", g.Name, err)
			}
		}
		if n := journaled(t, h, "instance.rotate"); n != 1 {
			t.Errorf("%d lines of the rotation in the journal", n)
		}
	})
}

// sealedColumns are those whose values the keyring seals.
func sealedColumns() []string {
	return []string{
		"directory_feeds.secrets", "dispatch_gateways.secrets", "hooks_doors.old_secret", "hooks_doors.secret", "hooks_subscriptions.old_secret", "hooks_subscriptions.secret",
		"identity_accounts.totp_sealed", "identity_envelopes.pending", "identity_sessions.codes_pending", "identity_sessions.totp_pending", "space_codes.sealed", "space_devices.sealed",
		"traces_documents.sealed", "traces_pulls.secret",
	}
}

// plainColumns hold bytes that no key seals: digests, signatures, public keys, what
// is said to everybody who is called.
func plainColumns() []string {
	return []string{
		"dispatch_recording_parts.sound", "hooks_readers.code",
		"identity_challenges.key_hash", "identity_devices.token_hash", "identity_links.token_hash", "identity_passkeys.credential_id", "identity_recovery_codes.code_hash",
		"identity_sessions.token_hash", "identity_throttles.key_hash", "identity_tokens.token_hash", "journal_entries.seal_chain", "journal_entries.seal_digest",
		"journal_entries.seal_salt", "journal_heads.chain", "journal_heads.signature", "rest_keys.body", "rest_keys.fingerprint",
		"screens_screens.token_hash", "space_devices.token_hash", "space_invitations.code_hash", "traces_checkpoints.stamp", "traces_consumers.token_hash", "traces_files.sha256", "traces_lines.fresh", "traces_lines.known", "traces_log.hashes",
		"traces_pulls.recent", "traces_sources.token_hash",
	}
}

// After a rotation the keyring of before may be stolen, or lost: nothing in the
// data needs it. A column that a new room seals must be in this story, or it fails.
func TestNothingNeedsTheKeyOfBeforeARotation(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		s := h.secrets()
		old := h.Vault.Keys()[0].ID
		s.are(old)
		command(t, 0, h.on, "keys", "rotate")
		if err := h.Vault.Refresh(); err != nil {
			t.Fatal(err)
		}
		s.are(h.Vault.Keys()[0].ID)
		if said := command(t, 0, h.on, "keys", "list"); !strings.Contains(said, old) {
			t.Fatalf("the key of before stays in the keyring: %s", said)
		}
		h.forget(old)
		h.restart()
		s.work()
	})
}

// forget takes a key out of the keyring.
func (h *hospital) forget(id string) {
	h.t.Helper()
	text, err := os.ReadFile(h.on.KeyFile)
	if err != nil {
		h.t.Fatal(err)
	}
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, id) {
			kept.WriteString(line)
		}
	}
	if err := os.WriteFile(h.on.KeyFile, []byte(kept.String()), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// secrets is one of every kind of sealed secret.
type secrets struct {
	*hospital
	admin, newcomer *identitytest.Person
	envelope        uuid.UUID
	// code is on the envelope, half is the authenticator that is being set up.
	code, half string
	there      *receiver
	// signs are the secrets of the subscription, opens those of the door: the current one first.
	signs, opens []string
	door         caller
	server       feed.Feed
	// agent has a telephone that is notified at pushed.
	agent directory.Person
}

const pushed = "https://updates.push.services.mozilla.com/wpush/v2/rotation"

func (h *hospital) secrets() *secrets {
	t, ctx := h.t, h.t.Context()
	t.Helper()
	s := &secrets{hospital: h, there: newReceiver(t), agent: h.agent("Zéphyrin", "iade")}
	phone := &pocket{h: h}
	phone.ask(http.MethodPost, h.invited(s.agent), url.Values{})
	if a := phone.ask(http.MethodPost, spacepages.Path+"/notifications", subscription(t, pushed)); a.Code != http.StatusNoContent {
		t.Fatalf("a telephone asks to be notified: %d", a.Code)
	}
	if a := phone.ask(http.MethodPost, spacepages.Path+"/code", url.Values{"code": {ownCode}}); a.Code != http.StatusSeeOther {
		t.Fatalf("a code is chosen: %d", a.Code)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.admin = identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "reseau@valbrume.example", access.Administrator)
	var err error
	s.envelope, err = h.Accounts.MakeEnvelope(ctx, s.admin.Scope, "Coffre du standard")
	must(err)
	_, s.code, err = h.Accounts.EnvelopeCode(ctx, s.admin.Scope, s.envelope)
	must(err)
	s.newcomer = identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "lecture@valbrume.example", access.Reader)
	half, err := h.Accounts.BeginTOTP(ctx, s.newcomer.Scope, s.newcomer.Token)
	must(err)
	s.half = half.Secret
	told, before := h.subscribe(s.there.URL, hooks.Launched)
	after, err := h.Hooks.Rotate(ctx, h.admin(), h.now(), told.ID)
	must(err)
	s.signs = []string{after, before}
	must(h.Hooks.Try(ctx, h.admin(), h.now(), told.ID))
	s.door = h.door(func(*hooks.DoorInput) {})
	after, err = h.Hooks.RotateDoor(ctx, h.admin(), h.now(), s.door.door.ID)
	must(err)
	s.opens = []string{after, s.door.secret}
	s.server, err = h.Feeds.Save(ctx, access.System(h.scope.Organisation(), "story"), feed.Feed{
		Kind: "ldap", Name: "AD", Settings: feed.Settings{"host": "127.0.0.1", "port": "1", "base": "dc=valbrume", "user": "cn=lecture", "password": "bruyère"},
	})
	must(err)
	must(s.traces())
	return s
}

// traced is the id of what the traces keep under a key: the answer of a question,
// and the password of a table of audit.
var traced = uuid.MustParse("01939a00-0000-7000-8000-00000000a0d1")

func (s *secrets) traces() error {
	answer, err := s.Vault.Seal([]byte("réponse"), "traces.document "+traced.String())
	if err != nil {
		return err
	}
	password, err := s.Vault.Seal([]byte("bruyère"), "traces.pull "+traced.String())
	if err != nil {
		return err
	}
	ctx, scope := s.t.Context(), access.System(s.scope.Organisation(), "story")
	return s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO traces_documents (organisation_id, run_id, format, number, sha256, bytes, sealed) VALUES ($1, $2, 'pdf', 'Q-1', '', 7, $3)`, scope.Organisation(), traced, answer)
		if err == nil {
			_, err = tx.Exec(ctx, `INSERT INTO traces_pulls (organisation_id, source_id, driver, settings, secret, state, reason, last_key, recent, rows_read, rows_fresh, failures, due_us) VALUES ($1, $2, 'postgres', '{}', $3, 'draft', '', '', $4, 0, 0, 0, 0)`,
				scope.Organisation(), traced, password, []byte{})
		}
		return err
	})
}

// opened gives what the traces keep under a key.
func (s *secrets) opened(query, about string) (string, error) {
	var sealed []byte
	if err := s.DB.Read(s.t.Context(), access.System(s.scope.Organisation(), "story"), func(tx *storage.Tx) error {
		_, err := tx.Row(s.t.Context(), query, []any{s.scope.Organisation(), traced}, &sealed)
		return err
	}); err != nil {
		return "", err
	}
	text, err := s.Vault.Open(sealed, about+traced.String())
	return string(text), err
}

// are walks every column of bytes: those that are sealed have values, all under
// this key, and no other column exists that this story does not know.
func (s *secrets) are(key string) {
	s.t.Helper()
	found := map[string]int{}
	if err := s.DB.Read(s.t.Context(), access.Instance("story"), func(tx *storage.Tx) error {
		tables, err := backup.Tables(s.t.Context(), tx)
		if err != nil {
			return err
		}
		for _, table := range tables {
			for _, c := range table.Columns {
				if c.Kind != backup.Bytes || slices.Contains(plainColumns(), table.Name+"."+c.Name) {
					continue
				}
				if found[table.Name+"."+c.Name], err = s.under(tx, key, table.Name, c.Name); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, sealedColumns()) {
		s.t.Errorf("columns of bytes that are not known to be plain: %v, want %v", got, sealedColumns())
	}
	for name, n := range found {
		if n == 0 {
			s.t.Errorf("the story has nothing in %s", name)
		}
	}
}

// under counts the values of a column, which must all be sealed by this key.
func (s *secrets) under(tx *storage.Tx, key, table, column string) (n int, err error) {
	err = tx.Query(s.t.Context(), "SELECT "+column+" FROM "+table+" WHERE "+column+" IS NOT NULL", nil, func(row func(...any) error) error {
		var sealed []byte
		if err := row(&sealed); err != nil {
			return err
		}
		n++
		if len(sealed) < 5 || sealed[0] != 1 || hex.EncodeToString(sealed[1:5]) != key {
			s.t.Errorf("%s.%s has a value that key %s did not seal: %x", table, column, key, sealed[:min(len(sealed), 5)])
		}
		return nil
	})
	return n, err
}

// work uses every secret.
func (s *secrets) work() {
	t, ctx := s.t, s.t.Context()
	t.Helper()
	step, err := s.Accounts.SignIn(ctx, identitytest.Here(), s.admin.Login, identitytest.Password)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accounts.ProveCode(ctx, identitytest.Here(), step.Token, s.admin.Code(t, 30*time.Second)); err != nil {
		t.Errorf("an authenticator: %v", err)
	}
	if codes, err := s.Accounts.RecoveryCodes(ctx, s.admin.Scope, s.admin.Token); err != nil || len(codes.New) == 0 {
		t.Errorf("recovery codes not yet on paper: %v %v", codes, err)
	}
	if _, code, err := s.Accounts.EnvelopeCode(ctx, s.admin.Scope, s.envelope); err != nil || code != s.code {
		t.Errorf("an envelope not yet printed: %v", err)
	}
	if half, err := s.Accounts.BeginTOTP(ctx, s.newcomer.Scope, s.newcomer.Token); err != nil || half.Secret != s.half {
		t.Errorf("an authenticator being set up: %v", err)
	}
	if err := s.Space.JudgeCode(ctx, access.System(s.scope.Organisation(), "story"), s.agent.ID, ownCode, space.ByCall); err != nil {
		t.Errorf("a personal code: %v", err)
	}
	if found, err := s.Space.DevicesOf(ctx, s.agent.ID.String()); err != nil || len(found) != 1 || found[0].Endpoint != pushed {
		t.Errorf("where a telephone is notified: %v %v", found, err)
	}
	s.links()
	if text, err := s.opened(`SELECT sealed FROM traces_documents WHERE organisation_id = $1 AND run_id = $2`, "traces.document "); err != nil || text != "réponse" {
		t.Errorf("the answer of a kept question: %q %v", text, err)
	}
	if text, err := s.opened(`SELECT secret FROM traces_pulls WHERE organisation_id = $1 AND source_id = $2`, "traces.pull "); err != nil || text != "bruyère" {
		t.Errorf("the password of a table of audit: %q %v", text, err)
	}
	system := access.System(s.scope.Organisation(), "story")
	if _, err := s.Feeds.Save(ctx, system, s.server); err != nil {
		t.Errorf("a directory server: %v", err)
	}
	gateways, err := s.Dispatch.Gateways(ctx, system)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range gateways {
		if _, err := s.Dispatch.UpdateGateway(ctx, system, s.now(), g.ID, dispatch.GatewayInput{
			Name: g.Name + " ter", Kind: g.Kind, Settings: g.Settings, Priority: g.Priority, InFlight: g.InFlight, Enabled: g.Enabled,
		}); err != nil {
			t.Errorf("gateway %s: %v", g.Name, err)
		}
	}
}

// links uses the secrets shared with other programs.
func (s *secrets) links() {
	s.t.Helper()
	s.tell()
	all := s.there.all()
	for _, m := range all {
		if m.signature != signed(s.signs[0], m.id, m.stamp, m.body)+" "+signed(s.signs[1], m.id, m.stamp, m.body) {
			s.t.Errorf("a message told: %q", m.signature)
		}
	}
	if len(all) != 1 {
		s.t.Errorf("%d messages told", len(all))
	}
	s.door.h = s.hospital
	for i, secret := range s.opens {
		s.door.secret = secret
		if status, said := s.door.bearer(`{"key":"onduleur-` + string(rune('a'+i)) + `","variables":{"salle":"serveurs"}}`); status >= http.StatusBadRequest {
			s.t.Errorf("a door: %d %v", status, said)
		}
	}
}
