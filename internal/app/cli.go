package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"tocsin/internal/access"
	"tocsin/internal/bench"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

// commands is the command line.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Serve the pages and send alerts, until stopped."`
	Demo     demoCommand     `cmd:"" help:"Show a mobilisation: an invented hospital of 4,300 people on a simulated telephone network."`
	Alert    alertCommand    `cmd:"" help:"Launch, follow and end alerts from this machine."`
	Import   importCommand   `cmd:"" help:"Import a staff file (CSV or XLSX) into the directory."`
	Export   exportCommand   `cmd:"" help:"Write the directory into a CSV file."`
	User     userCommand     `cmd:"" help:"Accounts: first link, add, list, roles, reset, disable."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the schema of the data up to date, or show its state."`
	Backup   backupCommand   `cmd:"" help:"Write all the data into one file, sealed by a passphrase, while Tocsin works."`
	Restore  restoreCommand  `cmd:"" help:"Put a backup back, into SQLite or PostgreSQL, or only read it whole."`
	Keys     keysCommand     `cmd:"" help:"List the keys of the keyring, or rotate them."`
	Journal  journalCommand  `cmd:"" help:"Verify, export or erase from the sealed journal."`
	Doctor   doctorCommand   `cmd:"" help:"Test everything that is configured and say in plain words what is wrong."`
	Watch    watchCommand    `cmd:"" help:"On another machine: tell somebody by SMS or e-mail when Tocsin stops answering, and when it is back."`
	Rehearse rehearseCommand `cmd:"" help:"Play a scenario on a simulated clock and network: nothing leaves."`
	Bench    benchCommand    `cmd:"" help:"Measure this machine and this program."`
	Lab      labCommand      `cmd:"" hidden:"" help:"The laboratory: a simulated telephone network, and the traces of an invented hospital."`
	Traces   tracesCommand   `cmd:"" help:"Traces: verify that sealed ones were not altered, try the Sigma rules of a folder."`
	Version  versionCommand  `cmd:"" help:"Print the version."`

	BenchChild benchChild `cmd:"" hidden:"" help:"Run one step of a measurement."`
}

// session is what every command receives.
type session struct {
	ctx context.Context
	in  io.Reader
	out io.Writer
	err io.Writer
	// openBase opens a base of traces; nil in a program built without one.
	openBase OpenBase
	// measureBase is what the bench asks of it.
	measureBase *bench.TraceBase
}

// Main runs one command and returns the exit status: 0 done, 1 it failed,
// 2 the command line or the settings cannot be used.
func Main(args []string, in io.Reader, out, errOut io.Writer, parts ...Part) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &session{ctx: ctx, in: in, out: out, err: errOut}
	for _, part := range parts {
		part(s)
	}
	var c commands
	exited := -1
	options := append(config.Find(args, os.LookupEnv).Options(),
		kong.Name("tocsin"), kong.Description("Tocsin alerts and mobilises the staff of a hospital, and goes on working when its computers do not."),
		kong.UsageOnError(), kong.Writers(out, errOut), kong.Exit(func(code int) { exited = code }), kong.Bind(s), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	parser, err := kong.New(&c, options...)
	if err != nil {
		s.say(err)
		return 2
	}
	chosen, err := parser.Parse(args)
	if exited >= 0 { // --help was shown
		return exited
	}
	if err != nil {
		s.say(err)
		return 2
	}
	if err := chosen.Run(s); err != nil {
		s.say(err)
		return 1
	}
	return 0
}

// say prints an error as one sentence for each fault in it.
func (s *session) say(err error) {
	loc := s.words()
	faults := config.Faults(err)
	for _, f := range faults {
		writeLine(s.err, "tocsin: "+loc.Fault(f))
	}
	if len(faults) > 0 {
		return
	}
	if fault.As(err) != nil {
		writeLine(s.err, "tocsin: "+loc.Fault(err))
		return
	}
	writeLine(s.err, "tocsin: "+err.Error())
}

// words are the sentences in the language of the terminal.
func (s *session) words() *i18n.Localizer {
	catalog, err := Catalog()
	if err != nil {
		// The catalogues are inside the program and tested: this is a broken build.
		panic(err)
	}
	lang := i18n.English
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if len(v) >= 2 && v[:2] == "fr" {
				lang = i18n.French
			}
			break
		}
	}
	return catalog.For(lang)
}

func (s *session) printf(format string, args ...any) { writeLine(s.out, fmt.Sprintf(format, args...)) }

// writeLine writes to the terminal; a terminal that is gone has nobody to tell.
func writeLine(w io.Writer, line string) {
	if _, err := fmt.Fprintln(w, line); err != nil {
		slog.Debug("terminal", "error", err)
	}
}

// logger is the log of the installation.
func logger(w io.Writer, s *config.Server) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.Level()}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// console is the scope of the command line: whoever may run it holds the machine.
func console() access.Scope { return access.Instance("cli") }

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s *session) error {
	s.printf("tocsin %s", Version)
	return nil
}

type migrateCommand struct {
	config.Server
	Status bool `help:"Only show which steps are applied."`
}

// Run migrates, or shows the state of the schema.
func (m *migrateCommand) Run(s *session) error {
	log := logger(s.err, &m.Server)
	if !m.Status {
		db, err := OpenData(s.ctx, &m.Server, log)
		if err != nil {
			return err
		}
		s.printf("The schema is up to date.")
		return db.Close()
	}
	return m.status(s)
}
