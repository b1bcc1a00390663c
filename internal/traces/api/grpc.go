package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // exporters compress unless told otherwise
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"tocsin/internal/fault"
	"tocsin/internal/traces/otlp"
)

const (
	// callsMost bounds the calls of one connection at once.
	callsMost = 32
	// calmMost is how long a connection may say nothing.
	calmMost = 30 * time.Minute
	// lastCalls is how long calls under way may take to end.
	lastCalls = 5 * time.Second
)

// GRPC serves the logs of OTLP over gRPC until ctx ends, then lets the calls
// under way finish. secure is nil for a listener without encryption.
func GRPC(ctx context.Context, o Options, l net.Listener, secure *tls.Config) error {
	opts := []grpc.ServerOption{
		grpc.ForceServerCodec(asBytes{}), grpc.MaxRecvMsgSize(BodyLimit), grpc.MaxConcurrentStreams(callsMost), grpc.ConnectionTimeout(10 * time.Second),
		grpc.InTapHandle(o.bounded),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: calmMost}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	}
	if secure != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(secure)))
	}
	s := grpc.NewServer(opts...)
	in := intake{opt: o}
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.logs.v1.LogsService", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Export", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			return in.export(ctx, decode)
		}}},
	}, in)
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		// Whoever does not end in time is cut: what was not acknowledged comes again.
		cut := time.AfterFunc(lastCalls, s.Stop)
		defer cut.Stop()
		s.GracefulStop()
	})
	err := s.Serve(l)
	if !stop() {
		<-stopped
		return nil
	}
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return fmt.Errorf("serve gRPC: %w", err)
}

// export takes one request. Who sends is known before what he sends is read.
func (in intake) export(ctx context.Context, decode func(any) error) (any, error) {
	sent, _ := metadata.FromIncomingContext(ctx)
	from, err := in.opt.Service.ByToken(ctx, token(&http.Request{Header: http.Header{"Authorization": sent.Get("authorization")}}))
	if err != nil {
		return nil, in.refused(err)
	}
	var message []byte
	if err := decode(&message); err != nil {
		return nil, err
	}
	events, err := in.opt.Service.Reader(otlp.Name, from).Parse(nil, message, in.opt.Clock.Now().UnixMicro())
	if err == nil {
		err = in.opt.Service.Take(ctx, from, events, nil)
	}
	if err != nil {
		return nil, in.refused(err)
	}
	reply := otlp.Reply(false, 0, "")
	return &reply, nil
}

// refused tells an error in the codes of gRPC: exporters come back after
// Unavailable and give up after InvalidArgument.
func (in intake) refused(err error) error {
	kind := fault.KindOf(err)
	code, known := map[fault.Kind]codes.Code{
		fault.Invalid: codes.InvalidArgument, fault.Unauthenticated: codes.Unauthenticated, fault.Denied: codes.PermissionDenied,
		fault.Unavailable: codes.Unavailable, fault.TooMany: codes.Unavailable,
	}[kind]
	if !known {
		in.opt.Log.Error("traces refused", "path", "grpc", "error", err)
		code = codes.Internal
	}
	return status.Error(code, in.opt.Catalog.For("").Fault(err))
}

// asBytes leaves messages as they are: the format reads them.
type asBytes struct{}

// Name implements encoding.Codec.
func (asBytes) Name() string { return "proto" }

// Marshal implements encoding.Codec.
func (asBytes) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("%T is no bytes", v)
	}
	return *b, nil
}

// Unmarshal implements encoding.Codec. The buffer is that of the connection.
func (asBytes) Unmarshal(data []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("%T is no bytes", v)
	}
	*b = bytes.Clone(data)
	return nil
}
