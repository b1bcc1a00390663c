package directory

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// ruleLimit bounds the values of one rule: beyond, a group is the right tool.
const ruleLimit = 5_000

// groupDepth bounds groups made of groups.
const groupDepth = 8

// compiler turns rules into SQL conditions on directory_people p.
type compiler struct {
	args   []any
	groups map[uuid.UUID]Rule // rules of the groups that have one
	places *organisation.Places
	values int
	sweep  bool // everyone is chosen
	wide   bool // something is asked that the index of names does not hold
	duties *dutyBook
	wishes map[uuid.UUID]Preferences
	now    time.Time
	// notified are who has a device that receives notifications.
	notified map[uuid.UUID]bool
	// called tells whom on-call functions name at the instant.
	called func(functions []uuid.UUID, levels []int) (people, groups []uuid.UUID, err error)
}

// newCompiler begins with $1 the establishment, $2 the generation and $3 the instant.
func (d *Directory) newCompiler(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time) (*compiler, error) {
	g, err := generation(ctx, tx, scope)
	if err != nil {
		return nil, err
	}
	// Who may read people reads where they work: a program whose token names the
	// one right need not be given the other.
	places, err := d.organisation.Places(ctx, tx, access.System(scope.Organisation(), "directory"), now)
	if err != nil {
		return nil, err
	}
	c := &compiler{args: []any{scope.Organisation(), g, storage.Micros(now)}, groups: map[uuid.UUID]Rule{}, places: places}
	c.called = func(functions []uuid.UUID, levels []int) (people, groups []uuid.UUID, err error) {
		if d.onCall == nil {
			return nil, nil, nil
		}
		return d.onCall.Called(ctx, tx, scope, functions, levels, now)
	}
	err = tx.Query(ctx, `SELECT id, rule FROM directory_groups WHERE organisation_id = $1 AND rule <> ''`, c.args[:1],
		func(row func(...any) error) error {
			var id uuid.UUID
			var text string
			if err := row(&id, &text); err != nil {
				return err
			}
			var r Rule
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				return err
			}
			c.groups[id] = r
			return nil
		})
	return c, err
}

// arg adds a parameter and gives its place.
func (c *compiler) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

// working selects those who are seen in this generation, have not left and
// whose contract has not ended.
const working = `p.organisation_id = $1 AND p.since_gen <= $2 AND p.until_gen > $2 AND p.departed_us IS NULL
	AND (p.contract_end_us IS NULL OR p.contract_end_us > $3)`

// absent selects those on leave at $3, by the staff file or by hand.
const absent = `(COALESCE(p.absent_from_us <= $3 AND (p.absent_to_us IS NULL OR p.absent_to_us > $3), FALSE)
	OR p.id IN (SELECT person_id FROM directory_absences WHERE organisation_id = $1 AND from_us <= $3 AND (to_us IS NULL OR to_us > $3)))`

// chosen is the whole condition of an audience. An empty exclude leaves nobody out.
func (c *compiler) chosen(include, exclude Rule) (string, error) {
	where := working
	in, err := c.rule(include, 0)
	if err != nil {
		return "", err
	}
	where += in
	if !include.Absent {
		where += " AND NOT " + absent
	}
	if exclude.Empty() {
		return where, nil
	}
	out, err := c.rule(exclude, 0)
	if err != nil {
		return "", err
	}
	// COALESCE: a person without service is not in an excluded service, and NOT NULL would drop him.
	return where + " AND NOT COALESCE((TRUE" + out + "), FALSE)", nil
}

// rule gives " AND …" for each field that says something.
func (c *compiler) rule(r Rule, depth int) (string, error) {
	if depth > groupDepth {
		return "", fault.New(fault.Conflict, "directory.group_cycle")
	}
	c.values += len(r.Metiers) + len(r.Qualifications) + len(r.Services) + len(r.Sites) + len(r.Statuses) + len(r.Groups) + len(r.People) + len(r.OnCall)
	if c.values > ruleLimit {
		return "", fault.New(fault.Invalid, "directory.rule_too_large", "limit", ruleLimit)
	}
	var b strings.Builder
	in(c, &b, "p.metier", r.Metiers)
	in(c, &b, "p.service_id", c.places.Within(r.Services))
	c.sites(&b, r.Sites)
	in(c, &b, "p.status", r.Statuses)
	in(c, &b, "p.id", r.People)
	if len(r.Qualifications) > 0 {
		c.wide = true
		var any []string
		for _, q := range r.Qualifications {
			any = append(any, `p.qualifications LIKE `+c.arg("% "+storage.Like(q)+" %")+` ESCAPE '\'`)
		}
		b.WriteString(" AND (" + strings.Join(any, " OR ") + ")")
	}
	b.WriteString(c.duty(r.Duty))
	if len(r.OnCall) > 0 {
		condition, err := c.onCall(r, depth)
		if err != nil {
			return "", err
		}
		b.WriteString(condition)
	}
	if len(r.Groups) == 0 {
		return b.String(), nil
	}
	any, err := c.anyGroup(r.Groups, depth)
	if err != nil {
		return "", err
	}
	return b.String() + " AND (" + strings.Join(any, " OR ") + ")", nil
}

// anyGroup gives the condition of each group.
func (c *compiler) anyGroup(groups []uuid.UUID, depth int) ([]string, error) {
	out := make([]string, len(groups))
	for i, id := range groups {
		var err error
		if out[i], err = c.group(id, depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// group is membership of one group: its rule when it has one, else its list.
func (c *compiler) group(id uuid.UUID, depth int) (string, error) {
	if r, ok := c.groups[id]; ok {
		condition, err := c.rule(r, depth+1)
		return "(TRUE" + condition + ")", err
	}
	return "p.id IN (SELECT person_id FROM directory_members WHERE organisation_id = $1 AND group_id = " + c.arg(id) + ")", nil
}

// sites choose by the site of the person, or of his service when he has none of his own.
func (c *compiler) sites(b *strings.Builder, sites []uuid.UUID) {
	if len(sites) == 0 {
		return
	}
	var services []uuid.UUID
	for _, id := range c.places.Within(sites) {
		if !slices.Contains(sites, id) {
			services = append(services, id)
		}
	}
	var site, service strings.Builder
	in(c, &site, "p.site_id", sites)
	in(c, &service, "p.service_id", services)
	b.WriteString(" AND (" + strings.TrimPrefix(site.String(), " AND "))
	if len(services) > 0 {
		b.WriteString(" OR p.site_id IS NULL" + service.String())
	}
	b.WriteString(")")
}

func in[T any](c *compiler, b *strings.Builder, column string, values []T) {
	if len(values) == 0 {
		return
	}
	places := make([]string, len(values))
	for i, v := range values {
		places[i] = c.arg(v)
	}
	b.WriteString(" AND " + column + " IN (" + strings.Join(places, ", ") + ")")
}
