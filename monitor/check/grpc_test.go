package check

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"logstream/internal/event"
	"logstream/internal/service"
)

// grpcServer is gRPC's own server; register gets it before it serves.
func grpcServer(t *testing.T, register func(*grpc.Server), options ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	register(server)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-ended
	})
	return listener.Addr().String()
}

// healthy has the health protocol, in which shop.Cart has a status.
func healthy(is grpc_health_v1.HealthCheckResponse_ServingStatus) func(*grpc.Server) {
	return func(server *grpc.Server) {
		states := health.NewServer()
		states.SetServingStatus("shop.Cart", is)
		grpc_health_v1.RegisterHealthServer(server, states)
	}
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	server := httptest.NewTLSServer(nil) // for its certificate alone
	defer server.Close()
	return server.TLS.Certificates[0]
}

func TestGRPCAnswersAreJudged(t *testing.T) {
	serving := healthy(grpc_health_v1.HealthCheckResponse_SERVING)
	refuse := func(code codes.Code) grpc.ServerOption {
		return grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if given, _ := metadata.FromIncomingContext(ctx); strings.Join(given.Get("authorization"), "") == "Bearer "+canary {
				return next(ctx, request)
			}
			return nil, status.Errorf(code, "no: %s ü%%", canary)
		})
	}
	secret := func(d *service.Definition) { d.Request.Headers = map[string]string{"X-Token": canary} }
	for _, c := range []struct {
		name, url string
		address   string
		change    func(*service.Definition)
		failure   event.Failure
		says      string
	}{
		{"the server serves", "grpc://%s", grpcServer(t, serving), nil, "", ""},
		{"a service serves", "grpc://%s/shop.Cart", grpcServer(t, serving), nil, "", ""},
		{"a service does not", "grpc://%s/shop.Cart", grpcServer(t, healthy(grpc_health_v1.HealthCheckResponse_NOT_SERVING)), nil, event.FailureAnswer, "answers NOT_SERVING, expected SERVING"},
		{"a service is not known yet", "grpc://%s/shop.Cart", grpcServer(t, healthy(grpc_health_v1.HealthCheckResponse_UNKNOWN)), nil, event.FailureAnswer, "answers UNKNOWN"},
		{"there is no such service", "grpc://%s/shop.Nothing", grpcServer(t, serving), nil, event.FailureAnswer, `has no service "shop.Nothing"`},
		{"there is no health protocol", "grpc://%s", grpcServer(t, func(*grpc.Server) {}), nil, event.FailureAnswer, "register grpc.health.v1"},
		{"a login is wanted", "grpc://%s", grpcServer(t, serving, refuse(codes.Unauthenticated)), secret, event.FailureAuth, "refuses the call: no: *** ü% (gRPC code 16)"},
		{"a login is refused", "grpc://%s", grpcServer(t, serving, refuse(codes.PermissionDenied)), secret, event.FailureAuth, "gRPC code 7"},
		{"a token is accepted", "grpc://%s", grpcServer(t, serving, refuse(codes.Unauthenticated)), func(d *service.Definition) { d.Request.Bearer = canary }, "", ""},
		{"it is overloaded", "grpc://%s", grpcServer(t, serving, refuse(codes.ResourceExhausted)), secret, event.FailureAnswer, "answers with an error: no: *** ü% (gRPC code 8)"},
		{"TLS", "grpcs://%s", grpcServer(t, serving, grpc.Creds(credentials.NewServerTLSFromCert(new(certificate(t))))), func(d *service.Definition) { d.TLS.Insecure = true }, "", ""},
		{"a certificate of an unknown authority", "grpcs://%s", grpcServer(t, serving, grpc.Creds(credentials.NewServerTLSFromCert(new(certificate(t))))), nil, event.FailureTLSCertificate, "unknown authority"},
		{"TLS where there is none", "grpcs://%s", grpcServer(t, serving), nil, event.FailureProtocol, "does not speak TLS"},
		{"no TLS where there is", "grpc://%s", grpcServer(t, serving, grpc.Creds(credentials.NewServerTLSFromCert(new(certificate(t))))), nil, event.FailureReset, "closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := lookOnce(t, fmt.Sprintf(c.url, c.address), c.change)
			if c.failure == "" {
				sees(t, seen, event.Up, "", "")
			} else {
				sees(t, seen, event.Down, c.failure, c.says)
			}
		})
	}
}

// TestGRPCOfOthers checks servers of HTTP that are none of gRPC.
func TestGRPCOfOthers(t *testing.T) {
	insecure := func(d *service.Definition) { d.TLS.Insecure = true }
	serve := func(http2 bool, handler http.HandlerFunc) string {
		server := httptest.NewUnstartedServer(handler)
		server.EnableHTTP2 = http2
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // that checks hang up is what is wanted
		server.StartTLS()
		t.Cleanup(server.Close)
		return "grpcs://" + server.Listener.Addr().String()
	}
	code := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	frame := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "Grpc-Status")
			fmt.Fprint(w, body)
			w.Header().Set("Grpc-Status", "0")
		}
	}
	old := rawServer(t, func(conn net.Conn) {
		readAll(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate(t)}}))
	})
	sees(t, lookOnce(t, "grpcs://"+old, insecure), event.Down, event.FailureProtocol, "does not offer HTTP/2")
	sees(t, lookOnce(t, serve(false, code(200)), insecure), event.Down, event.FailureProtocol, "no application protocol")
	sees(t, lookOnce(t, serve(true, code(200)), insecure), event.Down, event.FailureProtocol, "not valid gRPC")
	sees(t, lookOnce(t, serve(true, code(502)), insecure), event.Down, event.FailureAnswer, "answers HTTP 502, which is not gRPC")
	sees(t, lookOnce(t, serve(true, code(401)), insecure), event.Down, event.FailureAuth, "HTTP 401")
	sees(t, lookOnce(t, serve(true, frame("\x00\x00\x00\x00\x02\x08\x01")), insecure), event.Up, "", "")
	sees(t, lookOnce(t, serve(true, frame("\x00\x00\x00\x00\x00")), insecure), event.Down, event.FailureAnswer, "answers UNKNOWN")
	sees(t, lookOnce(t, serve(true, frame("\x00\x00\x00\x00\x02\x08\x63")), insecure), event.Down, event.FailureAnswer, "answers 99")
	for _, wrong := range []string{"", "\x00\x00\x00\x00\x03\x08\x01", "\x01\x00\x00\x00\x02\x08\x01", "\x00\xff\xff\xff\xff\x08\x01", "\x00\x00\x00\x00\x01\x08", "\x00\x00\x00\x00\x02\x0a\x7f", strings.Repeat("x", 1<<16)} {
		sees(t, lookOnce(t, serve(true, frame(wrong)), insecure), event.Down, event.FailureProtocol, "not valid gRPC")
	}
}

// FuzzHealthOf: a status comes of whole messages alone, and nothing panics.
func FuzzHealthOf(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x02\x08\x01"))
	f.Add([]byte("\x00\x00\x00\x00\x04\x12\x00\x08\x02"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if _, err := healthOf(frame); err == nil && len(frame) < 5 {
			t.Errorf("%q is a whole message", frame)
		}
	})
}
