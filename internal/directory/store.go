package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

const personColumns = `p.id, p.since_gen, p.revision, p.source, p.matricule, p.rpps, p.last_name, p.first_name, p.metier, p.metier_label,
	p.qualifications, p.service_id, p.site_id, p.status, p.semester, p.language, p.protected, p.refused, p.rest_until_us, p.contract_end_us,
	p.absent_from_us, p.absent_to_us, p.departed_us, p.human_id, p.created_us, p.updated_us, p.match_key, p.hand`

// record is a version of a person as stored.
type record struct {
	Person
	since int64
	match string
	// hand are the fields changed by hand, each with a mark of what the list said then.
	hand map[string]string
}

func scanPerson(row func(...any) error) (record, error) {
	var p record
	var service, site uuid.NullUUID
	var qualifications, refused, hand string
	var rest, contract, from, to, departed sql.NullInt64
	var created, updated int64
	err := row(&p.ID, &p.since, &p.Revision, &p.Source, &p.Matricule, &p.RPPS, &p.LastName, &p.FirstName, &p.Metier, &p.MetierLabel,
		&qualifications, &service, &site, &p.Status, &p.Semester, &p.Language, &p.Protected, &refused, &rest, &contract,
		&from, &to, &departed, &p.Human, &created, &updated, &p.match, &hand)
	p.Qualifications, p.Refused = unpacked(qualifications), unpacked(refused)
	p.Service, p.Site = service.UUID, site.UUID
	p.RestUntil, p.ContractEnd = storage.NullTime(rest), storage.NullTime(contract)
	p.AbsentFrom, p.AbsentTo, p.Departed = storage.NullTime(from), storage.NullTime(to), storage.NullTime(departed)
	p.Created, p.Updated = storage.Time(created), storage.Time(updated)
	if err == nil && hand != "" {
		err = json.Unmarshal([]byte(hand), &p.hand)
	}
	return p, err
}

var personInsert = []string{
	"organisation_id", "id", "since_gen", "until_gen", "revision", "source", "match_key", "matricule", "rpps",
	"last_name", "first_name", "name_folded", "search_folded", "metier", "metier_label", "qualifications", "service_id", "site_id", "status",
	"semester", "language", "protected", "refused", "rest_until_us", "contract_end_us", "absent_from_us", "absent_to_us", "departed_us",
	"points", "mobiles", "tried", "proven_us", "human_id", "human_keys", "human_by", "created_us", "updated_us", "hand",
}

// values is the row of a version, with the evidence of who the person is.
func (p record) values(scope access.Scope, key vault.Derived) []any {
	human := p.Human
	if human == uuid.Nil {
		human = p.ID
	}
	mobiles, tried, proven := p.reach()
	return []any{
		scope.Organisation(), p.ID, p.since, int64(forever), p.Revision, p.Source, p.match, p.Matricule, p.RPPS,
		p.LastName, p.FirstName, storage.Fold(p.LastName + " " + p.FirstName), p.search(), p.Metier, p.MetierLabel, packed(p.Qualifications),
		storage.NullID(p.Service), storage.NullID(p.Site), p.Status, p.Semester, p.Language, p.Protected, packed(p.Refused),
		storage.NullMicros(p.RestUntil), storage.NullMicros(p.ContractEnd), storage.NullMicros(p.AbsentFrom), storage.NullMicros(p.AbsentTo),
		storage.NullMicros(p.Departed), len(p.Contacts), mobiles, tried, storage.NullMicros(proven), human, evidence(key, p.Person), key.Key, storage.Micros(p.Created), storage.Micros(p.Updated), handText(p.hand),
	}
}

// handText keeps nothing for the many whom no hand touched.
func handText(hand map[string]string) string {
	if len(hand) == 0 {
		return ""
	}
	b, err := json.Marshal(hand)
	if err != nil {
		return "" // a map of texts always has a JSON form
	}
	return string(b)
}

// reach repeats what the contact points say. One that is shared proves nobody.
func (p Person) reach() (mobiles int, tried bool, proven time.Time) {
	for _, k := range p.Contacts {
		if k.Kind == Mobile {
			mobiles++
		}
		tried = tried || k.State != NeverTried
		if !k.Shared {
			proven = latest(proven, k.Answered)
		}
	}
	return mobiles, tried, proven
}

// searchLimit bounds the search text, in bytes: with the longest name beside
// it, it fits in an entry of an index of PostgreSQL (2,704 bytes).
const searchLimit = 900

// search is the text in which lists look: names both ways round, matricule, métier.
func (p Person) search() string {
	text := storage.Fold(p.LastName + " " + p.FirstName + " " + p.LastName + " " + p.Matricule + " " + p.MetierLabel)
	if len(text) > searchLimit {
		text = strings.ToValidUTF8(text[:searchLimit], "")
	}
	return text
}

const contactColumns = `c.id, c.since_gen, c.person_id, c.kind, c.address, c.label, c.private, c.shared, c.rank, c.source, c.origin, c.state, c.state_us,
	c.delivered_us, c.answered_us, c.failures`

