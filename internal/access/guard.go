package access

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/google/uuid"

	"tocsin/internal/fault"
)

//go:embed policies/*.cedar
var policyFiles embed.FS

// Guard decides by the policies.
type Guard struct{ policies *cedar.PolicySet }

// NewGuard reads the bundled policies; an error names the file that does not parse.
func NewGuard() (*Guard, error) {
	return NewGuardFrom(policyFiles)
}

// NewGuardFrom reads policies/*.cedar of a file system.
func NewGuardFrom(fsys fs.FS) (*Guard, error) {
	names, err := fs.Glob(fsys, "policies/*.cedar")
	if err != nil {
		return nil, fmt.Errorf("list policies: %w", err)
	}
	set := cedar.NewPolicySet()
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		list, err := cedar.NewPolicyListFromBytes(name, text)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		for i, p := range list {
			set.Add(cedar.PolicyID(fmt.Sprintf("%s#%d", name, i)), p)
		}
	}
	return &Guard{policies: set}, nil
}

// Check is the first line of every operation: nil when the scope's actor may
// do the action in the scope's establishment. The program's own workers may.
// Errors: Unauthenticated when nobody acts, Denied otherwise.
func (g *Guard) Check(s Scope, action Action) error {
	return g.CheckOn(s, action, s.organisation)
}

// CheckOn is Check for a thing of a named establishment.
func (g *Guard) CheckOn(s Scope, action Action, establishment uuid.UUID) error {
	if s.Empty() {
		return fault.New(fault.Unauthenticated, "access.sign_in")
	}
	if s.IsSystem() {
		if s.all || s.organisation == establishment {
			return nil
		}
		return fault.New(fault.Denied, "access.denied")
	}
	if g.permits(s, action, establishment) {
		return nil
	}
	if !s.strong && g.permits(withSecondFactor(s), action, establishment) {
		return fault.New(fault.Denied, "access.second_factor")
	}
	return fault.New(fault.Denied, "access.denied")
}

// May tells whether Check would pass, to hide what cannot be done.
func (g *Guard) May(s Scope, action Action) bool { return g.Check(s, action) == nil }

func withSecondFactor(s Scope) Scope {
	s.strong = true
	return s
}

func (g *Guard) permits(s Scope, action Action, establishment uuid.UUID) bool {
	roles := make([]types.Value, 0, len(s.roles))
	for _, r := range s.roles {
		roles = append(roles, types.String(r))
	}
	only := make([]types.Value, 0, len(s.only))
	for _, a := range s.only {
		only = append(only, types.NewEntityUID("Action", types.String(a)))
	}
	principal := types.NewEntityUID("Actor", types.String(s.actor.ID.String()))
	resource := types.NewEntityUID("Establishment", types.String(establishment.String()))
	entities := types.EntityMap{
		principal: {UID: principal, Attributes: types.NewRecord(types.RecordMap{
			"roles":         types.NewSet(roles...),
			"strong":        types.Boolean(s.strong),
			"program":       types.Boolean(s.program),
			"only":          types.NewSet(only...),
			"establishment": types.String(s.organisation.String()),
		})},
		resource: {UID: resource, Attributes: types.NewRecord(types.RecordMap{
			"establishment": types.String(establishment.String()),
		})},
	}
	decision, _ := cedar.Authorize(g.policies, entities, cedar.Request{
		Principal: principal,
		Action:    types.NewEntityUID("Action", types.String(action)),
		Resource:  resource,
		Context:   types.NewRecord(nil),
	})
	return decision == types.Allow
}
