package space

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/dispatch"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Options are what the room rests on.
type Options struct {
	DB           *storage.DB
	Guard        *access.Guard
	Clock        clock.Clock
	Directory    *directory.Directory
	OnCall       *oncall.Service
	Dispatch     *dispatch.Dispatch
	Alerting     *alerting.Service
	Organisation *organisation.Service
	Catalog      *i18n.Catalog
	// Vault seals where the notifications of a device go.
	Vault vault.Sealer
	// InviteBase begins the link of an invitation; its code follows.
	InviteBase string
	// DutiesLink is the page of the duties, for who is told of a swap.
	DutiesLink string
	Log        *slog.Logger
}

// Service is what can be done with the spaces of agents.
type Service struct{ opt Options }

// New returns the operations of the room.
func New(o Options) *Service { return &Service{o} }

// Alerts are those that called the holder, the last first.
func (s *Service) Alerts(ctx context.Context, h Holder, now time.Time) ([]alerting.Own, error) {
	return s.opt.Alerting.OwnAlerts(ctx, h.scope, h.Device.Person, now)
}

// Answer records the holder's answer to an alert that called him.
func (s *Service) Answer(ctx context.Context, h Holder, a alerting.OwnAnswer, from string, now time.Time) (late bool, err error) {
	return s.opt.Alerting.AnswerOwn(ctx, h.scope, h.Device.Person, a, from, now)
}

// Answers are those the holder gave, the last first.
func (s *Service) Answers(ctx context.Context, h Holder) ([]alerting.OwnGiven, error) {
	return s.opt.Alerting.OwnAnswers(ctx, h.scope, h.Device.Person)
}

// Held is what the establishment holds about the holder.
type Held struct {
	Person        directory.Person
	Establishment organisation.Establishment
	Devices       []Device
}

// Held reads it; numbers hide their middle, for a telephone is lent and stolen.
func (s *Service) Held(ctx context.Context, h Holder) (out Held, err error) {
	if out.Person, err = s.opt.Directory.Person(ctx, h.scope, h.Device.Person); err != nil {
		return out, err
	}
	for i := range out.Person.Contacts {
		k := &out.Person.Contacts[i]
		k.Address = directory.Mask(k.Contact)
	}
	if out.Establishment, err = s.opt.Organisation.Get(ctx, h.scope); err != nil {
		return out, err
	}
	out.Devices, err = s.devices(ctx, h.scope, h.Device.Person)
	return out, err
}

// Name is that of a person of the establishment. Needs access.DirectoryRead.
func (s *Service) Name(ctx context.Context, scope access.Scope, person uuid.UUID) (string, error) {
	p, err := s.opt.Directory.Person(ctx, scope, person)
	return p.Name(), err
}
