package alerting

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
)

// This file holds the operations whose body is being written; it empties into
// sheet.go, launch.go, conduct.go, answers.go, board.go and report.go.

var errPending = errors.New("alerting: operation being written")

// Board is one snapshot for the dashboard. Pages subscribe to Topic(launch).
func (s *Service) Board(ctx context.Context, scope access.Scope, launch uuid.UUID, now time.Time) (Board, error) {
	return Board{}, errPending
}

// Recipients lists people of an alert with every attempt and answer, in the order of the directory.
func (s *Service) Recipients(ctx context.Context, scope access.Scope, launch uuid.UUID, f RecipientFilter, p Page) ([]Recipient, error) {
	return nil, errPending
}

// Unmatched lists the replies of unknown senders since an instant that nobody attached yet.
func (s *Service) Unmatched(ctx context.Context, scope access.Scope, since time.Time) ([]UnmatchedReply, error) {
	return nil, errPending
}

// Attach gives a reply of an unknown sender to a recipient, as his answer.
func (s *Service) Attach(ctx context.Context, scope access.Scope, now time.Time, reply, recipient uuid.UUID) error {
	return errPending
}

// Topic is the live topic of an alert.
func Topic(launch uuid.UUID) string { return "alert/" + launch.String() }

// TopicActive is the live topic of an establishment's banner.
func TopicActive(organisation uuid.UUID) string { return "alerts/" + organisation.String() }
