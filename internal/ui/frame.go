package ui

import (
	"context"
	"slices"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
)

// Frame is what the rooms put around every page; app gathers it.
type Frame struct {
	// Rail are the rooms of the left rail, in order; those the visitor may
	// not enter are left out.
	Rail []NavItem
	// Acts are the acts of the bottom bar on a phone: the first three the
	// visitor may do.
	Acts []NavItem
	// Banner and Search may be nil.
	Banner Banners
	Search Searcher
}

// NavItem is one entry of the rail or of the bottom bar.
type NavItem struct {
	// Label is a catalogue key, Path where it leads, Icon a name of Icons().
	Label, Path, Icon string
	// Need hides the entry from those who may not enter.
	Need access.Action
}

// Banners tells what must be seen on every page now: an alert under way, an
// exercise, an instance that cannot send.
type Banners interface {
	Banners(ctx context.Context, scope access.Scope, loc *i18n.Localizer) ([]Banner, error)
}

// Banner is one line at the top of every page.
type Banner struct {
	Tone Tone
	// Mark is the word that cannot be missed ("EXERCICE", "ALERTE RÉELLE").
	Mark string
	Text string
	// Path is the page to go to, Action its label; both may be empty.
	Path, Action string
}

// Searcher finds things by a few letters, for one visitor.
type Searcher interface {
	Search(ctx context.Context, scope access.Scope, loc *i18n.Localizer, query string) ([]Hit, error)
}

// Hit is one thing found. Kind is its word ("Personne", "Scénario").
type Hit struct{ Kind, Title, Detail, Path, Icon string }

// rail is the entries the visitor may enter.
func (c *Context) rail() []NavItem { return c.permitted(c.router.opt.Frame.Rail, 0) }

// acts is at most three entries for the bottom bar; the rail's first ones when
// the role has no act of its own.
func (c *Context) acts() []NavItem {
	if acts := c.permitted(c.router.opt.Frame.Acts, 3); len(acts) > 0 {
		return acts
	}
	return c.permitted(c.router.opt.Frame.Rail, 3)
}

func (c *Context) permitted(items []NavItem, most int) []NavItem {
	var out []NavItem
	for _, item := range items {
		if (most == 0 || len(out) < most) && c.May(item.Need) {
			out = append(out, item)
		}
	}
	return out
}

// here tells whether the page shown belongs to the entry, and to no entry with
// a longer path ("Déclencher" lies below "Alertes").
func (c *Context) here(item NavItem) bool {
	path := c.Request.URL.Path
	if !below(path, item.Path) {
		return false
	}
	for _, other := range c.router.opt.Frame.Rail {
		if len(other.Path) > len(item.Path) && below(path, other.Path) {
			return false
		}
	}
	return true
}

func below(path, entry string) bool {
	if entry == "/" {
		return path == "/"
	}
	return path == entry || strings.HasPrefix(path, entry+"/")
}

// banners asks the rooms what must be seen. A room that fails to answer must
// not take the page down: it is logged and the page shown without.
func (c *Context) banners() []Banner {
	source := c.router.opt.Frame.Banner
	if source == nil || !c.Visitor.SignedIn() {
		return nil
	}
	out, err := source.Banners(c.Ctx(), c.Scope, c.Loc)
	if err != nil {
		c.router.opt.Log.Error("banner", "id", RequestID(c.Ctx()), "error", err)
		return []Banner{{Tone: Attention, Mark: c.Loc.T("ui.banner.unknown"), Text: c.Loc.T("ui.banner.unknown.text")}}
	}
	// The page a banner leads to says the same in larger letters.
	at := c.Request.URL.Path
	return slices.DeleteFunc(out, func(b Banner) bool { return b.Path != "" && (at == b.Path || strings.HasPrefix(at, b.Path+"/")) })
}

// search is the page of the "/" key.
func (r *Router) search(c *Context) error {
	query := c.FormValue("q")
	var hits []Hit
	if len([]rune(query)) >= 2 {
		var err error
		if hits, err = r.opt.Frame.Search.Search(c.Ctx(), c.Scope, c.Loc, query); err != nil {
			return err
		}
	}
	return c.Render(searchPage(c, query, hits))
}
