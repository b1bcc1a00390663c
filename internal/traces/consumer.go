package traces

import (
	"context"
	"database/sql"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Consumer is an application of the hospital that may search the traces (the
// Consommateur of the French profile): admitted by who may ask them, for a
// reason, and until a day.
type Consumer struct {
	ID           uuid.UUID
	Name, Reason string
	// Addresses are the networks it may ask from; none: from anywhere.
	Addresses []netip.Prefix
	// By is who admitted it.
	By string
	// Until is from when its token is refused.
	Created, Until time.Time
	// Revoked and Last (its last search, to within a minute) are zero before.
	Revoked, Last time.Time
}

// Serves tells whether its token is worth something at a time.
func (c Consumer) Serves(now time.Time) bool { return c.Revoked.IsZero() && now.Before(c.Until) }

// WantedConsumer is what a person says of a consumer.
type WantedConsumer struct {
	Name, Reason, Addresses string
	// LastDay is the last day of its token, "2027-03-31", in Zone.
	LastDay string
	Zone    *time.Location
}

const (
	reasonMost    = 300
	consumersMost = 100
	// consumerYears is how long a token may live: whoever needs it longer says so again.
	consumerYears = 1
)

// consumer checks what is wanted. Errors: Invalid with its field.
func (w WantedConsumer) consumer(now time.Time) (c Consumer, err error) {
	c = Consumer{Name: strings.Join(strings.Fields(w.Name), " "), Reason: strings.Join(strings.Fields(w.Reason), " "), Created: now}
	switch {
	case c.Name == "" || utf8.RuneCountInString(c.Name) > nameMost:
		return c, fault.New(fault.Invalid, "traces.consumer.name", "most", nameMost).At("name")
	case c.Reason == "" || utf8.RuneCountInString(c.Reason) > reasonMost:
		return c, fault.New(fault.Invalid, "traces.consumer.reason", "most", reasonMost).At("reason")
	}
	day, err := time.ParseInLocation(time.DateOnly, w.LastDay, w.Zone)
	today := now.In(w.Zone)
	c.Until = day.AddDate(0, 0, 1)
	if err != nil || !now.Before(c.Until) || day.After(today.AddDate(consumerYears, 0, 0)) {
		return c, fault.New(fault.Invalid, "traces.consumer.until").At("until")
	}
	c.Addresses, err = ParseAddresses(w.Addresses)
	return c, err
}

// admits tells whether it may ask from an address.
func (c Consumer) admits(from string) bool {
	if len(c.Addresses) == 0 {
		return true
	}
	a, err := netip.ParseAddr(from)
	return err == nil && slices.ContainsFunc(c.Addresses, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

const consumerColumns = `organisation_id, id, name, reason, addresses, admitted_by, created_us, until_us, revoked_us, last_us`

// lodged is a consumer with its establishment.
type lodged struct {
	Consumer
	organisation uuid.UUID
}

func readConsumers(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []lodged, err error) {
	err = tx.Query(ctx, `SELECT `+consumerColumns+` FROM traces_consumers WHERE `+which, args, func(row func(...any) error) error {
		var c lodged
		var addresses string
		var created, until int64
		var revoked, last sql.NullInt64
		if err := row(&c.organisation, &c.ID, &c.Name, &c.Reason, &addresses, &c.By, &created, &until, &revoked, &last); err != nil {
			return err
		}
		list, err := ParseAddresses(addresses)
		if err != nil {
			return err
		}
		c.Addresses, c.Created, c.Until, c.Revoked, c.Last = list, storage.Time(created), storage.Time(until), storage.NullTime(revoked), storage.NullTime(last)
		out = append(out, c)
		return nil
	})
	return out, err
}

func readConsumer(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Consumer, error) {
	list, err := readConsumers(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
	if err != nil {
		return Consumer{}, err
	}
	if len(list) == 0 {
		return Consumer{}, fault.New(fault.NotFound, "traces.consumer.unknown")
	}
	return list[0].Consumer, nil
}

// noted is a consumer as the journal keeps it.
func (c Consumer) noted() map[string]any {
	return map[string]any{"name": c.Name, "reason": c.Reason, "addresses": WriteAddresses(c.Addresses), "until": c.Until.UTC().Format(time.DateTime)}
}
