package check

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"syscall"
)

// plainTransport makes requests over HTTP/1.1 without TLS, on one connection
// that it keeps. Most checks are such, and over http.Transport each costs twice
// as much: that hands every request to two goroutines of the connection, which
// keep their stacks and buffers while they wait for the next. Here the check's
// own goroutine writes and reads, and an idle connection is a socket alone.
//
// What net/http parses and formats it does here too, and what callers see is
// the same: the trace's stages, one more attempt on a new connection where the
// server had closed the kept one, no interim responses, and bounded headers.
// It serves one request at a time.
type plainTransport struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	address string // host and port
	keep    bool   // the connection, after an answer that allows it

	mu   sync.Mutex
	idle net.Conn // nil: none
}

var errHeaderTooLarge = fmt.Errorf("the response headers are larger than %d bytes", maxHeader)

func (t *plainTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.WithContext(request.Context()) // the caller's is not changed
	request.Close = request.Close || !t.keep
	response, again, err := t.attempt(request, t.take())
	if again && request.GetBody != nil {
		request.Body, err = request.GetBody()
		again = err == nil
	}
	if again {
		response, _, err = t.attempt(request, nil)
	}
	if err != nil && request.Context().Err() != nil {
		err = request.Context().Err()
	}
	return response, err
}

// CloseIdleConnections closes the connection that is kept.
func (t *plainTransport) CloseIdleConnections() {
	if conn := t.take(); conn != nil {
		conn.Close()
	}
}

// attempt makes the request on a kept connection, or on a new one where that
// is nil. After an error, again says that the kept one was of no use any more.
func (t *plainTransport) attempt(request *http.Request, conn net.Conn) (response *http.Response, again bool, err error) {
	ctx := request.Context()
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil {
		trace = &httptrace.ClientTrace{}
	}
	call(trace.GetConn, t.address)
	kept := conn != nil
	if kept && !alive(conn) {
		conn.Close()
		return nil, true, io.ErrUnexpectedEOF
	}
	if !kept {
		if conn, err = t.dial(ctx, "tcp", t.address); err != nil {
			return nil, false, err
		}
	}
	call(trace.GotConn, httptrace.GotConnInfo{Conn: conn, Reused: kept})
	x := &exchange{transport: t, conn: conn, trace: trace, reader: readers.Get().(*bufio.Reader), left: maxHeader, first: true}
	x.reader.Reset(x)
	x.release = untilEnd(ctx, conn)
	err = x.write(request)
	// A server that refuses a body may answer before it has read all of it.
	response, reading := x.read(request)
	switch {
	case reading == nil:
		return response, false, nil
	case err == nil || !x.first:
		err = reading
	}
	x.end(false)
	return nil, kept && x.first && isReset(err), err
}

// call reports something to a trace, where it has a hook for it.
func call[T any](hook func(T), value T) {
	if hook != nil {
		hook(value)
	}
}

// take is the kept connection, which is then the caller's; nil: there is none.
func (t *plainTransport) take() net.Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	conn := t.idle
	t.idle = nil
	return conn
}

func (t *plainTransport) put(conn net.Conn) {
	if before := t.take(); before != nil {
		before.Close()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idle = conn
}

var (
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}
	writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 1<<10) }}
)

// exchange is a request on its connection, and its response's body.
type exchange struct {
	transport *plainTransport
	conn      net.Conn
	trace     *httptrace.ClientTrace
	reader    *bufio.Reader // of the exchange itself, which counts what comes; nil once it is over
	left      int           // how many bytes of headers may still come; negative: any number
	first     bool          // nothing came yet
	release   func() bool   // of the context
	body      io.ReadCloser // of net/http, over reader
	reuse     bool          // the connection, when the body is read to its end
}

// Read reads from the connection.
func (x *exchange) Read(p []byte) (int, error) {
	if x.left == 0 {
		return 0, errHeaderTooLarge
	}
	if x.left > 0 && len(p) > x.left {
		p = p[:x.left]
	}
	n, err := x.conn.Read(p)
	if x.left > 0 {
		x.left -= n
	}
	if n > 0 && x.first {
		x.first = false
		if x.trace.GotFirstResponseByte != nil {
			x.trace.GotFirstResponseByte()
		}
	}
	return n, err
}

func (x *exchange) write(request *http.Request) error {
	w := writers.Get().(*bufio.Writer)
	w.Reset(x.conn)
	err := request.Write(w)
	if err == nil {
		err = w.Flush()
	}
	w.Reset(nil)
	writers.Put(w)
	call(x.trace.WroteRequest, httptrace.WroteRequestInfo{Err: err})
	return err
}

// read reads an answer's status and headers.
func (x *exchange) read(request *http.Request) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(x.reader, request)
		if err != nil {
			return nil, err
		}
		if code := response.StatusCode; 100 <= code && code < 200 && code != http.StatusSwitchingProtocols {
			continue // an interim response
		}
		x.left = -1
		x.body = response.Body
		x.reuse = x.transport.keep && !response.Close && !request.Close && response.StatusCode >= 200
		response.Body = bodyOf{x}
		if response.ContentLength == 0 || request.Method == http.MethodHead {
			x.end(true)
		}
		return response, nil
	}
}

// end gives back what the exchange used, once. The connection is kept where all
// of the answer was read, and nothing came after it.
func (x *exchange) end(complete bool) {
	if x.reader == nil {
		return
	}
	kept := complete && x.reuse && x.reader.Buffered() == 0
	x.reader.Reset(nil)
	readers.Put(x.reader)
	x.reader = nil
	if x.release() && kept { // after the end of the context no read on it works
		x.transport.put(x.conn)
		return
	}
	x.conn.Close()
}

// bodyOf is a response's body, whose end ends the exchange.
type bodyOf struct{ *exchange }

func (b bodyOf) Read(p []byte) (int, error) {
	if b.reader == nil {
		return 0, io.EOF
	}
	n, err := b.body.Read(p)
	if err != nil {
		b.end(err == io.EOF)
	}
	return n, err
}

func (b bodyOf) Close() error {
	b.end(false)
	return nil
}

// alive says whether the server neither closed a kept connection nor said
// anything on it, such as that it is about to: that would look like an answer.
func alive(conn net.Conn) bool {
	tracked, is := conn.(*trackedConn)
	if is {
		conn = tracked.Conn
	}
	system, is := conn.(syscall.Conn)
	if !is {
		return false
	}
	raw, err := system.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		quiet = nothingToRead(fd)
		return true
	})
	return err == nil && quiet
}
