package pages

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/space"
	"tocsin/internal/ui"
)

// DutiesPath is the page of the holder's own duties.
const DutiesPath = Path + "/astreintes"

const (
	swapPath   = DutiesPath + "/echange"
	settlePath = Path + "/echanges/"
)

func (p pages) duties(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	notice := ""
	switch c.Request.URL.Query().Get("note") {
	case "propose":
		notice = "space.swap.noted.proposed"
	case "accepte":
		notice = "space.swap.noted.accepted"
	case "refuse":
		notice = "space.swap.noted.refused"
	}
	return p.showDuties(v, notice, nil)
}

// showDuties shows the turns and the swaps that wait, with what went well or wrong.
func (p pages) showDuties(v *visit, notice string, wrong error) error {
	list, err := p.Service.Duties(v.Ctx(), v.holder, v.Now)
	if err != nil {
		return err
	}
	swaps, err := p.Service.Swaps(v.Ctx(), v.holder, v.Now)
	if err != nil {
		return err
	}
	if wrong != nil {
		return v.Status(http.StatusConflict).Render(dutiesPage(v, list, swaps, "", v.Loc.Fault(wrong)))
	}
	return v.Render(dutiesPage(v, list, swaps, notice, ""))
}

// tell shows the duties again with the reason, when the roster says no.
func (p pages) tell(v *visit, err error) error {
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.TooMany) {
		return p.showDuties(v, "", err)
	}
	return err
}

// moment names a turn in an address or a form: whose it is, and its beginning.
func moment(id uuid.UUID, at time.Time) string {
	return id.String() + "." + strconv.FormatInt(at.UnixMicro(), 10)
}

func readMoment(text string) (uuid.UUID, time.Time, error) {
	name, at, _ := strings.Cut(text, ".")
	id, err := uuid.Parse(name)
	if err != nil {
		return id, time.Time{}, fault.Wrap(err, fault.NotFound, "space.swap.gone")
	}
	us, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return id, time.Time{}, fault.Wrap(err, fault.NotFound, "space.swap.gone")
	}
	return id, time.UnixMicro(us).UTC(), nil
}

// swapping shows with whom a turn may be swapped.
func (p pages) swapping(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	var sw space.Swappable
	function, from, err := readMoment(c.Request.URL.Query().Get("tour"))
	if err == nil {
		sw, err = p.Service.Swappable(c.Ctx(), v.holder, function, from, c.Now)
	}
	if err != nil {
		return p.tell(v, err)
	}
	return c.Render(swapPage(v, sw))
}

func (p pages) swap(c *ui.Context) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	function, mine, err := readMoment(c.FormValue("tour"))
	if err != nil {
		return p.tell(v, err)
	}
	other, theirs, err := readMoment(c.FormValue("contre"))
	if err == nil {
		err = p.Service.Propose(c.Ctx(), v.holder, function, mine, other, theirs, ui.AddressOf(c.Ctx()), c.Now)
	}
	if err != nil {
		return p.tell(v, err)
	}
	return c.Redirect(DutiesPath + "?note=propose")
}

func (p pages) acceptSwap(c *ui.Context) error { return p.settle(c, true) }

func (p pages) refuseSwap(c *ui.Context) error { return p.settle(c, false) }

func (p pages) settle(c *ui.Context, accept bool) error {
	v, err := p.open(c)
	if err != nil {
		return p.shut(c, err)
	}
	id, err := c.ID("echange")
	if err != nil {
		return err
	}
	if err := p.Service.Settle(c.Ctx(), v.holder, id, accept, ui.AddressOf(c.Ctx())); err != nil {
		return p.tell(v, err)
	}
	if accept {
		return c.Redirect(DutiesPath + "?note=accepte")
	}
	return c.Redirect(DutiesPath + "?note=refuse")
}
