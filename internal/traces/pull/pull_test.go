package pull_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/pull"
	"tocsin/internal/vault"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", pull.Locales)
}

type nobody struct{ traces.Base }

type house struct {
	*pull.Service
	t                *testing.T
	clock            *clock.Fake
	queue            *spool.Spool
	dir              string
	files            *files.Service
	opt              pull.Options
	admin, elsewhere access.Scope
	source           traces.Source
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewFake(time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)), dir: t.TempDir()}
	db := storagetest.SQLite(t, organisation.Migrations, journal.Migrations, traces.Migrations)
	guard, err := access.NewGuard()
	h.must(err)
	h.queue, err = spool.Open(filepath.Join(h.dir, "spool"), spool.Options{})
	h.must(err)
	t.Cleanup(func() { h.must(h.queue.Close()) })
	log := slog.New(slog.DiscardHandler)
	room := traces.New(traces.Options{DB: db, Guard: guard, Clock: h.clock, Log: log, Formats: func(*time.Location) []traces.Format { return []traces.Format{columns.Format{Name: columns.Pull}} }})
	room.Connect(h.queue, nobody{})
	h.files = files.New(files.Options{DB: db, Guard: guard, Clock: h.clock, Log: log, Traces: room, Dir: filepath.Join(h.dir, "files"), Node: "one"})
	keys, err := vault.Create(filepath.Join(h.dir, "tocsin.key"), h.clock.Now())
	h.must(err)
	h.opt = pull.Options{DB: db, Guard: guard, Clock: h.clock, Log: log, Traces: room, Files: h.files, Vault: keys}
	h.Service = pull.New(h.opt)
	t.Cleanup(func() { h.Close() })
	houses := organisation.New(db, guard, h.clock)
	for i, to := range []*access.Scope{&h.admin, &h.elsewhere} {
		e, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: []string{"CHU", "EHPAD"}[i]})
		h.must(err)
		*to = access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme Admin"}, true, access.Administrator)
	}
	h.source, _, err = room.Add(t.Context(), h.admin, traces.Wanted{Name: "DPI", Format: columns.Pull, Zone: "Europe/Paris"})
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err, errors.Unwrap(err))
	}
}

func (h *house) queued() (out []traces.Event) {
	h.t.Helper()
	r := spool.NewReader(filepath.Join(h.dir, "spool"), spool.Position{})
	for {
		b, err := r.Next(h.queue.Durable())
		if err != nil {
			h.must(r.Close())
			return out
		}
		var e traces.Event
		h.must(traces.ReadRecord(append([]byte(nil), b...), &e))
		out = append(out, e)
	}
}

// work lets a time pass and reads what is due, page after page.
func (h *house) work(d time.Duration) {
	h.t.Helper()
	for range int(d / time.Second) {
		h.clock.Advance(time.Second)
		_, err := h.Work(h.t.Context(), h.clock.Now())
		h.must(err)
	}
}

func (h *house) pull() pull.Pull {
	h.t.Helper()
	p, err := h.Get(h.t.Context(), h.admin, h.source.ID)
	h.must(err)
	return p
}

// begin connects, chooses "piste d'audit" and maps it.
func (h *house) begin(w pull.Settings, password string, pace pull.Pace) {
	h.t.Helper()
	ctx := h.t.Context()
	found, err := h.Connect(ctx, h.admin, h.source.ID, w, password)
	h.must(err)
	var table pull.Table
	for _, f := range found {
		if f.Name == odd {
			table = f
		}
	}
	if _, err = h.Choose(ctx, h.admin, h.source.ID, table); err != nil {
		h.t.Fatal(err, found)
	}
	sample, err := h.Sample(ctx, h.admin, h.source.ID, 10)
	h.must(err)
	guesses, _ := columns.Propose(sample.Header, sample.Cells())
	m := columns.Mapping{Cut: sample.Cut, Columns: sample.Header}
	for _, g := range guesses {
		m.Rules = append(m.Rules, g.Rule)
	}
	_, err = h.files.Save(ctx, h.admin, h.source.ID, m)
	h.must(err)
	_, err = h.Set(ctx, h.admin, h.source.ID, pace)
	h.must(err)
}

// odd is a table whose name needs care.
const odd = "piste d'audit; DROP"

func pace() pull.Pace {
	return pull.Pace{Key: []string{"id"}, Overlap: 3, Rate: 100, Every: 30}
}

// peer is a database with a table of audit of 1,200 rows, and how to add some.
type peer struct {
	settings pull.Settings
	password string
	exec     func(query string)
}

