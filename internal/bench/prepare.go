package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/document/table"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// prepareRequest asks for a house with its people.
type prepareRequest struct {
	Folder, File, URL string
	// Database is PostgreSQL's; empty for an SQLite file.
	Database   string
	SMPP, SMTP string
	Medium     channels.Medium
	// Trunk is a telephone line; without an address there is none.
	Trunk trunkRequest
	// Rate is the contract with the operator in SMS per second; 0 means no limit.
	Rate int
	// Services bounds the scenario to so many services, from the first; 0 calls everybody.
	Services int
	// Profile is a folder and the beginning of a name; empty profiles nothing.
	Profile string
}

// prepared is a house ready for an alert, and what its import cost.
type prepared struct {
	Establishment, Scenario uuid.UUID
	// Mail is the same scenario by e-mail, where both peers were given.
	Mail uuid.UUID
	// Text is the message as it leaves, with a link of the right length.
	Subject, Text string
	// Rows are the people of the house, Called those of the scenarios.
	Rows, Called      int
	PreviewS, CommitS float64
	RSS               float64
}

// The gateways of every measurement, product and bare client alike.
const (
	binds  = 2
	window = 250
	pool   = 8
)

func smppSettings(address string) (channels.Settings, error) {
	host, port, err := net.SplitHostPort(address)
	return channels.Settings{"host": host, "port": port, "system_id": "banc", "source": "38000", "binds": fmt.Sprint(binds), "window": fmt.Sprint(window)}, err
}

func smtpSettings(address string) (channels.Settings, error) {
	host, port, err := net.SplitHostPort(address)
	return channels.Settings{
		"host": host, "port": port, "tls": "none", "from": "alerte@banc.example", "from_name": "Banc d'essai",
		"reply_domain": "reponse.banc.example", "pool": fmt.Sprint(pool),
	}, err
}

// prepare makes the establishment, its gateways, its people through the real
// import, and one scenario for everybody.
func prepare(ctx context.Context, r prepareRequest, build Builder) (out prepared, err error) {
	s, err := settings(r.Folder, "127.0.0.1:0", r.URL, r.Database)
	if err != nil {
		return out, err
	}
	h, err := build(ctx, s)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	console := access.Instance("bench")
	e, err := h.Organisations.Create(ctx, console, organisation.Establishment{Name: "CHU du Banc", Language: "fr"})
	if err != nil {
		return out, err
	}
	out.Establishment = e.ID
	scope := console.Within(e.ID)
	if err := h.gateways(ctx, scope, r); err != nil {
		return out, err
	}
	stop, err := profile(r.Profile)
	if err != nil {
		return out, err
	}
	err = h.load(ctx, scope, r.File, &out)
	stop()
	if err != nil {
		return out, err
	}
	out.RSS, out.Called = ownPeakMB(), out.Rows
	// A hospital's file was imported some other day: what the house does each
	// minute after an import is not part of an alert.
	if _, err := h.Directory.LinkHumans(ctx, access.Instance("bench")); err != nil {
		return out, err
	}
	if err := h.Directory.RefreshQuality(ctx, access.Instance("bench")); err != nil {
		return out, err
	}
	called := directory.Rule{}
	if r.Services > 0 {
		out.Called = peopleOf(out.Rows, r.Services)
		if called.Services, err = h.services(ctx, scope, r.Services); err != nil {
			return out, err
		}
	}
	if r.SMPP != "" && r.SMTP != "" {
		if err := h.writeFor(ctx, scope, prepareRequest{Medium: channels.Email}, called, &out); err != nil {
			return out, err
		}
		out.Mail = out.Scenario
	}
	return out, h.writeFor(ctx, scope, r, called, &out)
}

// services finds the first n services of the staff file in the establishment;
// a house too small to have them all has fewer.
func (h House) services(ctx context.Context, scope access.Scope, n int) (ids []uuid.UUID, err error) {
	tree, err := h.Organisations.Tree(ctx, scope, time.Now())
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for k := range n {
		names[serviceName(k)] = true
	}
	for len(tree) > 0 {
		b := tree[0]
		if tree = append(tree[1:], b.Children...); names[b.Name] {
			ids = append(ids, b.ID)
		}
	}
	return ids, nil
}

func (h House) gateways(ctx context.Context, scope access.Scope, r prepareRequest) error {
	if r.SMPP != "" {
		settings, err := smppSettings(r.SMPP)
		if err == nil {
			settings["rate"] = fmt.Sprint(r.Rate)
			_, err = h.Dispatch.CreateGateway(ctx, scope, time.Now(), dispatch.GatewayInput{Kind: "smpp", Name: "SMSC", Enabled: true, Settings: settings, InFlight: inFlight})
		}
		if err != nil {
			return err
		}
	}
	if err := h.trunk(ctx, scope, r.Trunk); err != nil || r.SMTP == "" {
		return err
	}
	settings, err := smtpSettings(r.SMTP)
	if err == nil {
		_, err = h.Dispatch.CreateGateway(ctx, scope, time.Now(), dispatch.GatewayInput{Kind: "smtp", Name: "Relais", Enabled: true, Settings: settings, InFlight: inFlight})
	}
	return err
}

