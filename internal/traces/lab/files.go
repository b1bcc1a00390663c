package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/traces"
)

// Summary is what was made.
type Summary struct {
	Events  int64        `json:"events"`
	Planted map[Kind]int `json:"planted"`
}

// Write makes all the events into a folder: events.jsonl, as POST /intake/events
// takes them; stays.csv, appointments.csv and well_known.csv, the care; staff.csv
// and accounts.csv, who acts; labels.csv, the events that were planted. Fields of
// CSV are separated by semicolons.
func (h *Hospital) Write(ctx context.Context, dir string) (s Summary, err error) {
	h.whole = true
	events, err := create(dir, "events.jsonl")
	if err != nil {
		return s, err
	}
	labels, err := createTable(dir, "labels.csv", "key", "kind", "incident", "account", "ipp")
	if err != nil {
		return s, errors.Join(err, events.close())
	}
	err = h.each(ctx, func(e *traces.Event, l Label) error {
		s.Events++
		if l.Kind != "" {
			labels.row(e.Key, string(l.Kind), strconv.Itoa(l.Incident), e.Account, e.IPP)
		}
		_, err := events.Write(append(e.Raw, '\n'))
		return err
	})
	if err = errors.Join(err, events.close(), labels.close()); err != nil {
		return s, fmt.Errorf("write the events: %w", err)
	}
	s.Planted = h.counts()
	return s, errors.Join(h.writeCare(dir), h.writeStaff(dir))
}

// each makes every event in turn.
func (h *Hospital) each(ctx context.Context, do func(*traces.Event, Label) error) error {
	var e traces.Event
	for {
		l, more := h.Next(&e)
		if !more {
			return nil
		}
		if err := errors.Join(ctx.Err(), do(&e, l)); err != nil {
			return err
		}
	}
}

func (h *Hospital) counts() map[Kind]int {
	out := map[Kind]int{}
	for _, p := range h.planted {
		out[p.Kind]++
	}
	return out
}

// writeCare writes the stays, and apart from them the appointments and what was
// prescribed, as a room of care takes them.
func (h *Hospital) writeCare(dir string) error {
	head := []string{"ipp", "service", "debut", "fin", "professionnel", "lien", "ins", "nom", "nom_naissance", "prenom", "adresse", "code_postal"}
	stays, err := createTable(dir, "stays.csv", head...)
	if err != nil {
		return err
	}
	others, err := createTable(dir, "appointments.csv", head...)
	if err != nil {
		return errors.Join(err, stays.close())
	}
	known, err := createTable(dir, "well_known.csv", "ipp", "motif")
	if err != nil {
		return errors.Join(err, stays.close(), others.close())
	}
	for i := range h.patients {
		p := &h.patients[i]
		address, postal := p.home.folded()
		if p.wellKnown {
			known.row(p.ipp, "personne connue")
		}
		for _, r := range p.relations {
			t := others
			if r.Kind == traces.RelationStay {
				t = stays
			}
			t.row(p.ipp, h.serviceName(r.Service), h.stamp(r.From), h.stamp(r.To), r.Account, string(r.Kind), p.ins, p.surname, p.birth, p.given, address, postal)
		}
	}
	return errors.Join(stays.close(), others.close(), known.close())
}

func (h *Hospital) serviceName(folded string) string {
	for i := range h.services {
		if h.services[i].folded == folded {
			return h.services[i].name
		}
	}
	return folded
}

// writeStaff writes the people as the directory imports them, and their accounts.
func (h *Hospital) writeStaff(dir string) error {
	people, err := createTable(dir, "staff.csv", "matricule", "nom", "prenom", "fonction", "service", "depart")
	if err != nil {
		return err
	}
	accounts, err := createTable(dir, "accounts.csv", "compte", "matricule", "partage", "ipp", "adresse", "code_postal")
	if err != nil {
		return errors.Join(err, people.close())
	}
	for i := range h.people {
		p := &h.people[i]
		address, postal, ipp := "", "", ""
		if p.told {
			address, postal = p.home.folded()
		}
		if p.recordTold && p.record >= 0 {
			ipp = h.patients[p.record].ipp
		}
		people.row("M"+strconv.Itoa(10000+i), p.surname, p.given, p.function.name, h.services[p.service].name, h.stamp(p.left))
		accounts.row(p.account, "M"+strconv.Itoa(10000+i), "non", ipp, address, postal)
	}
	accounts.row(sharedAccount, "", "oui", "", "", "")
	accounts.row(machineAccount, "", "non", "", "", "")
	return errors.Join(people.close(), accounts.close())
}

// stamp is a time as files of a hospital write it, by the clock on its wall.
func (h *Hospital) stamp(at int64) string {
	if at == 0 {
		return ""
	}
	return time.UnixMicro(at).In(h.zone).Format("2006-01-02 15:04")
}

// file is a file that is written from its beginning.
type file struct {
	*bufio.Writer
	under *os.File
}

func create(dir, name string) (*file, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the folder that was asked for
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return &file{bufio.NewWriterSize(f, 1<<16), f}, nil
}

func (f *file) close() error { return errors.Join(f.Flush(), f.under.Close()) }

// table is a file of CSV; the first error is told when it is closed.
type table struct {
	*file
	rows   *csv.Writer
	failed error
}

func createTable(dir, name string, head ...string) (*table, error) {
	f, err := create(dir, name)
	if err != nil {
		return nil, err
	}
	t := &table{file: f, rows: csv.NewWriter(f)}
	t.rows.Comma = ';'
	t.row(head...)
	return t, nil
}

func (t *table) row(fields ...string) {
	if err := t.rows.Write(fields); err != nil && t.failed == nil {
		t.failed = err
	}
}

func (t *table) close() error {
	t.rows.Flush()
	return errors.Join(t.failed, t.rows.Error(), t.file.close())
}

// sendLines is how many events are sent at once.
const sendLines = 2000

// Send feeds a running Tocsin: address is that of its pages, token that of a
// source of the format jsonl. What is refused stops it.
func (h *Hospital) Send(ctx context.Context, client *http.Client, address, token string) (s Summary, err error) {
	var lines bytes.Buffer
	n := 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		err := post(ctx, client, strings.TrimSuffix(address, "/")+"/intake/events", token, lines.Bytes())
		lines.Reset()
		n = 0
		return err
	}
	err = h.each(ctx, func(e *traces.Event, _ Label) error {
		s.Events++
		n++
		lines.Write(append(e.Raw, '\n'))
		if n == sendLines {
			return flush()
		}
		return nil
	})
	s.Planted = h.counts()
	if err == nil {
		err = flush()
	}
	return s, err
}

func post(ctx context.Context, client *http.Client, address, token string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	said, err := io.ReadAll(io.LimitReader(answer.Body, 1<<12))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("send events: %s answers %d: %s", address, answer.StatusCode, said)
	}
	return nil
}
