package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// RecordingsMost bounds the recordings of an establishment, in octets: an hour of sound.
const RecordingsMost = 3600 * 8000

// recordingPart is how much of a recording one row holds.
const recordingPart = 64 << 10

// KeepRecording keeps a sound in G.711 A-law at 8 kHz, in the caller's transaction.
// Errors: Invalid when the establishment has too many.
func (d *Dispatch) KeepRecording(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, sound []byte) error {
	var kept int64
	if _, err := tx.Row(ctx, `SELECT COALESCE(SUM(octets), 0) FROM dispatch_recordings WHERE organisation_id = $1`, []any{scope.Organisation()}, &kept); err != nil {
		return err
	}
	if kept+int64(len(sound)) > RecordingsMost {
		return fault.New(fault.Invalid, "dispatch.recording.quota", "minutes", RecordingsMost/8000/60)
	}
	var rows [][]any
	for n := 0; n*recordingPart < len(sound); n++ {
		rows = append(rows, []any{scope.Organisation(), id, n, sound[n*recordingPart : min((n+1)*recordingPart, len(sound))]})
	}
	if err := tx.InsertRows(ctx, "dispatch_recordings", []string{"organisation_id", "id", "octets", "created_us"},
		[][]any{{scope.Organisation(), id, len(sound), storage.Micros(now)}}); err != nil {
		return err
	}
	return tx.InsertRows(ctx, "dispatch_recording_parts", []string{"organisation_id", "recording_id", "number", "sound"}, rows)
}

// EraseRecording forgets a sound, in the caller's transaction. Texts that name it
// are spoken from then on.
func (d *Dispatch) EraseRecording(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) error {
	for _, query := range []string{
		`DELETE FROM dispatch_recording_parts WHERE organisation_id = $1 AND recording_id = $2`,
		`DELETE FROM dispatch_recordings WHERE organisation_id = $1 AND id = $2`,
	} {
		if _, err := tx.Exec(ctx, query, scope.Organisation(), id); err != nil {
			return err
		}
	}
	return nil
}

// ReadRecording gives a sound back. Errors: NotFound.
func (d *Dispatch) ReadRecording(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (sound []byte, err error) {
	err = tx.Query(ctx, `SELECT sound FROM dispatch_recording_parts WHERE organisation_id = $1 AND recording_id = $2 ORDER BY number`,
		[]any{scope.Organisation(), id}, func(row func(...any) error) error {
			var part []byte
			err := row(&part)
			sound = append(sound, part...)
			return err
		})
	if err == nil && len(sound) == 0 {
		err = fault.New(fault.NotFound, "dispatch.recording.unknown")
	}
	return sound, err
}

// recordings implements channels.Recordings for one gateway's establishment.
type recordings struct{ k *desk }

// Recording gives the sound that a call says.
func (r recordings) Recording(ctx context.Context, id uuid.UUID) (sound []byte, err error) {
	err = r.k.d.db.Read(ctx, r.k.scope, func(tx *storage.Tx) error {
		sound, err = r.k.d.ReadRecording(ctx, tx, r.k.scope, id)
		return err
	})
	return sound, err
}

// encodeRecording writes the recording of a content; no text for none.
func encodeRecording(r channels.Recording) (string, error) {
	if r.ID == uuid.Nil {
		return "", nil
	}
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encode the recording: %w", err)
	}
	return string(b), nil
}

func decodeRecording(text string) (r channels.Recording, err error) {
	if text == "" {
		return r, nil
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("read the recording: %w", err)
	}
	return r, nil
}
