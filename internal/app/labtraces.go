package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/detect"
	tracelab "tocsin/internal/traces/lab"
)

// labTraces invents the traces of a hospital.
type labTraces struct {
	Seed     uint64 `help:"The same seed gives the same hospital." default:"1"`
	Days     int    `help:"For how many days." default:"28"`
	People   int    `help:"Members of the staff." default:"400"`
	Patients int    `help:"Patients; 46 for each member of the staff when 0." default:"0"`
	Events   int64  `help:"About how many events; 0 lets people work as they do." default:"0"`
	Wrong    int    `help:"Events for each planted misbehaviour." default:"3000"`
	Start    string `help:"First day, YYYY-MM-DD." placeholder:"DATE"`

	Out   string `help:"Folder to write events.jsonl, the files of care and staff, and labels.csv into." type:"path" placeholder:"DIR" xor:"what"`
	Send  string `help:"Address of a running Tocsin to feed." placeholder:"URL" xor:"what" and:"token"`
	Token string `help:"Token of its source, of the format jsonl." placeholder:"TOKEN" and:"token"`

	Evaluate    bool     `help:"Examine the detection: the threshold is set on some seeds, the figures are those of others." xor:"what"`
	Calibrate   []uint64 `help:"Seeds on which the threshold is set." default:"1,2,3"`
	Seeds       []uint64 `help:"Seeds that give the figures." default:"4,5,6"`
	PerThousand float64  `help:"Alerts allowed for 1,000 accesses." default:"1"`
}

// Run writes, sends or examines, and prints what was done as JSON.
func (c *labTraces) Run(s *session) error {
	o := tracelab.Options{Seed: c.Seed, Days: c.Days, People: c.People, Patients: c.Patients, Events: c.Events, Wrong: c.Wrong}
	if c.Start != "" {
		at, err := time.ParseInLocation(time.DateOnly, c.Start, paris())
		if err != nil {
			return fmt.Errorf("first day: %w", err)
		}
		o.Start = at
	}
	if o.Days < 2 || o.People < 40 || o.Wrong < 1 || o.Patients < 0 || o.Events < 0 || c.PerThousand <= 0 {
		return fault.New(fault.Invalid, "app.lab.small")
	}
	done, err := c.do(s, o)
	if err != nil {
		return err
	}
	out := json.NewEncoder(s.out)
	out.SetIndent("", "  ")
	return out.Encode(done)
}

func (c *labTraces) do(s *session, o tracelab.Options) (any, error) {
	switch {
	case c.Evaluate:
		return tracelab.Evaluate(s.ctx, tracelab.Examination{
			Options: o, Calibrate: c.Calibrate, Test: c.Seeds, PerThousand: c.PerThousand, Low: lowest,
			New: func(care traces.Carer, staff traces.Staff, threshold int) tracelab.Detector {
				return detect.New(detect.Options{Carer: care, Staff: staff, Threshold: threshold})
			},
		})
	case c.Send != "":
		return tracelab.New(o).Send(s.ctx, &http.Client{Timeout: time.Minute}, c.Send, c.Token)
	case c.Out != "":
		if err := os.MkdirAll(c.Out, 0o700); err != nil {
			return nil, fmt.Errorf("folder of the traces: %w", err)
		}
		return tracelab.New(o).Write(s.ctx, c.Out)
	}
	return nil, fault.New(fault.Invalid, "app.lab.what")
}

// lowest is the score from which a calibration looks: what is below costs far
// more than anybody can look at.
const lowest = 25

func paris() *time.Location {
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return time.UTC // the zones are in the program (internal/clock)
	}
	return l
}
