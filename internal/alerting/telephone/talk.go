package telephone

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// talk goes on at the telephone of the account. Whoever picks it up proves again
// that she knows the code: she may not be the one who called.
func (v *visitor) talk(ctx context.Context, line channels.Line) error {
	v.line = line
	pin, err := v.keys(ctx, v.t("alerting.telephone.again"), pinMost)
	if err != nil {
		return err
	}
	who, err := v.o.Accounts.Recognise(ctx, v.scope, []string{v.who.CallBack}, v.number, pin)
	if err != nil || who.Account != v.who.Account {
		return v.say(ctx, v.t("alerting.telephone.wrong"))
	}
	if _, err := v.step(ctx, "called_back"); err != nil {
		return err
	}
	before := v.t("alerting.telephone.welcome", "name", v.who.Name)
	for range turnsMost {
		if before, err = v.turn(ctx, before); err != nil {
			break
		}
	}
	if errors.Is(err, errNobody) {
		return v.say(ctx, v.t("alerting.telephone.bye"))
	}
	return err
}

// turn is one act of the main menu; what came of it is said before the next one.
// A refusal is said and the conversation goes on; a fault of ours ends it.
func (v *visitor) turn(ctx context.Context, before string) (string, error) {
	acts := []func(context.Context) (string, error){v.launch, v.follow, v.second}
	labels := []string{v.t("alerting.telephone.launch"), v.t("alerting.telephone.follow"), v.t("alerting.telephone.second")}
	n, err := v.choose(ctx, before, labels)
	if err != nil || n < 0 {
		return "", err
	}
	said, err := acts[n](ctx)
	if _, refused := errors.AsType[*fault.Error](err); refused {
		return v.loc.Fault(err), nil
	}
	return said, err
}

// launch chooses a scenario and a mode, hears the sheet and launches by a key.
func (v *visitor) launch(ctx context.Context) (string, error) {
	scope, err := v.step(ctx, "launch_menu")
	if err != nil {
		return "", err
	}
	list, titles, err := v.allowed(ctx, scope)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return v.t("alerting.telephone.no_scenario"), nil
	}
	n, err := v.choose(ctx, v.t("alerting.telephone.which_scenario"), titles)
	if err != nil || n < 0 {
		return "", err
	}
	modes := []alerting.Mode{alerting.Real, alerting.Exercise}
	m, err := v.choose(ctx, titles[n], []string{v.t("alerting.telephone.mode.reel"), v.t("alerting.telephone.mode.exercice")})
	if err != nil || m < 0 {
		return "", err
	}
	draft := alerting.Draft{Scenario: list[n], Mode: modes[m], OrderedBy: v.who.Name, IdempotencyKey: "tel-" + uuid.NewString()}
	sheet, err := v.o.Alerting.Prepare(ctx, scope, v.o.Clock.Now(), draft)
	if err != nil {
		return "", err
	}
	draft.Fingerprint = sheet.Fingerprint
	sure, err := v.sure(ctx, v.spokenSheet(sheet), v.t("alerting.telephone.launch_now"))
	if err != nil || !sure {
		return v.t("alerting.telephone.not_launched"), err
	}
	if scope, err = v.step(ctx, "launch"); err != nil {
		return "", err
	}
	l, already, err := v.o.Alerting.Launch(ctx, scope, v.o.Clock.Now(), draft)
	switch {
	case err != nil:
		return "", err
	case l.State == alerting.Awaiting:
		return v.t("alerting.telephone.awaiting"), nil
	case already:
		return v.t("alerting.telephone.already"), nil
	}
	return v.loc.N("alerting.telephone.launched", l.People), nil
}

// allowed are the scenarios whose authors let them be launched by telephone.
func (v *visitor) allowed(ctx context.Context, scope access.Scope) (ids []uuid.UUID, titles []string, err error) {
	list, err := v.o.Alerting.Scenarios(ctx, scope, alerting.ScenarioFilter{})
	if err != nil {
		return nil, nil, err
	}
	for _, sc := range list {
		_, def, err := v.o.Alerting.Scenario(ctx, scope, sc.ID)
		if err != nil {
			return nil, nil, err
		}
		if def.ByTelephone && len(ids) < linesMost {
			ids, titles = append(ids, sc.ID), append(titles, sc.Title.In(v.language()))
		}
	}
	return ids, titles, nil
}

