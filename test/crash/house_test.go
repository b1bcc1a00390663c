package crash_test

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/app"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/config"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/document/table"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// inFlight bounds what a gateway may hold, so the doubles of a crash; rate is
// slow enough for a crash to fall in the middle of an alert.
const (
	inFlight = 128
	rate     = 400
)

// installation is a folder of data with a hospital, and the means to look into it.
type installation struct {
	t      *testing.T
	folder string
	// database is the PostgreSQL of several nodes; empty for an SQLite file.
	database string
	scope    access.Scope
	house    *app.House
}

func install(t *testing.T) *installation {
	t.Helper()
	return installOn(t, "")
}

func installOn(t *testing.T, database string) *installation {
	t.Helper()
	i := &installation{t: t, folder: t.TempDir(), database: database}
	i.furnish()
	return i
}

// furnish makes the hospital.
func (i *installation) furnish() {
	i.t.Helper()
	i.open()
	e, err := i.house.Houses.Create(i.t.Context(), access.Instance("crash"), organisation.Establishment{Name: "CHU de Valbrume", Language: "fr"})
	if err != nil {
		i.t.Fatal(err)
	}
	i.scope = access.Instance("crash").Within(e.ID)
}

// open looks into the data beside the program, without doing any of its work.
func (i *installation) open() {
	i.t.Helper()
	s := &config.Server{Listen: "127.0.0.1:0", PublicURL: "https://tocsin.test", Data: i.data(), KeyFile: i.key(), DatabaseURL: i.database, LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris"}
	if err := s.Validate(); err != nil {
		i.t.Fatal(err)
	}
	var err error
	if i.house, err = app.Build(i.t.Context(), app.Plan{Settings: s}); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() {
		if err := i.house.Close(); err != nil {
			i.t.Errorf("close: %v", err)
		}
	})
}

func (i *installation) data() string { return filepath.Join(i.folder, "data") }
func (i *installation) key() string  { return filepath.Join(i.folder, "tocsin.key") }
func (i *installation) flags() []string {
	flags := []string{"--data", i.data(), "--key-file", i.key(), "--public-url", "https://tocsin.test", "--log-level", "warn"}
	if i.database != "" {
		flags = append(flags, "--database-url", i.database)
	}
	return flags
}

// serve starts the program on this data and waits for its pages.
func (i *installation) serve() *process {
	i.t.Helper()
	listen := freePort(i.t)
	p := start(i.t, nil, append([]string{"serve", "--listen", listen}, i.flags()...)...)
	listens(i.t, listen, p)
	return p
}

// command runs one command line on this data.
func (i *installation) command(words ...string) *process {
	i.t.Helper()
	return start(i.t, nil, append(words, i.flags()...)...)
}

// people imports a hospital of n, whose first name says which file they come from.
func (i *installation) people(n int, generation string) {
	i.t.Helper()
	text := staff(n, generation)
	rows, err := table.Open(strings.NewReader(text), int64(len(text)), "personnel.csv", table.DefaultLimits())
	if err != nil {
		i.t.Fatal(err)
	}
	staged, err := i.house.Directory.Stage(i.t.Context(), i.scope, rows, directory.File{Name: "personnel.csv"})
	if err != nil {
		i.t.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		i.t.Fatal(err)
	}
	if _, err := i.house.Directory.Preview(i.t.Context(), i.scope, staged.ID); err != nil {
		i.t.Fatal(err)
	}
	if done, err := i.house.Directory.Confirm(i.t.Context(), i.scope, staged.ID); err != nil || done.Summary.New != n {
		i.t.Fatalf("%d people of %d: %v", done.Summary.New, n, err)
	}
}

// staff is a file of n people with numbers of the ranges reserved for fiction.
func staff(n int, generation string) string {
	var b bytes.Buffer
	b.WriteString("Matricule;Nom;Prénom;Métier;Portable\n")
	for k := range n {
		fmt.Fprintf(&b, "M%06d;Nom%d;%s;IDE;06 39 98 %02d %02d\n", k, k, generation, k/100, k%100)
	}
	return b.String()
}

func (i *installation) file(name, text string) string {
	i.t.Helper()
	path := filepath.Join(i.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		i.t.Fatal(err)
	}
	return path
}

// gateway leads to the simulated operator.
func (i *installation) gateway(n *network) { i.t.Helper(); i.gatewayBy(n.smpp, nil) }

// gatewayBy leads to it by a road, with more settings.
func (i *installation) gatewayBy(address string, more channels.Settings) {
	i.t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		i.t.Fatal(err)
	}
	settings := channels.Settings{"host": host, "port": port, "system_id": "tocsin", "source": "38000", "rate": strconv.Itoa(rate)}
	maps.Copy(settings, more)
	if _, err := i.house.Dispatch.CreateGateway(i.t.Context(), i.scope, now(), dispatch.GatewayInput{
		Kind: "smpp", Name: "Opérateur", Enabled: true, InFlight: inFlight, Settings: settings,
	}); err != nil {
		i.t.Fatal(err)
	}
}

func now() time.Time { return clock.Real().Now() }

// scenario keeps one that calls everybody by SMS, and returns its id.
func (i *installation) scenario() string {
	i.t.Helper()
	sheet, err := i.house.Alerting.Improvise(i.t.Context(), i.scope, now(), alerting.Improvisation{Title: "Afflux", Text: "Venez aux urgences", AskAnswer: true})
	if err != nil {
		i.t.Fatal(err)
	}
	// A blank sheet serves once; a scenario that stays is launched from the command line.
	sc, err := i.house.Alerting.DuplicateScenario(i.t.Context(), i.scope, now(), sheet.ID)
	if err != nil {
		i.t.Fatal(err)
	}
	return sc.ID.String()
}

// launch starts an alert by the command line.
func (i *installation) launch(scenario string) *process {
	i.t.Helper()
	return i.command("alert", "launch", scenario, "--mode", "reel", "--ordered-by", "Dr Ordre", "--go")
}

// number reads one figure of the data.
func (i *installation) number(query string, args ...any) (n int) {
	i.t.Helper()
	if err := i.house.DB.Read(i.t.Context(), access.Instance("crash"), func(tx *storage.Tx) error {
		_, err := tx.Row(i.t.Context(), query, args, &n)
		return err
	}); err != nil {
		i.t.Fatal(err)
	}
	return n
}

// flagged are the numbers said to have been called twice, perhaps.
func (i *installation) flagged() map[string]bool {
	i.t.Helper()
	out := map[string]bool{}
	if err := i.house.DB.Read(i.t.Context(), access.Instance("crash"), func(tx *storage.Tx) error {
		return tx.Query(i.t.Context(), `SELECT address FROM dispatch_deliveries WHERE possible_double`, nil, func(row func(...any) error) error {
			var address string
			err := row(&address)
			out[strings.TrimPrefix(address, "+")] = true
			return err
		})
	}); err != nil {
		i.t.Fatal(err)
	}
	return out
}

// reached waits until the operator has taken that many messages, doubles apart.
func (n *network) reached(count int) {
	n.t.Helper()
	storagetest.Eventually(n.t, patience, fmt.Sprintf("message %d", count), func() bool { return n.sms().Distinct >= count })
}
