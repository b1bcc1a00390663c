package app_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/app"
	"tocsin/internal/channels"
	"tocsin/internal/config"
	"tocsin/internal/dispatch"
)

// tells runs the program, in English, and gives what it said, on both outputs.
func tells(t *testing.T, want int, args ...string) string {
	t.Helper()
	t.Setenv("LC_ALL", "en_US.UTF-8")
	var out, errs bytes.Buffer
	if got := app.Main(append(args, "--log-level", "error"), strings.NewReader(""), &out, &errs); got != want {
		t.Fatalf("%v: exit %d, want %d: %s%s", args, got, want, &out, &errs)
	}
	return out.String() + errs.String()
}

// The doctor says what is wrong before there is anything to examine, and leaves no
// data behind where there was none.
func TestDoctorBeforeTheFirstEstablishment(t *testing.T) {
	folder := t.TempDir()
	data, key := filepath.Join(folder, "data"), filepath.Join(folder, "tocsin.key")
	if said := tells(t, 1, "doctor", "--data", data, "--key-file", key); !strings.Contains(said, data) {
		t.Errorf("the folder is not named: %s", said)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("the doctor left %v, %v", left, err)
	}
	s := &config.Server{Listen: "127.0.0.1:0", Data: data, KeyFile: key, LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris"}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	h, err := app.Build(t.Context(), app.Plan{Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	said := tells(t, 1, "doctor", "--data", data, "--key-file", key)
	for _, want := range []string{"The database (sqlite) answers", "tocsin.key", "first-start link"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
}

// A database that does not let us in is named, and why; its password is not.
func TestDoctorSaysWhichDatabase(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "tocsin.key")
	said := tells(t, 1, "doctor", "--database-url", "postgres://tocsin:motdepasse-secret@"+address+"/tocsin", "--key-file", key)
	if !strings.Contains(said, "Nothing listens at "+address) || strings.Contains(said, "secret") {
		t.Errorf("said %s", said)
	}
}

// Two gateways that do not answer are both named: the first one found does not
// hide the other.
func TestDoctorNamesEveryGatewayThatDoesNotAnswer(t *testing.T) {
	folder := t.TempDir()
	data, key := filepath.Join(folder, "data"), filepath.Join(folder, "tocsin.key")
	establish(t, data, key)
	s := &config.Server{Listen: "127.0.0.1:0", PublicURL: "https://tocsin.test", Data: data, KeyFile: key, LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris"}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	h, err := app.Build(t.Context(), app.Plan{Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	houses, err := h.Houses.List(t.Context(), access.Instance("test"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Relais du siège", "Relais de secours"} {
		if _, err := h.Dispatch.CreateGateway(t.Context(), access.System(houses[0].ID, "test"), h.Clock.Now(), dispatch.GatewayInput{
			Name: name, Kind: "smtp", Enabled: true, Settings: channels.Settings{"host": "127.0.0.1", "port": "1", "from": "tocsin@ch.example", "tls": "none"},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	said := tells(t, 1, "doctor", "--data", data, "--key-file", key, "--public-url", "https://tocsin.test")
	for _, want := range []string{"Broken       Gateways: 2 gateways of 2", "“Relais du siège”:", "“Relais de secours”:"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
}

// A second program started by mistake on the same address does not make the
// link of the first start worthless.
func TestTheFirstLinkIsNotTakenAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	folder := t.TempDir()
	said := tells(t, 1, "serve", "--listen", l.Addr().String(), "--data", filepath.Join(folder, "data"), "--key-file", filepath.Join(folder, "tocsin.key"))
	if strings.Contains(said, "/bienvenue/") || !strings.Contains(said, "already taken") {
		t.Errorf("said %s", said)
	}
}
