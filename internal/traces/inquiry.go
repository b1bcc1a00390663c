package traces

import (
	"context"
	"slices"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/fault"
)

// SearchKey stands for a free search where the key of a phrase is expected.
const SearchKey = "free"

// Hunt is a free search that can be asked again.
type Hunt struct {
	Text  string      `json:"text,omitempty"`
	Where []Condition `json:"where,omitempty"`
	// By is how the table is cut; empty: by account, person, application and action.
	By Field `json:"by,omitempty"`
}

// phrase has a search answered as the phrases are: in words, table and curve.
func (x Hunt) phrase() Phrase {
	p := Phrase{
		Key: SearchKey, Group: []Field{FieldAccount, FieldPerson, FieldApplication, FieldAction}, text: x.Text,
		where: func(Filling) []Condition { return slices.Clone(x.Where) },
	}
	if x.By != "" {
		p.Group = []Field{x.By}
	}
	return p
}

// Inquiry is a question apart from its period: a phrase with its blanks, or a
// free search when Search is set.
type Inquiry struct {
	Phrase  string  `json:"phrase,omitempty"`
	Filling Filling `json:"filling,omitempty"`
	Search  *Hunt   `json:"search,omitempty"`
}

// Key is that of its phrase, or SearchKey.
func (i Inquiry) Key() string {
	if i.Search != nil {
		return SearchKey
	}
	return i.Phrase
}

// Check gives the phrase with its blanks filled. Errors: NotFound for a phrase
// that is none, Invalid at a blank or at "where".
func (i Inquiry) Check() (Phrase, Filling, error) {
	if i.Search == nil {
		p, ok := FindPhrase(i.Phrase)
		if !ok {
			return p, nil, fault.New(fault.NotFound, "traces.phrase.unknown")
		}
		f, err := p.Fill(i.Filling)
		return p, f, err
	}
	x := *i.Search
	if len(strings.Fields(x.Text)) == 0 && len(x.Where) == 0 {
		return Phrase{}, nil, fault.New(fault.Invalid, "traces.search.empty").At("q")
	}
	if x.By != "" && !x.By.Known() {
		return Phrase{}, nil, fault.New(fault.Invalid, "traces.error.field", "field", string(x.By)).At("par")
	}
	// Two more are added to each question by the answer itself.
	q := Question{From: 0, To: 1, Zone: "UTC", Where: x.Where, Text: x.Text, Limit: 1}
	if len(x.Where) > MaxConditions-2 {
		return Phrase{}, nil, fault.New(fault.Invalid, "traces.error.too_wide").At("where")
	}
	return x.phrase(), Filling{}, q.Check()
}

// Inquire asks an inquiry over a period. One look is traced for all its
// questions. Needs access.TracesAsk. Errors: as Inquiry.Check, Unavailable.
func (s *Service) Inquire(ctx context.Context, scope access.Scope, l Look, in Inquiry, when Period) (Reply, error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return Reply{}, err
	}
	p, filling, err := in.Check()
	if err != nil {
		return Reply{}, err
	}
	return s.pose(ctx, scope, in.look(l), p, filling, when)
}

// look names the phrase of an inquiry in its trace; a free search has none.
func (i Inquiry) look(l Look) Look {
	l.Phrase = ""
	if i.Search == nil {
		l.Phrase = i.Phrase
	}
	return l
}
