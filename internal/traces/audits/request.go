package audits

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Kind is who asks.
type Kind string

// The kinds.
const (
	OfPatient Kind = "patient" // a patient, through a member of the staff
	OfService Kind = "service" // a head of department
)

// State is how far a request is.
type State string

// The states.
const (
	Asked     State = "asked"
	Accepted  State = "accepted"
	Refused   State = "refused"
	Closed    State = "closed"
	Withdrawn State = "withdrawn"
)

// The bounds of a request.
const (
	wordsMost = 2000 // letters of what is written at length
	shortMost = 200
	listMost  = 50
	longest   = 366 * 24 * time.Hour // that a delegate may look
	openMost  = 500                  // requests that wait, for one establishment
)

// Extent is what a request is about.
type Extent struct {
	Patients []string `json:"patients,omitempty"`
	Services []string `json:"services,omitempty"`
	Accounts []string `json:"accounts,omitempty"`
	// From and To bound the events, UTC microseconds, To excluded.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Originals opens the events with their originals; only a decision says so.
	Originals bool `json:"originals,omitempty"`
}

// list reads one value a line, each once.
func list(values []string) (out []string) {
	for _, v := range values {
		if v = strings.Join(strings.Fields(v), " "); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func (e Extent) check() (Extent, error) {
	e.Patients, e.Services, e.Accounts = list(e.Patients), list(e.Services), list(e.Accounts)
	if len(e.Patients)+len(e.Services)+len(e.Accounts) == 0 {
		return e, fault.New(fault.Invalid, "traces.audits.nothing").At("patients")
	}
	for field, values := range map[string][]string{"patients": e.Patients, "services": e.Services, "comptes": e.Accounts} {
		long := slices.ContainsFunc(values, func(v string) bool { return len(v) > traces.MaxKey })
		if long || len(values) > listMost {
			return e, fault.New(fault.Invalid, "traces.audits.list", "most", listMost, "length", traces.MaxKey).At(field)
		}
	}
	if e.From >= e.To || e.To-e.From > traces.MaxSpan {
		return e, fault.New(fault.Invalid, "traces.audits.period").At("a")
	}
	return e, nil
}

func (e Extent) noted() map[string]any {
	return map[string]any{
		"patients": len(e.Patients), "services": len(e.Services), "accounts": len(e.Accounts), "originals": e.Originals,
		"from": storage.Time(e.From).Format(time.DateOnly), "to": storage.Time(e.To).Format(time.DateOnly),
	}
}

// Advice is what the DPO or the DIM thinks of a request.
type Advice struct {
	Role       access.Role
	Favourable bool
	Words      string
	ByID       uuid.UUID
	ByName     string
	At         time.Time
}

// Request is one request for audit.
type Request struct {
	ID     uuid.UUID
	Number string
	Kind   Kind
	State  State

	AskedID         uuid.UUID
	AskedName       string
	Asked           time.Time
	Behalf, Checked string
	Subject, Reason string
	Wanted, Granted Extent

	Advice []Advice

	Decision, DecidedName string
	DecidedID             uuid.UUID
	Decided               time.Time
	DelegateID            uuid.UUID
	DelegateName          string
	Ends                  time.Time

	Unmasked, UnmaskedBy string
	Conclusion           string
	Closed               time.Time

	organisation uuid.UUID
}

// Advisers are the roles whose advice a decision waits for.
func Advisers() []access.Role {
	return []access.Role{access.DataProtection, access.MedicalInformation}
}

// Of gives the advice of a role; false while there is none.
func (r Request) Of(role access.Role) (Advice, bool) {
	i := slices.IndexFunc(r.Advice, func(a Advice) bool { return a.Role == role })
	if i < 0 {
		return Advice{}, false
	}
	return r.Advice[i], true
}

// Advised tells that both pieces of advice are there.
func (r Request) Advised() bool {
	return !slices.ContainsFunc(Advisers(), func(role access.Role) bool {
		_, ok := r.Of(role)
		return !ok
	})
}

// Open tells whether the delegate may look at a time.
func (r Request) Open(now time.Time) bool { return r.State == Accepted && now.Before(r.Ends) }

// warrant is what the delegate may look at.
func (r Request) warrant() traces.Warrant {
	return traces.Warrant{
		Number: r.Number, Organisation: r.organisation, Delegate: r.DelegateID, From: r.Granted.From, To: r.Granted.To, Opens: r.Decided, Ends: r.Ends,
		Patients: r.Granted.Patients, Services: r.Granted.Services, Accounts: r.Granted.Accounts,
		Originals: r.Granted.Originals,
	}
}

const columns = `organisation_id, id, number, kind, state, asked_id, asked_name, asked_us, behalf, checked, subject, reason, wanted_json, granted_json,
	decision, decided_id, decided_name, decided_us, delegate_id, delegate_name, ends_us, unmasked, unmasked_by, conclusion, closed_us`

func readRequests(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Request, err error) {
	err = tx.Query(ctx, `SELECT `+columns+` FROM traces_requests WHERE `+which, args, func(row func(...any) error) error {
		var r Request
		var asked int64
		var wanted, granted string
		var decidedID, delegate uuid.NullUUID
		var decided, ends, closed sql.NullInt64
		if err := row(&r.organisation, &r.ID, &r.Number, &r.Kind, &r.State, &r.AskedID, &r.AskedName, &asked, &r.Behalf, &r.Checked, &r.Subject, &r.Reason, &wanted, &granted,
			&r.Decision, &decidedID, &r.DecidedName, &decided, &delegate, &r.DelegateName, &ends, &r.Unmasked, &r.UnmaskedBy, &r.Conclusion, &closed); err != nil {
			return err
		}
		r.Asked, r.DecidedID, r.DelegateID = storage.Time(asked), decidedID.UUID, delegate.UUID
		for to, from := range map[*time.Time]sql.NullInt64{&r.Decided: decided, &r.Ends: ends, &r.Closed: closed} {
			if from.Valid {
				*to = storage.Time(from.Int64)
			}
		}
		if err := json.Unmarshal([]byte(wanted), &r.Wanted); err != nil {
			return err
		}
		out = append(out, r)
		return json.Unmarshal([]byte(granted), &out[len(out)-1].Granted)
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		if err := out[i].readAdvice(ctx, tx); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Request) readAdvice(ctx context.Context, tx *storage.Tx) error {
	return tx.Query(ctx, `SELECT role, favourable, words, by_id, by_name, at_us FROM traces_request_advice WHERE organisation_id = $1 AND request_id = $2 ORDER BY role`, []any{r.organisation, r.ID}, func(row func(...any) error) error {
		var a Advice
		var at int64
		err := row(&a.Role, &a.Favourable, &a.Words, &a.ByID, &a.ByName, &at)
		a.At = storage.Time(at)
		r.Advice = append(r.Advice, a)
		return err
	})
}
