package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"tocsin/internal/bench/ground"
	"tocsin/internal/fault"
)

// Options say what is measured and how.
type Options struct {
	// Only is an id or the group of its prefix ("sms4300"); several are joined
	// by commas; empty measures everything.
	Only string
	// Runs is how many times a short measurement is repeated; 0 means 3.
	Runs int
	// Folder is where the data of the measurements are written, on a disk: a
	// folder of the system's temporary one when empty. What it holds is removed.
	Folder string
	// Profile, when not empty, receives CPU and heap profiles of the product.
	Profile string
	// Program is this program: its path starts the processes measured.
	Program string
	// Log receives what happens, for people.
	Log io.Writer
	// Sizes are those of the bars when zero.
	Sizes Sizes
}

// Sizes are how much each measurement carries.
type Sizes struct {
	// Alert, Mail, Mass and Crash are people called; Kills how many times the product is killed.
	Alert, Mail, Mass, Crash, Kills int
	// Import is rows, Pages people in the directory; Requests how often each page is asked for in one run.
	Import, Pages, Requests int
	// CutS is how many seconds a network is cut.
	CutS int
	// Viewers are browsers that follow an alert.
	Viewers int
	// Calls are simultaneous calls.
	Calls int
	// Wave is a wave of calls.
	Wave Wave
	// Rosters are drawn at random.
	Rosters int
	// Traces are events, Keyed those of the crash, and Repeats how often each question is asked.
	Traces, Keyed, Repeats int
}

// Bars are the sizes of the table.
func Bars() Sizes {
	return Sizes{
		Alert: 4300, Mail: 4300, Mass: 100_000, Crash: 20_000, Kills: 10, Import: 100_000, Pages: 100_000, Requests: 10, CutS: 60, Viewers: 1000, Calls: 500, Rosters: 10_000,
		Traces: 10_000_000, Keyed: 1_000_000, Repeats: 20,
		Wave: Wave{People: 4300, Lines: 60, Hurry: 10, Wait: 30 * time.Second},
	}
}

// Scaled are the same sizes with a part of the people and rows.
func (s Sizes) Scaled(part float64) Sizes {
	for _, n := range []*int{&s.Alert, &s.Mail, &s.Mass, &s.Crash, &s.Import, &s.Pages, &s.Viewers, &s.Calls, &s.Rosters, &s.Traces, &s.Keyed, &s.Wave.People} {
		*n = max(1, int(float64(*n)*part))
	}
	return s
}

// measurement gives the figures of one group, by the same preparation.
type measurement struct {
	group string
	ids   []string
	run   func(*bench, context.Context) ([]Result, error)
}

func measurements() []measurement {
	return []measurement{
		{"sms4300", []string{"first_ms", "last_s"}, (*bench).sms4300},
		{"sms100k", []string{"last_s", "rss_mb", "ratio", "ratio_fast"}, (*bench).sms100k},
		{"email4300", []string{"ratio"}, (*bench).email4300},
		{"sms100k", []string{"pg3_cpu_ratio", "pg3_doubles"}, (*bench).sms100kpg3},
		{"crash", []string{"lost", "doubles_per_kill", "resume_s"}, (*bench).crash},
		{"crashpg3", []string{"lost", "resume_s"}, (*bench).crashpg3},
		{"cut", []string{"lost", "other_delay_s"}, (*bench).cut},
		{"killswitch", []string{"late"}, (*bench).killswitch},
		{"partition", []string{"lost", "unflagged_doubles"}, (*bench).partition},
		{"busy", []string{"first_ms", "contract_pct"}, (*bench).busy},
		{"answers", []string{"rate", "visible_p95_ms", "burst_visible_p95_ms"}, (*bench).answers},
		{"import100k", []string{"preview_s", "commit_s", "rss_mb"}, (*bench).import100k},
		{"restore100k", []string{"s", "diff"}, (*bench).restore100k},
		{"pages100k", []string{"ttfb_p95_ms"}, (*bench).pages100k},
		{"answerpage", []string{"bytes", "usable_s"}, (*bench).answerpage},
	}
}

