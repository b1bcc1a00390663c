package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	directoryapi "tocsin/internal/directory/api"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/rest"
)

const (
	// farGone is the share of a source's people, in per cent, that may leave without
	// --force: the same fifth from which a file on this machine is refused.
	farGone = 20
	// farPace and farWait bound how a list is followed until it is applied.
	farPace = time.Second
	farWait = 10 * time.Minute
)

// far gives the file to the other instance, which compares and applies it by
// itself, and follows it there.
func (c *importCommand) far(s *session) error {
	if c.Roster {
		return fault.New(fault.Invalid, "app.import.far.roster").At("roster")
	}
	remote, err := c.call(s)
	if err != nil {
		return err
	}
	list := directoryapi.PeopleList{Source: c.Source, GoneMost: farGone}
	if c.Force {
		list.GoneMost = 100
	}
	if err := withTable(c.File, func(rows *table.Source, _ directory.File) error { return gather(rows, &list) }); err != nil {
		return err
	}
	if !c.Go {
		s.printf("%s", s.words().T("app.import.far.read", "rows", len(list.Lines), "columns", len(list.Columns), "host", remote.host()))
		return nil
	}
	answer, err := remote.post(s.ctx, "/people/lists", list, c.Key)
	if err != nil {
		return err
	}
	return c.follow(s, remote, answer)
}

// gather reads a whole file into a list. Errors: Invalid for one that is larger
// than a program may give.
func gather(rows *table.Source, list *directoryapi.PeopleList) error {
	list.Columns = rows.Header()
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		list.Lines = append(list.Lines, row.Cells)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	if len(text) > rest.BodyLimit {
		return fault.New(fault.Invalid, "app.import.far.large", "most", rest.BodyLimit>>20)
	}
	return nil
}

// follow asks where the list stands until nothing more happens by itself.
func (c *importCommand) follow(s *session, remote *client, answer []byte) error {
	var l directoryapi.ListState
	for waited := time.Duration(0); ; waited += farPace {
		if err := json.Unmarshal(answer, &l); err != nil || l.ID == uuid.Nil {
			return fault.Wrap(err, fault.Unavailable, "app.remote.odd", "host", remote.host(), "status", 200)
		}
		if l.Settled && l.Source != "" {
			return c.settled(s, remote, l, answer)
		}
		if waited >= farWait {
			return fault.New(fault.Unavailable, "app.import.far.long", "host", remote.host(), "id", l.ID.String())
		}
		if waited > 0 {
			if err := remote.pause(s.ctx, farPace); err != nil {
				return err
			}
		}
		var err error
		if answer, err = remote.get(s.ctx, "/people/lists/"+l.ID.String()); err != nil {
			return err
		}
	}
}

// settled says what became of the list. A person who must look is a refusal: a
// task of the machine has nobody to read a line.
func (c *importCommand) settled(s *session, remote *client, l directoryapi.ListState, answer []byte) error {
	if err := show(s, c.JSON, answer, func(l directoryapi.ListState) {
		s.printImport(directory.Import{Summary: directory.Summary{
			Rows: l.Rows, New: l.New, Changed: l.Changed, Same: l.Same, Gone: l.Gone, Refused: l.Refused, Warnings: l.Warnings,
		}})
	}); err != nil {
		return err
	}
	changed := l.New + l.Changed + l.Gone
	switch directory.ImportState(l.State) {
	case directory.Staged:
		return fault.New(fault.Conflict, "app.import.far.columns", "host", remote.host())
	case directory.Ready:
		return fault.New(fault.Conflict, "app.import.far.many_gone", "host", remote.host())
	case directory.Abandoned:
		if changed > 0 {
			return fault.New(fault.Conflict, "app.import.far.refused", "host", remote.host())
		}
	}
	if !c.JSON {
		s.printf("%s", s.words().N("app.import.done", changed))
	}
	return nil
}

// host names the other machine to people.
func (c *client) host() string {
	u, err := url.Parse(c.base)
	if err != nil {
		return c.base
	}
	return u.Host
}
