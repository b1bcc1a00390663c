package bench_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/bench"
)

// apart are the longest measurements: those that kill, cut, restore or crowd. What
// they promise is shown by test/crash and by the stories; that they still measure
// it, by `make test-bench`: beside other tests they take longer than all the others
// together, and two busy cores leave some of them nothing to measure.
var apart = []string{
	"sms100k.", "crash.", "crashpg3.", "cut.", "killswitch.", "partition.", "busy.", "answers.", "restore100k.",
	"trunk3.", "voice4300.", "voice.", "voice500.", "rehearsal.",
}

// tried are the figures tried here, of a list.
func tried(ids []string) []string {
	if os.Getenv("TOCSIN_TEST_BENCH") != "" {
		return ids
	}
	return slices.DeleteFunc(ids, func(id string) bool {
		return slices.ContainsFunc(apart, func(begin string) bool { return strings.HasPrefix(id, begin) })
	})
}

// TestEveryMeasurementStillRuns makes each of them on fifty people, by real
// processes, so that the bench cannot rot.
func TestEveryMeasurementStillRuns(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	folder := t.TempDir()
	wanted := tried(bench.IDs())
	results, err := bench.Run(t.Context(), bench.Options{
		Only: strings.Join(wanted, ","), Runs: 1, Folder: folder, Program: self, Log: &log,
		Sizes: bench.Sizes{Alert: 50, Mail: 50, Mass: 50, Crash: 1500, Kills: 2, Import: 50, Pages: 50, Requests: 1, CutS: 1, Viewers: 5},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	var ids []string
	for _, r := range results {
		ids = append(ids, r.ID)
		if r.Unit == "" || r.ReferenceName == "" || r.Runs < 1 || r.Reference <= 0 || r.Min > r.Value || r.Value > r.Max {
			t.Errorf("a figure that says nothing: %+v", r)
		}
		// What is lost, late or unsaid is nothing; doubles and delays may be.
		nothing := strings.HasSuffix(r.ID, ".lost") || slices.Contains([]string{"killswitch.late", "partition.unflagged_doubles", "sms100k.pg3_doubles", "restore100k.diff"}, r.ID)
		maybe := slices.Contains([]string{"crash.doubles_per_kill", "crashpg3.resume_s", "cut.other_delay_s"}, r.ID)
		if nothing && r.Value != 0 || !nothing && !maybe && r.Value <= 0 {
			t.Errorf("%s is %g", r.ID, r.Value)
		}
	}
	if !slices.Equal(ids, wanted) {
		t.Errorf("measured %v, want %v\n%s", ids, wanted, log.String())
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("data left behind: %v %v", left, err)
	}
	var out bytes.Buffer
	if err := bench.WriteJSON(&out, results); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("%v %s", err, out.String())
	}
}

// TestTheMediaAreStillMeasured does the same for rosters and calls.
func TestTheMediaAreStillMeasured(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	wanted := tried(bench.MediaIDs())
	results, err := bench.RunMedia(t.Context(), bench.Options{
		Only: strings.Join(wanted, ","), Runs: 1, Folder: t.TempDir(), Program: self, Log: &log, Sizes: bench.Sizes{Alert: 40, Mail: 40, Rosters: 20, Calls: 3, Wave: bench.Wave{People: 8, Lines: 2, Hurry: 20, Wait: 2500 * time.Millisecond}},
	})
	if err != nil || len(results) != len(wanted) {
		t.Fatalf("%+v %v\n%s", results, err, log.String())
	}
	by := map[string]bench.Result{}
	for _, r := range results {
		by[r.ID] = r
	}
	if gaps := by["roster.gaps"]; gaps.Value != 0 || gaps.Reference < 20*2*240 {
		t.Errorf("rosters: %+v", gaps)
	}
	if rehearsal, made := by["rehearsal.4300x200_s"]; made && (rehearsal.Value <= 0 || rehearsal.Reference < 40*200) {
		t.Errorf("rehearsal: %+v", rehearsal)
	}
	if calls, made := by["voice500.ok"]; made && calls.Value != 3 {
		t.Errorf("calls: %+v\n%s", calls, log.String())
	}
	if mail := by["peers.email_ratio"]; mail.Value <= 0 || mail.Reference <= 0 {
		t.Errorf("e-mail beside Postfix: %+v\n%s", mail, log.String())
	}
	if over, made := by["trunk3.over"]; made && (over.Value != 0 || over.Reference != 2) {
		t.Errorf("trunk: %+v\n%s", over, log.String())
	}
	seen := by["voice.key_visible_p95_ms"]
	if busy, made := by["voice4300.busy_pct"]; made && (busy.Value < 50 || seen.Value <= 0) {
		t.Errorf("wave: %+v %+v\n%s", busy, seen, log.String())
	}
}

// TestCallsBesideSippAreStillMeasured makes a few.
func TestCallsBesideSippAreStillMeasured(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	results, err := bench.RunPeers(t.Context(), bench.Options{
		Only: "peers.voice_ratio", Runs: 1, Folder: t.TempDir(), Program: self, Log: &log, Sizes: bench.Sizes{Calls: 4},
	})
	if err != nil || len(results) != 1 || results[0].Value <= 0 || results[0].Reference <= 0 {
		t.Fatalf("%+v %v\n%s", results, err, log.String())
	}
}
