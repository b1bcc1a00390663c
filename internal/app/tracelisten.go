package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/internal/traces"
	"tocsin/internal/traces/atna"
	"tocsin/internal/traces/cef"
	"tocsin/internal/traces/gelf"
	"tocsin/internal/traces/jsonl"
	tracelisten "tocsin/internal/traces/listen"
	"tocsin/internal/traces/syslog"
	"tocsin/internal/traces/winevent"
	"tocsin/internal/wire/framing"
)

// listenTraces hears the sources that speak by syslog and GELF, where the
// settings say so and this program has a base.
func (h *House) listenTraces(ctx context.Context, group *errgroup.Group, t *tracing) error {
	if t == nil {
		return nil
	}
	machines := &tracelisten.Listener{
		Service: h.Traces, Log: h.Log, Clock: h.Clock, Mode: framing.Syslog,
		Reader: syslog.Name, Rest: syslog.Format{}.Rest, Formats: []string{syslog.Name, cef.Name, atna.Name, jsonl.Name, winevent.Name},
	}
	graylog := &tracelisten.Listener{
		Service: h.Traces, Log: h.Log, Clock: h.Clock, Mode: framing.NULs, Reader: gelf.Name, Formats: []string{gelf.Name},
		Open: func() tracelisten.Gatherer { return chunks{gelf.NewAssembler()} },
	}
	return errors.Join(
		hear(ctx, group, machines, h.Settings.SyslogListen), hear(ctx, group, graylog, h.Settings.GELFListen),
		h.hearTLS(ctx, group, machines),
	)
}

// chunks puts the datagrams of GELF together.
type chunks struct{ *gelf.Assembler }

// Waits implements tracelisten.Gatherer.
func (chunks) Waits() time.Duration { return gelf.Patience }

// GivenUp implements tracelisten.Gatherer.
func (c chunks) GivenUp(now int64) (out []tracelisten.Remnant) {
	for _, p := range c.Assembler.GivenUp(now) {
		out = append(out, tracelisten.Remnant{From: p.From, Read: func(dst []traces.Event, received int64) ([]traces.Event, error) {
			return gelf.Format{}.Incomplete(dst, p, received)
		}})
	}
	return out
}

// hear listens on an address for datagrams and connections.
func hear(ctx context.Context, group *errgroup.Group, l *tracelisten.Listener, address string) error {
	if address == "" {
		return nil
	}
	stream, err := listen(ctx, address)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	packets, err := lc.ListenPacket(ctx, "udp", stream.Addr().String())
	if err != nil {
		return errors.Join(fmt.Errorf("listen on %s: %w", address, err), stream.Close())
	}
	group.Go(func() error { return l.Streams(ctx, stream) })
	group.Go(func() error { return l.Packets(ctx, packets.(*net.UDPConn)) })
	return nil
}

// hearTLS listens for connections over TLS, with the certificate of the pages.
func (h *House) hearTLS(ctx context.Context, group *errgroup.Group, l *tracelisten.Listener) error {
	if h.Settings.SyslogTLSListen == "" {
		return nil
	}
	config := newCertificate(h.Settings.TLSCert, h.Settings.TLSKey, h.Clock).config()
	if h.Settings.SyslogTLSCA != "" {
		authorities, err := os.ReadFile(h.Settings.SyslogTLSCA)
		if err != nil {
			return fmt.Errorf("authorities of syslog-tls-ca: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(authorities) {
			return fmt.Errorf("no certificate in %s", h.Settings.SyslogTLSCA)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	stream, err := listen(ctx, h.Settings.SyslogTLSListen)
	if err != nil {
		return err
	}
	group.Go(func() error { return l.Streams(ctx, tls.NewListener(stream, config)) })
	return nil
}
