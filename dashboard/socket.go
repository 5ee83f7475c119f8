package dashboard

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"logstream/internal/supervise"
)

const (
	subprotocol = "logstream"

	pingEvery   = 20 * time.Second
	pongWithin  = 50 * time.Second // a client that sends nothing for longer is gone
	frameWithin = 10 * time.Second // a client that doesn't take a frame in this time is too slow
	maxInbound  = 4 << 10          // bytes: a client has nothing to say
)

// client is one open page. Frames are put in by the loop alone.
type client struct {
	frames chan []byte
}

func newClient() *client { return &client{frames: make(chan []byte, queueLen)} }

// offer hands over a frame if there is room.
func (c *client) offer(frame []byte) bool {
	select {
	case c.frames <- frame:
		return true
	default:
		return false
	}
}

// replace puts a snapshot in place of everything that waits.
func (c *client) replace(snapshot []byte) {
	for {
		select {
		case <-c.frames:
		default:
			c.frames <- snapshot // there is room: only the loop puts in
			return
		}
	}
}

// Host, Origin and token were checked before this is reached.
var upgrader = websocket.Upgrader{
	HandshakeTimeout: headerWithin,
	ReadBufferSize:   1 << 10,
	WriteBufferSize:  8 << 10,
	Subprotocols:     []string{subprotocol},
	CheckOrigin:      func(*http.Request) bool { return true },
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
	if err := r.ask(req.Context(), func(l *loop) { joined = l.join(c) }); err != nil {
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
	group, ctx := errgroup.WithContext(r.ctx)
	supervise.Go(ctx, group, "dashboard: frames of a page", func(ctx context.Context) error {
		defer func() { _ = conn.Close() }() // ends listen
		return c.write(ctx, conn)
	})
	supervise.Go(ctx, group, "dashboard: a page", func(context.Context) error { return listen(conn) })
	if err := group.Wait(); err != nil && !websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived) {
		r.log.Debug("page disconnected", "remote", req.RemoteAddr, "error", err)
	}
}

// write sends frames and pings until ctx ends or the client takes them no more.
func (c *client) write(ctx context.Context, conn *websocket.Conn) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
			return conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
		case frame := <-c.frames:
			if err = conn.SetWriteDeadline(time.Now().Add(frameWithin)); err == nil {
				err = conn.WriteMessage(websocket.TextMessage, frame)
			}
		case <-ping.C:
			err = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(frameWithin))
		}
		if err != nil {
			return err
		}
	}
}

// listen reads until the connection ends: pongs, and nothing else that counts.
func listen(conn *websocket.Conn) error {
	conn.SetReadLimit(maxInbound)
	alive := func(string) error { return conn.SetReadDeadline(time.Now().Add(pongWithin)) }
	conn.SetPongHandler(alive)
	if err := alive(""); err != nil {
		return err
	}
	for {
		_, message, err := conn.NextReader()
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, message); err != nil { // the limit counts what is read
			return err
		}
	}
}
