package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/pdf"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/kept"
	"tocsin/internal/ui"
)

func (p pages) boardRoutes(r *ui.Router) {
	r.Get(BoardsPath, access.TracesAsk, p.boards)
	r.Post(BoardsPath, access.TracesAsk, p.addBoard)
	r.Get(BoardsPath+"/{id}", access.TracesAsk, p.board)
	r.Post(BoardsPath+"/{id}", access.TracesAsk, p.changeBoard)
	r.Post(BoardsPath+"/{id}/afficher", access.TracesAsk, p.showBoard, ui.Lasting(patience))
	r.Post(BoardsPath+"/{id}/pdf", access.TracesAsk, p.boardPaper, ui.Lasting(patience))
	r.Post(BoardsPath+"/{id}/questions", access.TracesAsk, p.addTile)
	r.Post(BoardsPath+"/{id}/questions/{tuile}", access.TracesAsk, p.moveTile)
	r.Get(BoardsPath+"/{id}/supprimer", access.TracesAsk, p.droppingBoard)
	r.Post(BoardsPath+"/{id}/supprimer", access.TracesAsk, p.dropBoard)
}

func boardPath(id uuid.UUID) string { return BoardsPath + "/" + id.String() }

// tileLines is how many lines of a table a tile gives.
const tileLines = 10

func (p pages) boards(c *ui.Context) error {
	return p.listBoards(c, c.NewForm(nil), nil)
}

