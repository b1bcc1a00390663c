package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
)

// rehearsal4300 plays an alert of so many people 200 times: the directory read, the
// draws, those with one more trunk, a better gateway and a better directory, and
// what is kept written. The reference is the number of people drawn.
func (b *bench) rehearsal4300(ctx context.Context) ([]Result, error) {
	h, err := b.newHouse(ctx, "rehearsal", b.Sizes.Alert, nil, channels.SMS, publicURL)
	if err != nil {
		return nil, err
	}
	var took, drawn samples
	for range b.Runs {
		var r rehearsed
		if err = b.do(ctx, "rehearse", rehearseRequest{Folder: h.folder, Establishment: h.Establishment}, &r); err != nil {
			break
		}
		b.note("rehearsal.4300x200_s: %d people × %d draws in %.2f s", r.People, r.Draws, r.Seconds)
		took, drawn = append(took, r.Seconds), append(drawn, float64(r.People*r.Draws))
	}
	if err = errors.Join(err, h.remove()); err != nil {
		return nil, err
	}
	return []Result{took.result("rehearsal.4300x200_s", "s", drawn, "people drawn, with the variants")}, nil
}

type rehearseRequest struct {
	Folder        string
	Establishment uuid.UUID
}

type rehearsed struct {
	People, Draws int
	Seconds       float64
}

// rehearse is the product's own rehearsal, in a process of its own.
func rehearse(ctx context.Context, r rehearseRequest, build Builder) (out rehearsed, err error) {
	s, err := settings(r.Folder, "127.0.0.1:0", publicURL, "")
	if err != nil {
		return out, err
	}
	h, err := build(ctx, s)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	scope := access.Instance("bench").Within(r.Establishment)
	scenario, err := h.threeMedia(ctx, scope)
	if err != nil {
		return out, err
	}
	began := time.Now()
	shown, err := h.Alerting.Rehearse(ctx, scope, began, scenario, alerting.RehearsalOrder{Seed: 1}, nil)
	out = rehearsed{People: shown.Shown.Outcome.People, Draws: shown.Total, Seconds: time.Since(began).Seconds()}
	return out, err
}

// trunkLines are those of the trunk of the measurement.
const trunkLines = 60

// threeMedia keeps a scenario for everybody: SMS, a call after five minutes, then
// e-mail, with a trunk of 60 lines.
func (h House) threeMedia(ctx context.Context, scope access.Scope) (uuid.UUID, error) {
	now := time.Now()
	gateways, err := h.Dispatch.Gateways(ctx, scope)
	if err == nil && len(gateways) == 0 {
		_, err = h.Dispatch.CreateGateway(ctx, scope, now, dispatch.GatewayInput{Kind: "sip", Name: "Autocommutateur", Enabled: true, Settings: channels.Settings{
			"host": "127.0.0.1", "channels": fmt.Sprint(trunkLines), "caller": "+33478000000",
		}})
	}
	if err != nil {
		return uuid.Nil, err
	}
	sc, err := h.Alerting.Improvise(ctx, scope, now, alerting.Improvisation{Title: "Plan blanc", Text: "Plan blanc. Rejoignez votre service.", AskAnswer: true})
	if err != nil {
		return uuid.Nil, err
	}
	_, def, err := h.Alerting.Scenario(ctx, scope, sc.ID)
	if err != nil {
		return uuid.Nil, err
	}
	def.Waves[0].Media = []channels.Medium{channels.SMS, channels.Voice, channels.Email}
	for _, use := range []alerting.Use{alerting.UseAlert, alerting.UseEnd} {
		for _, language := range []string{"fr", "en"} {
			def.Messages = append(def.Messages, alerting.Text{Use: use, Medium: channels.Voice, Language: language, Body: "Plan blanc."})
		}
	}
	sc, err = h.Alerting.SaveScenario(ctx, scope, now, sc.ID, sc.Version, def)
	return sc.ID, err
}
