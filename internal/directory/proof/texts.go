package proof

import (
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
)

// content is a text of a campaign for one medium and one language; the same
// words have the same id. A reminder says what the first message said: who did
// not read that one must understand this one.
func (s *Service) content(e organisation.Establishment, c Campaign, purpose, kind, language string) dispatch.Content {
	loc := s.catalog.For(i18n.Language(language))
	out := dispatch.Content{Language: string(loc.Language()), Medium: directory.SMS}
	what := string(c.Kind)
	if purpose == purposeProve {
		what = purposeProve
	}
	pairs := []any{"establishment", signed(e), "link", "{lien}"}
	if kind == directory.Email {
		out.Medium = directory.Mail
		out.Subject = loc.T("directory.proof.subject."+what, pairs...)
		out.Text = loc.T("directory.proof.mail."+what, pairs...)
	} else {
		out.Text = plainSpaces(loc.T("directory.proof.sms."+what, pairs...))
	}
	out.ID = uuid.NewSHA1(c.ID, []byte(what+"\x00"+string(out.Medium)+"\x00"+out.Language))
	return out
}

// signed is who writes, with the word that tells a true message from a false one.
func signed(e organisation.Establishment) string {
	if e.Word == "" {
		return e.Name
	}
	return e.Name + " (" + e.Word + ")"
}

// plainSpaces keeps an SMS in the alphabet of telephones: a no-break space
// would cost it half its length.
func plainSpaces(s string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ", "’", "'").Replace(s)
}
