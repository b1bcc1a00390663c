package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/library"
	alertpages "tocsin/internal/alerting/pages"
	"tocsin/internal/alerting/telephone"
	"tocsin/internal/channels"
	"tocsin/internal/channels/chat"
	"tocsin/internal/channels/email"
	"tocsin/internal/channels/espa"
	"tocsin/internal/channels/modem"
	"tocsin/internal/channels/pager"
	"tocsin/internal/channels/push"
	"tocsin/internal/channels/sms"
	"tocsin/internal/channels/smshttp"
	"tocsin/internal/channels/voice"
	"tocsin/internal/clock"
	"tocsin/internal/config"
	"tocsin/internal/directory"
	"tocsin/internal/directory/feed"
	"tocsin/internal/directory/ldap"
	"tocsin/internal/directory/oncall"
	directorypages "tocsin/internal/directory/pages"
	"tocsin/internal/directory/proof"
	"tocsin/internal/dispatch"
	"tocsin/internal/hooks"
	"tocsin/internal/hooks/carrier"
	"tocsin/internal/i18n"
	"tocsin/internal/identity"
	"tocsin/internal/inventory"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/live"
	"tocsin/internal/organisation"
	"tocsin/internal/rest"
	"tocsin/internal/screens"
	"tocsin/internal/space"
	spacepages "tocsin/internal/space/pages"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
	"tocsin/internal/traces/care"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/detect"
	"tocsin/internal/traces/exports"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/kept"
	"tocsin/internal/traces/pull"
	"tocsin/internal/traces/rules"
	"tocsin/internal/traces/watch"
	"tocsin/internal/vault"
)

// Plan says how a house is built.
type Plan struct {
	Settings *config.Server
	Clock    clock.Clock
	Log      *slog.Logger
	// Kinds are the channels known; nil means all of them.
	Kinds []channels.Kind
	// HasBase tells that this program can hold a base of traces, in a process that
	// it starts from itself.
	HasBase bool
	// StyleGuide shows /styleguide.
	StyleGuide bool
	// Cost of passwords; zero means the default. Tests take a cheap one.
	Cost identity.Cost
	// HookAddresses replaces the rule of the addresses of the inside that hooks may
	// reach; nil keeps it. Tests listen on this machine.
	HookAddresses func(net.IP) bool
}

// House is every room, joined.
type House struct {
	Plan
	Catalog   *i18n.Catalog
	DB        *storage.DB
	Vault     *vault.Vault
	Guard     *access.Guard
	Metrics   *prometheus.Registry
	Hub       *live.Hub
	Registry  *channels.Registry
	Journal   *journal.Reader
	Houses    *organisation.Service
	Accounts  *identity.Service
	Directory *directory.Directory
	Dispatch  *dispatch.Dispatch
	Alerting  *alerting.Service
	Hooks     *hooks.Service
	// Desk serves other programs.
	Desk  *rest.Desk
	Proof *proof.Service
	Feeds *feed.Service
	// OnCall knows who holds the functions.
	OnCall *oncall.Service
	// Space is what agents see of their own.
	Space *space.Service
	// Screens are those of corridors and wards.
	Screens *screens.Service
	// Inventory is what the house runs on.
	Inventory *inventory.Service
	// Traces is what applications say they did, Rules what is asked of it as it
	// comes in, and Cases what stood out.
	Traces *traces.Service
	Kept   *kept.Service
	Audits *audits.Service
	Rules  *rules.Service
	Cases  *cases.Service
	// Exports are the archives for justice and for patients.
	Exports *exports.Service
	// Detection looks at the behaviour of people.
	Detection *detect.Detector
	// CareDesk is who cares for whom and who acts; Care and Staff are what the
	// detection asks of it.
	CareDesk *care.Service
	Care     traces.Carer
	Staff    traces.Staff
	// TraceFiles is what applications give in files, TracePulls what is fetched in
	// their tables of audit.
	TraceFiles *files.Service
	TracePulls *pull.Service

	leases *jobs.Leases
	// wakers start a task before its time, by the task's name.
	wakers map[string]chan struct{}
	// alerts holds the live readings, closed once no page is served.
	alerts *alertpages.Pages
	// watching looks at the live flow while the house serves; nil otherwise.
	watching atomic.Pointer[watch.Watch]
	// demo are the one-click links of a demonstration; nil otherwise.
	demo *doors
}

