//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// patients is the dictionary of an establishment: an identity as events tell it
// (a number, a national identity, or both) has a small number of its own, which
// events bear. Identities that share a number or a national identity are of one
// patient, whose root is the oldest of them. Only the writer uses the maps;
// questions use the table.
type patients struct {
	organisation uuid.UUID
	known        bool // the maps are those of the table
	seeds        seeds
	ids          map[[2]uint64]int32
	ipps, inss   map[[2]uint64]int32
	parent       []int32 // of each identity; a root is its own
	fresh        []identity
	moved        map[int32]bool // roots that no longer are
}

type identity struct {
	id       int32
	ipp, ins string
}

func peopleAlias(organisation uuid.UUID) string { return fmt.Sprintf("p%x", organisation[:]) }

func (e *Engine) peoplePath(organisation uuid.UUID) string {
	return filepath.Join(e.dir, organisation.String(), "patients.duckdb")
}

// patientsOf attaches the dictionary of an establishment; nil when it has none
// and none is wanted.
func (e *Engine) patientsOf(ctx context.Context, organisation uuid.UUID, wanted bool) (*patients, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.people[organisation]; p != nil {
		return p, nil
	}
	path, alias := e.peoplePath(organisation), peopleAlias(organisation)
	if _, err := os.Stat(path); err != nil && !wanted {
		return nil, nil //nolint:nilnil // there is none
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make folder of traces: %w", err)
	}
	if err := e.attachPath(ctx, path, alias, patientSchema(alias)); err != nil {
		return nil, err
	}
	p := &patients{organisation: organisation}
	e.people[organisation] = p
	return p, nil
}

// load reads the table into the maps.
func (e *Engine) loadPatients(ctx context.Context, p *patients) error {
	p.seeds, p.fresh, p.moved = newSeeds(), nil, map[int32]bool{}
	p.ids, p.ipps, p.inss = map[[2]uint64]int32{}, map[[2]uint64]int32{}, map[[2]uint64]int32{}
	p.parent = []int32{0} // 0 is for events without a patient
	rows, err := e.conn.QueryContext(ctx, "SELECT id, ipp, ins, root FROM "+peopleAlias(p.organisation)+".patients ORDER BY id")
	if err != nil {
		return fmt.Errorf("read patients of traces: %w", err)
	}
	for rows.Next() {
		var id, root int32
		var ipp, ins string
		if err := rows.Scan(&id, &ipp, &ins, &root); err != nil {
			return fmt.Errorf("read patients of traces: %w", closing(rows, err))
		}
		for int(id) >= len(p.parent) {
			p.parent = append(p.parent, int32(len(p.parent)))
		}
		p.parent[id] = root
		p.ids[p.seeds.of(ipp, ins)] = id
		p.point(p.ipps, ipp, id)
		p.point(p.inss, ins, id)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return fmt.Errorf("read patients of traces: %w", err)
	}
	p.known = true
	return nil
}

// point remembers an identity that bears a number, and gives one that bore it.
func (p *patients) point(by map[[2]uint64]int32, number string, id int32) int32 {
	if number == "" {
		return id
	}
	h := p.seeds.of(strings.ToLower(number))
	if before, ok := by[h]; ok {
		return before
	}
	by[h] = id
	return id
}

// identify gives the number of an identity, 0 when the event names no patient.
func (p *patients) identify(ipp, ins string) int32 {
	if ipp == "" && ins == "" {
		return 0
	}
	h := p.seeds.of(ipp, ins)
	if id, ok := p.ids[h]; ok {
		return id
	}
	id := int32(len(p.parent))
	p.parent = append(p.parent, id)
	p.ids[h] = id
	p.unite(id, p.point(p.ipps, ipp, id))
	p.unite(id, p.point(p.inss, ins, id))
	p.fresh = append(p.fresh, identity{id, ipp, ins})
	return id
}

func (p *patients) root(id int32) int32 {
	for p.parent[id] != id {
		p.parent[id] = p.parent[p.parent[id]]
		id = p.parent[id]
	}
	return id
}

// unite makes two identities one patient: the oldest root stays.
func (p *patients) unite(a, b int32) {
	a, b = p.root(a), p.root(b)
	if a == b {
		return
	}
	older, younger := min(a, b), max(a, b)
	p.parent[younger] = older
	p.moved[younger] = true
}