// point is a version of a contact point as stored.
type point struct {
	ContactPoint
	person uuid.UUID
	since  int64
}

func scanPoint(row func(...any) error) (point, error) {
	var k point
	var at, delivered, answered sql.NullInt64
	err := row(&k.ID, &k.since, &k.person, &k.Kind, &k.Address, &k.Label, &k.Private, &k.Shared, &k.Rank, &k.Source, &k.origin, &k.State, &at,
		&delivered, &answered, &k.Failures)
	k.StateAt, k.Delivered, k.Answered = storage.NullTime(at), storage.NullTime(delivered), storage.NullTime(answered)
	return k, err
}

var contactInsert = []string{
	"organisation_id", "id", "since_gen", "until_gen", "person_id", "kind", "address", "label", "private", "shared",
	"rank", "source", "origin", "state", "state_us", "delivered_us", "answered_us", "failures",
}

func (k point) values(scope access.Scope) []any {
	return []any{
		scope.Organisation(), k.ID, k.since, int64(forever), k.person, k.Kind, k.Address, k.Label, k.Private, k.Shared, k.Rank, k.Source,
		k.origin, string(k.State), storage.NullMicros(k.StateAt), storage.NullMicros(k.Delivered), storage.NullMicros(k.Answered), k.Failures,
	}
}

// person reads the visible version of one person with his contact points.
func person(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (p record, found bool, err error) {
	g, err := generation(ctx, tx, scope)
	if err != nil {
		return p, false, err
	}
	err = tx.Query(ctx, `SELECT `+personColumns+` FROM directory_people p WHERE p.organisation_id = $1 AND p.id = $2 AND p.since_gen <= $3 AND p.until_gen > $3`,
		[]any{scope.Organisation(), id, g}, func(row func(...any) error) error {
			found = true
			p, err = scanPerson(row)
			return err
		})
	if err != nil || !found {
		return p, found, err
	}
	points, err := pointsOf(ctx, tx, scope, g, []uuid.UUID{id})
	for _, k := range points[id] {
		p.Contacts = append(p.Contacts, k.ContactPoint)
	}
	return p, true, err
}

// pointsOf reads the contact points of some people, each in order of preference.
func pointsOf(ctx context.Context, tx *storage.Tx, scope access.Scope, g int64, people []uuid.UUID) (map[uuid.UUID][]point, error) {
	out := make(map[uuid.UUID][]point, len(people))
	if len(people) == 0 {
		return out, nil
	}
	err := tx.Query(ctx, `SELECT `+contactColumns+` FROM directory_contacts c WHERE c.organisation_id = $1 AND c.since_gen <= $2 AND c.until_gen > $2
		AND c.person_id IN (`+storage.In(len(people), 3)+`) ORDER BY c.person_id, c.rank, c.id`,
		storage.Args(people, scope.Organisation(), g), func(row func(...any) error) error {
			k, err := scanPoint(row)
			out[k.person] = append(out[k.person], k)
			return err
		})
	return out, err
}

// replacing tells whether an import under way has already written the next
// version of a person: what one changed now would be lost.
func replacing(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (bool, error) {
	var until int64
	found, err := tx.Row(ctx, `SELECT p.until_gen FROM directory_people p LEFT JOIN directory_state s ON s.organisation_id = p.organisation_id
		WHERE p.organisation_id = $1 AND p.id = $2 AND p.since_gen <= COALESCE(s.generation, 0) AND p.until_gen > COALESCE(s.generation, 0)`,
		[]any{scope.Organisation(), id}, &until)
	return found && until != forever, err
}

// markStale tells the quality figures that something changed.
func markStale(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	_, err := tx.Exec(ctx, `INSERT INTO directory_state (organisation_id, generation, last_generation, applying, quality_stale)
		VALUES ($1, 0, 0, NULL, TRUE) ON CONFLICT (organisation_id) DO UPDATE SET quality_stale = TRUE WHERE NOT directory_state.quality_stale`,
		scope.Organisation())
	return err
}

// updatePerson writes the present version in place; the caller has checked the revision.
func updatePerson(ctx context.Context, tx *storage.Tx, scope access.Scope, key vault.Derived, p record) error {
	columns := personInsert[4:]
	row := p.values(scope, key)
	query := "UPDATE directory_people SET "
	for i, c := range columns {
		if i > 0 {
			query += ", "
		}
		query += c + " = " + storage.In(1, i+4)
	}
	args := append([]any{scope.Organisation(), p.ID, p.since}, row[4:]...)
	_, err := tx.Exec(ctx, query+" WHERE organisation_id = $1 AND id = $2 AND since_gen = $3", args...)
	return err
}

// sameInstant compares times that went through the database.
func sameInstant(a, b time.Time) bool {
	return a.IsZero() && b.IsZero() || !a.IsZero() && !b.IsZero() && a.UnixMicro() == b.UnixMicro()
}
