package app

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/care"
	"tocsin/internal/traces/hl7"
	"tocsin/internal/traces/mllp"
)

// staffEvery is how often who works here is copied for the traces.
const staffEvery = time.Hour

// careFeeds are what sources may speak of care.
func careFeeds() []traces.Description { return []traces.Description{hl7.Describe()} }

// openCare joins who cares for whom with the directory and the functions on call.
func (h *House) openCare() {
	h.CareDesk = care.New(care.Options{DB: h.DB, Guard: h.Guard, Clock: h.Clock, Log: h.Log, Directory: staffBook{h}, Roster: onCallers{h}})
	h.Care, h.Staff = h.CareDesk, h.CareDesk
}

// hearCare hears the messages of care, where the settings say so.
func (h *House) hearCare(ctx context.Context, group *errgroup.Group) error {
	l := &mllp.Listener{Service: h.Traces, Log: h.Log, Clock: h.Clock, Format: hl7.Name, Read: h.readCare, Keep: h.CareDesk.Keep}
	var open []net.Listener
	if h.Settings.MLLPListen != "" {
		stream, err := listen(ctx, h.Settings.MLLPListen)
		if err != nil {
			return err
		}
		open = append(open, stream)
	}
	stream, err := h.listenTLS(ctx, h.Settings.MLLPTLSListen, h.Settings.MLLPTLSCA)
	if err != nil {
		return err
	}
	if stream != nil {
		open = append(open, stream)
	}
	for _, stream := range open {
		group.Go(func() error { return l.Serve(ctx, stream) })
	}
	return nil
}

// readCare understands a message, and answers in the language of the program.
func (h *House) readCare(message []byte, zone *time.Location, received int64) (traces.News, mllp.Answer, error) {
	m, err := hl7.Parse(message)
	code := hl7.Reject
	var n traces.News
	if err == nil {
		n, err = hl7.Read(m, zone, received)
		code = hl7.Fail
	}
	return n, func(unread error, id string, now time.Time) []byte {
		if unread == nil {
			return hl7.Ack(m, hl7.Accept, "", id, now)
		}
		return hl7.Ack(m, code, h.Catalog.For(h.Settings.Lang()).Fault(unread), id, now)
	}, err
}

// refreshStaff copies who works in each establishment.
func (h *House) refreshStaff(ctx context.Context, _ time.Time) (bool, error) {
	all, err := h.Houses.List(ctx, access.Instance("traces"))
	if err != nil {
		return false, err
	}
	var errs []error
	for _, e := range all {
		errs = append(errs, h.CareDesk.Refresh(ctx, e.ID))
	}
	return false, errors.Join(errs...)
}

// staffBook tells the traces who works, or worked, here.
type staffBook struct{ h *House }

// Workers implements care.Directory.
func (w staffBook) Workers(ctx context.Context, id uuid.UUID, each func(care.Worker) error) error {
	scope := access.System(id, "traces")
	var places *organisation.Places
	err := w.h.DB.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		places, err = w.h.Houses.Places(ctx, tx, scope, w.h.Clock.Now())
		return err
	})
	if err != nil {
		return err
	}
	for _, departed := range []bool{false, true} {
		f := directory.Filter{Departed: departed, Limit: 500, Uncounted: true}
		for more := true; more; more = f.After != "" {
			page, err := w.h.Directory.People(ctx, scope, f)
			if err != nil {
				return err
			}
			for _, p := range page.People {
				if err := each(w.h.worker(p, places, departed)); err != nil {
					return err
				}
			}
			f.After = page.Next
		}
	}
	return nil
}

// worker is a person of the directory as the traces need it.
func (h *House) worker(p directory.Person, places *organisation.Places, departed bool) care.Worker {
	w := care.Worker{Person: p.ID, Name: p.Name(), Surname: p.LastName, Given: p.FirstName, Function: p.MetierLabel, Services: []string{p.ServiceName}, Matricule: p.Matricule, RPPS: p.RPPS, Left: p.Departed}
	if w.Function == "" {
		w.Function = h.Directory.Reference().Label(p.Metier, "fr")
	}
	if p.Service != uuid.Nil {
		// Who works in a service cares for the patients of its units.
		for _, id := range places.Within([]uuid.UUID{p.Service}) {
			if place, ok := places.Get(id); ok {
				w.Services = append(w.Services, place.Code, place.Name)
			}
		}
	}
	if departed && w.Left.IsZero() {
		w.Left = p.ContractEnd
	}
	for _, k := range p.Contacts {
		if k.Kind == directory.Email && !k.Masked {
			w.Mails = append(w.Mails, k.Address)
		}
	}
	return w
}

// onCallers tells the traces who is on call.
type onCallers struct{ h *House }

// OnCall implements care.Roster. A function whose name names a service is on call
// for it (« Astreinte réanimation »); one that names none is for all those of the
// establishment (« Interne de garde »).
func (c onCallers) OnCall(ctx context.Context, id uuid.UUID, at time.Time) ([]care.Call, error) {
	scope := access.System(id, "traces")
	standing, err := c.h.OnCall.Now(ctx, scope, at)
	if err != nil {
		return nil, err
	}
	services, err := c.h.Directory.Services(ctx, scope)
	if err != nil {
		return nil, err
	}
	var out []care.Call
	for _, s := range standing {
		if s.Held() && !s.Spare { // a fallback outside the hours is on call for nothing
			out = append(out, care.Call{Person: s.Person, Services: namedBy(s.Function, services)})
		}
	}
	return out, nil
}

// namedBy are the words of the services that the name of a function holds.
func namedBy(f oncall.Function, services []directory.Named) (out []string) {
	words := strings.Fields(storage.Fold(f.Name))
	for _, s := range services {
		name := strings.Fields(storage.Fold(s.Name))
		if len(name) == 0 || len(name[0]) < 4 || !slices.Contains(words, name[0]) {
			continue
		}
		// « Réanimation 1 » is meant by « Astreinte réanimation »: the first word of
		// its name is what people call a service.
		out = append(out, s.Name, name[0])
	}
	return out
}
