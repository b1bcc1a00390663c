package stories_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/app"
	"tocsin/internal/channels"
	"tocsin/internal/config"
	"tocsin/internal/journal"
	"tocsin/internal/storage/storagetest"
)

const backupPhrase = "cheval agrafe batterie correct"

// The machine is lost in the middle of an alert, and the backup of that moment
// is restored on another machine, with the other engine: everybody is there,
// and nobody is called a second time.
func TestTheMachineIsLostAndTheBackupGoesToTheOtherEngine(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		for _, name := range []string{"Un", "Deux", "Trois"} {
			h.agent(name, "ide")
		}
		l := h.launch(recall())
		h.settle()
		file := filepath.Join(t.TempDir(), "tocsin.sauvegarde")
		command(t, 0, h.on, "backup", file)
		if said := command(t, 1, h.on, "backup", file); !strings.Contains(said, file) {
			t.Errorf("a backup that exists is not named: %s", said)
		}

		elsewhere := ""
		if h.on.DatabaseURL == "" {
			elsewhere = storagetest.PostgresURL(t)
		}
		other := settings(t, elsewhere)
		command(t, 0, other, "restore", file)
		command(t, 1, other, "restore", file) // somebody lives there now
		twin := *h
		twin.on, twin.sms, twin.mail = other, newPost(&twin, channels.SMS), newPost(&twin, channels.Email)
		twin.open()
		defer twin.shut()
		twin.start()
		twin.settle()
		if n := len(twin.sms.all("")); n != 0 {
			t.Errorf("%d people called again by the restored house", n)
		}
		got, err := twin.Alerting.LaunchByID(t.Context(), twin.scope, l.ID)
		if err != nil || got.State != alerting.Killed {
			t.Errorf("the alert of then: %+v %v", got, err)
		}
		if e := journaled(t, &twin, "instance.restore"); e != 1 {
			t.Errorf("%d lines of the restore in the journal", e)
		}
		if e := journaled(t, h, "instance.backup"); e != 1 {
			t.Errorf("%d lines of the backup in the journal", e)
		}
	})
}

// A backup that is damaged touches nothing, and what --replace put aside comes
// back when the restore fails.
func TestADamagedBackupTouchesNothing(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		h.agent("Seul", "ide")
		h.settle()
		file := filepath.Join(t.TempDir(), "tocsin.sauvegarde")
		command(t, 0, h.on, "backup", file)
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		h.Dispatch.Stop()
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{"cut": whole[:len(whole)-100], "changed": flipped(whole), "empty": nil} {
			if err := os.WriteFile(file+name, text, 0o600); err != nil {
				t.Fatal(err)
			}
			command(t, 1, h.on, "restore", "--replace", file+name)
		}
		h.open()
		if got := h.number(`SELECT COUNT(*) FROM directory_people`); got != 1 {
			t.Errorf("%d people after refused restores, want 1", got)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		said := command(t, 0, h.on, "restore", "--replace", file)
		if !strings.Contains(said, "avant") {
			t.Errorf("what was put aside is not named: %s", said)
		}
		h.open()
		h.start()
		if got := h.number(`SELECT COUNT(*) FROM directory_people`); got != 1 {
			t.Errorf("%d people after the restore, want 1", got)
		}
	})
}

func flipped(whole []byte) []byte {
	out := slices.Clone(whole)
	out[len(out)/2] ^= 1
	return out
}

// command runs the program as the person at the machine does.
func command(t *testing.T, want int, on *config.Server, args ...string) string {
	t.Helper()
	args = append(args, "--data", on.Data, "--key-file", on.KeyFile, "--public-url", on.PublicURL, "--log-level", "error", "--backup-passphrase", backupPhrase)
	if on.DatabaseURL != "" {
		args = append(args, "--database-url", on.DatabaseURL)
	}
	var out, errs bytes.Buffer
	if got := app.Main(args, strings.NewReader(""), &out, &errs); got != want {
		t.Fatalf("%v: exit %d, want %d: %s%s", args[:2], got, want, &out, &errs)
	}
	return out.String() + errs.String()
}

func journaled(t *testing.T, h *hospital, action string) int {
	t.Helper()
	list, err := h.Journal.Search(t.Context(), access.System(h.scope.Organisation(), "story"), journal.Filter{Action: action})
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
