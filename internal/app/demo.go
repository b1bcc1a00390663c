package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/config"
	"tocsin/internal/demo"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/document/table"
	"tocsin/internal/organisation"
)

type demoCommand struct {
	Port   int     `default:"8080" help:"Port of the pages on this machine; the next free one is taken when it is busy." placeholder:"PORT"`
	Speed  float64 `default:"6" help:"How many times faster than life people answer." placeholder:"N"`
	Keep   string  `help:"Keep the data in this folder instead of throwing them away." placeholder:"FOLDER" type:"path"`
	Launch bool    `help:"Launch an exercise at once, without waiting for a hand."`
}

// Run builds the invented hospital beside the simulated network and serves it.
func (c *demoCommand) Run(s *session) (err error) {
	folder := c.Keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "tocsin-demo-"); err != nil {
			return fmt.Errorf("folder of the demonstration: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	settings, ports, err := c.settings(folder)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	network, err := startLab(ctx, s, ports, settings.SMTPListen, c.Speed)
	if err != nil {
		return err
	}
	kinds := make([]channels.Kind, 0, 2)
	for _, k := range Kinds() {
		kinds = append(kinds, demo.Fence(k))
	}
	h, err := Build(ctx, Plan{Settings: settings, Log: logger(s.err, settings), Kinds: kinds, StyleGuide: true, HasBase: s.openBase != nil})
	if err != nil {
		return errors.Join(err, network.stop())
	}
	return errors.Join(c.show(ctx, s, h, ports), h.Close(), network.stop())
}

// ports are where the simulated network listens.
type ports struct{ smpp, smtp, sip, control int }

// settings are those of a house nobody else can enter: everything on loopback.
func (c *demoCommand) settings(folder string) (*config.Server, ports, error) {
	var p ports
	var intake, pages int
	var err error
	for _, port := range []*int{&p.smpp, &p.smtp, &p.sip, &p.control, &intake} {
		if *port, err = freePort(0); err != nil {
			return nil, p, err
		}
	}
	if pages, err = freePort(c.Port); err != nil {
		return nil, p, err
	}
	settings := &config.Server{
		Listen: loopback(pages), PublicURL: "http://localhost:" + strconv.Itoa(pages), Data: filepath.Join(folder, "data"),
		KeyFile: filepath.Join(folder, "tocsin.key"), SMTPListen: loopback(intake), SMTPProto: "smtp", ReplyDomain: "reponse." + demo.Domain,
		LogLevel: "warn", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris",
	}
	return settings, p, settings.Validate()
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePort finds a free port of this machine: the wanted one, one of the twenty
// after it, or any.
func freePort(wanted int) (int, error) {
	for n := range 21 {
		port := wanted
		if wanted != 0 {
			port += n
		}
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			if wanted == 0 {
				return 0, fmt.Errorf("find a free port: %w", err)
			}
			continue
		}
		port = l.Addr().(*net.TCPAddr).Port
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port between %d and %d", wanted, wanted+20)
}

// show fills the house, opens the doors and tells where they are.
func (c *demoCommand) show(ctx context.Context, s *session, h *House, p ports) error {
	s.printf("Tocsin %s, démonstration / demonstration", Version)
	s.printf("  %s: 4 300 personnes inventées, réseau téléphonique simulé sur cette machine.\n", demo.Name)
	e, err := h.furnish(ctx, s, p)
	if err != nil {
		return err
	}
	doors, err := h.demoDoors(ctx, e)
	if err != nil {
		return err
	}
	h.demo = doors
	ready := make(chan net.Addr, 1)
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, ready) }()
	select {
	case <-ready:
	case err := <-served:
		return err
	}
	if err := h.demoTrace(ctx, console().Within(e.ID)); err != nil {
		return err
	}
	doors.print(s, h.origin().String())
	if c.Launch {
		if err := h.demoLaunch(ctx, s, e); err != nil {
			return err
		}
	}
	return <-served
}

// furnish makes the establishment, its gateways, its directory through the real
// import, and its scenarios.
func (h *House) furnish(ctx context.Context, s *session, p ports) (organisation.Establishment, error) {
	invented := demo.Hospital(1, h.Clock.Now())
	existing, err := h.Houses.List(ctx, console())
	if err != nil || len(existing) > 0 {
		if err == nil {
			return existing[0], h.demoGateways(ctx, console().Within(existing[0].ID), p)
		}
		return organisation.Establishment{}, err
	}
	e, err := h.Houses.Create(ctx, console(), organisation.Establishment{Name: invented.Name, Colour: invented.Colour, Zone: invented.Zone, Language: "fr"})
	if err != nil {
		return e, err
	}
	scope := console().Within(e.ID)
	if err := h.demoGateways(ctx, scope, p); err != nil {
		return e, err
	}
	s.printf("  Annuaire… / directory…")
	if err := h.demoDirectory(ctx, scope, invented); err != nil {
		return e, err
	}
	if err := h.demoOnCall(ctx, scope); err != nil {
		return e, err
	}
	if err := h.demoInventory(ctx, scope, invented); err != nil {
		return e, err
	}
	all, err := h.Alerting.Library(ctx, scope)
	if err != nil {
		return e, err
	}
	for _, def := range all {
		if err := h.demoScenario(ctx, scope, def.Family); err != nil {
			return e, err
		}
	}
	return e, nil
}

