package alerting_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/wire/wav"
)

// sound is a WAV file of that many seconds, neither silent nor steady.
func sound(seconds int) []byte {
	samples := make([]int16, seconds*wav.Rate)
	for i := range samples {
		samples[i] = int16(i%80*200 - 8000)
	}
	return wav.Write(samples)
}

// refusedAs checks that an error is a fault with that key.
func refusedAs(t *testing.T, what string, err error, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Key != key {
		t.Errorf("%s: %v, want %s", what, err, key)
	}
}

func TestATextIsSaidByAPerson(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		def := recall()
		spoken(&def, "Venez {lieu}")
		sc, err := h.CreateScenario(t.Context(), h.scope, night, def)
		if err != nil {
			t.Fatal(err)
		}
		french := alerting.Spoken{Use: alerting.UseAlert, Language: "fr"}
		if err := h.Record(t.Context(), h.scope, night, sc.ID, french, sound(2)); err != nil {
			t.Fatal(err)
		}
		file, err := h.Recording(t.Context(), h.scope, sc.ID, french)
		if err != nil || len(file) != len(sound(2)) || bytes.Equal(file[44:], make([]byte, len(file)-44)) {
			t.Errorf("%d octets, %v", len(file), err)
		}
		_, now, err := h.Scenario(t.Context(), h.scope, sc.ID)
		if err != nil {
			t.Fatal(err)
		}
		first := recordingOf(now, french)
		if first == uuid.Nil || recordingOf(now, alerting.Spoken{Use: alerting.UseEnd, Language: "fr"}) != uuid.Nil {
			t.Error("the recording is of another text, or of none")
		}
		for _, err := range now.Check() {
			t.Error(err)
		}

		// What is heard has never another text's words, nor is it heard elsewhere.
		there := access.System(storage.NewID(night), "test")
		_, err = h.Recording(t.Context(), there, sc.ID, french)
		refusedAs(t, "another establishment listens", err, "alerting.scenario.unknown")
		refusedAs(t, "another establishment records", h.Record(t.Context(), there, night, sc.ID, french, sound(2)), "alerting.scenario.unknown")
		copied, err := h.DuplicateScenario(t.Context(), h.scope, night, sc.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, of, err := h.Scenario(t.Context(), h.scope, copied.ID); err != nil || recordingOf(of, french) != uuid.Nil {
			t.Errorf("a copy shares the recording: %v", err)
		}

		// Another one takes its place, then none: what is no longer heard is not kept.
		if err := h.Record(t.Context(), h.scope, night, sc.ID, french, sound(3)); err != nil {
			t.Fatal(err)
		}
		if err := h.EraseRecording(t.Context(), h.scope, night, sc.ID, french); err != nil {
			t.Fatal(err)
		}
		_, err = h.Recording(t.Context(), h.scope, sc.ID, french)
		refusedAs(t, "erased", err, "dispatch.recording.unknown")
		if n := h.count(`SELECT COUNT(*) FROM dispatch_recording_parts WHERE organisation_id = $1`); n != 0 {
			t.Errorf("%d parts are left", n)
		}
		if sc, _, err := h.Scenario(t.Context(), h.scope, sc.ID); err != nil || sc.Version != 4 {
			t.Errorf("version %d, %v: each recording and the erasure make one", sc.Version, err)
		}
	})
}

// count reads one number of the establishment.
func (h *hospital) count(query string) (n int) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), h.scope, func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), query, []any{h.scope.Organisation()}, &n)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func recordingOf(d alerting.Definition, of alerting.Spoken) uuid.UUID {
	for _, t := range d.Messages {
		if t.Medium == channels.Voice && t.Use == of.Use && t.Language == of.Language {
			return t.Recording
		}
	}
	return uuid.Nil
}

// Hostile and mistaken files are refused with one sentence, and nothing is kept.
func TestFilesThatAreNoRecording(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		def := recall()
		spoken(&def, "Venez {lieu}")
		sc, err := h.CreateScenario(t.Context(), h.scope, night, def)
		if err != nil {
			t.Fatal(err)
		}
		of := alerting.Spoken{Use: alerting.UseAlert, Language: "fr"}
		changed := func(at int, with ...byte) []byte {
			b := sound(2)
			copy(b[at:], with)
			return b
		}
		const format = "alerting.recording.format"
		for what, one := range map[string]struct {
			file []byte
			key  string
		}{
			"nothing":                {nil, format},
			"a web page":             {[]byte(strings.Repeat("<script>alert(1)</script>", 100)), format},
			"a header alone":         {sound(2)[:20], format},
			"compressed":             {changed(20, 0x55, 0), format},
			"of 8 bits":              {changed(34, 8), format},
			"of seven tracks":        {changed(22, 7), format},
			"no rate":                {changed(24, 0, 0, 0, 0), format},
			"a rate beyond reason":   {changed(24, 0xFF, 0xFF, 0xFF, 0x7F), format},
			"a chunk without end":    {append(sound(2)[:12], append([]byte("LIST"), binary.LittleEndian.AppendUint32(nil, 0xFFFFFFFF)...)...), format},
			"no sound":               {sound(0), "alerting.recording.short"},
			"a length that is false": {changed(40, 0xFF, 0xFF, 0xFF, 0xFF), ""},
			"too long":               {sound(91), "alerting.recording.long"},
		} {
			err := h.Record(t.Context(), h.scope, night, sc.ID, of, one.file)
			if one.key == "" {
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
				continue
			}
			refusedAs(t, what, err, one.key)
		}
		refusedAs(t, "no such text", h.Record(t.Context(), h.scope, night, sc.ID, alerting.Spoken{Use: "x", Language: "fr"}, sound(2)), "alerting.recording.no_text")
		if n := h.count(`SELECT COUNT(*) FROM dispatch_recordings WHERE organisation_id = $1`); n != 1 {
			t.Errorf("%d recordings are kept, want the one whose length was false", n)
		}
		// The room that is left to the establishment is counted in what it has.
		if err := h.db.Write(t.Context(), h.scope, func(tx *storage.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE dispatch_recordings SET octets = 28800000 WHERE organisation_id = $1`, h.scope.Organisation())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		refusedAs(t, "too many", h.Record(t.Context(), h.scope, night, sc.ID, alerting.Spoken{Use: alerting.UseEnd, Language: "fr"}, sound(2)), "dispatch.recording.quota")
	})
}
