// Package main is « La vitrine »: it serves the style guide alone, with an
// invented visitor, so that the parts of pages are looked at and tested in a
// browser without a hospital around them.
//
// It never serves anything else, and listens on this machine only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address, on this machine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "guide:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, listen string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	r, err := router(log)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := ui.NewServer(r, log)
	go func() {
		<-ctx.Done()
		if err := server.Close(); err != nil {
			log.Error("stop", "error", err)
		}
	}()
	fmt.Println("http://" + l.Addr().String())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func router(log *slog.Logger) (*ui.Router, error) {
	guard, err := access.NewGuard()
	if err != nil {
		return nil, err
	}
	catalog, err := i18n.Load(i18n.Locales, access.Locales, ui.Locales, guideLocales)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	r, err := ui.NewRouter(ui.Options{
		Guard: guard, Visitors: invented{}, Catalog: catalog, Clock: clock.Real(), Log: log, Zone: zone,
		Key:       []byte("the style guide keeps no secret."),
		LoginPath: "/styleguide/porte", SecondFactorPath: "/styleguide/porte", LogoutPath: "/sortie",
		SwitchPath: "/styleguide", AccountPath: "/styleguide", Frame: frame(), StyleGuide: true,
	})
	if err != nil {
		return nil, err
	}
	live(r)
	r.Get("/{$}", ui.Public, func(c *ui.Context) error { return c.Redirect("/styleguide") })
	return r, nil
}

// invented is the visitor: ?nobody shows the frame without anybody.
type invented struct{}

func (invented) Visitor(r *http.Request) (ui.Visitor, error) {
	if r.URL.Query().Has("nobody") {
		return ui.Visitor{}, nil
	}
	north := ui.Establishment{ID: uuid.MustParse("0198e0a0-0000-7000-8000-000000000001"), Name: "CH des Trois-Vallées", Colour: "#1d7f5f"}
	south := ui.Establishment{ID: uuid.MustParse("0198e0a0-0000-7000-8000-000000000002"), Name: "EHPAD Les Tilleuls", Colour: "#b3541e"}
	actor := access.Actor{Kind: access.Person, ID: uuid.MustParse("0198e0a0-0000-7000-8000-00000000000a"), Name: "Camille Martin"}
	return ui.Visitor{
		Scope:         access.For(north.ID, actor, true, access.Roles()...),
		Name:          actor.Name,
		Establishment: north, Establishments: []ui.Establishment{north, south},
	}, nil
}

func frame() ui.Frame {
	return ui.Frame{
		Rail: []ui.NavItem{
			{Label: "guide.home", Path: "/styleguide", Icon: "home", Need: ui.SignedIn},
			{Label: "guide.alerts", Path: "/alertes", Icon: "alert", Need: access.AlertRead},
			{Label: "guide.scenarios", Path: "/scenarios", Icon: "scenario", Need: access.ScenarioRead},
			{Label: "guide.directory", Path: "/annuaire", Icon: "users", Need: access.DirectoryRead},
			{Label: "guide.organisation", Path: "/etablissements", Icon: "building", Need: access.OrganisationRead},
			{Label: "guide.channels", Path: "/canaux", Icon: "antenna", Need: access.ChannelRead},
			{Label: "guide.journal", Path: "/journal", Icon: "journal", Need: access.JournalRead},
		},
		Acts: []ui.NavItem{
			{Label: "guide.launch", Path: "/alertes/declencher", Icon: "megaphone", Need: access.AlertLaunch},
			{Label: "guide.alerts", Path: "/alertes", Icon: "chart", Need: access.AlertRead},
			{Label: "guide.directory", Path: "/annuaire", Icon: "users", Need: access.DirectoryRead},
		},
		Banner: exercise{}, Search: nothing{},
	}
}

type exercise struct{}

func (exercise) Banners(context.Context, access.Scope, *i18n.Localizer) ([]ui.Banner, error) {
	return []ui.Banner{{Tone: ui.Attention, Mark: "EXERCICE", Text: "Plan blanc en cours depuis 12 min : 412 personnes viennent sur 1 240.", Path: "/styleguide/mur", Action: "Suivre"}}, nil
}

type nothing struct{}

func (nothing) Search(context.Context, access.Scope, *i18n.Localizer, string) ([]ui.Hit, error) {
	return []ui.Hit{{Kind: "Personne", Title: "Camille Martin", Detail: "Urgences", Path: "/styleguide", Icon: "user"}}, nil
}
