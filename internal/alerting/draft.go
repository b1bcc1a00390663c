package alerting

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// Draft is what a person is about to launch.
type Draft struct {
	Scenario uuid.UUID
	Mode     Mode
	// Values fill the variables of the scenario, by name.
	Values map[string]string
	// Sites and Services narrow the audience; empty narrows nothing.
	Sites, Services []uuid.UUID
	// OrderedBy is who gave the order, in the words of the launcher: "Dr X, directeur de garde".
	OrderedBy string
	// Fingerprint is that of the sheet which was read; when given, a launch whose
	// messages would differ from it is refused. Empty checks nothing (command line).
	Fingerprint string
	// IdempotencyKey makes retries of one form one alert; Launch only, 8 to 100 characters.
	IdempotencyKey string
	// Propose asks a person to confirm, however few people there are.
	Propose bool

	// second is how a launch that waited for a second person may leave.
	second *secondHand
}

// Sheet is the verification sheet: what would leave, to whom, and who would not be reached.
type Sheet struct {
	Scenario   Scenario
	Version    int
	Definition Definition
	Mode       Mode
	OrderedBy  string
	Previews   []Preview
	// Messaged is the number of people the launch would call now or in a later wave.
	Messaged int
	ByMedium []MediumCount
	ByWave   []WaveCount
	ByUnit   []UnitCount
	// LeftOut counts the people of the audience who would not be called, by reason,
	// and Missing lists the first of them (at most MissingListed).
	LeftOut map[LeftOut]int
	Missing []MissingPerson
	// Rest is due before a relief counts somebody who comes now.
	Rest time.Duration
	// Estimate is how long the first messages of the first wave take; zero when no rate is known.
	Estimate time.Duration
	// Cost is what the first messages cost; no routes when no price is known.
	Cost     Cost
	Warnings []Warning
	// Quotas are the lines as they will be counted, over-booking included.
	Quotas []QuotaLine
	// Rehearsed is the last rehearsal of the scenario; nil when there is none.
	Rehearsed *Rehearsal
	// Fingerprint identifies the messages, the mode and the narrowing that were shown.
	Fingerprint string
}

// MissingListed bounds the list of people a sheet names as not reached.
const MissingListed = 200

// Preview is a message exactly as one medium carries it in one language. {lien}
// shows as a link of the right length.
type Preview struct {
	Use                     Use
	Medium                  channels.Medium
	Language, Subject, Body string
	// Characters, Segments and Unicode are those of an SMS; zero for other media.
	Characters, Segments int
	// Unicode tells that a letter forces UCS-2; Offenders are those letters and
	// Plain the proposed spelling.
	Unicode   bool
	Offenders []string
	Plain     string
	// Reserved tells that it is told after the personal code of its addressee.
	Reserved bool
}

// MediumCount is how many people have an address of that medium, and how many get it first.
type MediumCount struct {
	Medium           channels.Medium
	Reachable, First int
}

// WaveCount is how many people are in a wave.
type WaveCount struct {
	Number int
	Name   Localized
	After  time.Duration
	When   Condition
	People int
	// Relief is when the slot begins of a wave that is kept back, counted from the launch.
	Relief time.Duration
	// Notice tells that its people are told now.
	Notice bool
	// Named are the people of a wave that calls on-call functions, NamedMost at most.
	Named []string
}

// NamedMost bounds the names a wave shows on the sheet.
const NamedMost = 12

// UnitCount is how many people of one service on one site.
type UnitCount struct {
	Site, Service         uuid.UUID
	SiteName, ServiceName string
	People, LeftOut       int
}

// LeftOut is why a person of the audience is not called.
type LeftOut string

// The reasons, the first that applies. The values are stored.
const (
	LeftAbsent    LeftOut = "absent"
	LeftOnDuty    LeftOut = "on_duty"
	LeftOffDuty   LeftOut = "off_duty"
	LeftProtected LeftOut = "protected"
	LeftResting   LeftOut = "resting"
	LeftNoAddress LeftOut = "no_address"
	LeftRefused   LeftOut = "refused"
	LeftStopped   LeftOut = "stopped"
	LeftNoWave    LeftOut = "no_wave"
	// LeftAsked was asked for the same need in the last hours, and is left alone.
	LeftAsked LeftOut = "asked"
)

// LeftOuts lists the reasons in the order they are shown.
func LeftOuts() []LeftOut {
	return []LeftOut{LeftNoAddress, LeftStopped, LeftRefused, LeftAbsent, LeftOnDuty, LeftOffDuty, LeftResting, LeftAsked, LeftProtected, LeftNoWave}
}

// MissingPerson is a person of the audience who would not be called.
type MissingPerson struct {
	Person                uuid.UUID
	LastName, FirstName   string
	ServiceName, SiteName string
	Why                   LeftOut
}

// Warning is a thing to know before the launch: a catalogue key and its arguments.
type Warning struct {
	Key  string
	Args []any
}

// LaunchState is the life of an alert.
type LaunchState string

// The states of an alert. The values are stored.
const (
	Running LaunchState = "running"
	Ended   LaunchState = "ended"
	Killed  LaunchState = "killed"
)

// Launch is one alert that left.
type Launch struct {
	ID       uuid.UUID
	Scenario uuid.UUID
	Version  int
	Title    Localized
	Family   string
	Profile  Profile
	Mode     Mode
	State    LaunchState
	// LaunchedAt and EndedAt are instants; EndedAt is zero while it runs.
	LaunchedAt, EndedAt time.Time
	OrderedBy           string
	LaunchedBy          string
	EndedBy             string
	Values              map[string]string
	// People are those of the waves; LeftOut those of the audience who are not called.
	People, LeftOut int
	// QuotaMet is since when every quota is reached; zero while some are missing.
	QuotaMet time.Time
}
