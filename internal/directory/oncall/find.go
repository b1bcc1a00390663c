package oncall

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Label is how somebody is written in a list that is read back: "DUPONT Anne (T12)".
func (a Agent) Label() string {
	if a.Matricule == "" {
		return a.Name
	}
	return a.Name + " (" + a.Matricule + ")"
}

// Find recognises people of the establishment by matricule, by name in either
// order, or by both as Label writes them. Errors: Invalid for the first who is
// unknown or whose name several bear.
func (s *Service) Find(ctx context.Context, scope access.Scope, typed []string) (out []Agent, err error) {
	if err := s.Guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		found, err := lookUp(ctx, tx, scope, typed)
		if err != nil {
			return err
		}
		for _, text := range typed {
			a, err := found.one(text)
			if err != nil {
				return err
			}
			out = append(out, a)
		}
		return nil
	})
	return out, err
}

// faces are people by what may name them, folded.
type faces map[string][]Agent

// one gives the only person that a text names.
func (f faces) one(text string) (Agent, error) {
	for _, key := range spellings(text) {
		switch found := f[key]; {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return Agent{}, fault.New(fault.Invalid, "directory.oncall.person_several", "name", oneLine(text), "count", len(found))
		}
	}
	return Agent{}, fault.New(fault.Invalid, "directory.oncall.person_not_found", "name", oneLine(text))
}

// wordsMost bounds the words of a name that are tried in another order.
const wordsMost = 6

// spellings are the keys a text may stand for, the surest first: "m:" a
// matricule, "n:" a name.
func spellings(text string) []string {
	text = oneLine(text)
	if len(text) > 200 {
		return nil
	}
	var out []string
	name, rest, both := strings.Cut(text, "(")
	if both {
		out = append(out, "m:"+storage.Fold(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), ")"))))
		text = strings.TrimSpace(name)
	}
	if text == "" {
		return out
	}
	out = append(out, "m:"+storage.Fold(text))
	words := strings.Fields(storage.Fold(text))
	for i := range min(len(words), wordsMost) {
		out = append(out, "n:"+strings.Join(append(slices.Clone(words[i:]), words[:i]...), " "))
	}
	return out
}

// lookUp reads the people whom texts may name.
func lookUp(ctx context.Context, tx *storage.Tx, scope access.Scope, typed []string) (faces, error) {
	matricules, names := map[string]bool{}, map[string]bool{}
	for _, text := range typed {
		for _, key := range spellings(text) {
			if name, is := strings.CutPrefix(key, "n:"); is {
				names[name] = true
			} else {
				matricules[key] = true
			}
		}
	}
	out := faces{}
	for column, keys := range map[string]map[string]bool{"p.match_key": matricules, "p.name_folded": names} {
		all := make([]string, 0, len(keys))
		for key := range keys {
			all = append(all, key)
		}
		for chunk := range slices.Chunk(all, agentChunk) {
			if err := out.read(ctx, tx, scope, column, chunk); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (f faces) read(ctx context.Context, tx *storage.Tx, scope access.Scope, column string, keys []string) error {
	return tx.Query(ctx, `SELECT p.id, p.last_name, p.first_name, p.matricule, p.match_key, p.name_folded FROM directory_people p
		WHERE `+visible+` AND p.departed_us IS NULL AND `+column+` IN (`+storage.In(len(keys), 2)+`)`,
		storage.Args(keys, scope.Organisation()), func(row func(...any) error) error {
			var a Agent
			var last, first, match, folded string
			err := row(&a.ID, &last, &first, &a.Matricule, &match, &folded)
			a.Name = strings.TrimSpace(last + " " + first)
			key := match
			if column == "p.name_folded" {
				key = "n:" + folded
			}
			if !slices.ContainsFunc(f[key], func(o Agent) bool { return o.ID == a.ID }) {
				f[key] = append(f[key], a)
			}
			return err
		})
}

// People reads some people by id, for who shows a roster.
func (s *Service) People(ctx context.Context, scope access.Scope, ids []uuid.UUID) (out map[uuid.UUID]Agent, err error) {
	if err := s.Guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = agents(ctx, tx, scope, ids)
		return err
	})
	return out, err
}
