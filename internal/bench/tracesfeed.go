package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/internal/traces"
)

// What one request carries, and how many are under way at once.
const (
	perRequest = 5000
	posters    = 2
)

// post sends lines of JSON, and returns once all are acknowledged.
func (p *tracesHouse) post(ctx context.Context, token string, n int) error {
	bodies := make(chan []byte, posters)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(bodies)
		h, e := hospital(n), traces.Event{}
		for left := n; left > 0; {
			var body bytes.Buffer
			body.Grow(perRequest * 420)
			for range min(left, perRequest) {
				h.Next(&e)
				body.Write(e.Raw)
				body.WriteByte('\n')
			}
			left -= min(left, perRequest)
			select {
			case bodies <- body.Bytes():
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range posters {
		group.Go(func() error {
			for body := range bodies {
				if err := p.deliver(ctx, "/intake/events", token, body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// deliver makes one request; nil means acknowledged.
func (p *tracesHouse) deliver(ctx context.Context, path, token string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.Address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %.200s", path, answer.Status, text)
	}
	// _bulk says of each event whether it was taken.
	var bulk struct {
		Errors bool `json:"errors"`
	}
	if err := json.Unmarshal(text, &bulk); err != nil || bulk.Errors {
		return fmt.Errorf("%s: not all was taken: %.200s", path, text)
	}
	return nil
}

// bulkBody is a request of _bulk with events that carry an id, from the one of a rank.
func bulkBody(from, n int) []byte {
	var body bytes.Buffer
	at := traceStart()
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&body, `{"create":{"_index":"banc","_id":"banc-%d"}}`+"\n", i)
		fmt.Fprintf(&body, `{"@timestamp":%q,"message":"ouverture du dossier","user":{"name":"u%05d"},"event":{"action":"consultation","sequence":%d},"host":{"name":"PC-%03d"}}`+"\n",
			at.Add(time.Duration(i)*time.Second/2).Format(time.RFC3339Nano), i%4300, i, i%600)
	}
	return body.Bytes()
}

// postBulk sends events with ids.
func (p *tracesHouse) postBulk(ctx context.Context, from, n int) error {
	if err := p.deliver(ctx, "/intake/_bulk", p.Tokens["bulk"], bulkBody(from, n)); err != nil {
		return err
	}
	p.sent["bulk"] = max(p.sent["bulk"], from+n)
	return nil
}

// pour writes frames on a connection to the listener of syslog, from the address
// by which the source is known.
func (p *tracesHouse) pour(ctx context.Context, format string, n int, frames func(int, func([]byte) error) error) (err error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(sourceAddress(format))}}
	conn, err := d.DialContext(ctx, "tcp", p.syslog)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	out := bufio.NewWriterSize(conn, 1<<18)
	// By octet counting (RFC 6587 § 3.4.1), as RFC 5425 wants it over TLS.
	if err := frames(n, func(frame []byte) error {
		if _, err := fmt.Fprintf(out, "%d ", len(frame)); err != nil {
			return err
		}
		_, err := out.Write(frame)
		return err
	}); err != nil {
		return err
	}
	return out.Flush()
}

// syslogLines are messages of RFC 5424, each with an object of JSON.
func syslogLines(n int, give func([]byte) error) error {
	h, e, frame := hospital(n), traces.Event{}, []byte(nil)
	for range n {
		h.Next(&e)
		frame = fmt.Appendf(frame[:0], "<134>1 %s %s %s 4711 - - ", time.UnixMicro(e.At).UTC().Format("2006-01-02T15:04:05.000000Z"), e.Workstation, e.Application)
		if err := give(append(frame, e.Raw...)); err != nil {
			return err
		}
	}
	return nil
}

// atnaMessages are audit messages of DICOM PS3.15 A.5 in syslog (RFC 3881 was
// their ancestor): who opened which record, with the codes in words.
func atnaMessages(n int, give func([]byte) error) error {
	h, e, frame := hospital(n), traces.Event{}, []byte(nil)
	for range n {
		h.Next(&e)
		at := time.UnixMicro(e.At).UTC().Format("2006-01-02T15:04:05.000000Z")
		frame = fmt.Appendf(frame[:0], `<85>1 %s %s %s 4711 IHE+RFC-3881 - <?xml version="1.0" encoding="UTF-8"?><AuditMessage><EventIdentification EventActionCode="R" EventDateTime=%q EventOutcomeIndicator="0"><EventID csd-code="110110" codeSystemName="DCM" originalText="Patient Record"/><EventTypeCode csd-code="ITI-43" codeSystemName="IHE Transactions" originalText="Retrieve Document Set"/></EventIdentification>`, at, e.Workstation, e.Application, at)
		frame = fmt.Appendf(frame, `<ActiveParticipant UserID=%q UserName="%s" UserIsRequestor="true" NetworkAccessPointID=%q NetworkAccessPointTypeCode="2"><RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="%s"/></ActiveParticipant>`, e.Account, html.EscapeString(e.Person), e.Address, html.EscapeString(e.Function))
		frame = fmt.Appendf(frame, `<AuditSourceIdentification AuditSourceID=%q AuditEnterpriseSiteID="%s"><AuditSourceTypeCode csd-code="4"/></AuditSourceIdentification>`, e.Application, html.EscapeString(e.Site))
		frame = fmt.Appendf(frame, `<ParticipantObjectIdentification ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1" ParticipantObjectID=%q><ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" originalText="Patient Number"/><ParticipantObjectName>%s</ParticipantObjectName></ParticipantObjectIdentification></AuditMessage>`, e.IPP, html.EscapeString(e.PatientName))
		if err := give(frame); err != nil {
			return err
		}
	}
	return nil
}
