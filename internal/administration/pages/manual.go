package pages

import "tocsin/internal/ui"

// Manual is what people who write programs read: every operation.
type Manual struct {
	// Description is the address of the description for machines, Root begins every operation.
	Description, Root string
	Operations        []Operation
}

// SignedNeed marks an operation that takes a signature in place of a token.
const SignedNeed = "signed"

// Operation is one thing a program can ask for; its words are in English, as
// its description is.
type Operation struct {
	ID, Tag, Method, Path, Summary, Detail string
	// Need is the right of the token; empty for every token.
	Need   string
	Keyed  bool
	Fields []OperationField
}

// OperationField is a parameter or a field of the body.
type OperationField struct {
	Name, Kind, Doc string
	Required        bool
}

// operationGroup is the operations of one tag.
type operationGroup struct {
	tag        string
	operations []Operation
}

func (m Manual) groups() (out []operationGroup) {
	at := map[string]int{}
	for _, op := range m.Operations {
		i, known := at[op.Tag]
		if !known {
			i = len(out)
			at[op.Tag] = i
			out = append(out, operationGroup{tag: op.Tag})
		}
		out[i].operations = append(out[i].operations, op)
	}
	return out
}

func needWord(c *ui.Context, op Operation) string {
	switch op.Need {
	case "":
		return c.Loc.T("administration.manual.any")
	case SignedNeed:
		return c.Loc.T("administration.manual.signed")
	}
	return c.Loc.T("administration.manual.need", "right", op.Need)
}

func (p pages) showManual(c *ui.Context) error { return c.Render(manualPage(c, p.manual)) }