func (p pages) listBoards(c *ui.Context, f *ui.Form, refused error) error {
	list, err := p.kept.Boards(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	if refused != nil {
		return c.Refill(f, refused, boardsPage(c, f, list))
	}
	return c.Render(boardsPage(c, f, list))
}

func boardOf(f *ui.Form) kept.WantedBoard {
	return kept.WantedBoard{Name: f.Value("nom"), Why: f.Value("motif"), Shared: f.Value("partage") != ""}
}

func (p pages) addBoard(c *ui.Context) error {
	f := c.Form()
	b, err := p.kept.AddBoard(c.Ctx(), c.Scope, boardOf(f))
	if err != nil {
		return p.listBoards(c, f, err)
	}
	return c.Redirect(boardPath(b.ID))
}

// frame is a board being arranged.
type frame struct {
	kept.Board
	saved       []kept.Saved
	change, add *ui.Form
}

func (p pages) frame(c *ui.Context) (out frame, err error) {
	id, err := c.ID("id")
	if err != nil {
		return out, err
	}
	if out.Board, err = p.kept.Board(c.Ctx(), c.Scope, id); err != nil {
		return out, err
	}
	out.saved, err = p.kept.List(c.Ctx(), c.Scope)
	out.change = c.NewForm(map[string]string{"nom": out.Name, "motif": out.Why, "partage": yes(out.Shared)}).As("c")
	out.add = c.NewForm(map[string]string{"forme": string(kept.Table)}).As("t")
	return out, err
}

func (p pages) board(c *ui.Context) error {
	b, err := p.frame(c)
	if err != nil {
		return err
	}
	return c.Render(boardPage(c, b))
}

// arranged goes back to the board, or shows it with what was refused.
func (p pages) arranged(c *ui.Context, err error, f *ui.Form, put func(b *frame)) error {
	id, idErr := c.ID("id")
	if idErr != nil {
		return idErr
	}
	if err == nil {
		return c.Redirect(boardPath(id))
	}
	b, readErr := p.frame(c)
	if readErr != nil {
		return readErr
	}
	put(&b)
	return c.Refill(f, err, boardPage(c, b))
}

func (p pages) changeBoard(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("c")
	return p.arranged(c, p.kept.ChangeBoard(c.Ctx(), c.Scope, id, boardOf(f)), f, func(b *frame) { b.change = f })
}

func (p pages) addTile(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("t")
	saved, err := uuid.Parse(f.Value("question"))
	if err != nil {
		saved = uuid.Nil // it is no question that one sees: refused at its field
	}
	return p.arranged(c, p.kept.AddTile(c.Ctx(), c.Scope, id, saved, kept.Form(f.Value("forme"))), f, func(b *frame) { b.add = f })
}

func (p pages) moveTile(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	tile, err := c.ID("tuile")
	if err != nil {
		return err
	}
	if err := p.kept.MoveTile(c.Ctx(), c.Scope, id, tile, kept.Move(c.FormValue("sens"))); err != nil {
		return err
	}
	return c.Redirect(boardPath(id))
}

func (p pages) droppingBoard(c *ui.Context) error {
	b, err := p.frame(c)
	if err != nil {
		return err
	}
	return c.Render(dropBoardPage(c, b))
}

func (p pages) dropBoard(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.kept.DropBoard(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("traces.board.dropped"))
	return c.Redirect(BoardsPath)
}

// narrowTile is how many columns a table keeps in half of the page.
const narrowTile = 3

// wide tells whether a tile takes the whole width: its counts are in the last
// column, and must not be the one that sticks out.
func (v pane) wide() bool {
	return v.told != nil && v.Form == kept.Table && len(v.told.reply.Phrase.Group)+1 > narrowTile
}

// pane is a tile with its answer in words, or with why it has none.
type pane struct {
	kept.Shown
	told  *told
	wrong string
}

func (p pages) panes(c *ui.Context, takes string) (b kept.Board, out []pane, err error) {
	id, err := c.ID("id")
	if err != nil {
		return b, nil, err
	}
	b, shown, err := p.kept.Show(c.Ctx(), c.Scope, id, c.Zone, takes)
	if err != nil {
		return b, nil, err
	}
	sources, err := p.s.Sources(c.Ctx(), c.Scope)
	for _, one := range shown {
		v := pane{Shown: one}
		if one.Err != nil {
			v.wrong = c.Loc.Fault(one.Err)
		} else {
			v.told = tell(c.Loc, c.Zone, one.Reply, sources)
			v.told.hunt = one.Saved.Inquiry.Search
		}
		out = append(out, v)
	}
	return b, out, err
}

func (p pages) showBoard(c *ui.Context) error {
	b, list, err := p.panes(c, "")
	if err != nil {
		return err
	}
	return c.Render(shownBoardPage(c, b, list))
}

// title is the name of a tile, also when its question may not be seen.
func (v pane) title(loc *i18n.Localizer) string {
	if v.Saved.Name == "" {
		return loc.T("traces.board.unseen")
	}
	return v.Saved.Name
}

// lines are those of the table that a tile gives.
func (v pane) lines() []traces.Group {
	return v.told.reply.Table.Groups[:min(len(v.told.reply.Table.Groups), tileLines)]
}

// boardPaper is the board as a document, whose fingerprint is noted before it
// leaves.
func (p pages) boardPaper(c *ui.Context) error {
	b, list, err := p.panes(c, "pdf")
	if err != nil {
		return err
	}
	number := storage.NewID(c.Now).String()
	var out bytes.Buffer
	if err := writeBoard(&out, c, b, list, number); err != nil {
		return fmt.Errorf("write dashboard %s: %w", b.ID, err)
	}
	sum := sha256.Sum256(out.Bytes())
	if err := p.s.Sealed(c.Ctx(), c.Scope, traces.Look{Why: b.Why, Takes: "pdf"}, number, hex.EncodeToString(sum[:])); err != nil {
		return p.unready(c, err)
	}
	_, err = out.WriteTo(c.Download(c.Loc.T("traces.paper.file", "at", c.Now.In(c.Zone).Format("2006-01-02-15h04"))+".pdf", "application/pdf"))
	return err
}

func writeBoard(out io.Writer, c *ui.Context, b kept.Board, list []pane, number string) error {
	lang := "fr-FR"
	if c.Loc.Language() == i18n.English {
		lang = "en-GB"
	}
	house := c.Visitor.Establishment.Name
	d, err := pdf.New(pdf.Meta{Title: b.Name, Author: house, Subject: c.Loc.T("traces.paper.subject"), Language: lang, At: c.Now.In(c.Zone)}, pdf.Options{
		Landscape: true, Header: house + " · " + b.Name, Footer: c.Loc.T("traces.paper.footer", "number", number),
		PageLabel: func(page, total int) string { return c.Loc.T("traces.paper.page", "page", page, "total", total) },
	})
	if err != nil {
		return err
	}
	d.Heading(1, b.Name)
	d.Text(c.Loc.T("traces.board.paper", "who", c.Scope.Actor().Name, "at", c.Loc.DateTime(c.Now, c.Zone), "why", b.Why))
	for _, v := range list {
		v.print(d, c)
	}
	return d.Write(out)
}

// print writes one tile.
func (v pane) print(d *pdf.Document, c *ui.Context) {
	d.Heading(2, v.title(c.Loc))
	if v.told == nil {
		d.Text(v.wrong)
		return
	}
	d.Text(v.told.sentence())
	for _, sentence := range v.told.words() {
		d.Text(sentence)
	}
	switch l := (leaf{told: v.told}); {
	case v.told.none():
	case v.Form == kept.Table:
		t := pdf.Table{RowHeader: true}
		for i, title := range l.columns() {
			t.Columns = append(t.Columns, pdf.Column{Title: title, Right: i == len(v.told.reply.Phrase.Group)})
		}
		for i := range v.lines() {
			t.Rows = append(t.Rows, l.cells(i))
		}
		d.Table(t)
	case v.Form == kept.Curve:
		d.Chart(v.told.curve(), 200)
	}
}

func formChoices(loc *i18n.Localizer) (out []ui.Choice) {
	for _, f := range kept.Forms() {
		out = append(out, ui.Choice{Value: string(f), Label: loc.T("traces.board.form." + string(f))})
	}
	return out
}

func savedChoices(list []kept.Saved) (out []ui.Choice) {
	for _, q := range list {
		out = append(out, ui.Choice{Value: q.ID.String(), Label: q.Name})
	}
	return out
}