// inFlight is the gateway's bound of sends in flight, so of doubles after a crash.
const inFlight = 1024

// load imports the file as a person does: read and compared, then confirmed.
func (h House) load(ctx context.Context, scope access.Scope, path string, out *prepared) error {
	began := time.Now()
	i, err := h.stage(ctx, scope, path)
	if err != nil {
		return err
	}
	if i, err = h.Directory.Preview(ctx, scope, i.ID); err != nil {
		return err
	}
	compared := time.Now()
	if i, err = h.Directory.Confirm(ctx, scope, i.ID); err != nil {
		return err
	}
	out.PreviewS, out.CommitS = compared.Sub(began).Seconds(), time.Since(compared).Seconds()
	out.Rows = i.Summary.New
	if i.Summary.New != i.Summary.Rows {
		return fmt.Errorf("of %d rows %d became people", i.Summary.Rows, i.Summary.New)
	}
	return nil
}

func (h House) stage(ctx context.Context, scope access.Scope, path string) (i directory.Import, err error) {
	f, err := os.Open(path)
	if err != nil {
		return i, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return i, err
	}
	rows, err := table.Open(f, info.Size(), filepath.Base(path), table.DefaultLimits())
	if err != nil {
		return i, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	return h.Directory.Stage(ctx, scope, rows, directory.File{Name: filepath.Base(path), Source: "RH"})
}

// writeFor makes the scenario, by one medium or by the line of the request, and
// reads its message as it will leave.
func (h House) writeFor(ctx context.Context, scope access.Scope, r prepareRequest, called directory.Rule, out *prepared) error {
	now, medium := time.Now(), r.Medium
	sc, err := h.Alerting.Improvise(ctx, scope, now, alerting.Improvisation{Title: "Plan blanc", Text: "Plan blanc. Rejoignez votre service.", AskAnswer: true, Audience: called})
	if err != nil {
		return err
	}
	_, def, err := h.Alerting.Scenario(ctx, scope, sc.ID)
	if err != nil {
		return err
	}
	def.Waves[0].Media = []channels.Medium{medium}
	if r.Trunk.Address != "" {
		r.Trunk.calling(&def)
	}
	if sc, err = h.Alerting.SaveScenario(ctx, scope, now, sc.ID, sc.Version, def); err != nil {
		return err
	}
	out.Scenario = sc.ID
	previews, err := h.Alerting.PreviewDefinition(ctx, scope, now, def, nil, alerting.Exercise)
	if err != nil {
		return err
	}
	for _, p := range previews {
		if p.Use == alerting.UseAlert && p.Medium == medium && p.Language == "fr" {
			out.Subject, out.Text = p.Subject, p.Body
			if p.Segments > 1 {
				return fmt.Errorf("the text of the bench takes %d SMS: %q", p.Segments, p.Body)
			}
		}
	}
	return nil
}

// house is prepared data at rest, to be copied for each run.
type house struct {
	prepared
	folder string
	// database is PostgreSQL's; empty for an SQLite file in the folder.
	database string
}

// newHouse prepares data for n people.
func (b *bench) newHouse(ctx context.Context, name string, n int, p *peer, medium channels.Medium, url string) (*house, error) {
	r := prepareRequest{URL: url, Medium: medium}
	if p != nil && medium == channels.SMS {
		r.SMPP = p.smpp
	}
	if p != nil && medium == channels.Email {
		r.SMTP = p.smtp
	}
	return b.prepareHouse(ctx, name, n, r)
}

// prepareHouse prepares data for n people as asked.
func (b *bench) prepareHouse(ctx context.Context, name string, n int, r prepareRequest) (*house, error) {
	folder := filepath.Join(b.folder, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(folder, staffFile)
	// A wave of calls has one telephone each: a desk would be a second one.
	if err := writeStaff(file, n, r.Trunk.Address == ""); err != nil {
		return nil, err
	}
	r.Folder, r.File = folder, file
	if b.Profile != "" {
		r.Profile = filepath.Join(b.Profile, name+"-import")
	}
	h := &house{folder: folder, database: r.Database}
	if err := b.do(ctx, "prepare", r, &h.prepared); err != nil {
		return nil, err
	}
	b.note("%s: %d people imported: preview %.1f s, commit %.1f s, %.0f MB", name, h.Rows, h.PreviewS, h.CommitS, h.RSS)
	return h, nil
}

// again copies the house, so that each run starts from the same data.
func (h *house) again(name string) (*house, error) {
	folder := filepath.Join(filepath.Dir(h.folder), name)
	if err := os.MkdirAll(filepath.Join(folder, "data"), 0o700); err != nil {
		return nil, err
	}
	for _, file := range []string{"tocsin.key", filepath.Join("data", storage.FileName)} {
		if err := copyFile(filepath.Join(h.folder, file), filepath.Join(folder, file)); err != nil {
			return nil, fmt.Errorf("copy the data: %w", err)
		}
	}
	return &house{prepared: h.prepared, folder: folder}, nil
}

func (h *house) remove() error { return os.RemoveAll(h.folder) }
