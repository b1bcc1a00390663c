package pages

import (
	"tocsin/internal/directory"
	"tocsin/internal/directory/proof"
	"tocsin/internal/ui"

	"github.com/google/uuid"
)

func (p pages) quality(c *ui.Context) error {
	q, err := p.d.Quality(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	alarms, _, err := p.proof.Alarms(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	test, tested, err := p.proof.LastTest(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	v := health{Quality: q, alarms: alarms}
	if tested {
		v.test = &test
	}
	return c.Render(qualityPage(c, v))
}

// health is what the page of the quality shows.
type health struct {
	directory.Quality
	alarms []proof.Alarm
	// test is the last discreet test; nil when there never was one.
	test *proof.View
}

// toProve leads to the people of a service who never answered.
func toProve(s directory.ServiceScore) string {
	if s.Service == uuid.Nil {
		return ""
	}
	return Path + "?service=" + s.Service.String() + "&cause=" + string(directory.CauseUnproven)
}

// serviceName is the service, or the words for those who have none.
func serviceName(c *ui.Context, s directory.ServiceScore) string {
	if s.ServiceName != "" {
		return s.ServiceName
	}
	return c.Loc.T("directory.page.service.none")
}

// worst is the gravest cause of a service and how many have it; the lack of a
// proof is what the score says already.
func worst(s directory.ServiceScore) (directory.Cause, int) {
	for _, cause := range directory.Causes() {
		if n := s.Causes[cause]; n > 0 && cause != directory.CauseUnproven {
			return cause, n
		}
	}
	return "", 0
}