// Kinds are the channels of the product.
func Kinds() []channels.Kind {
	return []channels.Kind{sms.Kind{}, smshttp.Kind{}, modem.Kind{}, pager.Kind{}, chat.Room{}, chat.Matrix{}, espa.Kind{}, voice.New(), email.Kind{}, push.Kind{}}
}

// Build opens the data and joins the rooms. It starts nothing. The caller
// closes the house.
func Build(ctx context.Context, p Plan) (h *House, err error) {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Clock == nil {
		p.Clock = clock.Real()
	}
	if p.Kinds == nil {
		p.Kinds = Kinds()
	}
	h = &House{Plan: p, Metrics: prometheus.NewRegistry(), Hub: live.NewHub(), wakers: map[string]chan struct{}{directoryWork: make(chan struct{}, 1)}}
	if h.Catalog, err = Catalog(); err != nil {
		return nil, err
	}
	if h.Guard, err = access.NewGuard(); err != nil {
		return nil, err
	}
	if h.DB, err = OpenData(ctx, p.Settings, p.Log); err != nil {
		return nil, err
	}
	if err := h.join(ctx); err != nil {
		return nil, errors.Join(err, h.DB.Close())
	}
	return h, nil
}

// OpenData opens the database the settings name and brings its schema up to date.
func OpenData(ctx context.Context, s *config.Server, log *slog.Logger) (*storage.DB, error) {
	db, err := storage.Open(ctx, storage.Options{URL: s.DatabaseURL, Dir: s.Data, Log: log})
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, Migrations()...); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// join makes the rooms from the ground up.
func (h *House) join(ctx context.Context) error {
	if err := h.openVault(ctx); err != nil {
		return err
	}
	h.leases = jobs.NewLeases(h.DB, uuid.NewString())
	h.Registry = channels.NewRegistry(h.Kinds...)
	h.Journal = journal.NewReader(h.DB, h.Guard)
	h.Houses = organisation.New(h.DB, h.Guard, h.Clock)
	callback, err := h.callbacks()
	if err != nil {
		return err
	}
	h.Dispatch = dispatch.New(dispatch.Options{
		DB: h.DB, Guard: h.Guard, Vault: h.Vault, Registry: h.Registry, Clock: h.Clock, Log: h.Log, Metrics: h.metrics(), Callback: callback, Devices: devices{h},
	})
	if h.Accounts, err = identity.New(identity.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Vault: h.Vault, Organisations: h.Houses, Origin: h.origin(), Cost: h.Cost,
		Outbox: h.Dispatch, Catalog: h.Catalog,
	}); err != nil {
		return err
	}
	keys, err := h.Vault.DeriveKeys(directory.HumanPurpose)
	if err != nil {
		return fmt.Errorf("key of the directory: %w", err)
	}
	// The oldest key: who is the same person in two establishments must still be
	// recognised after a rotation.
	if h.Directory, err = directory.New(h.DB, h.Guard, h.Clock, h.Houses, keys[len(keys)-1]); err != nil {
		return err
	}
	h.OnCall = oncall.New(oncall.Options{DB: h.DB, Guard: h.Guard, Clock: h.Clock, Organisation: h.Houses, Calls: calls{h}})
	h.Directory.Consult(h.OnCall)
	h.Inventory = inventory.New(inventory.Options{DB: h.DB, Guard: h.Guard, Clock: h.Clock, Organisation: h.Houses, Owners: owners{h}})
	h.openCare()
	stamper, err := h.stamper()
	if err != nil {
		return err
	}
	h.Traces = traces.New(traces.Options{DB: h.DB, Guard: h.Guard, Clock: h.Clock, Log: h.Log, Formats: TraceFormats, Feeds: careFeeds(), Circle: h.CareDesk, Watchman: watchmen{h.Accounts}, Vault: h.Vault, Stamper: stamper, Copies: h.Settings.SealCopies})
	h.openTraceFiles()
	h.openExports()
	h.openDetection()
	h.joinCases()
	h.joinAsks()
	h.Alerting = alerting.New(alerting.Options{
		DB: h.DB, Guard: h.Guard, Directory: h.Directory, Dispatch: h.Dispatch, Organisation: h.Houses,
		Library: library.All, LinkBase: h.origin().String() + "/r/", Keys: h.Vault, Log: h.Log, Notify: h.Hub.Notify,
		RequestBase: h.origin().String() + alertpages.RequestPath, Seconds: seconds{h.Accounts}, Alarms: watchmen{h.Accounts}, Catalog: h.Catalog, Coded: codes{h},
	})
	h.Proof = proof.New(proof.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Directory: h.Directory, Dispatch: h.Dispatch, Organisation: h.Houses, Catalog: h.Catalog,
		LinkBase: h.origin().String() + directorypages.ConfirmPath, Alarms: alarms{h.Alerting}, Log: h.Log,
	})
	h.Feeds = feed.New(feed.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Vault: h.Vault, Directory: h.Directory, Kinds: []feed.Kind{ldap.Kind{}}, Log: h.Log, Wake: h.wakeDirectory,
	})
	h.Space = space.New(space.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Directory: h.Directory, OnCall: h.OnCall, Dispatch: h.Dispatch, Alerting: h.Alerting, Organisation: h.Houses,
		Catalog: h.Catalog, Vault: h.Vault, InviteBase: h.origin().String() + spacepages.EnterPath, DutiesLink: h.origin().String() + spacepages.DutiesPath, Log: h.Log,
	})
	h.Directory.Notify(h.Space)
	code, err := h.Vault.DeriveKey("screens.codes")
	if err != nil {
		return fmt.Errorf("key of the screens: %w", err)
	}
	h.Screens = screens.New(screens.Options{DB: h.DB, Guard: h.Guard, Clock: h.Clock, Alerting: h.Alerting, Organisation: h.Houses, Key: code.Secret[:]})
	h.Dispatch.Tell(sinks{h.Alerting, h.Proof})
	h.Dispatch.Consult(h.Alerting)
	h.Dispatch.Guard(codes{h})
	h.Dispatch.Dictate(h.Alerting)
	h.Dispatch.Receive(telephone.New(telephone.Options{Alerting: h.Alerting, Accounts: callers{h.Accounts}, Clock: h.Clock, Catalog: h.Catalog, Log: h.Log}))
	h.Dispatch.Warn(watchmen{h.Accounts})
	out := carrier.New(h.HookAddresses)
	h.Hooks = hooks.New(hooks.Options{
		DB: h.DB, Guard: h.Guard, Vault: h.Vault, Alerting: h.Alerting, Dispatch: h.Dispatch, Carrier: out, Fetcher: out, Log: h.Log,
		Node: h.Dispatch.Node(), Version: Version, Host: h.origin().Hostname(), Space: h.origin().String() + spacepages.Path, Catalog: h.Catalog,
	})
	h.Alerting.Tell(h.Hooks)
	return h.openDesk()
}

