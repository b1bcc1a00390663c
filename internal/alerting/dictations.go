package alerting

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/directory/phone"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/wire/rtp"
)

// The bounds of dictations: how many an establishment makes at once, how long one
// waits for a line, after how long without news it is taken for dead, and how long
// what is known of it is kept.
const (
	dictationsAtOnce = 3
	dictationWaits   = 3 * time.Minute
	dictationStale   = 15 * time.Minute
	dictationKept    = 24 * time.Hour
	// dictationLast lets every alert call before.
	dictationLast = 1000
)

// DictationState is where a text recorded by telephone stands. The values are stored;
// those of a call under way are the channel's own.
type DictationState string

// The states of a dictation, beside those of the channel.
const (
	DictationAsked      DictationState = "asked"
	DictationKept       DictationState = "kept"
	DictationUnanswered DictationState = "unanswered"
	DictationRefused    DictationState = "refused"
	DictationCancelled  DictationState = "cancelled"
	DictationGivenUp                   = DictationState(channels.DictationGivenUp)
)

// underway are the states of a dictation that goes on, as SQL.
const underway = `('asked', 'ringing', 'guiding', 'recording', 'playing')`

// Dictation is a text that somebody records by telephone.
type Dictation struct {
	ID, Scenario uuid.UUID
	Spoken
	// Number is the one called; By who asked.
	Number, By string
	AskedAt    time.Time
	State      DictationState
	// Why is the reason of a telephone that did not answer, or the sentence of a refusal.
	Why       string
	ChangedAt time.Time

	words   string
	account uuid.UUID
}

// Over tells that nothing more will come of it.
func (d Dictation) Over() bool {
	switch d.State {
	case DictationKept, DictationUnanswered, DictationRefused, DictationCancelled, DictationGivenUp:
		return true
	}
	return false
}

// Dictate calls a telephone so that a person records a text by voice. It returns at
// once: Dictations tells where it stands, on any node. Errors: NotFound for a text or
// a scenario, Invalid at "number", Conflict when the text is being recorded or too
// many are, Unavailable when no gateway makes calls.
func (s *Service) Dictate(ctx context.Context, scope access.Scope, now time.Time, scenario uuid.UUID, of Spoken, number string) (d Dictation, err error) {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return d, err
	}
	d = Dictation{
		ID: storage.NewID(now), Scenario: scenario, Spoken: of, By: scope.Actor().Name, AskedAt: now.UTC(), State: DictationAsked, ChangedAt: now.UTC(), account: scope.Actor().ID,
	}
	if d.Number, err = callable(number); err != nil {
		return d, err
	}
	if err := s.calls(ctx, scope); err != nil {
		return d, err
	}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		sc, def, _, err := readScenario(ctx, tx, scope, scenario, 0)
		if err != nil {
			return err
		}
		at := def.spokenAt(of)
		if at < 0 || sc.Archived {
			return fault.New(fault.NotFound, "alerting.recording.no_text")
		}
		d.words = def.Messages[at].Body
		if err := roomToDictate(ctx, tx, scope, now, d); err != nil {
			return err
		}
		if err := insertDictation(ctx, tx, scope, d); err != nil {
			return err
		}
		if err := s.orderDictation(ctx, tx, scope, now, d); err != nil {
			return err
		}
		return dictationJournal(ctx, tx, scope, now, "scenario.dictate", def, d)
	})
	if err == nil {
		s.dispatch.Wake()
	}
	return d, err
}

// callable reads the number of one telephone: a person's or an extension's, never a
// service's. Errors: Invalid at "number".
func callable(text string) (string, error) {
	read := phone.Parse(text, phone.Options{})
	if len(read.Problems) > 0 || len(read.Numbers) != 1 || read.Numbers[0].Kind == phone.Short || read.Numbers[0].Warning == phone.WarningService {
		return "", fault.New(fault.Invalid, "alerting.dictation.number").At("number")
	}
	return read.Numbers[0].E164, nil
}

// calls refuses what no gateway can do.
func (s *Service) calls(ctx context.Context, scope access.Scope) error {
	list, err := s.dispatch.Gateways(ctx, inside(scope))
	if err != nil {
		return err
	}
	for _, g := range list {
		if g.Enabled && g.Medium == channels.Voice {
			return nil
		}
	}
	return fault.New(fault.Unavailable, "alerting.dictation.no_voice")
}

// roomToDictate refuses a second call for a text, and too many in the establishment.
func roomToDictate(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, d Dictation) error {
	running, err := readDictations(ctx, tx, scope, ` AND state IN `+underway+` AND changed_us > $2`, storage.Micros(now.Add(-dictationStale)))
	if err != nil {
		return err
	}
	for _, other := range running {
		if other.Scenario == d.Scenario && other.Spoken == d.Spoken {
			return fault.New(fault.Conflict, "alerting.dictation.already")
		}
	}
	if len(running) >= dictationsAtOnce {
		return fault.New(fault.Conflict, "alerting.dictation.many", "most", dictationsAtOnce)
	}
	return nil
}

