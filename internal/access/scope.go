package access

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Role is what a person may do in one establishment.
type Role string

// The roles of an establishment. The values are stored.
const (
	Administrator    Role = "administrateur"
	Launcher         Role = "declencheur"
	CrisisCell       Role = "cellule_de_crise"
	DirectoryManager Role = "gestionnaire_annuaire"
	Reader           Role = "lecteur"
	Auditor          Role = "auditeur"
	// DataProtection asks the traces who did what: the data protection officer,
	// or whom the controller delegates.
	DataProtection Role = "dpo"
	// SecurityOfficer handles what the logs of systems show: the security officer
	// (RSSI). The records of patients are not his.
	SecurityOfficer Role = "rssi"
	// Controller decides for the controller of the processing (responsable du
	// traitement): who may look at traces on request, and for how long.
	Controller Role = "responsable"
	// MedicalInformation is the physician in charge of medical information (DIM),
	// whose advice a request for audit asks.
	MedicalInformation Role = "dim"
)

// Roles lists them in the order they are shown.
func Roles() []Role {
	return []Role{Administrator, Launcher, CrisisCell, DirectoryManager, Reader, Auditor, DataProtection, SecurityOfficer, Controller, MedicalInformation}
}

// ActorKind tells persons from machines.
type ActorKind string

// The kinds of actors.
const (
	Person  ActorKind = "person"  // an account
	Machine ActorKind = "machine" // the program itself, or its command line
	Agent   ActorKind = "agent"   // a member of staff who follows a signed link, without account
	Nobody  ActorKind = "nobody"
	Program ActorKind = "program" // somebody else's program: it holds a token, or signs what it sends
)

// Actor is who acts, as the journal keeps it.
type Actor struct {
	Kind ActorKind
	// ID is the account's, recipient's or token's id; Nil for machines.
	ID   uuid.UUID
	Name string
	// From is the network address, or "cli", or the worker's name.
	From string
}

// Scope says for which establishment one acts, as whom and with which roles.
// No Store method can be called without one. Its zero value may do nothing.
type Scope struct {
	organisation uuid.UUID
	all          bool
	actor        Actor
	roles        []Role
	strong       bool
	program      bool
	// only are the actions a program was given; it means nothing for others.
	only []Action
}

// For returns the scope of an actor in one establishment. strong tells that
// this session proved a second factor.
func For(organisation uuid.UUID, actor Actor, strong bool, roles ...Role) Scope {
	return Scope{organisation: organisation, actor: actor, roles: slices.Clone(roles), strong: strong}
}

// ForProgram returns the scope of somebody else's program: it acts under these
// roles, and does of what they permit only the actions it was given. Whoever
// gave them had proven a second factor, so the scope is strong.
func ForProgram(organisation uuid.UUID, actor Actor, only []Action, roles ...Role) Scope {
	actor.Kind = Program
	s := For(organisation, actor, true, roles...)
	s.program, s.only = true, slices.Clone(only)
	return s
}

// System returns the scope of a worker of the program in one establishment.
func System(organisation uuid.UUID, worker string) Scope {
	return Scope{organisation: organisation, actor: Actor{Kind: Machine, Name: worker, From: worker}, strong: true}
}

// Instance returns the scope of a worker that serves every establishment, to
// find work. What it then does for one of them goes through Within.
func Instance(worker string) Scope {
	return Scope{all: true, actor: Actor{Kind: Machine, Name: worker, From: worker}, strong: true}
}

// Within narrows a scope to one establishment. A scope that is not an
// Instance keeps its own establishment: it cannot move to another.
func (s Scope) Within(organisation uuid.UUID) Scope {
	if s.all {
		s.all = false
		s.organisation = organisation
	}
	return s
}

// Organisation is the establishment one acts for; Nil for Instance and the zero scope.
func (s Scope) Organisation() uuid.UUID { return s.organisation }

// Everywhere tells an Instance scope.
func (s Scope) Everywhere() bool { return s.all }

// Actor is who acts.
func (s Scope) Actor() Actor { return s.actor }

// Roles are the actor's roles in this establishment.
func (s Scope) Roles() []Role { return slices.Clone(s.roles) }

// Has tells whether the actor holds the role here.
func (s Scope) Has(r Role) bool { return slices.Contains(s.roles, r) }

// Strong tells whether a second factor was proven in this session.
func (s Scope) Strong() bool { return s.strong }

// IsSystem tells whether the program itself acts.
func (s Scope) IsSystem() bool { return s.actor.Kind == Machine && len(s.roles) == 0 }

// IsProgram tells whether somebody else's program acts.
func (s Scope) IsProgram() bool { return s.program }

// Only lists the actions a program was given; nil for others.
func (s Scope) Only() []Action { return slices.Clone(s.only) }

// Empty tells the zero scope: nobody, nowhere.
func (s Scope) Empty() bool { return !s.all && s.organisation == uuid.Nil }

// Rights is a text that two scopes share when they may do the same: same
// establishment, roles, second factor and limits. It names no actor, as no
// policy does; what was made for one of them may be shown to the other.
func (s Scope) Rights() string {
	roles, only := slices.Sorted(slices.Values(s.roles)), slices.Sorted(slices.Values(s.only))
	return fmt.Sprintf("%s %t %s %t %t %q %q", s.organisation, s.all, s.actor.Kind, s.strong, s.program, roles, only)
}
