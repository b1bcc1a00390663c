package alerting

import (
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// Service holds the operations of the room.
type Service struct {
	db       *storage.DB
	guard    *access.Guard
	people   *directory.Directory
	dispatch *dispatch.Dispatch
	houses   *organisation.Service
	library  func() ([]Definition, error)
	linkBase string
	// requestBase begins the page of a request; seconds and catalog may be nil.
	requestBase string
	seconds     Seconds
	catalog     *i18n.Catalog
	// keys sign the recall orders; nil signs none.
	keys Keys
	log  *slog.Logger
	wake chan struct{}
	// rehearse wakes the worker of rehearsals.
	rehearse  chan struct{}
	announced func(topic string)
	herald    Herald
	alarms    Alarms
	coded     Coded

	mu    sync.Mutex
	plans map[uuid.UUID]*plan
	// listened is when each running alert was last looked at for silent links.
	listened map[uuid.UUID]time.Time
}

// Options are what the room rests on.
type Options struct {
	DB           *storage.DB
	Guard        *access.Guard
	Directory    *directory.Directory
	Dispatch     *dispatch.Dispatch
	Organisation *organisation.Service
	// Library is the scenarios that come with the program: library.All, joined in app.
	Library func() ([]Definition, error)
	// LinkBase is where agents answer, with its final slash: "https://tocsin.example/r/".
	LinkBase string
	// RequestBase is the page where a second person confirms, with its final slash.
	RequestBase string
	// Seconds tells whom to ask for a confirmation, in the words of Catalog; without
	// both, the page and its banner alone ask.
	Seconds Seconds
	Catalog *i18n.Catalog
	// Keys sign the recall orders of those who come; nil gives none.
	Keys Keys
	// Alarms tells people that an alert nears its ceiling of cost; nil tells nobody.
	Alarms Alarms
	// Coded tells who chose a personal code; nil knows nobody.
	Coded Coded
	Log   *slog.Logger
	// Notify tells the pages that a topic moved (live.Hub.Notify); nil tells nobody.
	Notify func(topic string)
}

// New returns the room's operations. The worker is run by a jobs.Runner: see Task.
func New(o Options) *Service {
	s := &Service{
		db: o.DB, guard: o.Guard, people: o.Directory, dispatch: o.Dispatch, houses: o.Organisation,
		library: o.Library, linkBase: o.LinkBase, requestBase: o.RequestBase, seconds: o.Seconds, catalog: o.Catalog, keys: o.Keys, log: o.Log, alarms: o.Alarms, coded: o.Coded, wake: make(chan struct{}, 1), rehearse: make(chan struct{}, 1), announced: o.Notify,
		plans: map[uuid.UUID]*plan{}, listened: map[uuid.UUID]time.Time{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.library == nil {
		s.library = func() ([]Definition, error) { return nil, nil }
	}
	if s.announced == nil {
		s.announced = func(string) {}
	}
	return s
}

// speak is the voice of the program in a language; French when it has no other.
func (s *Service) speak(language string) *i18n.Localizer {
	return s.catalog.For(i18n.Language(language))
}
