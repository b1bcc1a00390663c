package alerting

// The values that are shown have their words in the catalogues under these keys.

// Key names the sentence of an event; its arguments are by, wave, people and text.
func (k EventKind) Key() string { return "alerting.event." + string(k) }

// Key names the word of a state.
func (s State) Key() string { return "alerting.state." + string(s) }

// Key names the word of a meaning; an empty meaning has none.
func (m Meaning) Key() string { return "alerting.meaning." + string(m) }

// Key names the reason why somebody is not called.
func (l LeftOut) Key() string { return "alerting.left_out." + string(l) }

// Key names the word of an attempt's state.
func (a AttemptState) Key() string { return "alerting.attempt." + string(a) }

// EventKinds lists the kinds of events.
func EventKinds() []EventKind {
	return []EventKind{
		EventLaunched, EventTwin, EventWaveOpened, EventWaveStopped, EventQuotaMet, EventReopened, EventReliefMet, EventReliefOpen, EventKeptBack, EventStandDown, EventRepeated,
		EventProgress, EventExtended, EventManualCall, EventArrival, EventDeparture, EventRoll, EventAttached, EventStop, EventGuarded, EventEnded, EventKilled,
		EventConfirmed, EventOverridden,
	}
}
