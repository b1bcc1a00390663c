package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/wire/cap"
)

// Filter says which messages of the Common Alerting Protocol a door hears: all
// that it asks must hold. What is empty asks for nothing. Event and Area take
// several words, with commas between them; one is enough.
type Filter struct {
	// Sender is the sender of the message, case aside.
	Sender string `json:"sender,omitempty"`
	// Event is found in the event or in the headline, accents and case aside.
	Event string `json:"event,omitempty"`
	// Severity and Certainty are the least ones.
	Severity  string `json:"severity,omitempty"`
	Certainty string `json:"certainty,omitempty"`
	// Area is found in the words of an area, or is one of its codes.
	Area string `json:"area,omitempty"`
}

// tidied checks what was given. A filter that hears everything is refused: it
// would wake people for the weather of another region.
func (f Filter) tidied() (Filter, error) {
	for field, text := range map[string]*string{"cap_sender": &f.Sender, "cap_event": &f.Event, "cap_area": &f.Area} {
		if *text = strings.Join(strings.Fields(*text), " "); len(*text) > 200 {
			return f, fault.New(fault.Invalid, "hooks.cap.long").At(field)
		}
	}
	switch {
	case f.Severity != "" && !slices.Contains(cap.Severities(), f.Severity):
		return f, fault.New(fault.Invalid, "hooks.cap.value").At("cap_severity")
	case f.Certainty != "" && !slices.Contains(cap.Certainties(), f.Certainty):
		return f, fault.New(fault.Invalid, "hooks.cap.value").At("cap_certainty")
	case f.Event == "" && f.Area == "" && f.Severity == "":
		return f, fault.New(fault.Invalid, "hooks.cap.everything").At("cap_event")
	}
	return f, nil
}

// hears tells that a message concerns the door: one of its blocks holds all.
func (f Filter) hears(a cap.Alert) bool {
	return (f.Sender == "" || strings.EqualFold(f.Sender, a.Sender)) && slices.ContainsFunc(a.Infos, f.hearsInfo)
}

func (f Filter) hearsInfo(i cap.Info) bool {
	return cap.AtLeast(cap.Severities(), i.Severity, f.Severity) && cap.AtLeast(cap.Certainties(), i.Certainty, f.Certainty) &&
		found(f.Event, i.Event, i.Headline) && (f.Area == "" || slices.ContainsFunc(i.Areas, f.hearsArea))
}

func (f Filter) hearsArea(a cap.Area) bool {
	return found(f.Area, a.Description) || slices.ContainsFunc(a.Geocodes, func(g cap.Geocode) bool {
		return slices.ContainsFunc(choices(f.Area), func(word string) bool { return word == storage.Fold(g.Value) })
	})
}

// choices are the words between commas, folded.
func choices(list string) (out []string) {
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, storage.Fold(word))
		}
	}
	return out
}

func found(list string, texts ...string) bool {
	words := choices(list)
	return len(words) == 0 || slices.ContainsFunc(words, func(word string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(storage.Fold(text), word) })
	})
}

// The life of what comes in.
const (
	// clocksApart is how far in the future a message may have been sent.
	clocksApart = 5 * time.Minute
	// unsaidLife is the life of a message that does not say when it expires.
	unsaidLife = 24 * time.Hour
	// oldest is shorter than the memory of what was heard: nothing forgotten acts again.
	oldest = keepTold - 24*time.Hour
)