// origin is the address people type; without one, the address we listen on,
// which only this machine can follow.
func (h *House) origin() *url.URL {
	if o := h.Settings.Origin(); o != nil {
		return o
	}
	scheme := "http"
	if h.Settings.TLSCert != "" {
		scheme = "https"
	}
	return &url.URL{Scheme: scheme, Host: h.Settings.Listen}
}

// openVault loads the keyring, or makes it at the very first start: later, a
// missing keyring means that the secrets in the data are lost, and a new one
// would hide it.
func (h *House) openVault(ctx context.Context) error {
	path := h.Settings.KeyFile
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		houses, err := organisation.New(h.DB, h.Guard, h.Clock).List(ctx, access.Instance("start"))
		if err != nil {
			return fmt.Errorf("look for data: %w", err)
		}
		if len(houses) == 0 {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return fmt.Errorf("folder of the keyring: %w", err)
			}
			h.Vault, err = vault.Create(path, h.Clock.Now())
			return err
		}
	}
	var err error
	h.Vault, err = vault.Load(path)
	return err
}

// Close closes the data. Stop what was started before.
func (h *House) Close() error { return h.DB.Close() }

// keepers are the rooms that keep sealed secrets: each seals its own again.
func (h *House) keepers() []func(context.Context, access.Scope) (int, error) {
	return []func(context.Context, access.Scope) (int, error){h.Accounts.Reseal, h.Dispatch.Reseal, h.Hooks.Reseal, h.Feeds.Reseal, h.Space.Reseal, h.TracePulls.Reseal, h.Kept.Reseal, h.Exports.Reseal}
}