func (p peer) fill(quoted func(string) string, from, to int) {
	var values []string
	for i := from; i < to; i++ {
		values = append(values, p.row(i))
	}
	p.exec("INSERT INTO " + quoted(odd) + " VALUES " + strings.Join(values, ", "))
}

func (peer) row(i int) string {
	return fmt.Sprintf("(%d, '2026-11-30 %02d:%02d:%02d', 'agent%d', 'Consultation', '80%05d', 'DURAND')", i, i/3600%24, i/60%60, i%60, i%7, i)
}

const shape = " (id BIGINT PRIMARY KEY, quand TIMESTAMP NULL, login VARCHAR(40), action VARCHAR(40), ipp VARCHAR(40), nom VARCHAR(40))"

// postgres is a database of the server of the tests.
func postgres(t *testing.T) peer {
	t.Helper()
	address := storagetest.PostgresURL(t, organisation.Migrations)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	p := peer{pull.Settings{Driver: pull.PostgreSQL, Host: u.Hostname(), Port: port, Database: strings.TrimPrefix(u.Path, "/"), User: u.User.Username(), TLS: pull.TLSOff}, password, nil}
	p.exec = statements(t, "pgx", address)
	p.exec(`CREATE TABLE "` + odd + `"` + shape)
	p.fill(postgresName, 0, 1200)
	return p
}

func postgresName(s string) string { return `"` + s + `"` }

func statements(t *testing.T, driver, address string) func(string) {
	t.Helper()
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(query string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	suite(t, newHouse(t), postgres(t), postgresName)
}

// TestMariaDB runs where Debian's mariadb-server is installed.
func TestMariaDB(t *testing.T) {
	t.Parallel()
	server, err := exec.LookPath("mariadbd")
	if err != nil {
		t.Skip("no MariaDB on this machine: apt-get install mariadb-server")
	}
	suite(t, newHouse(t), mariadb(t, server), func(s string) string { return "`" + s + "`" })
}

func mariadb(t *testing.T, server string) peer {
	t.Helper()
	dir := t.TempDir()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if out, err := exec.CommandContext(t.Context(), "mariadb-install-db", "--no-defaults", "--datadir="+data, "--user="+me.Username, "--auth-root-authentication-method=normal", "--skip-test-db").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port that is free
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(server, "--no-defaults", "--datadir="+data, "--user="+me.Username, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(port), "--socket="+filepath.Join(dir, "s"), "--innodb-flush-log-at-trx-commit=0")
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := daemon.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = daemon.Wait() // it was killed
	})
	address := "root@tcp(127.0.0.1:" + strconv.Itoa(port) + ")/mysql"
	db, err := sql.Open("mysql", address)
	if err != nil {
		t.Fatal(err)
	}
	storagetest.Eventually(t, 30*time.Second, "MariaDB answers", func() bool { return db.PingContext(t.Context()) == nil })
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p := peer{pull.Settings{Driver: pull.MySQL, Host: "127.0.0.1", Port: port, Database: "dpi", User: "lecteur", TLS: pull.TLSOff}, "s3cret", statements(t, "mysql", address)}
	p.exec("CREATE DATABASE dpi")
	p.exec("CREATE USER lecteur@'127.0.0.1' IDENTIFIED BY 's3cret'")
	p.exec("GRANT SELECT ON dpi.* TO lecteur@'127.0.0.1'")
	p.exec = statements(t, "mysql", strings.TrimSuffix(address, "mysql")+"dpi")
	p.exec("CREATE TABLE `" + odd + "`" + strings.ReplaceAll(shape, "TIMESTAMP", "DATETIME"))
	p.fill(func(s string) string { return "`" + s + "`" }, 0, 1200)
	return p
}

// suite reads a table of audit of a real server: at its pace, over a restart, with
// rows committed late, by its number and by its time.
func suite(t *testing.T, h *house, p peer, quoted func(string) string) {
	t.Helper()
	ctx := t.Context()
	wrong := p.settings
	wrong.Database = "absente"
	_, err := h.Connect(ctx, h.admin, h.source.ID, wrong, p.password)
	if f := fault.As(err); f == nil || f.Key != "traces.pull.no_database" && f.Key != "traces.pull.denied" {
		t.Errorf("a database that is not there: %v", err)
	}
	h.begin(p.settings, p.password, pace())
	h.work(3 * time.Second)
	if got := h.pull(); got.Rows == 0 || got.Rows > 600 {
		t.Errorf("%d rows in 3 s at 100 a second, by pages of 500", got.Rows)
	}
	h.work(17 * time.Second)
	got := h.pull()
	if got.Reason != nil || got.Fresh != 1200 || !reflect.DeepEqual(got.Last, []string{"1199"}) || len(h.queued()) != 1200 {
		t.Fatalf("%+v %v", got, got.Reason)
	}
	e := h.queued()[61]
	if paris, err := time.LoadLocation("Europe/Paris"); err != nil || e.At != time.Date(2026, 11, 30, 0, 1, 1, 0, paris).UnixMicro() || e.Account != "agent5" || e.IPP != "8000061" || e.Action != traces.Read || e.Collector != columns.Pull {
		t.Errorf("%+v %s", e, e.Raw)
	}
	if !strings.HasPrefix(string(e.Raw), `{"id":"61","quand":"2026-11-30 00:01:01`) {
		t.Errorf("%s", e.Raw)
	}
	h.late(p, quoted)
	h.byTime(p, quoted)
}

