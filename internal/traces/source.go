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

// Source is an application, a server or a device that speaks to us.
type Source struct {
	ID     uuid.UUID
	Name   string
	Format string
	// Biomedical tells medical equipment or its gateway.
	Biomedical bool
	// Zone is the IANA zone of times that say none.
	Zone string
	// Item is what it is in the inventory, when somebody said so.
	Item uuid.UUID
	// Addresses are the networks from which it may speak without a token.
	Addresses []netip.Prefix
	// Quiet is the silence that is told; zero: none is.
	Quiet   time.Duration
	Created time.Time
	Retired time.Time
	State
}

// State is what is known of a source from what it says.
type State struct {
	Events, Failures int64
	// First and Last are when something came, zero before; LastAt is the last
	// event by the clock of the source.
	First, Last, LastAt time.Time
	// Skew is how far the source's clock is ahead of ours, negative behind.
	Skew time.Duration
	// Silent is since when its silence is told; zero: it speaks.
	Silent time.Time
}

// SkewTold is from when a difference of clocks is shown as a fault.
const SkewTold = 2 * time.Minute

// Wanted is what a person says of a source.
type Wanted struct {
	Name, Format, Zone, Addresses string
	Biomedical                    bool
	Item                          uuid.UUID
	// Quiet is in minutes; zero tells no silence.
	Quiet int
}

const (
	nameMost      = 80
	addressesMost = 20
	sourcesMost   = 1000
	quietMost     = 31 * 24 * 60 // minutes
)

// source checks what is wanted. Errors: Invalid with its field.
func (w Wanted) source(known func(format string) bool) (s Source, err error) {
	s = Source{Name: strings.Join(strings.Fields(w.Name), " "), Format: w.Format, Biomedical: w.Biomedical, Item: w.Item, Zone: w.Zone, Quiet: time.Duration(w.Quiet) * time.Minute}
	switch {
	case s.Name == "" || utf8.RuneCountInString(s.Name) > nameMost:
		return s, fault.New(fault.Invalid, "traces.source.name", "most", nameMost).At("name")
	case !known(w.Format):
		return s, fault.New(fault.Invalid, "traces.source.format").At("format")
	case w.Quiet < 0 || w.Quiet > quietMost:
		return s, fault.New(fault.Invalid, "traces.source.quiet", "most", quietMost).At("quiet")
	}
	if _, err := zone(w.Zone); err != nil {
		return s, fault.New(fault.Invalid, "traces.error.zone", "zone", w.Zone).At("zone")
	}
	if s.Addresses, err = ParseAddresses(w.Addresses); err != nil {
		return s, err
	}
	return s, nil
}

// ParseAddresses reads addresses and networks (10.1.2.3, 10.1.0.0/16,
// 2001:db8::/32), apart by spaces, commas or lines. Errors: Invalid at
// "addresses", naming the first that is none.
func ParseAddresses(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r <= ' ' }) {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, err := netip.ParseAddr(word)
			if err != nil {
				return nil, fault.New(fault.Invalid, "traces.source.address", "address", word).At("addresses")
			}
			p = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		}
		if p = p.Masked(); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	if len(out) > addressesMost {
		return nil, fault.New(fault.Invalid, "traces.source.addresses", "most", addressesMost).At("addresses")
	}
	return out, nil
}

// WriteAddresses is the inverse of ParseAddresses; an address alone has no mask.
func WriteAddresses(list []netip.Prefix) string {
	var words []string
	for _, p := range list {
		if p.IsSingleIP() {
			words = append(words, p.Addr().String())
			continue
		}
		words = append(words, p.String())
	}
	return strings.Join(words, " ")
}

const sourceColumns = `organisation_id, id, name, format, biomedical, zone, item_id, addresses, quiet_minutes, created_us, retired_us,
	events, failures, first_received_us, last_received_us, last_at_us, skew_s, silent_us`

// placed is a source with its establishment.
type placed struct {
	Source
	organisation uuid.UUID
}

func readSources(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []placed, err error) {
	err = tx.Query(ctx, `SELECT `+sourceColumns+` FROM traces_sources WHERE `+which, args, func(row func(...any) error) error {
		var p placed
		var item uuid.NullUUID
		var addresses string
		var quiet, created, skew int64
		var retired, first, last, at, silent sql.NullInt64
		if err := row(&p.organisation, &p.ID, &p.Name, &p.Format, &p.Biomedical, &p.Zone, &item, &addresses, &quiet, &created, &retired,
			&p.Events, &p.Failures, &first, &last, &at, &skew, &silent); err != nil {
			return err
		}
		list, err := ParseAddresses(addresses)
		if err != nil {
			return err
		}
		p.Addresses, p.Item, p.Quiet = list, item.UUID, time.Duration(quiet)*time.Minute
		p.Created, p.Retired = storage.Time(created), storage.NullTime(retired)
		p.First, p.Last, p.LastAt = storage.NullTime(first), storage.NullTime(last), storage.NullTime(at)
		p.Skew, p.Silent = time.Duration(skew)*time.Second, storage.NullTime(silent)
		out = append(out, p)
		return nil
	})
	return out, err
}

func readSource(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Source, error) {
	list, err := readSources(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
	if err != nil {
		return Source{}, err
	}
	if len(list) == 0 {
		return Source{}, fault.New(fault.NotFound, "traces.source.unknown")
	}
	return list[0].Source, nil
}

// noted is a source as the journal keeps it.
func (s Source) noted() map[string]any {
	return map[string]any{
		"name": s.Name, "format": s.Format, "biomedical": s.Biomedical, "zone": s.Zone, "addresses": WriteAddresses(s.Addresses), "quiet_minutes": int(s.Quiet / time.Minute),
	}
}