// readCAP reads a message for a door. Errors: Invalid, with one sentence.
func readCAP(body []byte, d Door, now time.Time) (signal, error) {
	a, err := cap.Parse(body)
	if err != nil {
		return signal{}, fault.Wrap(err, fault.Invalid, refusalOf(err))
	}
	ends := a.Expires()
	if ends.IsZero() || ends.Sub(a.Sent) > oldest {
		ends = a.Sent.Add(unsaidLife)
		if !a.Expires().IsZero() {
			ends = a.Sent.Add(oldest)
		}
	}
	switch {
	case a.Sent.After(now.Add(clocksApart)):
		return signal{}, fault.New(fault.Invalid, "hooks.cap.future")
	case !ends.After(now) && a.Kind != cap.Canceling:
		return signal{}, fault.New(fault.Invalid, "hooks.cap.expired")
	}
	mode, spoken := modeOf(a.Status)
	sig := signal{
		key: capKey(a.Name()), words: wordsOf(a), mode: mode,
		firing: a.Kind != cap.Canceling && d.Filter.hears(a),
		silent: !spoken || !slices.Contains([]string{cap.Alerting, cap.Updating, cap.Canceling}, a.Kind) || d.Filter.Sender != "" && !strings.EqualFold(d.Filter.Sender, a.Sender),
	}
	for _, r := range a.References {
		if r.Sender == a.Sender { // nobody updates or cancels what another sent
			sig.refs = append(sig.refs, capKey(r))
		}
	}
	return sig, nil
}

// refusalOf names the sentence of what cannot be read.
func refusalOf(err error) string {
	for known, key := range map[error]string{
		cap.ErrDocType: "hooks.cap.doctype", cap.ErrNamespace: "hooks.cap.namespace", cap.ErrInvalid: "hooks.cap.invalid", cap.ErrTwice: "hooks.cap.invalid",
	} {
		if errors.Is(err, known) {
			return key
		}
	}
	return "hooks.cap.unreadable"
}

// modeOf is how true a message is; false for those that speak to systems.
func modeOf(status string) (alerting.Mode, bool) {
	m, ok := map[string]alerting.Mode{cap.Actual: alerting.Real, cap.Exercise: alerting.Exercise, cap.Test: alerting.Test}[status]
	return m, ok
}

// lesser is the less real of two modes: a test heard by a door that may launch for
// real is a test, and an alert heard by a door of exercises is an exercise.
func lesser(a, b alerting.Mode) alerting.Mode {
	order := []alerting.Mode{alerting.Test, alerting.Exercise, alerting.Real}
	return order[min(slices.Index(order, a), slices.Index(order, b))]
}

func capKey(r cap.Reference) string {
	sum := sha256.Sum256([]byte(r.Sender + "\n" + r.Identifier + "\n" + r.Sent.UTC().Format(time.RFC3339)))
	return hex.EncodeToString(sum[:])
}

// wordsOf are the variables of a message, in French when it speaks it.
func wordsOf(a cap.Alert) map[string]string {
	i := a.In("fr")
	var areas []string
	for _, area := range i.Areas {
		areas = append(areas, area.Description)
	}
	out := map[string]string{
		"event": i.Event, "headline": i.Headline, "description": i.Description, "instruction": i.Instruction, "severity": i.Severity, "certainty": i.Certainty,
		"urgency": i.Urgency, "area": strings.Join(areas, ", "), "sender": a.Sender, "sender_name": i.SenderName,
	}
	for name, text := range out {
		out[name] = clean(text)
	}
	return out
}

// thread finds what a message speaks of: a message and its updates are one call,
// known by the first that was heard. again tells that this very message was heard, or that a
// later one spoke of it.
func thread(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, door uuid.UUID, sig signal) (key string, again bool, err error) {
	members := append([]string{sig.key}, sig.refs...)
	for i, m := range members {
		var known bool
		if known, err = tx.Row(ctx, `SELECT thread FROM hooks_heard WHERE organisation_id = $1 AND door_id = $2 AND id = $3`, []any{scope.Organisation(), door, m}, &key); err != nil {
			return key, again, err
		}
		if known {
			again = i == 0
			break
		}
	}
	if key == "" {
		key = sig.key
		if !sig.firing && len(sig.refs) == 0 {
			return key, false, nil // it concerns nobody here: another filter may hear it
		}
	}
	for _, m := range members {
		if _, err = tx.Exec(ctx, `INSERT INTO hooks_heard (organisation_id, door_id, id, thread, at_us) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organisation_id, door_id, id) DO NOTHING`,
			scope.Organisation(), door, m, key, storage.Micros(now)); err != nil {
			return key, again, err
		}
	}
	return key, again, nil
}