// figures are the ids of a measurement. One that holds a point is whole: it is of
// another group, or of none when it begins with the point.
func (m measurement) figures() []string {
	out := make([]string, len(m.ids))
	for i, id := range m.ids {
		if out[i] = strings.TrimPrefix(id, "."); !strings.Contains(id, ".") {
			out[i] = m.group + "." + id
		}
	}
	return out
}

// media are the measurements of the media beside SMS and e-mail.
func media() []measurement {
	return []measurement{
		{"roster", []string{"gaps"}, (*bench).rosterGaps},
		{"voice4300", []string{"busy_pct", "over_limit_pct", "voice.key_visible_p95_ms"}, (*bench).voice4300},
		{"peers", []string{"email_ratio"}, (*bench).peersEmail},
		{"trunk3", []string{"over"}, (*bench).trunk3},
		{"rehearsal", []string{"4300x200_s"}, (*bench).rehearsal4300},
		{"push", []string{"ratio"}, (*bench).pushRatio},
		{"voice500", []string{"ok", "tick_p999_ms", "rss_delta_mb"}, (*bench).voice500},
	}
}

// IDs lists every figure of alerts, in the order they are measured.
func IDs() []string { return idsOf(measurements()) }

// MediaIDs lists every figure of the media.
func MediaIDs() []string { return idsOf(media()) }

func idsOf(list []measurement) []string {
	var out []string
	for _, m := range list {
		out = append(out, m.figures()...)
	}
	return out
}

// choose returns the ids asked for. Errors: Invalid for an unknown one.
func choose(list []measurement, only string) (map[string]bool, error) {
	chosen := map[string]bool{}
	for part := range strings.SplitSeq(only, ",") {
		part = strings.TrimSpace(part)
		found := false
		for _, id := range idsOf(list) {
			if part == "" || id == part || strings.HasPrefix(id, part+".") {
				chosen[id], found = true, true
			}
		}
		if !found {
			return nil, fault.New(fault.Invalid, "bench.unknown_id", "id", part, "ids", strings.Join(idsOf(list), ", ")).At("only")
		}
	}
	return chosen, nil
}

// bench is one run of the command.
type bench struct {
	Options
	folder string
	// postgres is started by the first measurement that needs it.
	postgres *ground.Postgres
}

// Run measures alerts. Figures whose measurement succeeded are returned even when
// another failed.
func Run(ctx context.Context, o Options) ([]Result, error) { return measure(ctx, o, measurements()) }

// RunMedia is Run for the media.
func RunMedia(ctx context.Context, o Options) ([]Result, error) { return measure(ctx, o, media()) }

func measure(ctx context.Context, o Options, list []measurement) (results []Result, err error) {
	chosen, err := choose(list, o.Only)
	if err != nil {
		return nil, err
	}
	if o.Runs <= 0 {
		o.Runs = 3
	}
	if o.Sizes == (Sizes{}) {
		o.Sizes = Bars()
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	b := &bench{Options: o}
	if b.folder, err = os.MkdirTemp(o.Folder, "tocsin-bench-"); err != nil {
		return nil, fmt.Errorf("folder of the measurements: %w", err)
	}
	defer func() { err = errors.Join(err, b.stopPostgres(), os.RemoveAll(b.folder)) }()
	b.note("data on %s (%s); %s", b.folder, fileSystem(b.folder), machine())
	for _, m := range list {
		if !slices.ContainsFunc(m.figures(), func(id string) bool { return chosen[id] }) {
			continue
		}
		if ctx.Err() != nil {
			return results, errors.Join(err, ctx.Err())
		}
		figures, merr := m.run(b, ctx)
		if merr != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", m.group, merr))
			b.note("%s failed: %v", m.group, merr)
			continue
		}
		for _, r := range figures {
			if chosen[r.ID] {
				results = append(results, r)
			}
		}
	}
	return results, err
}

// note says one line to people.
func (b *bench) note(format string, args ...any) {
	if _, err := fmt.Fprintf(b.Log, "  "+format+"\n", args...); err != nil {
		return // nobody reads
	}
}
