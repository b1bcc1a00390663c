package crash_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers/sip"
)

// A node is killed while people talk in its conference, on the only two lines there
// are: those lines call the person who waited, what the others said stays said, the
// follow-up tells whom the conference lost, and who calls back is called into the
// conference of a node that lives.
func TestANodeDiesWithAConference(t *testing.T) {
	i := installOn(t, storagetest.PostgresURL(t))
	// One answers that she comes; the others go to the conference and stay.
	phones := sip.Start(t, sip.Options{Scenario: sip.Persons(map[string]string{"0639980000": "1,1,1", "0639980001": "9", "0639980002": "9", "0639980003": "9"})})
	i.trunk(phones)
	i.people(4, "Camille")
	scenario := i.bridged()
	first := i.node(freePort(t), nil)
	i.launch(scenario).done()
	launch := i.launched()
	inside := func() (n int) {
		return i.number(`SELECT CAST(COALESCE(SUM(present), 0) AS BIGINT) FROM dispatch_conferences WHERE campaign_id = $1`, launch)
	}
	storagetest.Eventually(t, patience, "both lines are in the conference", func() bool { return inside() == 2 })
	answered := func() int {
		return i.number(`SELECT COUNT(*) FROM alerting_answers WHERE launch_id = $1`, launch)
	}
	before, calls := answered(), phones.Count("invite")
	i.node(freePort(t), nil)
	reached := func() dispatch.Conference {
		board, err := i.house.Alerting.Board(t.Context(), i.scope, launch, now())
		if err != nil {
			t.Fatal(err)
		}
		return board.Media.Conference
	}
	first.kill()
	killed := now()
	storagetest.Eventually(t, patience, "the lines of the dead node call again", func() bool { return phones.Count("invite") > calls })
	t.Logf("the lines were free %s after the death", now().Sub(killed).Round(time.Millisecond))
	from := lastPort(t, phones)
	sip.Call(t, sip.Calling{Port: from, From: "0639980001", Wait: time.Second, Between: time.Second, Keys: []string{"9"}})
	storagetest.Eventually(t, patience, "the follow-up says who was lost", func() bool { return reached().Lost == 2 })
	storagetest.Eventually(t, patience, "who comes has said so, before or after", func() bool { return answered() >= max(before, 1) })
	storagetest.Eventually(t, patience, "who called back is in again", func() bool {
		c := reached()
		return c.Present() >= 1 && c.Joins >= 3 && len(c.Rooms) == 1
	})
	if doubles := i.flagged(); len(doubles) > 2 {
		t.Errorf("%d may have been called twice, two lines were in use", len(doubles))
	}
}

// trunk leads to telephones, by two lines beside the two for those who call back.
func (i *installation) trunk(phones *sip.Sipp) {
	i.t.Helper()
	if _, err := i.house.Dispatch.CreateGateway(i.t.Context(), i.scope, now(), dispatch.GatewayInput{
		Kind: "sip", Name: "Ligne", Priority: 1, Enabled: true, Settings: channels.Settings{
			"host": "127.0.0.1", "port": strconv.Itoa(phones.Port), "caller": "0142000000", "channels": "4", "reserve": "2", "answer": "true",
			"speed": "300", "repeats": "1", "format": "{national}", "rate": "0",
		},
	}); err != nil {
		i.t.Fatal(err)
	}
}

// bridged keeps a scenario that calls by telephone and opens a conference.
func (i *installation) bridged() string {
	i.t.Helper()
	sheet, err := i.house.Alerting.Improvise(i.t.Context(), i.scope, now(), alerting.Improvisation{Title: "Afflux", Text: "Venez aux urgences", AskAnswer: true})
	if err != nil {
		i.t.Fatal(err)
	}
	_, def, err := i.house.Alerting.Scenario(i.t.Context(), i.scope, sheet.ID)
	if err != nil {
		i.t.Fatal(err)
	}
	def.Conference = true
	for k := range def.Waves {
		def.Waves[k].Media = []channels.Medium{channels.Voice}
	}
	for _, use := range []alerting.Use{alerting.UseAlert, alerting.UseEnd, alerting.UseStandDown} {
		for _, language := range []string{"fr", "en"} {
			def.Messages = append(def.Messages, alerting.Text{Use: use, Medium: channels.Voice, Language: language, Body: "Venez"})
		}
	}
	sc, err := i.house.Alerting.CreateScenario(i.t.Context(), i.scope, now(), def)
	if err != nil {
		i.t.Fatal(err)
	}
	return sc.ID.String()
}

// lastPort is where the last call came from.
func lastPort(t *testing.T, phones *sip.Sipp) int {
	t.Helper()
	at := 0
	for _, step := range phones.Steps() {
		if strings.HasPrefix(step, "sip:") {
			port, err := strconv.Atoi(step[strings.LastIndexByte(step, ':')+1:])
			if err != nil {
				t.Fatalf("a call came from %q", step)
			}
			at = port
		}
	}
	return at
}
