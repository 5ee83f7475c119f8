package check

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// session is what one check opens, mostly through a client library. Whatever the
// library does, each connection breaks off when the check's time is over, and
// end leaves none open: a library's goroutines that wait for one end with it.
type session struct {
	p     *progress
	ctx   context.Context // of the check: a library's own may last longer
	stop  func() bool
	mu    sync.Mutex
	over  bool
	conns []net.Conn
	broke error // what the first connection ended with that broke off
}

// session begins the check's own. The caller ends it.
func (p *progress) session(ctx context.Context) *session {
	s := &session{p: p, ctx: ctx}
	s.stop = context.AfterFunc(ctx, s.hangUp)
	return s
}

// dial opens a connection for a library that gives a context of its own.
func (s *session) dial(_ context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	over := s.over
	s.mu.Unlock()
	if over {
		return nil, net.ErrClosed // some libraries dial again to say goodbye
	}
	conn, err := s.p.dial(s.ctx, network, address)
	if err != nil {
		return nil, s.broken(err)
	}
	return s.keep(conn)
}

// open is dial to the check's target over TCP, with a deadline for those who
// read and write by themselves.
func (s *session) open() (net.Conn, error) {
	conn, err := s.dial(s.ctx, "tcp", s.p.address)
	if err != nil {
		return nil, err
	}
	if deadline, has := s.ctx.Deadline(); has {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	return conn, nil
}

func (s *session) keep(conn net.Conn) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		conn.Close()
		return nil, net.ErrClosed
	}
	conn = &sessionConn{Conn: conn, s: s}
	s.conns = append(s.conns, conn)
	return conn, nil
}

// end closes every connection. It may be called more than once.
func (s *session) end() {
	s.stop()
	s.hangUp()
}

func (s *session) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for _, conn := range s.conns {
		conn.Close() // its state does not matter any more
	}
}

// broken remembers the first error of a connection.
func (s *session) broken(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broke == nil && !s.over && !errors.Is(err, net.ErrClosed) {
		s.broke = err
	}
	return err
}

// cause is what a connection ended with, where that is why a library reports
// err: some say only that the connection is bad. It is err where none broke off.
func (s *session) cause(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broke != nil {
		return s.broke
	}
	return err
}

// sessionConn remembers what it ended with.
type sessionConn struct {
	net.Conn
	s *session
}

func (c *sessionConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && !isPoke(err, c.s.ctx) {
		c.s.broken(err)
	}
	return n, err
}

func (c *sessionConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil && !isPoke(err, c.s.ctx) {
		c.s.broken(err)
	}
	return n, err
}

// isPoke says whether a time-out is one that a library made to end a read of its
// own, before the check's time was over.
func isPoke(err error, ctx context.Context) bool {
	deadline, has := ctx.Deadline()
	return isTimeout(err) && has && time.Now().Before(deadline)
}
