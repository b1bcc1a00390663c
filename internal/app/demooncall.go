package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
)

// demoOnCall has some people hold the functions that every hospital has, from
// the Monday of last week on.
func (h *House) demoOnCall(ctx context.Context, scope access.Scope) error {
	today := oncall.DayOf(h.Clock.Now(), time.UTC)
	monday := today - oncall.Day((int(today.Weekday())+6)%7) - 7
	nights := oncall.Hours{Nights: true, From: 18*60 + 30, To: 8*60 + 30, Weekends: true, Holidays: true}
	var chain []oncall.Step
	for _, f := range []struct {
		name, metier string
		unit         oncall.Unit
		needed       oncall.Hours
	}{
		{"Directeur de garde", "directeur", oncall.Weekly, oncall.Hours{}},
		{"Cadre de garde", "cadre", oncall.Weekly, oncall.Hours{}},
		{"Astreinte réanimation", "medecin_reanimateur", oncall.Daily, nights},
	} {
		page, err := h.Directory.People(ctx, scope, directory.Filter{Metier: f.metier, Limit: 4})
		if err != nil {
			return err
		}
		if len(page.People) == 0 {
			continue
		}
		var members []uuid.UUID
		for _, p := range page.People {
			members = append(members, p.ID)
		}
		made, err := h.OnCall.Save(ctx, scope, oncall.Function{Name: f.name, Roster: oncall.Roster{
			Needed: f.needed, Chain: chain,
			Rotations: []oncall.Rotation{{Start: monday, Handover: 8*60 + 30, Every: 1, Unit: f.unit, Members: members, Hours: f.needed}},
		}})
		if err != nil {
			return err
		}
		chain = []oncall.Step{{Kind: oncall.ToFunction, ID: made.ID}}
	}
	return nil
}
