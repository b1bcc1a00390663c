package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/traces"
	"tocsin/internal/traces/detect"
)

// learntEvery is how often what the detection learnt is written down.
const learntEvery = time.Hour

// openDetection makes what looks at the behaviour of people, with what it learnt
// before. It is given nothing of an establishment that has not put it into service.
func (h *House) openDetection() {
	h.Detection = detect.New(detect.Options{Carer: h.Care, Staff: h.Staff, Zone: h.zoneOf, Ours: func(source uuid.UUID) bool { return source == uuid.Nil }})
	learnt, err := os.ReadFile(h.learntPath())
	if err == nil {
		err = h.Detection.Restore(learnt)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.Log.Error("the detection learns anew: what it had learnt cannot be read", "err", err)
	}
}

func (h *House) learntPath() string {
	return filepath.Join(h.Settings.Data, "traces", "detection.learnt")
}

// zoneOf gives the zone of an establishment; nil when it cannot be read.
func (h *House) zoneOf(id uuid.UUID) *time.Location {
	e, err := h.Houses.Get(context.Background(), access.System(id, "traces"))
	if err != nil {
		return nil
	}
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return nil
	}
	return zone
}

// writeLearnt writes what the detection learnt, where the base is, whole or not
// at all.
func (h *House) writeLearnt() error {
	if _, err := os.Stat(filepath.Dir(h.learntPath())); err != nil {
		return nil //nolint:nilerr // this house keeps no traces
	}
	learnt, err := h.Detection.Snapshot()
	if err != nil {
		return err
	}
	next := h.learntPath() + ".new"
	if err := os.WriteFile(next, learnt, 0o600); err != nil {
		return fmt.Errorf("write what the detection learnt: %w", err)
	}
	return os.Rename(next, h.learntPath())
}

// keepLearnt is writeLearnt as a task.
func (h *House) keepLearnt(context.Context, time.Time) (bool, error) { return false, h.writeLearnt() }

// caseTitle gives the key of the title of a rule of behaviour; empty for others.
func caseTitle(rule string) string {
	if !slices.Contains(detect.Rules(), rule) {
		return ""
	}
	return detect.Title(rule)
}

// caseWatched tells the rules whose hits are looked at each time.
func caseWatched(rule string) bool {
	return rule == detect.RuleWellKnown || rule == detect.RuleLeaver
}

// behaviourTitles are the titles of the rules of behaviour, for the register entry.
func behaviourTitles() []string {
	var out []string
	for _, r := range detect.Rules() {
		out = append(out, detect.Title(r))
	}
	return out
}

var _ traces.Detector = (*detect.Detector)(nil)
