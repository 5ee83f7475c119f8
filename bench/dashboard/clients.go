//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"logstream/internal/supervise"
)

// every is of how many clients one looks into its frames. The others read them and
// count bytes: pages are on other machines, and what they do with a frame must
// not take the server's CPU.
const every = 20

// page is an open page.
type page struct {
	conn  *websocket.Conn
	looks bool

	bytes, frames atomic.Int64
	gone          atomic.Bool

	mu   sync.Mutex
	seen []arrival // of a page that looks
}

// arrival is an event that came.
type arrival struct {
	at   float64 // when it was made, in seconds since the epoch
	late float64 // milliseconds until it came
}

// crowd is all open pages of one server.
type crowd struct {
	pages []*page
	group errgroup.Group
}

// join opens pages, several at a time, which read until the server ends.
func (c *crowd) join(ctx context.Context, n int, address string, of *contender, deflate bool) error {
	var opening errgroup.Group
	opening.SetLimit(32)
	first := len(c.pages)
	for i := range n {
		c.pages = append(c.pages, &page{looks: i%every == 0})
	}
	for _, p := range c.pages[first:] {
		supervise.Go(ctx, &opening, "open a page", func(ctx context.Context) (err error) {
			dialer := websocket.Dialer{HandshakeTimeout: time.Minute, ReadBufferSize: 16 << 10, EnableCompression: deflate}
			for range 5 { // a busy machine may not answer in time
				if p.conn, err = open(ctx, dialer, address, of); err == nil {
					return nil
				}
			}
			return err
		})
	}
	if err := opening.Wait(); err != nil {
		return fmt.Errorf("open %d pages: %w", n, err)
	}
	for _, p := range c.pages[first:] {
		supervise.Go(ctx, &c.group, "a page", func(context.Context) error { p.read(); return nil })
	}
	return nil
}

func open(ctx context.Context, dialer websocket.Dialer, address string, of *contender) (*websocket.Conn, error) {
	conn, resp, err := dialer.DialContext(ctx, "ws://"+address+of.path, nil)
	if err != nil {
		if resp != nil {
			err = fmt.Errorf("%w: %s", err, resp.Status)
		}
		return nil, err
	}
	if of.hello != "" {
		err = conn.WriteMessage(websocket.TextMessage, []byte(of.hello))
	}
	return conn, err
}

// stall opens connections that never read, each with a small buffer of the kernel.
func stall(ctx context.Context, n int, address string, of *contender) (leave func(), err error) {
	var all []*websocket.Conn
	leave = func() {
		for _, conn := range all {
			conn.Close()
		}
	}
	small := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		if failed := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) }); failed != nil {
			return failed
		}
		return err
	}}
	for range n {
		conn, err := open(ctx, websocket.Dialer{NetDialContext: small.DialContext}, address, of)
		if err != nil {
			return leave, err
		}
		all = append(all, conn)
	}
	return leave, nil
}

func (p *page) read() {
	defer p.gone.Store(true)
	var body bytes.Buffer
	for {
		_, message, err := p.conn.NextReader()
		if err != nil {
			return
		}
		p.frames.Add(1)
		if !p.looks {
			if n, err := skip(p.conn, message); err == nil {
				p.bytes.Add(n)
			}
			continue
		}
		body.Reset()
		n, err := body.ReadFrom(message)
		if err != nil {
			return
		}
		p.bytes.Add(n)
		p.look(body.Bytes(), time.Now())
	}
}

// skip reads a message. What is compressed stays so: the next NextReader passes
// over it.
func skip(conn *websocket.Conn, message io.Reader) (int64, error) {
	if compressed {
		return 0, nil
	}
	return io.Copy(io.Discard, message)
}

// compressed says that the connections of this run are.
var compressed bool

var mark = []byte(`"timestamp":`)

// look notes each event of a frame.
func (p *page) look(frame []byte, now time.Time) {
	came := float64(now.UnixMicro()) / 1e6
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		i := bytes.Index(frame, mark)
		if i < 0 {
			return
		}
		frame = frame[i+len(mark):]
		end := bytes.IndexAny(frame, ",}")
		if end < 0 {
			return
		}
		if at, err := strconv.ParseFloat(string(frame[:end]), 64); err == nil {
			p.seen = append(p.seen, arrival{at, 1000 * (came - at)})
		}
	}
}

// leave closes all pages.
func (c *crowd) leave() {
	for _, p := range c.pages {
		if p.conn != nil {
			p.conn.Close()
		}
	}
	c.group.Wait()
}

// reset forgets what came so far.
func (c *crowd) reset() {
	for _, p := range c.pages {
		p.bytes.Store(0)
		p.frames.Store(0)
		p.mu.Lock()
		p.seen = nil
		p.mu.Unlock()
	}
}
