package dashboard

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"logstream/internal/supervise"
	"logstream/internal/text"
)

const (
	subprotocol = "logstream"

	pingEvery      = 20 * time.Second
	pongWithin     = 50 * time.Second // a client that sends nothing for longer is gone
	frameWithin    = 10 * time.Second // a client that doesn't take a frame in this time is too slow
	maxCloseReason = 120              // bytes of a close message, which has room for 123
	queueLen       = 32               // frames that wait for a client
)

// client is one open page. Frames are put in by the loop alone, and what is
// not the queue belongs to the loop.
type client struct {
	queue chan outgoing

	stage stage
	watch watched
	had   watched // what it watched as of the last answer or snapshot

	watches    bool // it has sent a watch
	unanswered bool // a watch is not answered, or its answer may have been dropped
}

// stage is how much of the state a client has.
type stage int

const (
	joined  stage = iota // nothing: it wants a snapshot
	current              // every frame so far is in its queue, or was sent
	stalled              // it took nothing for so long that its queue was dropped
	resumed              // it takes frames again, and wants a snapshot
)

func newClient() *client { return &client{queue: make(chan outgoing, queueLen)} }

// offer puts a frame into the queue if there is room. Otherwise it drops all that waits:
// the client gets a snapshot as soon as it takes frames again, and nothing is kept for it
// meanwhile.
func (c *client) offer(o outgoing) {
	select {
	case c.queue <- o:
		return
	default:
	}
	c.stage = stalled
	c.unanswered = c.unanswered || c.watches
	for {
		select {
		case <-c.queue:
		default:
			c.queue <- outgoing{} // there is room: only the loop puts in
			return
		}
	}
}

// buffers are for frames that are put together for one client; writeBuffers are those
// of connections that are writing.
var (
	buffers      = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	writeBuffers sync.Pool
)

// Host, Origin and token were checked before this is reached.
var upgrader = websocket.Upgrader{
	HandshakeTimeout: headerWithin,
	ReadBufferSize:   1 << 10,
	WriteBufferSize:  4 << 10,
	WriteBufferPool:  &writeBuffers, // an idle page holds none
	Subprotocols:     []string{subprotocol},
	CheckOrigin:      func(*http.Request) bool { return true },

	// A frame for all is compressed once, which costs less than the bytes that a
	// thousand clients would be sent instead.
	EnableCompression: true,
}

// socket serves one page until it leaves, or the actor ends.
func (r *run) socket(w http.ResponseWriter, req *http.Request) {
	if !websocket.IsWebSocketUpgrade(req) {
		fail(w, http.StatusBadRequest, "this address takes WebSocket connections only")
		return
	}
	r.sockets.Add(1)
	defer r.sockets.Done()
	c := newClient()
	joined := false
	if err := r.inLoop(req.Context(), func(l *loop) { joined = l.join(c) }); err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	defer r.send(r.ctx, func(l *loop) { l.leave(c) })
	if !joined {
		fail(w, http.StatusServiceUnavailable, fmt.Sprintf("all %d connections of the dashboard are in use; close another page", maxClients))
		return
	}
	conn, err := upgrader.Upgrade(w, req, nil)
	if err != nil {
		return // it was answered
	}
	defer func() { _ = conn.Close() }() // nothing is left to be said
	life := r.ctx
	if end := person(req).Until; !end.IsZero() { // whose credential has ended sees nothing more
		var cancel context.CancelFunc
		life, cancel = context.WithDeadline(r.ctx, end)
		defer cancel()
	}
	group, ctx := errgroup.WithContext(life)
	supervise.Go(ctx, group, "dashboard: frames of a page", func(ctx context.Context) error {
		defer func() { _ = conn.Close() }() // ends listen
		return r.write(ctx, c, conn)
	})
	supervise.Go(ctx, group, "dashboard: a page", func(ctx context.Context) error { return r.listen(ctx, c, conn) })
	if err := group.Wait(); err != nil && !websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived) {
		r.log.Debug("page disconnected", "remote", req.RemoteAddr, "error", err)
	}
}

// write sends frames and pings until ctx ends or the client takes them no more.
func (r *run) write(ctx context.Context, c *client, conn *websocket.Conn) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
			return conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
		case frame := <-c.queue:
			if frame.dropped() {
				r.send(ctx, func(l *loop) { l.resume(c) })
				continue
			}
			if err = conn.SetWriteDeadline(time.Now().Add(frameWithin)); err == nil {
				err = frame.write(conn)
			}
		case <-ping.C:
			err = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(frameWithin))
		}
		if err != nil {
			return err
		}
	}
}

// listen reads until the connection ends: pongs, and what the client watches.
// Any other message is ignored, and a watch that is wrong ends the connection.
func (r *run) listen(ctx context.Context, c *client, conn *websocket.Conn) error {
	conn.SetReadLimit(maxInbound)
	alive := func(string) error { return conn.SetReadDeadline(time.Now().Add(pongWithin)) }
	conn.SetPongHandler(alive)
	if err := alive(""); err != nil {
		return err
	}
	limit := newWatchLimit()
	for {
		kind, message, err := conn.NextReader()
		if err != nil {
			return err
		}
		body, err := io.ReadAll(io.LimitReader(message, maxInbound+1)) // it may be compressed
		if err != nil {
			return err
		}
		if len(body) > maxInbound {
			return closeWith(conn, websocket.CloseMessageTooBig, errTooBig)
		}
		if err := limit.Wait(ctx); err != nil { // meanwhile nothing more is read
			return err
		}
		w, is, err := parseWatch(body)
		switch {
		case kind != websocket.TextMessage || !is:
			continue
		case err != nil:
			return closeWith(conn, websocket.ClosePolicyViolation, err)
		}
		r.send(ctx, func(l *loop) { l.watch(c, w) })
	}
}

var errTooBig = fmt.Errorf("a message has at most %d bytes", maxInbound)

// closeWith ends a connection with a close code and the reason, which it returns.
func closeWith(conn *websocket.Conn, code int, reason error) error {
	bye := websocket.FormatCloseMessage(code, text.Clip(reason.Error(), maxCloseReason))
	_ = conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)) // it ends either way
	return reason
}
