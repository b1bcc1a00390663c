package app

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	directoryapi "tocsin/internal/directory/api"
	"tocsin/internal/fault"
)

type exportCommand struct {
	place
	To     string `arg:"" placeholder:"FILE" help:"CSV file to write. An existing file is never replaced."`
	Source string `help:"Only the people of this source, in the columns of its last file: importing the result changes nothing." placeholder:"NAME"`
}

// Run writes the file whole, or not at all.
func (c *exportCommand) Run(s *session) (err error) {
	file, err := os.OpenFile(c.To, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fault.New(fault.Conflict, "app.export.exists", "file", c.To)
	}
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "app.export.unwritable", "file", c.To)
	}
	if c.Remote != "" {
		err = c.far(s, file)
	} else {
		err = c.enter(s, func(h *House, scope access.Scope) error { return h.Directory.ExportCSV(s.ctx, scope, c.Source, file) })
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(c.To))
	}
	s.printf("%s", s.words().T("app.export.done", "file", c.To))
	if c.Remote != "" {
		s.printf("%s", s.words().T("app.export.masked"))
	}
	return nil
}

// farHeader are the columns of what another instance lets a program read.
func farHeader() []string {
	return []string{"Matricule", "RPPS", "Nom", "Prénom", "Métier", "Qualifications", "Site", "Service", "Statut", "Portable", "Téléphone fixe", "Poste", "Bip", "Messagerie instantanée", "Courriel", "Origine"}
}

// far reads the directory of another instance page by page. Private numbers
// come masked, whatever the token.
func (c *exportCommand) far(s *session, w io.Writer) error {
	if c.JSON {
		return fault.New(fault.Invalid, "app.export.json").At("json")
	}
	remote, err := c.call(s)
	if err != nil {
		return err
	}
	sheet, err := directory.NewSheet(w)
	if err != nil {
		return err
	}
	if err := sheet.Row(farHeader()); err != nil {
		return err
	}
	for after, more := "", true; more; more = after != "" {
		answer, err := remote.get(s.ctx, "/people?"+url.Values{"limit": {"200"}, "after": {after}}.Encode())
		if err != nil {
			return err
		}
		var list page[directoryapi.Person]
		if err := json.Unmarshal(answer, &list); err != nil {
			return fault.Wrap(err, fault.Unavailable, "app.remote.odd", "host", remote.host(), "status", 200)
		}
		for _, p := range list.Items {
			if c.Source != "" && !strings.EqualFold(p.Source, c.Source) {
				continue
			}
			if err := sheet.Row(farRow(p)); err != nil {
				return err
			}
		}
		after = list.Next
	}
	return sheet.End()
}

func farRow(p directoryapi.Person) []string {
	place := func(at *directoryapi.Place) string {
		if at == nil {
			return ""
		}
		return at.Name
	}
	by := map[string][]string{}
	for _, k := range p.Contacts {
		by[k.Kind] = append(by[k.Kind], k.Address)
	}
	at := func(kind string) string { return strings.Join(by[kind], " / ") }
	return []string{
		p.Matricule, p.RPPS, p.LastName, p.FirstName, p.MetierLabel, strings.Join(p.Qualifications, ", "), place(p.Site), place(p.Service), p.Status,
		at(directory.Mobile), at(directory.Landline), at(directory.Extension), at(directory.Pager), at(directory.Chat), at(directory.Email), p.Source,
	}
}
