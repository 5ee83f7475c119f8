package check

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"logstream/internal/event"
	"logstream/internal/service"
)

const protocolGRPC = "gRPC"

var grpcKind = Kind{Name: "grpc", Schemes: []string{"grpc", "grpcs"}, Example: "grpc://localhost:50051/package.Service",
	Problems: grpcProblems, New: newGRPC}

// grpcHealth is the method that every server with the health protocol has.
const grpcHealth = "/grpc.health.v1.Health/Check"

// maxGRPC is how much of an answer is read: a health answer has two bytes.
const maxGRPC = 4 << 10

// grpcCheck calls the gRPC health protocol for the service in the url's path;
// without one, for the whole server.
//
// One call without streams is one HTTP/2 request, and its messages have one
// field each: net/http does that, and unlike gRPC's own client it says why a
// connection was not made.
type grpcCheck struct {
	stateless
	def     service.Definition
	secure  bool
	service string
}

func newGRPC(def service.Definition, env Env) Checker {
	u := urlOf(def)
	c := &grpcCheck{def: def, secure: strings.EqualFold(u.Scheme, "grpcs"), service: strings.TrimPrefix(u.Path, "/")}
	port := "80"
	if c.secure {
		port = "443"
	}
	c.stateless = statelessOf(def, env, protocolGRPC, port)
	c.run = c.call
	return c
}

func grpcProblems(_ service.Definition, u *url.URL) []service.Problem {
	if u.User != nil {
		return urlProblem(u, "has a user; gRPC has no basic login: use request.bearer or request.headers")
	}
	return urlProblems(u)
}

func (c *grpcCheck) call(ctx context.Context, p *progress) error {
	s := p.session(ctx)
	defer s.end()
	transport, err := c.transport(ctx, s)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	request, err := c.request(ctx)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return s.cause(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxGRPC))
	if err != nil {
		return s.cause(err)
	}
	return c.judge(p, response, body)
}

// transport makes one connection, of HTTP/2 alone.
func (c *grpcCheck) transport(ctx context.Context, s *session) (*http.Transport, error) {
	config, err := s.p.tlsConfig(c.def.TLS)
	if err != nil {
		return nil, err
	}
	config.NextProtos = []string{"h2"}
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true, MaxResponseHeaderBytes: maxForeign, DialContext: s.dial}
	transport.Protocols.SetHTTP2(c.secure)
	transport.Protocols.SetUnencryptedHTTP2(!c.secure)
	transport.DialTLSContext = func(_ context.Context, network, address string) (net.Conn, error) {
		conn, err := s.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secure, err := s.p.handshake(ctx, conn, config)
		if err != nil {
			return nil, s.broken(err)
		}
		if secure.ConnectionState().NegotiatedProtocol != "h2" {
			secure.Close()
			return nil, s.broken(failed(event.FailureProtocol, "%s does not offer HTTP/2, which gRPC needs", c.host))
		}
		return secure, nil
	}
	return transport, nil
}

func (c *grpcCheck) request(ctx context.Context) (*http.Request, error) {
	scheme := "http"
	if c.secure {
		scheme = "https"
	}
	message := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), c.service)
	frame := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, (&url.URL{Scheme: scheme, Host: c.address, Path: grpcHealth}).String(), bytes.NewReader(frame))
	if err != nil {
		return nil, err
	}
	for name, value := range c.def.Request.Headers {
		request.Header.Set(name, value)
	}
	if c.def.Request.Bearer != "" {
		request.Header.Set("Authorization", "Bearer "+c.def.Request.Bearer)
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Te", "trailers")
	request.Header.Set("User-Agent", c.env.agent())
	return request, nil
}

// The codes of gRPC that mean different failures.
const (
	grpcOK               = 0
	grpcNotFound         = 5
	grpcPermissionDenied = 7
	grpcUnimplemented    = 12
	grpcUnauthenticated  = 16
)

func (c *grpcCheck) judge(p *progress, response *http.Response, body []byte) error {
	raw := cmp.Or(response.Trailer.Get("Grpc-Status"), response.Header.Get("Grpc-Status"))
	code, err := strconv.ParseUint(raw, 10, 16)
	switch {
	case raw == "" && (response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden):
		return failed(event.FailureAuth, "%s refuses the call: HTTP %d", p.host, response.StatusCode)
	case raw == "" && response.StatusCode != http.StatusOK:
		return failed(event.FailureAnswer, "%s answers HTTP %d, which is not gRPC", p.host, response.StatusCode)
	case err != nil:
		return errNotGRPC
	}
	says := cmp.Or(response.Trailer.Get("Grpc-Message"), response.Header.Get("Grpc-Message"))
	if plain, err := url.PathUnescape(says); err == nil {
		says = plain
	}
	switch code {
	case grpcOK:
		return c.serving(p, body)
	case grpcNotFound:
		return failed(event.FailureAnswer, "%s has no service %q (gRPC code %d)", p.host, p.foreign(c.service), code)
	case grpcUnimplemented:
		return failed(event.FailureAnswer, "%s does not implement the gRPC health protocol (gRPC code %d); register grpc.health.v1 in the server", p.host, code)
	case grpcPermissionDenied, grpcUnauthenticated:
		return failed(event.FailureAuth, "%s refuses the call: %s (gRPC code %d)", p.host, p.said(says), code)
	}
	return failed(event.FailureAnswer, "%s answers with an error: %s (gRPC code %d)", p.host, p.said(says), code)
}

// servingStatus are the names of grpc.health.v1's ServingStatus.
var servingStatus = []string{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"}

func (c *grpcCheck) serving(p *progress, frame []byte) error {
	status, err := healthOf(frame)
	if err != nil {
		return err
	}
	name := strconv.FormatUint(status, 10)
	if status < uint64(len(servingStatus)) {
		name = servingStatus[status]
	}
	p.noteAnswer("answer", name)
	if name == "SERVING" {
		return nil
	}
	return failed(event.FailureAnswer, "%s answers %s, expected SERVING", p.host, name)
}

var errNotGRPC = errors.New("not an answer of gRPC")

// healthOf is the status in a HealthCheckResponse: its first field, which is
// left out where it is zero.
func healthOf(frame []byte) (uint64, error) {
	if len(frame) < 5 || frame[0] != 0 || uint64(binary.BigEndian.Uint32(frame[1:5])) != uint64(len(frame)-5) {
		return 0, errNotGRPC
	}
	var status uint64
	for message := frame[5:]; len(message) > 0; {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return 0, errNotGRPC
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			return 0, errNotGRPC
		}
		if number == 1 && kind == protowire.VarintType {
			status, _ = protowire.ConsumeVarint(message[n:])
		}
		message = message[n+size:]
	}
	return status, nil
}