// late adds rows before and after the last that was read, one further back than
// the overlap reaches, and has another program go on.
func (h *house) late(p peer, quoted func(string) string) {
	h.t.Helper()
	p.exec("DELETE FROM " + quoted(odd) + " WHERE id IN (5, 1197)")
	p.fill(quoted, 1197, 1198)
	p.fill(quoted, 1200, 1210)
	h.Close()
	h.Service = pull.New(h.opt)
	h.work(40 * time.Second)
	if got := h.pull(); got.Fresh != 1210 || len(h.queued()) != 1210 {
		h.t.Errorf("after the restart: %+v", got)
	}
	p.fill(quoted, 1212, 1213)
	h.work(40 * time.Second)
	p.fill(quoted, 1210, 1212) // committed late
	h.work(40 * time.Second)
	if got := h.pull(); got.Fresh != 1213 || got.Last[0] != "1212" {
		h.t.Errorf("rows committed late: %+v", got)
	}
	seen := map[string]bool{}
	for _, e := range h.queued() {
		if seen[e.Key] || e.Key == "" {
			h.t.Fatalf("twice: %s %s", e.Key, e.Raw)
		}
		seen[e.Key] = true
	}
}

// byTime reads the same table by its time, of which many rows have the same.
func (h *house) byTime(p peer, quoted func(string) string) {
	h.t.Helper()
	p.exec("UPDATE " + quoted(odd) + " SET quand = '2026-11-30 10:00:00' WHERE id < 700")
	before := len(h.queued())
	_, err := h.Set(h.t.Context(), h.admin, h.source.ID, pull.Pace{Key: []string{"quand"}, Overlap: 5, Rate: 50, Every: 30})
	h.must(err)
	h.work(60 * time.Second)
	seen := map[string]bool{}
	for _, e := range h.queued()[before:] {
		if seen[e.Key] {
			h.t.Fatalf("twice: %s", e.Raw)
		}
		seen[e.Key] = true
	}
	if got := h.pull(); len(seen) != 1212 || got.Reason != nil { // id 5 was removed
		h.t.Errorf("by time: %d rows, %+v", len(seen), got)
	}
}