// spokenSheet is what would leave, and to how many.
func (v *visitor) spokenSheet(s alerting.Sheet) string {
	parts := []string{
		v.t("alerting.telephone.mode." + string(s.Mode)), s.Definition.Title.In(v.language()) + ".",
		v.loc.N("alerting.telephone.people", s.Messaged), v.loc.N("alerting.telephone.waves", len(s.ByWave)),
	}
	for _, p := range s.Previews {
		if p.Use == alerting.UseAlert && p.Language == v.language() {
			parts = append(parts, v.t("alerting.telephone.message", "text", strings.Join(strings.Fields(p.Body), " ")))
			break
		}
	}
	return strings.Join(parts, " ")
}

// second hears what waits for a second person, and confirms it by a key.
func (v *visitor) second(ctx context.Context) (string, error) {
	scope, err := v.step(ctx, "second_menu")
	if err != nil {
		return "", err
	}
	all, err := v.o.Alerting.Requests(ctx, scope, v.o.Clock.Now())
	if err != nil {
		return "", err
	}
	var open []alerting.Request
	var lines []string
	for _, r := range all {
		if !r.By(scope.Actor()) {
			open, lines = append(open, r), append(lines, r.Title.In(v.language()))
		}
	}
	if len(open) == 0 {
		return v.t("alerting.telephone.no_request"), nil
	}
	n, err := v.choose(ctx, v.t("alerting.telephone.which_request"), lines)
	if err != nil || n < 0 {
		return "", err
	}
	r := open[n]
	asks := strings.Join([]string{
		v.t("alerting.telephone.asked", "name", r.AskedName), v.t("alerting.telephone.mode." + string(r.Mode)),
		lines[n] + ".", v.loc.N("alerting.telephone.people", r.People),
	}, " ")
	sure, err := v.sure(ctx, asks, v.t("alerting.telephone.confirm_now"))
	if err != nil || !sure {
		return v.t("alerting.telephone.not_launched"), err
	}
	if scope, err = v.step(ctx, "confirm"); err != nil {
		return "", err
	}
	l, already, err := v.o.Alerting.Confirm(ctx, scope, v.o.Clock.Now(), r.ID)
	switch {
	case err != nil:
		return "", err
	case already:
		return v.t("alerting.telephone.already"), nil
	}
	return v.loc.N("alerting.telephone.launched", l.People), nil
}

// follow hears the figures of an alert, and sends its end.
func (v *visitor) follow(ctx context.Context) (string, error) {
	scope, err := v.step(ctx, "figures")
	if err != nil {
		return "", err
	}
	running, err := v.o.Alerting.Active(ctx, scope)
	if err != nil {
		return "", err
	}
	if len(running) == 0 {
		return v.t("alerting.telephone.no_alert"), nil
	}
	titles := make([]string, len(running))
	for i, l := range running {
		titles[i] = l.Title.In(v.language())
	}
	n := 0
	if len(running) > 1 {
		if n, err = v.choose(ctx, v.t("alerting.telephone.which_alert"), titles); err != nil || n < 0 {
			return "", err
		}
	}
	figures, err := v.figures(ctx, scope, running[n])
	if err != nil {
		return "", err
	}
	act, err := v.choose(ctx, figures, []string{v.t("alerting.telephone.end")})
	if err != nil || act < 0 {
		return "", err
	}
	sure, err := v.sure(ctx, v.t("alerting.telephone.end_sure", "title", titles[n]), v.t("alerting.telephone.end_now"))
	if err != nil || !sure {
		return v.t("alerting.telephone.not_ended"), err
	}
	if scope, err = v.step(ctx, "end"); err != nil {
		return "", err
	}
	if err := v.o.Alerting.End(ctx, scope, v.o.Clock.Now(), running[n].ID, nil); err != nil {
		return "", err
	}
	return v.t("alerting.telephone.ended"), nil
}

func (v *visitor) figures(ctx context.Context, scope access.Scope, l alerting.Launch) (string, error) {
	b, err := v.o.Alerting.Board(ctx, scope, l.ID, v.o.Clock.Now())
	if err != nil {
		return "", err
	}
	c := b.Counters
	return strings.Join([]string{
		v.t("alerting.telephone.mode." + string(l.Mode)), l.Title.In(v.language()) + ".", v.loc.N("alerting.telephone.called", c.People-c.Waiting),
		v.loc.N("alerting.telephone.reached", c.Reached), v.loc.N("alerting.telephone.coming", c.Coming), v.loc.N("alerting.telephone.arrived", c.Arrived),
	}, " "), nil
}