// demoScenario copies a scenario of the library. Its alerts show on the screens
// that somebody pairs, except those that screens must not betray.
func (h *House) demoScenario(ctx context.Context, scope access.Scope, family string) error {
	sc, err := h.Alerting.CopyFromLibrary(ctx, scope, h.Clock.Now(), family)
	if err != nil {
		return err
	}
	sc, def, err := h.Alerting.Scenario(ctx, scope, sc.ID)
	if err != nil || def.Profile == alerting.Discret {
		return err
	}
	def.Screens.Show = true
	_, err = h.Alerting.SaveScenario(ctx, scope, h.Clock.Now(), sc.ID, sc.Version, def)
	return err
}

// demoGateways points the house at the simulated network, also when the data
// were kept and the ports have changed.
func (h *House) demoGateways(ctx context.Context, scope access.Scope, p ports) error {
	old, err := h.Dispatch.Gateways(ctx, scope)
	if err != nil {
		return err
	}
	for _, g := range old {
		if err := h.Dispatch.DeleteGateway(ctx, scope, h.Clock.Now(), g.ID); err != nil {
			return err
		}
	}
	inputs := []dispatch.GatewayInput{
		{Kind: "smpp", Name: "Réseau simulé, SMS", Enabled: true, Priority: 1, Settings: channels.Settings{
			"host": "127.0.0.1", "port": strconv.Itoa(p.smpp), "system_id": "tocsin", "rate": "120", "source": "38000",
		}},
		{Kind: "smtp", Name: "Réseau simulé, courriel", Enabled: true, Priority: 1, Settings: channels.Settings{
			"host": "127.0.0.1", "port": strconv.Itoa(p.smtp), "tls": "none", "from": "alerte@" + demo.Domain, "from_name": demo.Name,
			"reply_domain": h.Settings.ReplyDomain,
		}},
	}
	if _, err := exec.LookPath("espeak-ng"); err == nil { // without it nothing can be said
		inputs = append(inputs, dispatch.GatewayInput{Kind: "sip", Name: "Réseau simulé, téléphone", Enabled: true, Priority: 1, Settings: channels.Settings{
			"host": "127.0.0.1", "port": strconv.Itoa(p.sip), "caller": "0142000000", "channels": "60", "reserve": "5", "format": "{national}", "ring": "10", "repeats": "1",
		}})
	}
	for _, in := range inputs {
		if _, err := h.Dispatch.CreateGateway(ctx, scope, h.Clock.Now(), in); err != nil {
			return err
		}
	}
	return nil
}

// demoDirectory passes the staff file through the import, as a hospital would.
func (h *House) demoDirectory(ctx context.Context, scope access.Scope, invented demo.Establishment) error {
	if err := demoFile("personnel.csv", invented.WriteCSV, func(rows *table.Source, file directory.File) error {
		staged, err := h.Directory.Stage(ctx, scope, rows, file)
		if err != nil {
			return err
		}
		if _, err := h.Directory.Preview(ctx, scope, staged.ID); err != nil {
			return err
		}
		_, err = h.Directory.Confirm(ctx, scope, staged.ID)
		return err
	}); err != nil {
		return err
	}
	zone, err := time.LoadLocation(invented.Zone)
	if err != nil {
		return fmt.Errorf("zone of the demonstration: %w", err)
	}
	write := func(w io.Writer) error { return invented.WriteRoster(w, h.Clock.Now().In(zone)) }
	return demoFile("planning.csv", write, func(rows *table.Source, file directory.File) error {
		staged, err := h.Directory.StageRoster(ctx, scope, rows, file)
		if err != nil {
			return err
		}
		return h.Directory.ConfirmRoster(ctx, scope, staged.ID)
	})
}

// demoFile writes a file and reads it as an import does.
func demoFile(name string, write func(io.Writer) error, read func(*table.Source, directory.File) error) (err error) {
	f, err := os.CreateTemp("", "tocsin-demo-*.csv")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := write(f); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	rows, err := table.Open(f, info.Size(), name, table.DefaultLimits())
	if err != nil {
		return err
	}
	return errors.Join(read(rows, directory.File{Name: name}), rows.Close())
}

// demoLaunch starts an exercise of the plan blanc.
func (h *House) demoLaunch(ctx context.Context, s *session, e organisation.Establishment) error {
	scope := console().Within(e.ID)
	all, err := h.Alerting.Scenarios(ctx, scope, alerting.ScenarioFilter{})
	if err != nil {
		return err
	}
	for _, sc := range all {
		if sc.Family != "plan_blanc" {
			continue
		}
		_, def, err := h.Alerting.Scenario(ctx, scope, sc.ID)
		if err != nil {
			return err
		}
		launch, _, err := h.Alerting.Launch(ctx, scope, h.Clock.Now(), alerting.Draft{
			Scenario: sc.ID, Mode: alerting.Exercise, OrderedBy: "Démonstration", Values: sampleValues(def), IdempotencyKey: "demonstration-" + launchStamp(h.Clock),
		})
		if err != nil {
			return err
		}
		s.printf("  Exercice lancé / exercise launched: %s/alertes/%s", h.origin(), launch.ID)
	}
	return nil
}

func launchStamp(c clock.Clock) string { return strconv.FormatInt(c.Now().UnixMicro(), 36) }

// sampleValues fills what a scenario asks with its own defaults, or a plain word.
func sampleValues(def alerting.Definition) map[string]string {
	out := make(map[string]string, len(def.Variables))
	for _, v := range def.Variables {
		switch {
		case v.Default.In("fr") != "":
			out[v.Name] = v.Default.In("fr")
		case len(v.Choices) > 0:
			out[v.Name] = v.Choices[0].In("fr")
		case v.Kind == "number":
			out[v.Name] = "10"
		case v.Kind == "time":
			out[v.Name] = "08:00"
		default:
			out[v.Name] = "Exercice"
		}
	}
	return out
}

// demoPatience bounds the wait for the simulated network to listen.
const demoPatience = 15 * time.Second
