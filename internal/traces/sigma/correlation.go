package sigma

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// CorrelationType is what a correlation looks at.
type CorrelationType string

// The types of the specification.
const (
	EventCount      CorrelationType = "event_count"
	ValueCount      CorrelationType = "value_count"
	Temporal        CorrelationType = "temporal"
	TemporalOrdered CorrelationType = "temporal_ordered"
	ValueSum        CorrelationType = "value_sum"
	ValueAvg        CorrelationType = "value_avg"
	ValuePercentile CorrelationType = "value_percentile"
)

// Criterion is one comparison of a correlation's condition: lt, lte, gt, gte,
// eq or neq, and the figure.
type Criterion struct {
	Op    string
	Value float64
}

// Correlation is a rule about hits of other rules. It does not change once parsed.
type Correlation struct {
	Meta
	Type     CorrelationType
	Refs     []string // ids or names of the rules it counts
	GroupBy  []string
	Timespan time.Duration
	// Aliases names, for a field of GroupBy and a rule, the field of its events.
	Aliases  map[string]map[string]string
	Criteria []Criterion
	// Fields are what values are counted or computed of.
	Fields     []string
	Percentile float64
	// Generate says that the rules it refers to also hit by themselves.
	Generate bool
}

func (p place) correlation(m Meta, n *yaml.Node) (*Correlation, error) {
	p = p.at(n)
	if n.Kind != yaml.MappingNode {
		return nil, p.refuse("traces.sigma.want_map", "key", "correlation")
	}
	c := &Correlation{Meta: m}
	kind, err := p.text(n, "type")
	if err != nil {
		return nil, err
	}
	c.Type = CorrelationType(kind)
	if !slices.Contains([]CorrelationType{EventCount, ValueCount, Temporal, TemporalOrdered, ValueSum, ValueAvg, ValuePercentile}, c.Type) {
		return nil, p.refuse("traces.sigma.correlation_type", "type", kind)
	}
	if c.Refs, err = p.texts(n, "rules"); err != nil {
		return nil, err
	}
	if c.GroupBy, err = p.texts(n, "group-by"); err != nil {
		return nil, err
	}
	if len(c.Refs) == 0 || len(c.Refs) > 64 || len(c.GroupBy) > 16 || repeated(c.Refs) || repeated(c.GroupBy) {
		return nil, p.refuse("traces.sigma.correlation_rules")
	}
	span, err := p.text(n, "timespan")
	if err != nil {
		return nil, err
	}
	if c.Timespan, err = p.timespan(span); err != nil {
		return nil, err
	}
	if g := entry(n, "generate"); g != nil {
		c.Generate = strings.EqualFold(g.Value, "true")
	}
	if err := p.aliases(c, n); err != nil {
		return nil, err
	}
	return c, p.criteria(c, entry(n, "condition"))
}

func repeated(list []string) bool {
	sorted := slices.Sorted(slices.Values(list))
	return len(slices.Compact(sorted)) != len(list)
}

