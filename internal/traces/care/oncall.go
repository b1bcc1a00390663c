package care

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// Call is somebody on call at an instant.
type Call struct {
	Person uuid.UUID
	// Services are the codes and names of those he is on call for; none is all of
	// them: « interne de garde », « anesthésiste de garde ».
	Services []string
}

// Roster tells who is on call in an establishment at an instant.
type Roster interface {
	OnCall(ctx context.Context, organisation uuid.UUID, at time.Time) ([]Call, error)
}

// quarter is an establishment at a quarter of an hour: nobody takes over more often.
type quarter struct {
	organisation uuid.UUID
	at           int64
}

// quartersMost bounds what is remembered of who was on call.
const quartersMost = 500

const quarterHour = int64(15 * time.Minute / time.Microsecond)

// OnCall implements traces.Staff.
func (s *Service) OnCall(ctx context.Context, organisation, person uuid.UUID, service string, at int64) (bool, error) {
	if s.opt.Roster == nil || person == uuid.Nil {
		return false, nil
	}
	key := quarter{organisation, at - at%quarterHour}
	list, err := s.callsAt(ctx, key)
	if err != nil {
		return false, err
	}
	wanted := fold(service)
	for _, c := range list {
		if c.Person == person && c.covers(wanted) {
			return true, nil
		}
	}
	return false, nil
}

func (c Call) covers(service string) bool {
	if len(c.Services) == 0 {
		return true
	}
	for _, one := range c.Services {
		if one = fold(one); one != "" && (one == service || strings.Contains(" "+service+" ", " "+one+" ")) {
			return true
		}
	}
	return false
}

// callsAt remembers who is on call: the live flow asks it of many accesses of the
// same minute.
func (s *Service) callsAt(ctx context.Context, key quarter) ([]Call, error) {
	s.mu.Lock()
	list, known := s.calls[key]
	s.mu.Unlock()
	if known {
		return list, nil
	}
	// The middle: who takes over at the quarter itself has done so.
	list, err := s.opt.Roster.OnCall(ctx, key.organisation, time.UnixMicro(key.at+quarterHour/2).UTC())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) >= quartersMost {
		clear(s.calls)
	}
	s.calls[key] = list
	return list, nil
}

var (
	_ traces.Carer = (*Service)(nil)
	_ traces.Staff = (*Service)(nil)
)
