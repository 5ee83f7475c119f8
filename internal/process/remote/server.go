//go:build e2e

package remote

import (
	"context"
	"encoding/gob"
	"net"
	"sync"
	"time"

	"logstream/internal/container"
)

// within is what a call may take. It goes on when its caller is gone, as an
// engine's does.
const within = time.Minute

// Server serves a runtime, and counts the repairs that it was called for.
type Server struct {
	runtime container.Runtime

	mu    sync.Mutex
	calls map[string]int // by method and ID
}

// Serve serves the runtime at the listener until that is closed.
func Serve(l net.Listener, runtime container.Runtime) *Server {
	s := &Server{runtime: runtime, calls: map[string]int{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.answer(conn)
		}
	}()
	return s
}

// Calls is how often a method was called for the child with that ID, and
// reached it.
func (s *Server) Calls(method, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method+" "+id]
}

func (s *Server) answer(conn net.Conn) {
	defer conn.Close()
	var q request
	if gob.NewDecoder(conn).Decode(&q) != nil {
		return
	}
	out := gob.NewEncoder(conn)
	if q.Method == "Events" {
		s.follow(conn, out, q)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	s.mu.Lock()
	s.calls[q.Method+" "+q.Ref]++
	s.mu.Unlock()
	_ = out.Encode(s.do(ctx, q)) // who is gone needs no answer
}

func (s *Server) do(ctx context.Context, q request) (a answer) {
	var err error
	switch q.Method {
	case "Info":
		a.Info, err = s.runtime.Info(ctx)
	case "Find":
		a.State, err = s.runtime.Find(ctx, q.Ref)
	case "Inspect":
		a.State, err = s.runtime.Inspect(ctx, q.Ref)
	case "List":
		a.List, err = s.runtime.List(ctx)
	case "Ports":
		a.Ports, err = s.runtime.Ports(ctx, q.Ref)
	case "Logs":
		a.Lines, err = s.runtime.Logs(ctx, q.Ref, q.Tail)
	case "Start":
		err = s.runtime.Start(ctx, q.Ref)
	case "Restart":
		err = s.runtime.Restart(ctx, q.Ref)
	case "Unpause":
		err = s.runtime.Unpause(ctx, q.Ref)
	case "KillStart":
		err = s.runtime.KillStart(ctx, q.Ref, q.Grace)
	default:
		err = container.ErrUnsupported
	}
	a.fail(err)
	return a
}

// follow sends the events until the other end is gone.
func (s *Server) follow(conn net.Conn, out *gob.Encoder, q request) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		defer cancel()
		_, _ = conn.Read(make([]byte, 1)) // nothing is sent: it ends with the connection
	}()
	var a answer
	a.fail(s.runtime.Events(ctx, q.Since, func() { _ = out.Encode(answer{}) }, func(e container.Event) {
		if out.Encode(answer{Event: &e}) != nil {
			cancel()
		}
	}))
	_ = out.Encode(a)
}