// orderDictation asks for the call: a campaign of its own, with one order that leaves
// after those of every alert.
func (s *Service) orderDictation(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, d Dictation) error {
	if err := s.dispatch.OpenCampaign(ctx, tx, scope, now, dispatch.Campaign{ID: d.ID, Mode: "dictation", MaxPerSubject: 1, MaxTotal: 1}); err != nil {
		return err
	}
	if err := s.dispatch.AddContents(ctx, tx, scope, now, d.ID, []dispatch.Content{{ID: d.ID, Medium: channels.Voice, Language: d.Language, Text: d.words}}); err != nil {
		return err
	}
	_, err := s.dispatch.Enqueue(ctx, tx, scope, now, []dispatch.Order{{
		ID: d.ID, Campaign: d.ID, Subject: d.ID, Content: d.ID, Medium: channels.Voice, Address: d.Number, Purpose: dispatch.PurposeDictation,
		Priority: dictationLast, ExpiresAt: now.Add(dictationWaits),
	}})
	return err
}

// Dictations are the last ones asked for of each text of a scenario, the newest first.
func (s *Service) Dictations(ctx context.Context, scope access.Scope, now time.Time, scenario uuid.UUID) (out []Dictation, err error) {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return nil, err
	}
	seen := map[Spoken]bool{}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := readDictations(ctx, tx, scope, ` AND scenario_id = $2 AND asked_us > $3 ORDER BY asked_us DESC, id DESC`, scenario, storage.Micros(now.Add(-dictationKept)))
		for _, d := range list {
			if seen[d.Spoken] {
				continue
			}
			seen[d.Spoken] = true
			if !d.Over() && now.Sub(d.ChangedAt) > dictationStale { // its node died, and no other made the call
				d.State = DictationUnanswered
			}
			out = append(out, d)
		}
		return err
	})
	return out, err
}

// CancelDictation hangs up, or gives up what waits for a line. Errors: NotFound,
// Conflict once it is over.
func (s *Service) CancelDictation(ctx context.Context, scope access.Scope, now time.Time, scenario, id uuid.UUID) error {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return err
	}
	err := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		_, def, _, err := readScenario(ctx, tx, scope, scenario, 0)
		if err != nil {
			return err
		}
		d, err := readDictation(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if d.Scenario != scenario {
			return fault.New(fault.NotFound, "alerting.dictation.unknown")
		}
		if err := moveDictation(ctx, tx, scope, now, id, DictationCancelled, ""); err != nil {
			return err
		}
		if _, err := s.dispatch.Kill(ctx, tx, scope, now, id); err != nil {
			return err
		}
		return dictationJournal(ctx, tx, scope, now, "scenario.dictate.cancel", def, d)
	})
	if err == nil {
		s.dispatch.Wake()
	}
	return err
}

// DictationStep implements dispatch.Dictaphone.
func (s *Service) DictationStep(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, step channels.DictationStep) error {
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		return moveDictation(ctx, tx, scope, now, id, DictationState(step), "")
	})
}

// KeepDictation implements dispatch.Dictaphone: what was said passes the same checks
// as a file, under the name of who asked. A refusal is shown on the page.
func (s *Service) KeepDictation(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, sound []byte) error {
	var d Dictation
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		d, err = readDictation(ctx, tx, scope, id)
		return err
	})
	if err != nil {
		return err
	}
	if sound, err = soundIn(rtp.PCMA.Decode(sound), rtp.Rate); err == nil {
		err = s.keepSaid(ctx, scope, now, d, sound)
	}
	if fault.As(err) == nil || fault.Is(err, fault.Conflict) {
		return err
	}
	refused := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		return moveDictation(ctx, tx, scope, now, id, DictationRefused, s.whyRefused(d.Language, err))
	})
	if refused != nil {
		s.log.Error("it could not be kept that a recording was refused", "error", refused)
	}
	return err
}

// keepSaid puts the sound in the place of the text, if the text is still the one that
// was said.
func (s *Service) keepSaid(ctx context.Context, scope access.Scope, now time.Time, d Dictation, sound []byte) error {
	person := access.For(scope.Organisation(), access.Actor{Kind: access.Person, ID: d.account, Name: d.By, From: dictationFrom}, true)
	recording := storage.NewID(now)
	return s.rerecord(ctx, person, now, d.Scenario, d.Spoken, recording, "scenario.record.telephone", func(tx *storage.Tx, of Text) error {
		if of.Body != d.words {
			return fault.New(fault.Invalid, "alerting.dictation.other_words")
		}
		if err := moveDictation(ctx, tx, person, now, d.ID, DictationKept, ""); err != nil {
			return err
		}
		return s.dispatch.KeepRecording(ctx, tx, person, now, recording, sound)
	})
}

// dictationFrom is where a recording comes from, in the journal.
const dictationFrom = "téléphone"

func dictationJournal(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, action string, def Definition, d Dictation) error {
	return journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: action, ObjectKind: "scenario", ObjectID: d.Scenario.String(), ObjectName: def.Title.In("fr"),
		After: map[string]any{"use": d.Use, "language": d.Language},
	})
}