// unnamed lists the identities that a share brings and its file has not.
func (e *Engine) unnamed(ctx context.Context, s *share) ([]identity, error) {
	if s.file.named == nil {
		known, err := e.identitiesIn(ctx, s.file.key)
		if err != nil {
			return nil, err
		}
		s.file.named = map[int32]bool{}
		for _, who := range known {
			s.file.named[who.id] = true
		}
	}
	var out []identity
	seen := map[int32]bool{}
	for i, id := range s.patient {
		if id != 0 && !s.file.named[id] && !seen[id] {
			seen[id] = true
			out = append(out, identity{id, s.events[i].IPP, s.events[i].INS})
		}
	}
	return out, nil
}

// identitiesIn reads those of one file.
func (e *Engine) identitiesIn(ctx context.Context, key fileKey) ([]identity, error) {
	return identitiesOn(ctx, e.conn, key)
}

func identitiesOn(ctx context.Context, conn *sql.Conn, key fileKey) ([]identity, error) {
	rows, err := conn.QueryContext(ctx, "SELECT id, ipp, ins FROM "+key.alias()+".identities")
	if err != nil {
		return nil, fmt.Errorf("read patients of a file of traces: %w", err)
	}
	var out []identity
	for rows.Next() {
		var who identity
		if err := rows.Scan(&who.id, &who.ipp, &who.ins); err != nil {
			return nil, fmt.Errorf("read patients of a file of traces: %w", closing(rows, err))
		}
		out = append(out, who)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, fmt.Errorf("read patients of a file of traces: %w", err)
	}
	return out, nil
}

// healPatients opens the dictionary of an establishment that has files. One that
// is lost, or does not open and is put aside, is made again from what the files
// keep of it: a number never changes its patient.
func (e *Engine) healPatients(ctx context.Context, organisation uuid.UUID) error {
	path := e.peoplePath(organisation)
	_, missing := os.Stat(path)
	p, err := e.patientsOf(ctx, organisation, true)
	if why, damaged := damage(err); damaged {
		to, err := rename(path)
		if err != nil {
			return err
		}
		e.tell(Aside{Organisation: organisation, Path: to, Reason: why})
		missing = os.ErrNotExist
		if p, err = e.patientsOf(ctx, organisation, true); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	if missing == nil {
		return nil
	}
	if err := e.loadPatients(ctx, p); err != nil {
		return err
	}
	for key := range e.files {
		if key.organisation != organisation {
			continue
		}
		f, err := e.hold(ctx, key)
		if err != nil {
			return err
		}
		known, err := e.identitiesIn(ctx, key)
		e.release(ctx, f)
		if err != nil {
			return err
		}
		for _, who := range known {
			p.restore(who)
		}
	}
	return e.storePatients(ctx, p)
}

// restore takes an identity back under its number.
func (p *patients) restore(who identity) {
	h := p.seeds.of(who.ipp, who.ins)
	if _, known := p.ids[h]; known {
		return
	}
	for int(who.id) >= len(p.parent) {
		p.parent = append(p.parent, int32(len(p.parent)))
	}
	p.ids[h] = who.id
	p.unite(who.id, p.point(p.ipps, who.ipp, who.id))
	p.unite(who.id, p.point(p.inss, who.ins, who.id))
	p.fresh = append(p.fresh, who)
}

// storePatients commits what identify found new. It comes before the events that
// bear the numbers: a number that no event bears is harmless.
func (e *Engine) storePatients(ctx context.Context, p *patients) error {
	if len(p.fresh) == 0 && len(p.moved) == 0 {
		return nil
	}
	alias := peopleAlias(p.organisation)
	err := e.transaction(ctx, func() error {
		if err := e.append(alias, "patients", len(p.fresh), func(i int) []driver.Value {
			who := &p.fresh[i]
			return []driver.Value{who.id, who.ipp, who.ins, p.root(who.id)}
		}); err != nil {
			return err
		}
		var list strings.Builder
		for id := range p.moved {
			if list.Len() > 0 {
				list.WriteByte(',')
			}
			list.WriteString("(" + strconv.Itoa(int(id)) + "," + strconv.Itoa(int(p.root(id))) + ")")
		}
		if list.Len() == 0 {
			return nil
		}
		return e.exec(ctx, "UPDATE "+alias+".patients SET root = m.now FROM (VALUES "+list.String()+") m(was, now) WHERE root = m.was")
	})
	if err != nil {
		p.known = false // the maps run ahead of the table
		return err
	}
	p.fresh = p.fresh[:0]
	clear(p.moved)
	return nil
}
