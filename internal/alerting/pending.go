package alerting

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
)

// This file holds the operations whose body is being written; it empties into
// sheet.go, launch.go, conduct.go, answers.go, board.go and report.go.

var errPending = errors.New("alerting: operation being written")

// Improvisation is a scenario in one call.
type Improvisation struct {
	Title string
	// Text is the message, in French; English is TextEN, or the same text when empty.
	Text, TextEN string
	Profile      Profile
	Audience     directory.Rule
	// Needed makes a quota of everyone; zero asks for nobody in particular.
	Needed int
	// AskAnswer adds the usual answers and the link.
	AskAnswer bool
}

// Improvise keeps a minimal scenario, ready for Prepare and Launch.
func (s *Service) Improvise(ctx context.Context, scope access.Scope, now time.Time, i Improvisation) (Scenario, error) {
	return Scenario{}, errPending
}

// Prepare returns the verification sheet of a draft. Faults of the values come
// back as one fault per call with its Field; the sheet writes nothing.
// Needs access.AlertLaunch.
func (s *Service) Prepare(ctx context.Context, scope access.Scope, now time.Time, d Draft) (Sheet, error) {
	return Sheet{}, errPending
}

// Launch starts the alert. already tells that the same thing was launched less
// than two minutes ago, by anyone, or by a retry of the same form: that alert is
// returned and nobody is called twice. Needs access.AlertLaunch.
func (s *Service) Launch(ctx context.Context, scope access.Scope, now time.Time, d Draft) (launch Launch, already bool, err error) {
	return Launch{}, false, errPending
}

// Launches lists alerts, the newest first, before the id of the last one seen.
func (s *Service) Launches(ctx context.Context, scope access.Scope, p Page) ([]Launch, error) {
	return nil, errPending
}

// LaunchByID returns one alert. Errors: NotFound.
func (s *Service) LaunchByID(ctx context.Context, scope access.Scope, id uuid.UUID) (Launch, error) {
	return Launch{}, errPending
}

// Active lists the alerts that run, for the banner.
func (s *Service) Active(ctx context.Context, scope access.Scope) ([]Launch, error) {
	return nil, errPending
}

// Board is one snapshot for the dashboard. Pages subscribe to Topic(launch).
func (s *Service) Board(ctx context.Context, scope access.Scope, launch uuid.UUID, now time.Time) (Board, error) {
	return Board{}, errPending
}

// Recipients lists people of an alert with every attempt and answer, in the order of the directory.
func (s *Service) Recipients(ctx context.Context, scope access.Scope, launch uuid.UUID, f RecipientFilter, p Page) ([]Recipient, error) {
	return nil, errPending
}

// Timeline lists the events of an alert, the oldest first.
func (s *Service) Timeline(ctx context.Context, scope access.Scope, launch uuid.UUID) ([]Event, error) {
	return nil, errPending
}

// To chooses who gets a message of the cell.
type To string

// The addressees of a progress message.
const (
	ToAll        To = "all"
	ToComing     To = "coming"
	ToUnanswered To = "unanswered"
)

// Progress sends a message of the cell; text is by language, French required. It is marked with the mode.
func (s *Service) Progress(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, to To, text Localized) error {
	return errPending
}

// Extend calls more people at once; those already in the alert are left as they are. It returns how many were added.
func (s *Service) Extend(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, rule directory.Rule) (int, error) {
	return 0, errPending
}

// StopWave holds a wave back for good; its queued messages are withdrawn. wave is from 1.
func (s *Service) StopWave(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, wave int) error {
	return errPending
}

// ManualCall notes a call made by hand and its answer; an empty meaning notes that nobody answered.
// minutes is -1 when not said.
func (s *Service) ManualCall(ctx context.Context, scope access.Scope, now time.Time, launch, recipient uuid.UUID, meaning Meaning, minutes int, note string) error {
	return errPending
}

// Arrive ticks a person at the door, or takes the tick back.
func (s *Service) Arrive(ctx context.Context, scope access.Scope, now time.Time, launch, recipient uuid.UUID, arrived bool) error {
	return errPending
}

// End ends the alert. text is sent to everyone who was called; nil sends the scenario's text, an empty French text sends nothing.
func (s *Service) End(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, text Localized) error {
	return errPending
}

// Kill stops everything at once: nothing that is queued leaves. Needs access.AlertKill.
func (s *Service) Kill(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, why string) error {
	return errPending
}

// Unmatched lists the replies of unknown senders since an instant that nobody attached yet.
func (s *Service) Unmatched(ctx context.Context, scope access.Scope, since time.Time) ([]UnmatchedReply, error) {
	return nil, errPending
}

// Attach gives a reply of an unknown sender to a recipient, as his answer.
func (s *Service) Attach(ctx context.Context, scope access.Scope, now time.Time, reply, recipient uuid.UUID) error {
	return errPending
}

// OpenLink returns what the answer page shows. It records nothing: previewers open links.
func (s *Service) OpenLink(ctx context.Context, code string, now time.Time) (Link, error) {
	return Link{}, errPending
}

// AnswerByLink records the answer of the page's button; minutes is -1 when not said, from the
// network address for the journal. late tells that the alert was over.
func (s *Service) AnswerByLink(ctx context.Context, code string, meaning Meaning, minutes int, from string, now time.Time) (late bool, err error) {
	return false, errPending
}

// Topic is the live topic of an alert.
func Topic(launch uuid.UUID) string { return "alert/" + launch.String() }

// TopicActive is the live topic of an establishment's banner.
func TopicActive(organisation uuid.UUID) string { return "alerts/" + organisation.String() }
