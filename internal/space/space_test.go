package space_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/space"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

// ward is an establishment whose agents have spaces.
type ward struct {
	*space.Service
	t       *testing.T
	db      *storage.DB
	org     *organisation.Service
	dir     *directory.Directory
	air     *dispatchtest.Air
	clock   *clock.Fake
	keyring *vault.Vault
	scope   access.Scope
}

func each(t *testing.T, suite func(t *testing.T, w *ward)) {
	t.Parallel()
	storagetest.Each(t, []fs.FS{organisation.Migrations, directory.Migrations, journal.Migrations, jobs.Migrations, dispatch.Migrations, space.Migrations},
		func(t *testing.T, db *storage.DB) { suite(t, newWard(t, db)) })
}

func newWard(t *testing.T, db *storage.DB) *ward {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	w := &ward{t: t, db: db, clock: clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)), air: dispatchtest.NewAir(channels.SMS)}
	if w.keyring, err = vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.org = organisation.New(db, guard, w.clock)
	if w.dir, err = directory.New(db, guard, w.clock, w.org, vault.Derived{Key: "k1", Secret: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	catalog, err := i18n.Load(i18n.Locales, space.Locales)
	if err != nil {
		t.Fatal(err)
	}
	out := dispatchtest.Outbox(t, db, w.clock, nil, w.air)
	w.Service = space.New(space.Options{
		DB: db, Guard: guard, Clock: w.clock, Directory: w.dir, Dispatch: out, Organisation: w.org, Catalog: catalog, Vault: w.keyring,
		InviteBase: "https://t.example/espace/entrer/",
	})
	w.scope = w.establishment("CHU de Valbrume")
	dispatchtest.Gateway(t, out, access.System(w.scope.Organisation(), "test"), w.clock.Now(), w.air, 1, channels.Settings{"peer": "main"})
	if err := out.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Stop)
	return w
}

func (w *ward) establishment(name string) access.Scope {
	w.t.Helper()
	e, err := w.org.Create(w.t.Context(), access.Instance("test"), organisation.Establishment{Name: name, Zone: "Europe/Paris"})
	if err != nil {
		w.t.Fatal(err)
	}
	return access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "M. Annuaire"}, true, access.DirectoryManager)
}

func (w *ward) agent(n int) directory.Person {
	w.t.Helper()
	p, err := w.dir.Save(w.t.Context(), w.scope, directory.Person{LastName: fmt.Sprintf("AGENT%d", n), FirstName: "Camille", Contacts: []directory.ContactPoint{
		{Contact: directory.Contact{Kind: directory.Mobile, Address: fmt.Sprintf("+3363998%04d", n)}},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// invited is the code that somebody receives.
func (w *ward) invited(p directory.Person) string {
	w.t.Helper()
	before := w.air.Count()
	if _, err := w.Invite(w.t.Context(), w.scope, p.ID); err != nil {
		w.t.Fatal(err)
	}
	storagetest.Eventually(w.t, time.Minute, "the invitation leaves", func() bool { return w.air.Count() > before })
	return path.Base(w.air.Sent()[before].Link)
}

// holder is the open space of somebody on a new device.
func (w *ward) holder(p directory.Person) space.Holder {
	w.t.Helper()
	token, err := w.Enrol(w.t.Context(), w.invited(p), "Firefox/140.0 Android", "192.0.2.1", w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	h, err := w.Open(w.t.Context(), token, w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.Advance(15 * time.Minute) // the next invitation may leave
	return h
}

func (w *ward) wants(err error, key string) {
	w.t.Helper()
	if e := fault.As(err); e == nil || e.Key != key {
		w.t.Errorf("got %v, want %s", err, key)
	}
}

func TestAnInvitationServesOnceAndADay(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		code := w.invited(w.agent(1))
		var mu sync.Mutex
		var tokens []string
		var all sync.WaitGroup
		for range 4 { // of those who press at once, one enters
			all.Go(func() {
				if token, err := w.Enrol(t.Context(), code, "Firefox/140.0", "", w.clock.Now()); err == nil {
					mu.Lock()
					defer mu.Unlock()
					tokens = append(tokens, token)
				}
			})
		}
		all.Wait()
		if len(tokens) != 1 {
			t.Fatalf("%d devices of one invitation", len(tokens))
		}
		if _, found, err := w.Invitation(t.Context(), code, w.clock.Now()); err != nil || found {
			t.Errorf("a used invitation is shown: %v", err)
		}
		w.clock.Advance(time.Hour)
		late := w.invited(w.agent(2))
		w.clock.Advance(space.InvitationLife)
		_, err := w.Enrol(t.Context(), late, "", "", w.clock.Now())
		w.wants(err, "space.invitation.unknown")
		for _, wrong := range []string{"", code[1:], code + "x", tokens[0]} {
			_, err := w.Enrol(t.Context(), wrong, "", "", w.clock.Now())
			w.wants(err, "space.invitation.unknown")
		}
		if _, err := w.Open(t.Context(), code, w.clock.Now()); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a code opens a space: %v", err)
		}
		w.clock.Advance(space.DeviceLife)
		if _, err := w.Open(t.Context(), tokens[0], w.clock.Now()); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a device of last year opens: %v", err)
		}
	})
}

func TestAnotherEstablishmentSeesNoDeviceAndShutsNone(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		h := w.holder(who)
		other := w.establishment("Clinique du Parc")
		if list, err := w.Devices(t.Context(), other, who.ID); err == nil || len(list) != 0 {
			t.Errorf("another establishment lists %v", list)
		}
		w.wants(w.Revoke(t.Context(), other, who.ID, h.Device.ID), "space.device.unknown")
		if _, err := w.Invite(t.Context(), other, who.ID); err == nil {
			t.Error("another establishment invites")
		}
		reader := access.For(w.scope.Organisation(), access.Actor{Kind: access.Person}, true, access.Reader)
		if err := w.Revoke(t.Context(), reader, who.ID, h.Device.ID); !fault.Is(err, fault.Denied) {
			t.Errorf("a reader shuts a device: %v", err)
		}
		w.wants(w.RevokeOwn(t.Context(), w.holder(w.agent(2)), h.Device.ID, ""), "space.device.unknown")
		if list, err := w.Devices(t.Context(), w.scope, who.ID); err != nil || len(list) != 1 {
			t.Errorf("%v, %v", list, err)
		}
	})
}

