package bench

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	webpush "github.com/SherClockHolmes/webpush-go"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/channels/push"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

const (
	// pushPool is how many notifications leave at once, on both sides.
	pushPool = 32
	// pushRounds are interleaved: one of ours, one of the library's.
	pushRounds = 3
)

// pushService takes notifications and counts them.
type pushService struct {
	server *http.Server
	base   string
	taken  atomic.Int64
	all    chan struct{}
	wanted atomic.Int64
}

func newPushService(ctx context.Context) (*pushService, error) {
	s := &pushService{all: make(chan struct{}, 1)}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.base = "http://" + l.Addr().String()
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() {
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	}()
	return s, nil
}

// ServeHTTP accepts whatever comes, as a push service does.
func (s *pushService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	w.WriteHeader(http.StatusCreated)
	if s.taken.Add(1) == s.wanted.Load() {
		s.all <- struct{}{}
	}
}

func (s *pushService) expect(n int) {
	s.taken.Store(0)
	s.wanted.Store(int64(n))
}

// crowd are people with one device each, all read by the same browser.
type pushCrowd struct{ device channels.Device }

func newPushCrowd(base string) (pushCrowd, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return pushCrowd{}, err
	}
	return pushCrowd{channels.Device{
		ID: uuid.New(), Endpoint: base + "/wpush/v2/agent", Key: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()),
		Secret: base64.RawURLEncoding.EncodeToString(make([]byte, 16)),
	}}, nil
}

// Devices implements channels.Devices.
func (c pushCrowd) Devices(context.Context, string) ([]channels.Device, error) {
	return []channels.Device{c.device}, nil
}

// Gone implements channels.Devices.
func (pushCrowd) Gone(context.Context, uuid.UUID) error { return nil }

// pushRatio compares the rate of notifications through the outbox, durable, with
// that of the bare library towards the same service, interleaved.
func (b *bench) pushRatio(ctx context.Context) (out []Result, err error) {
	service, err := newPushService(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, service.server.Close()) }()
	people, err := newPushCrowd(service.base)
	if err != nil {
		return nil, err
	}
	settings, err := push.Kind{}.Complete(channels.Settings{"contact": "banc@banc.example", "services": service.base[len("http://"):], "connections": fmt.Sprint(pushPool)})
	if err != nil {
		return nil, err
	}
	n := b.Sizes.Mail
	var ratios, bare samples
	for round := range pushRounds {
		ours, err := b.pushOurs(ctx, service, people, settings, n, round)
		if err != nil {
			return nil, err
		}
		theirs, err := pushBare(ctx, service, people, settings, n)
		if err != nil {
			return nil, err
		}
		b.note("push.ratio: %d notifications, %.0f/s by the outbox, %.0f/s by the bare library", n, ours, theirs)
		ratios, bare = append(ratios, ours/theirs), append(bare, theirs)
	}
	return []Result{ratios.result("push.ratio", "×", bare, "notifications per second of the bare library")}, nil
}

// pushOurs sends by the outbox on a database of its own, and gives the rate.
func (b *bench) pushOurs(ctx context.Context, service *pushService, people pushCrowd, settings channels.Settings, n, round int) (rate float64, err error) {
	folder := filepath.Join(b.folder, fmt.Sprintf("push-%d", round))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return 0, err
	}
	db, err := storage.Open(ctx, storage.Options{Dir: folder})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx, jobs.Migrations, journal.Migrations, dispatch.Migrations); err != nil {
		return 0, err
	}
	now := clock.Real().Now()
	keys, err := vault.Create(filepath.Join(folder, "tocsin.key"), now)
	if err != nil {
		return 0, err
	}
	guard, err := access.NewGuard()
	if err != nil {
		return 0, err
	}
	d := dispatch.New(dispatch.Options{DB: db, Guard: guard, Vault: keys, Registry: channels.NewRegistry(push.Kind{Loopback: true}), Clock: clock.Real(), Devices: people})
	scope := access.System(uuid.New(), "bench")
	if _, err := d.CreateGateway(ctx, scope, now, dispatch.GatewayInput{Kind: "webpush", Name: "banc", Settings: settings, Priority: 1, Enabled: true}); err != nil {
		return 0, err
	}
	if err := d.Start(ctx); err != nil {
		return 0, err
	}
	defer d.Stop()
	campaign, content, orders := pushOrders(now, n)
	service.expect(n)
	began := time.Now()
	if err := db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := d.OpenCampaign(ctx, tx, scope, now, campaign); err != nil {
			return err
		}
		if err := d.AddContents(ctx, tx, scope, now, campaign.ID, []dispatch.Content{content}); err != nil {
			return err
		}
		_, err := d.Enqueue(ctx, tx, scope, now, orders)
		return err
	}); err != nil {
		return 0, err
	}
	d.Wake()
	return service.rate(ctx, n, began)
}

// rate waits for the last notification.
func (s *pushService) rate(ctx context.Context, n int, began time.Time) (float64, error) {
	select {
	case <-s.all:
		return float64(n) / time.Since(began).Seconds(), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

const pushText = "Plan blanc. Venez au CHU si vous le pouvez."

func pushOrders(now time.Time, n int) (dispatch.Campaign, dispatch.Content, []dispatch.Order) {
	campaign := dispatch.Campaign{ID: storage.NewID(now), Mode: "test"}
	content := dispatch.Content{ID: storage.NewID(now), Medium: channels.Push, Language: "fr", Text: pushText}
	orders := make([]dispatch.Order, n)
	for i := range orders {
		orders[i] = dispatch.Order{
			ID: storage.NewID(now), Campaign: campaign.ID, Subject: uuid.New(), Content: content.ID, Medium: channels.Push, Address: uuid.NewString(),
			Link: fmt.Sprintf("https://banc.example/r/%012d", i), Purpose: "call", Wave: 1, ExpiresAt: now.Add(time.Hour),
		}
	}
	return campaign, content, orders
}

// pushBare sends by the library alone, on as many kept connections.
func pushBare(ctx context.Context, service *pushService, people pushCrowd, settings channels.Settings, n int) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: pushPool, MaxConnsPerHost: pushPool}}
	defer client.CloseIdleConnections()
	to := &webpush.Subscription{Endpoint: people.device.Endpoint, Keys: webpush.Keys{P256dh: people.device.Key, Auth: people.device.Secret}}
	service.expect(n)
	began := time.Now()
	var next, failed atomic.Int64
	var group sync.WaitGroup
	for range pushPool {
		group.Go(func() {
			for next.Add(1) <= int64(n) {
				answer, err := webpush.SendNotificationWithContext(ctx, []byte(pushText), to, &webpush.Options{
					HTTPClient: client, Subscriber: "banc@banc.example", VAPIDPublicKey: settings.Get(channels.PushPublicKey), VAPIDPrivateKey: settings.Get("vapid_key"), TTL: 3600,
				})
				if err == nil {
					err = errors.Join(drained(answer.Body), answer.Body.Close())
				}
				if err != nil {
					failed.Add(1)
				}
			}
		})
	}
	group.Wait()
	if failed.Load() > 0 {
		return 0, fmt.Errorf("%d notifications of the bare library failed", failed.Load())
	}
	return service.rate(ctx, n, began)
}

func drained(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