// timespan reads « 15m »: seconds, minutes, hours or days; at most 90 days.
func (p place) timespan(text string) (time.Duration, error) {
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	if len(text) >= 2 && len(text) <= 10 {
		n, err := strconv.Atoi(text[:len(text)-1])
		unit, known := units[text[len(text)-1:]]
		if err == nil && known && n > 0 && n <= int(90*24*time.Hour/unit) {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, p.refuse("traces.sigma.timespan", "value", text)
}

func (p place) aliases(c *Correlation, n *yaml.Node) error {
	list := entry(n, "aliases")
	if list == nil || isNull(list) {
		return nil
	}
	if list.Kind != yaml.MappingNode {
		return p.at(list).refuse("traces.sigma.want_map", "key", "aliases")
	}
	c.Aliases = map[string]map[string]string{}
	for i := 0; i+1 < len(list.Content); i += 2 {
		name, fields := list.Content[i].Value, list.Content[i+1]
		if fields.Kind != yaml.MappingNode {
			return p.at(fields).refuse("traces.sigma.want_map", "key", name)
		}
		c.Aliases[name] = map[string]string{}
		for j := 0; j+1 < len(fields.Content); j += 2 {
			rule, field := fields.Content[j].Value, fields.Content[j+1]
			if field.Kind != yaml.ScalarNode || !slices.Contains(c.Refs, rule) {
				return p.at(field).refuse("traces.sigma.alias_rule", "name", name, "ref", rule)
			}
			c.Aliases[name][rule] = field.Value
		}
	}
	return nil
}

func (c *Correlation) temporal() bool { return c.Type == Temporal || c.Type == TemporalOrdered }

// criteria reads the condition; a temporal correlation may have none: all its
// rules are wanted.
func (p place) criteria(c *Correlation, n *yaml.Node) error {
	if n == nil && c.temporal() {
		c.Criteria = []Criterion{{Op: "gte", Value: float64(len(c.Refs))}}
		return nil
	}
	if n == nil || n.Kind != yaml.MappingNode {
		return p.refuse("traces.sigma.correlation_condition")
	}
	p = p.at(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		switch key {
		case "field":
			var err error
			if c.Fields, err = p.texts(n, "field"); err != nil {
				return err
			}
		case "percentile":
			f, err := strconv.ParseFloat(value.Value, 64)
			if err != nil || !(f > 0 && f <= 100) {
				return p.at(value).refuse("traces.sigma.percentile")
			}
			c.Percentile = f
		case "lt", "lte", "gt", "gte", "eq", "neq":
			f, err := strconv.ParseFloat(value.Value, 64)
			if value.Kind != yaml.ScalarNode || err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
				return p.at(value).refuse("traces.sigma.want_number", "field", "condition", "modifier", key, "value", value.Value)
			}
			c.Criteria = append(c.Criteria, Criterion{Op: key, Value: f})
		default:
			return p.at(value).refuse("traces.sigma.correlation_key", "key", key)
		}
	}
	return p.checkCorrelation(c)
}

func (p place) checkCorrelation(c *Correlation) error {
	if c.temporal() {
		// No more rules than there are can be seen: « eq » all of them is « gte ».
		for i, k := range c.Criteria {
			if k.Op == "eq" && k.Value == float64(len(c.Refs)) {
				c.Criteria[i].Op = "gte"
			}
		}
	}
	needsField := c.Type != EventCount && !c.temporal()
	counts := c.Type == EventCount || c.Type == ValueCount
	switch {
	case len(c.Criteria) == 0 || len(c.Criteria) > 2:
		return p.refuse("traces.sigma.correlation_condition")
	case needsField != (len(c.Fields) > 0):
		return p.refuse("traces.sigma.correlation_field", "type", string(c.Type))
	case len(c.Fields) > 1 && c.Type != ValueCount:
		return p.refuse("traces.sigma.correlation_field", "type", string(c.Type))
	case (c.Type == ValuePercentile) != (c.Percentile > 0):
		return p.refuse("traces.sigma.percentile")
	case c.Type == TemporalOrdered && !c.growsTo(float64(len(c.Refs))):
		return p.refuse("traces.sigma.ordered_condition")
	case c.Type == Temporal && c.judgedAtEnd():
		return p.refuse("traces.sigma.temporal_condition")
	}
	for _, k := range c.Criteria {
		if counts && (k.Value < 0 || k.Value > maxGroupCount) {
			return p.refuse("traces.sigma.count_high", "most", maxGroupCount)
		}
	}
	return nil
}

// growsTo tells whether the condition is satisfied by n and by nothing below.
func (c *Correlation) growsTo(n float64) bool {
	return c.met(n) && !c.met(n-1)
}

// met tells whether a figure satisfies every criterion.
func (c *Correlation) met(n float64) bool {
	for _, k := range c.Criteria {
		if !compares(n, k.Op, k.Value) {
			return false
		}
	}
	return true
}

// judgedAtEnd tells whether more events could undo the condition: it is then
// judged when the window of the first event closes, not before.
func (c *Correlation) judgedAtEnd() bool {
	if c.Type == ValueAvg || c.Type == ValuePercentile {
		return true
	}
	for _, k := range c.Criteria {
		if k.Op != "gt" && k.Op != "gte" {
			return true
		}
	}
	return false
}
