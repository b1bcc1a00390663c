package alerting

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/wire/rtp"
	"tocsin/internal/wire/wav"
)

// The bounds of a recording: its file, and how long it is.
const (
	RecordingFileMost = 17 << 20
	RecordingShortest = channels.RecordingShortest
	RecordingLongest  = channels.RecordingLongest
)

// Spoken is a text that is said by telephone.
type Spoken struct {
	Use      Use
	Language string
}

// recorded is what is said in place of a text: the mark of an exercise and the word
// that vouches are spoken around the recording, since nobody recorded them.
func (t Text) recorded(mode Mode, word string) channels.Recording {
	if t.Medium != channels.Voice || t.Recording == uuid.Nil {
		return channels.Recording{}
	}
	return channels.Recording{ID: t.Recording, Before: ModeWord(mode, t.Language), After: word}
}

// spokenAt is the place of a text in the messages.
func (d Definition) spokenAt(of Spoken) int {
	return slices.IndexFunc(d.Messages, func(t Text) bool {
		return t.Medium == channels.Voice && t.Use == of.Use && t.Language == of.Language
	})
}

// Record has a text said by the sound of a WAV file (16 bits, mono or stereo, 8 to
// 96 kHz) in place of the voice of the program; the text stays what is shown. It
// makes a version of the scenario. Errors: NotFound, Invalid when the file is none,
// too long or too short, or when the establishment has too many.
func (s *Service) Record(ctx context.Context, scope access.Scope, now time.Time, scenario uuid.UUID, of Spoken, file []byte) error {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return err
	}
	sound, err := soundOf(file)
	if err != nil {
		return err
	}
	id := storage.NewID(now)
	return s.rerecord(ctx, scope, now, scenario, of, id, "scenario.record", func(tx *storage.Tx, _ Text) error {
		return s.dispatch.KeepRecording(ctx, tx, scope, now, id, sound)
	})
}

// EraseRecording forgets a recording: the text is spoken by the program again.
// Errors: NotFound.
func (s *Service) EraseRecording(ctx context.Context, scope access.Scope, now time.Time, scenario uuid.UUID, of Spoken) error {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return err
	}
	return s.rerecord(ctx, scope, now, scenario, of, uuid.Nil, "scenario.unrecord", func(*storage.Tx, Text) error { return nil })
}

// rerecord gives a text another recording, or none, in a version of its scenario;
// keep sees the text as it is then.
func (s *Service) rerecord(ctx context.Context, scope access.Scope, now time.Time, scenario uuid.UUID, of Spoken, recording uuid.UUID, action string, keep func(*storage.Tx, Text) error) error {
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		sc, before, _, err := readScenario(ctx, tx, scope, scenario, 0)
		if err != nil {
			return err
		}
		at := before.spokenAt(of)
		if at < 0 {
			return fault.New(fault.NotFound, "alerting.recording.no_text")
		}
		if before.Messages[at].Recording == recording {
			return nil
		}
		def := before
		def.Messages = slices.Clone(before.Messages)
		def.Messages[at].Recording = recording
		if err := s.eraseDropped(ctx, tx, scope, before, def); err != nil {
			return err
		}
		if err := keep(tx, before.Messages[at]); err != nil {
			return err
		}
		sc.Version++
		if err := saveVersion(ctx, tx, scope, now, sc, def); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: action, ObjectKind: "scenario", ObjectID: sc.ID.String(), ObjectName: def.Title.In("fr"),
			After: map[string]any{"use": of.Use, "language": of.Language},
		})
	})
}

// eraseDropped forgets the recordings that a version of a scenario no longer has.
func (s *Service) eraseDropped(ctx context.Context, tx *storage.Tx, scope access.Scope, before, after Definition) error {
	for _, t := range before.Messages {
		kept := slices.ContainsFunc(after.Messages, func(o Text) bool { return o.Recording == t.Recording })
		if t.Recording == uuid.Nil || kept {
			continue
		}
		if err := s.dispatch.EraseRecording(ctx, tx, scope, t.Recording); err != nil {
			return err
		}
	}
	return nil
}

// Recording is the recording of a text as a WAV file at 8 kHz, as it is heard by
// telephone. Errors: NotFound.
func (s *Service) Recording(ctx context.Context, scope access.Scope, scenario uuid.UUID, of Spoken) (file []byte, err error) {
	if err := s.guard.Check(scope, access.ScenarioRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		_, def, _, err := readScenario(ctx, tx, scope, scenario, 0)
		if err != nil {
			return err
		}
		at := def.spokenAt(of)
		if at < 0 {
			return fault.New(fault.NotFound, "alerting.recording.no_text")
		}
		sound, err := s.dispatch.ReadRecording(ctx, tx, scope, def.Messages[at].Recording)
		file = wav.Write(rtp.PCMA.Decode(sound))
		return err
	})
	return file, err
}

// soundOf brings a file to what a telephone says.
func soundOf(file []byte) ([]byte, error) {
	samples, rate, err := wav.Read(file)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "alerting.recording.format")
	}
	return soundIn(samples, rate)
}

// soundIn brings samples to what a telephone says, within the bounds of a recording.
func soundIn(samples []int16, rate int) ([]byte, error) {
	switch length := time.Duration(len(samples)) * time.Second / time.Duration(rate); {
	case length > RecordingLongest:
		return nil, fault.New(fault.Invalid, "alerting.recording.long", "seconds", int(RecordingLongest.Seconds()))
	case length < RecordingShortest:
		return nil, fault.New(fault.Invalid, "alerting.recording.short")
	}
	return rtp.PCMA.Encode(wav.Level(wav.Resample(samples, rate))), nil
}
