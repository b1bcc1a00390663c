package alerting

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// linkLife is how long a link still opens after the end of its alert.
const linkLife = 7 * 24 * time.Hour

// linked is what a code leads to.
type linked struct {
	scope  access.Scope
	launch Launch
	plan   *plan
	person *person
}

// follow finds the recipient of a code. Every code, known or not, costs one
// look at one index.
func (s *Service) follow(ctx context.Context, code string, now time.Time) (l linked, found bool, err error) {
	code = vault.ReadLinkCode(code)
	if code == "" {
		return l, false, nil
	}
	var org, id uuid.UUID
	instance := access.Instance("answer page")
	err = s.db.Read(ctx, instance, func(tx *storage.Tx) error {
		found, err = tx.Row(ctx, `SELECT organisation_id, id FROM alerting_recipients WHERE code = $1`, []any{code}, &org, &id)
		return err
	})
	if err != nil || !found {
		return l, false, err
	}
	l.scope = instance.Within(org)
	err = s.db.Read(ctx, l.scope, func(tx *storage.Tx) error {
		people, err := peopleByID(ctx, tx, l.scope, []uuid.UUID{id}, "")
		if err != nil {
			return err
		}
		l.person = people[id]
		if l.launch, err = readLaunch(ctx, tx, l.scope, l.person.Launch); err != nil {
			return err
		}
		l.plan, err = s.planOf(ctx, tx, l.scope, l.launch)
		return err
	})
	if err != nil {
		return l, false, err
	}
	return l, l.launch.EndedAt.IsZero() || now.Before(l.launch.EndedAt.Add(linkLife)), nil
}

// OpenLink returns what the answer page shows, in the agent's language. It
// records nothing: previewers open links, only the button answers. An unknown or
// expired code gives a Link that is not Found, and no error.
func (s *Service) OpenLink(ctx context.Context, code string, now time.Time) (Link, error) {
	return s.OpenLinkIn(ctx, code, "", now)
}

// OpenLinkIn is OpenLink in a language the agent chose on the page; empty is his own.
func (s *Service) OpenLinkIn(ctx context.Context, code, language string, now time.Time) (Link, error) {
	l, found, err := s.follow(ctx, code, now)
	if err != nil || !found {
		return Link{}, err
	}
	p, pl := l.person, l.plan
	if language != "" {
		p.Language = language
	}
	def := pl.Definition
	link := Link{
		Found: true, Establishment: pl.Setting.Establishment, Title: def.Title.In(p.Language), Mode: l.launch.Mode, Profile: l.launch.Profile,
		State: l.launch.State, Language: p.Language, FirstName: p.First, Answers: def.Answers, Given: p.Meaning, GivenMinutes: p.Minutes, GivenAt: p.AnsweredAt,
		LaunchedAt: l.launch.LaunchedAt, Zone: pl.zone, AcceptsAnswers: l.launch.State == Running && len(def.Answers) > 0,
	}
	values, err := def.filled(pl.Values, p.Language)
	if err != nil {
		return Link{}, err
	}
	vars := pl.Setting.variables(values, pl.Mode, p.Language, pl.Setting.Site, pl.LaunchedAt)
	// The shortest words first: the page says the rest.
	for _, m := range []channels.Medium{channels.SMS, channels.Email} {
		c, ok, err := pl.onScreen(pl.use(p.Wave), m, p.Language, pl.Setting.Site, pl.wave(p.Wave).turn())
		if err != nil {
			return Link{}, err
		}
		if ok && link.Message == "" {
			link.Message = withoutLink(c.Body)
		}
	}
	if link.WhereToGo, err = Render(def.WhereToGo.In(p.Language), vars); err != nil {
		return Link{}, err
	}
	if link.WhatToBring, err = Render(def.WhatToBring.In(p.Language), vars); err != nil {
		return Link{}, err
	}
	if link.Given == Coming && link.State == Running {
		check, err := s.checkRecallOf(ctx, l.scope, p.ID, now)
		link.Recalled = check.Status != RecallInvalid
		return link, err
	}
	return link, nil
}

// AnswerByLink records the answer of the page's button. minutes is the announced
// delay, -1 when not said; from is the network address. late tells that the
// alert was over: the answer is kept and changes nothing. Errors: NotFound for
// an unknown code, Invalid for an answer the scenario does not propose.
func (s *Service) AnswerByLink(ctx context.Context, code string, meaning Meaning, minutes int, from string, now time.Time) (late bool, err error) {
	l, found, err := s.follow(ctx, code, now)
	if err != nil {
		return false, err
	}
	if !found {
		return false, fault.New(fault.NotFound, "alerting.link.unknown")
	}
	return s.answerLinked(ctx, l, Answer{ID: storage.NewID(now), At: now, Source: ByLink, Meaning: meaning, Minutes: minutes}, from, now)
}

// answerLinked records an answer of the one a link leads to; one whose id is
// known already was taken before.
func (s *Service) answerLinked(ctx context.Context, l linked, a Answer, from string, now time.Time) (late bool, err error) {
	if err := checkAnswer(l.plan, a.Meaning, a.Minutes); err != nil {
		return false, err
	}
	scope := access.For(l.scope.Organisation(), access.Actor{Kind: access.Agent, ID: l.person.ID, From: from}, false)
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		in := s.intake(tx, scope, now)
		p, err := in.person(ctx, l.person.ID)
		if err != nil {
			return err
		}
		d, err := in.desk(ctx, l.launch.ID)
		if err != nil {
			return err
		}
		late = d.launch.State != Running
		known, err := tx.Row(ctx, `SELECT 1 FROM alerting_answers WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), a.ID}, new(int))
		if err != nil || known {
			return err
		}
		if err := in.answer(ctx, d, p, given{Answer: a}); err != nil {
			return err
		}
		if err := in.flush(ctx); err != nil || a.Source != ByLink || !s.dispatch.Isolated(scope.Organisation()) {
			return err
		}
		return s.heardByLink(ctx, tx, scope, now, l.launch.ID)
	})
	if err != nil {
		return false, err
	}
	s.moved(l.launch.ID, scope)
	return late, nil
}

// withoutLink is a message for those who have followed its link already: the
// sentence that carries the link goes ("Rép 1 oui 2 non ou {lien}"), unless it
// says all there is.
func withoutLink(body string) string {
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		before, after, found := strings.Cut(line, linkPlaceholder)
		if !found {
			continue
		}
		kept := before[:strings.LastIndexAny(before, ".!?")+1]
		if end := strings.IndexAny(after, ".!?"); end >= 0 {
			after = after[end+1:]
		} else {
			after = ""
		}
		if lines[i] = strings.TrimSpace(strings.TrimSpace(kept) + " " + strings.TrimSpace(after)); lines[i] == "" && len(lines) == 1 {
			lines[i] = strings.TrimRight(before, " :")
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
