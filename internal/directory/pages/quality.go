package pages

import (
	"tocsin/internal/directory"
	"tocsin/internal/ui"

	"github.com/google/uuid"
)

func (p pages) quality(c *ui.Context) error {
	q, err := p.d.Quality(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(qualityPage(c, q))
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