func TestHoursPauseAndIsolation(t *testing.T) {
	t.Parallel()
	h, p := newHouse(t), postgres(t)
	ctx := t.Context()
	slow := pace()
	slow.From, slow.To = 2, 5 // noon in Paris is 13 h
	h.begin(p.settings, p.password, slow)
	if h.work(90 * time.Second); len(h.queued()) > 0 {
		t.Error("read outside the hours that are allowed")
	}
	h.must(h.Pause(ctx, h.admin, h.source.ID, true))
	h.clock.Advance(14 * time.Hour)
	if h.work(70 * time.Second); len(h.queued()) > 0 {
		t.Error("read while paused")
	}
	h.must(h.Pause(ctx, h.admin, h.source.ID, false))
	if h.work(5 * time.Second); len(h.queued()) == 0 {
		t.Error("not read within its hours")
	}
	// A password goes to the server it was given for, and to no other.
	moved := p.settings
	moved.Host = "localhost"
	if _, err := h.Connect(ctx, h.admin, h.source.ID, moved, ""); fault.As(err) == nil || fault.As(err).Key != "traces.pull.password" {
		t.Error(err)
	}
	if _, err := h.Connect(ctx, h.admin, h.source.ID, p.settings, ""); err != nil {
		t.Error(err)
	}
	for name, try := range map[string]func() error{
		"get":     func() error { _, err := h.Get(ctx, h.elsewhere, h.source.ID); return err },
		"tables":  func() error { _, err := h.Tables(ctx, h.elsewhere, h.source.ID); return err },
		"sample":  func() error { _, err := h.Sample(ctx, h.elsewhere, h.source.ID, 5); return err },
		"choose":  func() error { _, err := h.Choose(ctx, h.elsewhere, h.source.ID, pull.Table{Name: odd}); return err },
		"set":     func() error { _, err := h.Set(ctx, h.elsewhere, h.source.ID, pace()); return err },
		"pause":   func() error { return h.Pause(ctx, h.elsewhere, h.source.ID, true) },
		"connect": func() error { _, err := h.Connect(ctx, h.elsewhere, h.source.ID, p.settings, "x"); return err },
	} {
		if err := try(); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A table that went is said in one sentence, and asked again later.
	p.exec(`DROP TABLE "` + odd + `"`)
	h.work(70 * time.Second)
	if got := h.pull(); got.Reason == nil || got.Reason.Key != "traces.pull.no_table" || got.State != pull.Active {
		t.Errorf("%+v", got)
	}
	if _, err := h.Choose(ctx, h.admin, h.source.ID, pull.Table{Schema: "public", Name: `x"; DROP TABLE y; --`}); fault.As(err) == nil || fault.As(err).Key != "traces.pull.table" {
		t.Error(err)
	}
}

// TestNobodyAnswers asks a port on which nobody listens, by each driver, and a
// listener that says nothing of use.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port that is closed at once
	h.must(err)
	port := l.Addr().(*net.TCPAddr).Port
	h.must(l.Close())
	for _, driver := range pull.Drivers() {
		_, err := h.Connect(t.Context(), h.admin, h.source.ID, pull.Settings{Driver: driver, Host: "127.0.0.1", Port: port, Database: "x", User: "x", TLS: pull.TLSOff}, "m0t-de-passe")
		if f := fault.As(err); f == nil || f.Key != "traces.pull.unreachable" || strings.Contains(err.Error(), "m0t-de-passe") {
			t.Errorf("%s: %v", driver, err)
		}
	}
	for field, w := range map[string]pull.Settings{
		"driver": {Driver: "dbase"}, "host": {Driver: pull.MySQL, Host: "a:3306"}, "port": {Driver: pull.MySQL, Host: "a"},
		"database": {Driver: pull.MySQL, Host: "a", Port: 1}, "user": {Driver: pull.MySQL, Host: "a", Port: 1, Database: "x"}, "tls": {Driver: pull.MySQL, Host: "a", Port: 1, Database: "x", User: "x"},
	} {
		if _, err := h.Connect(context.Background(), h.admin, h.source.ID, w, ""); fault.As(err) == nil || fault.As(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestQueries shows what each database is asked: names quoted by its rules, values
// bound, rows bounded.
func TestQueries(t *testing.T) {
	t.Parallel()
	s := pull.Settings{Schema: "dbo", Table: `a]b"c` + "`", Columns: []pull.Column{{Name: "id", Kind: pull.Number}, {Name: "le jour", Kind: pull.Time}}, Key: []string{"le jour", "id"}}
	for driver, want := range map[string]string{
		pull.PostgreSQL: `SELECT "id", "le jour" FROM "dbo"."a]b""c` + "`" + `" WHERE ("le jour" > $1) OR ("le jour" = $2 AND "id" > $3) ORDER BY "le jour", "id" LIMIT 10`,
		pull.MySQL:      "SELECT `id`, `le jour` FROM `dbo`.`a]b\"c``` WHERE (`le jour` > ?) OR (`le jour` = ? AND `id` > ?) ORDER BY `le jour`, `id` LIMIT 10",
		pull.SQLServer:  `SELECT [id], [le jour] FROM [dbo].[a]]b"c` + "`" + `] WHERE ([le jour] > @p1) OR ([le jour] = @p2 AND [id] > @p3) ORDER BY [le jour], [id] OFFSET 0 ROWS FETCH NEXT 10 ROWS ONLY`,
		pull.Oracle:     `SELECT "id", "le jour" FROM "dbo"."a]b""c` + "`" + `" WHERE ("le jour" > :1) OR ("le jour" = :2 AND "id" > :3) ORDER BY "le jour", "id" FETCH NEXT 10 ROWS ONLY`,
	} {
		s.Driver = driver
		query, args := pull.Page(s, []any{"a", int64(2)}, 10)
		if query != want || !reflect.DeepEqual(args, []any{"a", "a", int64(2)}) {
			t.Errorf("%s\n%s\nwant\n%s\n%v", driver, query, want, args)
		}
		query, args = pull.Page(s, nil, 10)
		if !strings.Contains(query, " IS NOT NULL AND ") || len(args) > 0 {
			t.Error(query)
		}
	}
}