func subscription(t *testing.T, endpoint string) space.Subscription {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return space.Subscription{Endpoint: endpoint, Key: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), Secret: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()[:16])}
}

// kept is all that the database has of the notifications of a device.
func (w *ward) kept(device uuid.UUID) (text []byte) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), w.scope, func(tx *storage.Tx) error {
		var endpoint, key, secret string
		var sealed []byte
		_, err := tx.Row(w.t.Context(), `SELECT endpoint, peer_key, peer_secret, sealed FROM space_devices WHERE organisation_id = $1 AND id = $2`,
			[]any{w.scope.Organisation(), device}, &endpoint, &key, &secret, &sealed)
		text = append([]byte(endpoint+key+secret), sealed...)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return text
}

func (w *ward) only(p directory.Person) channels.Device {
	w.t.Helper()
	list, err := w.DevicesOf(w.t.Context(), p.ID.String())
	if err != nil || len(list) != 1 {
		w.t.Fatalf("%d devices are notified, %v", len(list), err)
	}
	return list[0]
}

func TestWhereANotificationGoesIsSealed(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		h := w.holder(who)
		x := subscription(t, "https://updates.push.services.mozilla.com/wpush/v2/secret")
		if err := w.Subscribe(t.Context(), h, x, ""); err != nil {
			t.Fatal(err)
		}
		hidden := func(when string) {
			t.Helper()
			for _, part := range []string{x.Endpoint, x.Key, x.Secret} {
				if bytes.Contains(w.kept(h.Device.ID), []byte(part)) {
					t.Errorf("%s: the database shows %s", when, part)
				}
			}
			if d := w.only(who); d.Endpoint != x.Endpoint || d.Key != x.Key || d.Secret != x.Secret {
				t.Errorf("%s: the channel is told %+v", when, d)
			}
		}
		hidden("subscribed")

		// What an earlier version wrote is read as it is, and sealed at night.
		if err := w.db.Write(t.Context(), w.scope, func(tx *storage.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE space_devices SET endpoint = $3, peer_key = $4, peer_secret = $5, sealed = NULL WHERE organisation_id = $1 AND id = $2`,
				w.scope.Organisation(), h.Device.ID, x.Endpoint, x.Key, x.Secret)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if d := w.only(who); d.Endpoint != x.Endpoint || d.Key != x.Key {
			t.Errorf("of an earlier version: %+v", d)
		}
		if _, err := w.Sweep(t.Context(), w.clock.Now()); err != nil {
			t.Fatal(err)
		}
		hidden("after the night")

		// The browser changed hands: it notifies its last holder only.
		heir := w.agent(2)
		if err := w.Subscribe(t.Context(), w.holder(heir), x, ""); err != nil {
			t.Fatal(err)
		}
		if list, err := w.DevicesOf(t.Context(), who.ID.String()); err != nil || len(list) != 0 || len(w.kept(h.Device.ID)) != 0 {
			t.Errorf("the last holder but one is still notified: %v, %v", list, err)
		}
		d := w.only(heir)
		if err := w.Gone(t.Context(), d.ID); err != nil || len(w.kept(d.ID)) != 0 {
			t.Errorf("of a device that is gone is kept %q, %v", w.kept(d.ID), err)
		}
	})
}
