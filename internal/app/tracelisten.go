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
	tracesapi "tocsin/internal/traces/api"
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
	if err := h.hearCare(ctx, group); err != nil || t == nil {
		return err
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
		h.hearTLS(ctx, group, machines), h.hearOTLP(ctx, group),
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

// hearOTLP listens for logs of OpenTelemetry over gRPC, with the certificate of
// the pages where there is one.
func (h *House) hearOTLP(ctx context.Context, group *errgroup.Group) error {
	if h.Settings.OTLPGRPCListen == "" {
		return nil
	}
	var secure *tls.Config
	if h.Settings.TLSCert != "" {
		secure = newCertificate(h.Settings.TLSCert, h.Settings.TLSKey, h.Clock).config()
	}
	calls, err := listen(ctx, h.Settings.OTLPGRPCListen)
	if err != nil {
		return err
	}
	group.Go(func() error {
		return tracesapi.GRPC(ctx, tracesapi.Options{Service: h.Traces, Catalog: h.Catalog, Clock: h.Clock, Log: h.Log}, calls, secure)
	})
	return nil
}

// hearTLS listens for connections over TLS, with the certificate of the pages.
func (h *House) hearTLS(ctx context.Context, group *errgroup.Group, l *tracelisten.Listener) error {
	stream, err := h.listenTLS(ctx, h.Settings.SyslogTLSListen, h.Settings.SyslogTLSCA)
	if err != nil || stream == nil {
		return err
	}
	group.Go(func() error { return l.Streams(ctx, stream) })
	return nil
}

// listenTLS listens for connections over TLS with the certificate of the pages;
// those who speak must have one signed by the authorities, when these are given.
// Nil where no address is.
func (h *House) listenTLS(ctx context.Context, address, authorities string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	config := newCertificate(h.Settings.TLSCert, h.Settings.TLSKey, h.Clock).config()
	if authorities != "" {
		pem, err := os.ReadFile(authorities)
		if err != nil {
			return nil, fmt.Errorf("authorities of those who speak: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %s", authorities)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	stream, err := listen(ctx, address)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(stream, config), nil
}
