package directory

import "github.com/google/uuid"

// Rule chooses people. Fields are joined by "and", the values of one field by
// "or"; an empty rule chooses everyone. "IADE of site Nord not on leave" is
// {Metiers: ["iade"], Sites: [nord]}: people on leave are never chosen by a
// rule unless Absent says so.
type Rule struct {
	// Metiers and Qualifications are folded codes ("iade", "chirurgien", "plongeur").
	Metiers        []string    `json:"metiers,omitempty" yaml:"metiers,omitempty"`
	Qualifications []string    `json:"qualifications,omitempty" yaml:"qualifications,omitempty"`
	Services       []uuid.UUID `json:"services,omitempty" yaml:"services,omitempty"`
	Sites          []uuid.UUID `json:"sites,omitempty" yaml:"sites,omitempty"`
	Statuses       []string    `json:"statuses,omitempty" yaml:"statuses,omitempty"`
	Groups         []uuid.UUID `json:"groups,omitempty" yaml:"groups,omitempty"`
	People         []uuid.UUID `json:"people,omitempty" yaml:"people,omitempty"`
	// OnCall are functions: whoever holds one at the instant, or the levels of its
	// chain that OnCallLevels names, the holder being level 1.
	OnCall       []uuid.UUID `json:"on_call,omitempty" yaml:"on_call,omitempty"`
	OnCallLevels []int       `json:"on_call_levels,omitempty" yaml:"on_call_levels,omitempty"`
	// Absent includes people on leave today. They are still never called by an alert.
	Absent bool `json:"absent,omitempty" yaml:"absent,omitempty"`
	// Duty keeps those who are on duty, or off, by the planning of the instant;
	// people of whom no planning speaks fit both.
	Duty Duty `json:"duty,omitempty" yaml:"duty,omitempty"`
}

// Empty tells a rule that chooses everyone.
func (r Rule) Empty() bool {
	return len(r.Metiers)+len(r.Qualifications)+len(r.Services)+len(r.Sites)+len(r.Statuses)+len(r.Groups)+len(r.People)+len(r.OnCall) == 0 && r.Duty == UnknownDuty
}
