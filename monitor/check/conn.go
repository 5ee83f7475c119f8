package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// dial opens a connection of one check, and follows its stages: when it returns,
// the check waits for the other side (stageWaiting), and once that said
// something, for the rest (stageAnswering). A context without the check's
// stages, such as a client library's own, does no harm.
func (p *progress) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: p.timeout, Resolver: p.env.Resolver}
	conn, err := dialer.DialContext(ctx, network, p.redirected(address))
	if err != nil {
		return nil, err
	}
	p.raise(stageWaiting)
	return &stagedConn{Conn: conn, p: p}, nil
}

// handshake makes a TLS connection of one that dial opened. It closes conn where
// it fails.
func (p *progress) handshake(ctx context.Context, conn net.Conn, config *tls.Config) (*tls.Conn, error) {
	p.reach(stageHandshake)
	began := time.Now()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	p.reach(stageWaiting)
	p.noteTLS(secure.ConnectionState(), precise(time.Since(began)))
	return secure, nil
}

// dialTLS opens a TLS connection to the target. The files that def names are read
// now.
func (p *progress) dialTLS(ctx context.Context, def service.TLS) (*tls.Conn, error) {
	config, err := p.tlsConfig(def)
	if err != nil {
		return nil, err
	}
	conn, err := p.dial(ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	return p.handshake(ctx, conn, config)
}

// untilEnd has the end of a check end what reads or writes conn. What it returns
// is called when conn is closed.
func untilEnd(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // fails only on a connection that is closed
}

// stagedConn raises the stage of its check when the other side says something.
type stagedConn struct {
	net.Conn
	p *progress
}

func (c *stagedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.p.at.CompareAndSwap(int32(stageWaiting), int32(stageAnswering))
	}
	return n, err
}

// trackedConn knows whether the server sent anything. One that speaks first, as
// SSH and databases do, may do so before net/http expects a response, and
// net/http then reports the same error as where it sent nothing.
type trackedConn struct {
	net.Conn
	received atomic.Bool
	closed   func(*trackedConn)
}

func (c *trackedConn) Close() error {
	c.closed(c)
	return c.Conn.Close()
}

func (c *trackedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.received.Store(true)
	}
	return n, err
}

// tlsConfig is how a check of t makes a TLS connection to its host. The files are
// read each time, so that a new connection uses what was put there since; an
// error names the file.
func (t target) tlsConfig(def service.TLS) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.env.Roots, ServerName: t.hostname, InsecureSkipVerify: def.Insecure}
	if def.ServerName != "" {
		config.ServerName = def.ServerName
	}
	if def.CA != "" {
		pem, err := readFile("tls.ca", def.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, failed(event.FailureCheck, "the check could not run: tls.ca: %s holds no certificate in PEM form", def.CA)
		}
	}
	if def.Cert == "" {
		return config, nil
	}
	cert, err := readFile("tls.cert", def.Cert)
	if err != nil {
		return nil, err
	}
	key, err := readFile("tls.key", def.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, failed(event.FailureCheck, "the check could not run: %s and %s are not a certificate and its key: %s", def.Cert, def.Key, t.foreign(err.Error()))
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// maxFile is how large a file of certificates may be.
const maxFile = 1 << 20

// readFile reads an ordinary file that a key of the definition names.
func readFile(key, name string) ([]byte, error) {
	wrong := func(why any) error {
		return failed(event.FailureCheck, "the check could not run: %s: %v", key, why)
	}
	info, err := os.Stat(name) // opening a pipe would wait for its other end
	if err != nil {
		return nil, wrong(err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, wrong(fmt.Sprintf("%s is not an ordinary file of at most 1 MiB", name))
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, wrong(err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, wrong(err)
	}
	return content, nil
}
