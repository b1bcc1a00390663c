package app

import (
	"context"
	"net"
	"strings"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/channels"
)

// dnsTime bounds the questions asked of the DNS.
const dnsTime = 5 * time.Second

// lookupTXT is how the records of a name are found.
type lookupTXT func(ctx context.Context, name string) ([]string, error)

// checkRecords looks whether what the gateways need in the DNS is published.
func (h *House) checkRecords(ctx context.Context, scope access.Scope) administration.Finding {
	records, err := h.recordsNeeded(ctx, scope)
	if err != nil {
		f := finding(administration.Broken, "app.check.dkim.unread", "")
		f.Err = err
		return f
	}
	return judgeRecords(ctx, records, net.DefaultResolver.LookupTXT)
}

// recordsNeeded are those of the gateways in use.
func (h *House) recordsNeeded(ctx context.Context, scope access.Scope) (out []channels.Record, err error) {
	gateways, err := h.Dispatch.Gateways(ctx, scope)
	if err != nil {
		return nil, err
	}
	for _, g := range gateways {
		if !g.Enabled {
			continue
		}
		records, err := h.Dispatch.Records(ctx, scope, g.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, records...)
	}
	return out, nil
}

func judgeRecords(ctx context.Context, records []channels.Record, lookup lookupTXT) administration.Finding {
	for _, r := range records {
		switch found, other := lookRecord(ctx, lookup, r); {
		case found:
		case other:
			return finding(administration.Weak, "app.check.dkim.other", "app.check.dkim.todo", "record", r.Name)
		default:
			return finding(administration.Weak, "app.check.dkim.missing", "app.check.dkim.todo", "record", r.Name)
		}
	}
	if len(records) == 0 {
		return finding(administration.Well, "app.check.dkim.none", "")
	}
	return finding(administration.Well, "app.check.dkim.well", "")
}

// lookRecord tells whether the record is published, or another of its name.
func lookRecord(ctx context.Context, lookup lookupTXT, r channels.Record) (found, other bool) {
	ctx, cancel := context.WithTimeout(ctx, dnsTime)
	defer cancel()
	texts, err := lookup(ctx, r.Name)
	if err != nil {
		return false, false
	}
	for _, text := range texts {
		if keyOf(text) == keyOf(r.Value) {
			return true, false
		}
	}
	return false, len(texts) > 0
}

// keyOf is the key inside a DKIM record, without the spaces editors add.
func keyOf(record string) string {
	for tag := range strings.SplitSeq(record, ";") {
		if name, value, ok := strings.Cut(tag, "="); ok && strings.TrimSpace(name) == "p" {
			return strings.Join(strings.Fields(value), "")
		}
	}
	return record
}
